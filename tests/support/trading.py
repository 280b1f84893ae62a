"""Builders of intents, rules and candles, and a stage that plays candles through the engine."""

import gzip
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path

from milobot.domain.decisions import Decision
from milobot.domain.intents import (
    Change,
    Close,
    Distance,
    DistanceKind,
    Enter,
    PositionSide,
    Size,
    SizeKind,
    TradeIntent,
)
from milobot.domain.market import Candle, LeverageBracket, SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.orders import FundingUpdate, Order, OrderUpdate
from milobot.domain.slots import Slot
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.gates import Limits
from milobot.ports import Exchange
from milobot.simulation.clock import ReplayClock
from milobot.simulation.matching import Bar
from milobot.simulation.venue import SimulatedVenue
from milobot.storage.memory import MemoryJournal

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
SYMBOL = "BTCUSDT"
OWNER = "demo:rsi"
HOUR_MS = 3_600_000


def dec(value: str | int) -> Decimal:
    """Return an exact decimal."""
    return Decimal(value)


def decs(*values: str | int) -> tuple[Decimal, ...]:
    """Return exact decimals, to be compared with several at once."""
    return tuple(Decimal(value) for value in values)


def bracket(floor: str, cap: str, leverage: int, rate: str, amount: str) -> LeverageBracket:
    """Return one row of a leverage table."""
    return LeverageBracket(dec(floor), dec(cap), leverage, dec(rate), dec(amount))


# The first rows of a major's table, simple enough to work out by hand.
BRACKETS = (
    bracket("0", "50000", 125, "0.004", "0"),
    bracket("50000", "600000", 100, "0.005", "50"),
    bracket("600000", "3000000", 50, "0.01", "3050"),
)


def rules(
    *,
    tick: str | None = "0.1",
    step: str = "0.001",
    min_quantity: str = "0.001",
    min_notional: str = "5",
    max_market: str | None = None,
    brackets: tuple[LeverageBracket, ...] = (),
) -> SymbolRules:
    """Return rules like those of a major."""
    return SymbolRules(
        symbol=SYMBOL,
        tick_size=None if tick is None else dec(tick),
        quantity_step=dec(step),
        min_quantity=dec(min_quantity),
        max_market_quantity=None if max_market is None else dec(max_market),
        min_notional=dec(min_notional),
        brackets=brackets,
    )


def load_brackets(path: Path) -> dict[str, tuple[LeverageBracket, ...]]:
    """Return the recorded leverage tables of an archive file, by symbol."""
    with gzip.open(path, "rt") as file:
        tables = json.load(file)
    return {
        table["symbol"]: tuple(
            LeverageBracket(
                Decimal(row["notionalFloor"]),
                Decimal(row["notionalCap"]),
                int(row["initialLeverage"]),
                Decimal(row["maintMarginRatio"]),
                Decimal(row["cum"]),
            )
            for row in table["brackets"]
        )
        for table in tables
    }


def percent(value: str) -> Distance:
    """Return a distance in percent of the reference."""
    return Distance(DistanceKind.PERCENT, dec(value) / 100)


def at_price(value: str) -> Distance:
    """Return a level stated as a price."""
    return Distance(DistanceKind.PRICE, dec(value))


def in_atr(value: str) -> Distance:
    """Return a distance in multiples of ATR."""
    return Distance(DistanceKind.ATR, dec(value))


def base(value: str) -> Size:
    """Return a size in the base asset."""
    return Size(SizeKind.BASE, dec(value))


def risk(value: str) -> Size:
    """Return a size in percent of equity at risk."""
    return Size(SizeKind.RISK, dec(value) / 100)


enter_long = partial(Enter, LONG)
enter_short = partial(Enter, SHORT)


def intent(
    action: Enter | Close | Change,
    *,
    reference: str = "100",
    key: str = "k1",
    owner: str = OWNER,
    atr: str | None = None,
    time_ms: int = 0,
) -> TradeIntent:
    """Return a wish to trade, by default with the reference price 100."""
    return TradeIntent(
        key=key,
        owner=owner,
        symbol=SYMBOL,
        time_ms=time_ms,
        action=action,
        reference_price=dec(reference),
        atr=None if atr is None else dec(atr),
    )


def candle(
    open_: float, high: float, low: float, close: float, *, hour: int = 0, volume: float = 1.0
) -> Candle:
    """Return an hourly candle."""
    return Candle(hour * HOUR_MS, open_, high, low, close, volume)


class Stage:
    """A venue, an engine and a journal, and the driver that plays candles through them.

    Attributes:
        updates: What the venue reported inside candles, in order.
        bars: Candles played so far, by time.
    """

    def __init__(
        self,
        *,
        wallet: str = "10000",
        fee: str = "0",
        slippage: str = "0",
        symbol_rules: SymbolRules | None = None,
        limits: Limits | None = None,
        exchange: Callable[[SimulatedVenue], Exchange] = lambda venue: venue,
    ) -> None:
        """Open an account; ``exchange`` may put something between engine and venue."""
        known = symbol_rules or rules()
        self.start = dec(wallet)
        self.venue = SimulatedVenue(
            wallet=self.start,
            taker_fee=dec(fee),
            slippage=dec(slippage),
            rules=lambda symbol: known if symbol == known.symbol else SymbolRules(symbol),
        )
        self.journal = MemoryJournal()
        self.clock = ReplayClock()
        self.engine = ExecutionEngine(
            exchange(self.venue), self.journal, self.clock, EngineConfig(limits=limits or Limits())
        )
        self.updates: list[OrderUpdate] = []
        self.bars: dict[int, Bar] = {}
        self._hour = 0

    @property
    def slot(self) -> Slot:
        """Return the engine's view of the symbol."""
        return self.engine.slot(SYMBOL)

    @property
    def resting(self) -> list[tuple[str, Decimal | None]]:
        """Return what rests at the venue: purpose and trigger, sorted by purpose."""
        orders = self.venue.book(SYMBOL).orders.values()
        return sorted((o.purpose.value, o.trigger_price) for o in orders)

    def open(self, candle: Candle) -> None:
        """Begin the next candle, whatever time it says."""
        timed = candle._replace(time=self._hour * HOUR_MS)
        self._hour += 1
        self.clock.time_ms = timed.time
        self.bars[timed.time] = Bar.from_candle(timed)
        self.venue.open_bar(SYMBOL, self.bars[timed.time])

    async def ruin(self) -> None:
        """Let the exchange take over what the open has ruined."""
        if (update := self.venue.liquidate_at_open(SYMBOL)) is not None:
            self.updates.append(update)
            await self.engine.apply(update)

    async def close(self) -> None:
        """Play the rest of the candle and close it."""
        while (update := self.venue.next_update(SYMBOL)) is not None:
            self.updates.append(update)
            await self.engine.apply(update)
        self.venue.close_bar(SYMBOL)
        await self.engine.candle_closed(SYMBOL, self.venue.book(SYMBOL).bar.close)

    async def play(self, candle: Candle, *pending: TradeIntent) -> list[Decision]:
        """Play one candle; what is pending is carried out at its open."""
        self.open(candle)
        await self.ruin()
        decisions = [await self.engine.accept(one) for one in pending]
        await self.close()
        return decisions

    async def play_all(self, candles: Iterable[Candle]) -> None:
        """Play candles on which nobody wants anything."""
        for one in candles:
            await self.play(one)

    async def fund(self, rate: str) -> FundingUpdate | None:
        """Charge funding at the present mark price."""
        update = self.venue.charge_funding(SYMBOL, dec(rate), self.clock.time_ms)
        if update is not None:
            await self.engine.apply(update)
        return update

    def books_balance(self) -> bool:
        """Return whether wallet and open gains are what the engine's own books say."""
        held = self.slot.position
        at_venue = self.venue.book(SYMBOL)
        tally = self.slot.tally
        open_net = held.net_pnl - tally.start.net_pnl if tally else ZERO
        booked = sum((trip.pnl for trip in self.journal.round_trips), ZERO)
        return self.venue.wallet - self.start == booked + open_net and held == at_venue.position

    def orders(self, purpose: str) -> list[Order]:
        """Return every order that was committed with one purpose, once, in order."""
        found = {o.client_order_id: o for o in self.journal.orders if o.purpose == purpose}
        return list(found.values())

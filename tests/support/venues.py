"""Three exchanges behind one handle: simulated, and both clients over the wire.

A stand plays the same candles whatever is behind it, follows the orders it has placed by the
news that come back, and tells what the exchange holds in the same words. The wire stands read
through the client, so that what they tell is what the client understood.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from tests.support.local_clients import Client, client_for, options_for
from tests.support.wire import bars

from milobot.domain.intents import Side
from milobot.domain.market import CandleSeries, SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.orders import (
    Fill,
    Order,
    OrderPurpose,
    OrderType,
    OrderUpdate,
    apply_order_update,
)
from milobot.domain.reports import MarginMode
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.local_exchange.core.contracts import contract_for
from milobot.local_exchange.core.market import FundingRates
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import ExchangeSetup
from milobot.ports import Account, Clock, Exchange, ExchangeAccount
from milobot.simulation.clock import ReplayClock
from milobot.simulation.matching import Bar
from milobot.simulation.venue import SimulatedVenue
from milobot.storage.memory import MemoryJournal

BTC, ETH = "BTCUSDT", "ETHUSDT"
VENUES = ("simulated", "binance", "bingx")
WIRE = ("binance", "bingx")
WALLET = Decimal(10_000)
FEE = Decimal("0.0005")
# BingX tells balances with four digits; nothing finer can be compared.
_TOLD = Decimal("0.0001")
LEVERAGE = 10
Prices = tuple[float, float, float, float]


class Resting(NamedTuple):
    """A conditional order that waits; a quantity of None closes whatever is open."""

    symbol: str
    type: OrderType
    side: Side
    trigger: Decimal | None
    quantity: Decimal | None


class Execution(NamedTuple):
    """One fill, free of names."""

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal


class Held(NamedTuple):
    """A position; the quantity of a short one is negative."""

    quantity: Decimal
    entry_price: Decimal


@dataclass(frozen=True, slots=True)
class State:
    """What an exchange holds; money as exactly as every exchange tells it."""

    wallet: Decimal
    available: Decimal
    unrealized_pnl: Decimal
    positions: Mapping[str, Held]
    resting: tuple[Resting, ...]
    fills: tuple[Execution, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is played: by symbol one-minute candles of (open, high, low, close)."""

    rows: Mapping[str, tuple[Prices, ...]]
    funding: Decimal = ZERO
    wallet: Decimal = WALLET
    first_ms: int = 1_704_067_200_000

    def series(self) -> dict[str, CandleSeries]:
        """Return the candles by symbol."""
        return {s: bars(*rows, first_ms=self.first_ms) for s, rows in self.rows.items()}


def scene(*rows: Prices, **more: Any) -> Scene:
    """Return a scene of BTCUSDT alone."""
    return Scene({BTC: rows}, **more)


@dataclass
class Stand(ABC):
    """One exchange on a scene.

    Attributes:
        exchange: The port under test.
        clock: Its time.
        orders: Every order that was placed here, as its news have left it.
    """

    name: str
    exchange: Exchange
    clock: Clock
    scene: Scene
    orders: dict[str, Order] = field(default_factory=dict)
    engine: ExecutionEngine | None = None
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    _known: set[tuple[str, str]] = field(default_factory=set)

    @abstractmethod
    async def open(self) -> None:
        """Begin the next candle of every symbol: its open is the price now."""

    @abstractmethod
    async def rest(self) -> None:
        """Play the rest of the candle and hear what it did."""

    @abstractmethod
    async def state(self) -> State:
        """Return what the exchange holds."""

    @abstractmethod
    def true_rules(self, symbol: str) -> SymbolRules:
        """Return the rules as the exchange itself has them."""

    async def candle(self) -> None:
        """Play a whole candle on which nobody does anything."""
        await self.open()
        await self.rest()

    async def candles(self, count: int) -> None:
        """Play several."""
        for _ in range(count):
            await self.candle()

    async def place(self, order: Order) -> Order:
        """Place an order and return it as the answer leaves it."""
        self.orders.setdefault(order.client_order_id, order)
        for update in await self.exchange.place_order(order):
            self.hear(update)
        return self.orders[order.client_order_id]

    async def cancel(self, order: Order) -> Order:
        """Cancel an order and return it as the answer leaves it."""
        self.orders.setdefault(order.client_order_id, order)
        for update in await self.exchange.cancel_order(order):
            self.hear(update)
        return self.orders[order.client_order_id]

    async def enter(
        self,
        side: Side = Side.BUY,
        quantity: str = "1",
        *,
        symbol: str = BTC,
        name: str = "entry",
        leverage: int = LEVERAGE,
    ) -> Order:
        """Set the leverage and enter at the market."""
        await self.exchange.prepare_symbol(
            symbol, leverage=leverage, margin_mode=MarginMode.ISOLATED
        )
        kind, purpose = OrderType.MARKET, OrderPurpose.ENTRY
        amount, at_ms = Decimal(quantity), self.scene.first_ms
        order = Order(name, "intent", symbol, side, kind, purpose, amount, at_ms, leverage=leverage)
        return await self.place(order)

    def hear(self, update: OrderUpdate) -> None:
        """Take in news of an order; news of orders that others placed are left aside."""
        order = self.orders.get(update.client_order_id)
        if order is None:
            return
        new = {(f.symbol, f.fill_id): f for f in update.fills}
        fresh = [fill for name, fill in new.items() if name not in self._known]
        self._known |= new.keys()
        filled = sum((fill.quantity for fill in fresh), ZERO)
        self.orders[order.client_order_id] = apply_order_update(order, update, filled)

    def start_engine(self) -> ExecutionEngine:
        """Put an engine on the exchange; from now on it hears the news."""
        config = EngineConfig(account=f"{self.name}:test")
        self.engine = ExecutionEngine(self.exchange, self.journal, self.clock, config)
        return self.engine


class SimulatedStand(Stand):
    """The venue inside the process, driven as a back-test drives it."""

    def __init__(self, scene: Scene) -> None:
        """Open an account at the first candle's prices."""
        self.replay = ReplayClock(scene.first_ms)
        self.venue = SimulatedVenue(wallet=scene.wallet, taker_fee=FEE, rules=self.true_rules)
        super().__init__("simulated", self.venue, self.replay, scene)
        self._next = 0
        self._fills: list[Fill] = []

    def true_rules(self, symbol: str) -> SymbolRules:
        """Return the same rules as the local exchange has."""
        rows = self.scene.rows.get(symbol)
        if rows is None:
            raise DataError(f"{symbol} is not traded here")
        return contract_for(symbol, Decimal(str(rows[0][0]))).rules

    async def open(self) -> None:
        """Charge funding when it is due, then open."""
        for symbol, series in self.scene.series().items():
            bar = Bar.from_candle(series[self._next])
            self.replay.time_ms = bar.time_ms
            if self.scene.funding and self._next and bar.time_ms % (8 * 3_600_000) == 0:
                paid = self.venue.charge_funding(symbol, self.scene.funding, bar.time_ms)
                if paid is not None and self.engine is not None:
                    await self.engine.apply(paid)
            self.venue.open_bar(symbol, bar)
            ruin = self.venue.liquidate_at_open(symbol)
            if ruin is not None:
                await self._pass_on(ruin)
        self._next += 1

    async def rest(self) -> None:
        """Play out every symbol's candle."""
        for symbol in self.scene.rows:
            while (update := self.venue.next_update(symbol)) is not None:
                await self._pass_on(update)
            self.venue.close_bar(symbol)

    def hear(self, update: OrderUpdate) -> None:
        """Keep every fill: the venue itself keeps none."""
        self._fills += update.fills
        super().hear(update)

    async def state(self) -> State:
        """Read the venue's books."""
        account = await self.venue.fetch_account()
        books = {symbol: self.venue.book(symbol) for symbol in self.scene.rows}
        resting = [_resting(o) for book in books.values() for o in book.orders.values()]
        held = {
            symbol: Held(b.position.side.sign * b.position.quantity, b.position.entry_price)
            for symbol, b in books.items()
            if not b.position.is_flat
        }
        heard = [fill for update in self.journal.updates for fill in update.fills]
        return _state(account, held, resting, heard or self._fills)

    async def _pass_on(self, update: OrderUpdate) -> None:
        self.hear(update)
        if self.engine is not None:
            await self.engine.apply(update)


class WireStand(Stand):
    """A client over the wire, on a local exchange in lock-step."""

    def __init__(self, name: str, scene: Scene, local: LocalExchange, client: Client) -> None:
        """Watch the account of the client."""
        self.local = local
        self.client = client
        self.account: ExchangeAccount = client.account
        super().__init__(name, client.account, client.clock, scene)

    def true_rules(self, symbol: str) -> SymbolRules:
        """Return the exchange's own contract, as far as its dialect can tell it."""
        rules = self.local.venues[self.name].contracts[symbol].rules
        if self.name == "binance":
            return rules
        # BingX names no largest quantity of a market order, and of its leverages only the
        # highest: a bracket's is bounded by 1 / (2 * its maintenance margin rate).
        most = rules.brackets[0].max_leverage
        brackets = tuple(
            replace(b, max_leverage=min(most, int(1 / (2 * b.maintenance_margin_rate))))
            for b in rules.brackets
        )
        return replace(rules, max_market_quantity=None, brackets=brackets)

    async def open(self) -> None:
        """Let the exchange play the open."""
        await self.local.advance()

    async def rest(self) -> None:
        """Let the exchange play the rest, then ask for what is live."""
        await self.local.advance()
        for order in [o for o in self.orders.values() if o.is_live]:
            update = await self.account.fetch_update(order)
            if update is not None:
                self.hear(update)
        if self.engine is not None:
            await self._tell_engine(self.engine)

    async def state(self) -> State:
        """Read through the client."""
        positions = {
            p.symbol: Held(p.side.sign * p.quantity, p.entry_price)
            for p in await self.account.fetch_positions()
        }
        resting = [
            Resting(
                o.symbol,
                o.type or OrderType.LIMIT,
                o.side,
                o.trigger_price,
                None if o.close_position else o.quantity,
            )
            for o in await self.account.fetch_open_orders()
        ]
        fills = [f for s in self.scene.rows for f in await self.account.fetch_fills(s)]
        return _state(await self.account.fetch_account(), positions, resting, fills)

    async def _tell_engine(self, engine: ExecutionEngine) -> None:
        for symbol in self.scene.rows:
            for order in engine.slot(symbol).orders:
                update = await self.account.fetch_update(order)
                if update is not None:
                    await engine.apply(update)


@asynccontextmanager
async def stand_of(name: str, scene: Scene) -> AsyncIterator[Stand]:
    """Open one of ``VENUES`` on a scene; nothing has been played yet."""
    if name == "simulated":
        yield SimulatedStand(scene)
        return
    setup = ExchangeSetup(
        candles=scene.series(),
        timeframe=Timeframe.M1,
        dialects=(name,),
        wallet=scene.wallet,
        funding=FundingRates.fixed(scene.funding),
        has_limits=False,
    )
    async with LocalExchange(setup) as local:
        client = client_for(name, local, options_for(local))
        async with client:
            yield WireStand(name, scene, local, client)


def _resting(order: Order) -> Resting:
    quantity = None if order.close_position else order.quantity
    return Resting(order.symbol, order.type, order.side, order.trigger_price, quantity)


def _state(
    account: Account, held: Mapping[str, Held], resting: list[Resting], fills: list[Fill]
) -> State:
    facts = [Execution(f.symbol, f.side, f.quantity, f.price, f.fee) for f in fills]
    return State(
        wallet=account.wallet.quantize(_TOLD),
        available=account.available.quantize(_TOLD),
        unrealized_pnl=account.unrealized_pnl.quantize(_TOLD),
        positions=dict(held),
        resting=tuple(sorted(resting, key=str)),
        fills=tuple(facts),
    )

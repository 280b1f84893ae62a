"""The same orders on the same candles: this exchange and the simulated venue fill alike."""

import asyncio
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.local_exchange.test_bookkeeping import candles_of
from tests.support.wire import BinanceWire

from milobot.domain.intents import PositionSide, Side
from milobot.domain.market import CandleSeries
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderType
from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.core.contracts import contract_for
from milobot.local_exchange.core.orders import Kind, Ticket, Trigger, TriggerKind
from milobot.local_exchange.core.placing import place, set_leverage
from milobot.local_exchange.core.playing import advance
from milobot.local_exchange.core.terms import Terms
from milobot.local_exchange.core.timing import ClockMode, ServerTime
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import ExchangeSetup, build_venues
from milobot.simulation.matching import Bar
from milobot.simulation.venue import SimulatedVenue

SYMBOL = "BTCUSDT"
WALLET, FEE, SLIPPAGE = Decimal(10_000), Decimal("0.0005"), Decimal("0.0003")
QUANTITY = Decimal("0.1")

rows = st.lists(
    st.tuples(st.integers(-30, 30), st.integers(0, 30), st.integers(0, 30)), min_size=4, max_size=25
)
sides = st.sampled_from(list(PositionSide))
distances = st.integers(2, 80)  # thousandths of the price
leverages = st.integers(1, 50)


def setup_of(candles: CandleSeries) -> ExchangeSetup:
    """Return an exchange on hourly candles, without limits."""
    return ExchangeSetup(
        candles={SYMBOL: candles},
        timeframe=Timeframe.H1,
        dialects=("binance",),
        terms=Terms(taker_fee=FEE, slippage=SLIPPAGE),
        wallet=WALLET,
        has_limits=False,
    )


def levels_of(first: float, side: PositionSide, stop: int, target: int) -> tuple[Decimal, Decimal]:
    """Return stop and target on the grid, either side of the first open."""
    price = Decimal(repr(first))
    grid = Decimal("0.1")
    return (
        (price * (1000 - side.sign * stop) / 1000).quantize(grid),
        (price * (1000 + side.sign * target) / 1000).quantize(grid),
    )


def here(
    candles: CandleSeries, side: PositionSide, stop: Decimal, target: Decimal, leverage: int
) -> tuple[list[tuple[Decimal, Decimal, Decimal]], Decimal]:
    """Return price, quantity and fee of every fill on the local exchange, and the wallet."""
    clock = ServerTime(ClockMode.MARKET, wall_ms=lambda: 0, monotonic_ms=lambda: 0)
    venue = build_venues(setup_of(candles), clock)["binance"]
    account = next(iter(venue.accounts.values()))
    set_leverage(venue, account, SYMBOL, leverage)
    advance([venue], triggers_at_open=False)
    common: dict[str, Any] = {"symbol": SYMBOL, "kind": Kind.MARKET, "client_id": ""}
    place(venue, account, Ticket(side=side.entry, quantity=QUANTITY, type_name="M", **common))
    exits = ((stop, TriggerKind.STOP), (target, TriggerKind.TAKE_PROFIT))
    for price, kind in exits:
        ticket = Ticket(
            side=side.exit,
            quantity=QUANTITY,
            type_name=kind.value,
            reduce_only=True,
            trigger=Trigger(price, kind),
            **common,
        )
        place(venue, account, ticket)
    while advance([venue], triggers_at_open=False).step is not None:
        pass
    return [(e.price, e.quantity, e.fee) for e in account.executions], account.wallet


async def there(
    candles: CandleSeries, side: PositionSide, stop: Decimal, target: Decimal, leverage: int
) -> tuple[list[tuple[Decimal, Decimal, Decimal]], Decimal]:
    """Return the same of the simulated venue."""
    rules = contract_for(SYMBOL, Decimal(40_000)).rules
    venue = SimulatedVenue(
        wallet=WALLET, taker_fee=FEE, slippage=SLIPPAGE, rules=lambda _symbol: rules
    )
    fills: list[Fill] = []

    def order(name: str, way: Side, kind: OrderType, level: Decimal | None) -> Order:
        purpose = {"entry": OrderPurpose.ENTRY, "stop": OrderPurpose.STOP}
        return Order(
            client_order_id=name,
            intent_key="",
            symbol=SYMBOL,
            side=way,
            type=kind,
            purpose=purpose.get(name, OrderPurpose.TARGET),
            quantity=QUANTITY,
            created_ms=0,
            reduce_only=name != "entry",
            trigger_price=level,
            leverage=leverage,
        )

    for index, candle in enumerate(candles):
        venue.open_bar(SYMBOL, Bar.from_candle(candle))
        if index == 0:
            for made in (
                order("entry", side.entry, OrderType.MARKET, None),
                order("stop", side.exit, OrderType.STOP_MARKET, stop),
                order("target", side.exit, OrderType.TAKE_PROFIT_MARKET, target),
            ):
                for update in await venue.place_order(made):
                    fills += update.fills
        while (news := venue.next_update(SYMBOL)) is not None:
            fills += news.fills
        venue.close_bar(SYMBOL)
    return [(fill.price, fill.quantity, fill.fee) for fill in fills], venue.wallet


@settings(max_examples=80)
@given(rows, sides, distances, distances, leverages)
def test_fills_and_wallet_equal_those_of_the_simulation(
    steps: list[tuple[int, int, int]], side: PositionSide, stop: int, target: int, leverage: int
) -> None:
    """Entry, stop, target, liquidation: one matching, so paper, back-test and wire agree."""
    candles = candles_of(steps)
    levels = levels_of(float(candles.open[0]), side, stop, target)

    assert here(candles, side, *levels, leverage) == asyncio.run(
        there(candles, side, *levels, leverage)
    )


async def _over_the_wire(candles: CandleSeries) -> dict[str, Any]:
    async with LocalExchange(setup_of(candles)) as exchange, BinanceWire(exchange) as wire:
        await exchange.advance()
        socket = await wire.user_socket()
        await wire.order(quantity="0.1")
        await wire.algo("39500.0", clientAlgoId="stop", quantity="0.1")
        while not (await exchange.advance())["is_over"]:
            await wire.limit("38000.0")
        await socket.close()
        ledger = exchange.ledger()
        frames = exchange.venues["binance"].clock.now_ms()
        return {**ledger, "time": frames}


async def test_lock_step_run_over_the_wire_repeats_to_the_last_digit() -> None:
    """Ids, times, fills, bookings and the order of requests: a second run is the same run."""
    candles = candles_of([(3, 5, 8), (-9, 4, 11), (7, 2, 2), (-14, 9, 3), (2, 2, 2), (1, 1, 1)])

    assert await _over_the_wire(candles) == await _over_the_wire(candles)

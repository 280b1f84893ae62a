"""Whatever is traded, the books add up, and the same run twice is the same run."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.wire import bars

from milobot.domain.intents import Side
from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.errors import OrderRejectedError
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.market import FundingRates
from milobot.local_exchange.core.orders import (
    Conditional,
    Kind,
    Ticket,
    Trigger,
    TriggerKind,
    VenueOrder,
)
from milobot.local_exchange.core.placing import cancel, place, set_leverage
from milobot.local_exchange.core.playing import advance, close_by_hand
from milobot.local_exchange.core.terms import PlaceFault, Terms
from milobot.local_exchange.core.timing import ClockMode, ServerTime
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.ledger import describe_account
from milobot.local_exchange.setup import ExchangeSetup, build_venues

WALLET = Decimal(10_000)
RATES = FundingRates.fixed(Decimal("0.0003"))
HOUR = Timeframe.H1

moves = st.integers(-30, 30)
rows = st.lists(st.tuples(moves, moves, moves), min_size=8, max_size=30)
actions = st.lists(
    st.tuples(
        st.sampled_from(
            ["market", "limit", "stop", "target", "cancel", "leverage", "close", "part", "reduce"]
        ),
        st.sampled_from(list(Side)),
        st.integers(1, 400),
        st.integers(-40, 40),
    ),
    max_size=40,
)


def candles_of(steps: list[tuple[int, int, int]]) -> CandleSeries:
    """Return hourly candles of a walk in tenths of a percent, with wicks either side."""
    price, made = 40_000, []
    for change, up, down in steps:
        close = max(1_000, price + price * change // 1000)
        high = max(price, close) + abs(up) * 20
        low = max(500, min(price, close) - abs(down) * 20)
        made.append((float(price), float(high), float(low), float(close)))
        price = close
    series = bars(*made)
    hours = series.time[0] + (series.time - series.time[0]) * 60
    return CandleSeries(hours, series.open, series.high, series.low, series.close, series.volume)


def act(venue: Venue, account: Account, action: tuple[str, Side, int, int]) -> None:
    """Do one thing; refusals are part of life."""
    name, side, size, distance = action
    last = venue.tape("BTCUSDT").last_price
    level = (last * (1000 + distance) / 1000).quantize(Decimal("0.1"))
    quantity = Decimal(size) / 1000
    match name:
        case "leverage":
            set_leverage(venue, account, "BTCUSDT", 1 + size % 125)
        case "close":
            if not venue.book(account, "BTCUSDT").position.is_flat:
                close_by_hand(venue, account, "BTCUSDT", quantity=quantity)
        case "cancel":
            resting: list[VenueOrder | Conditional] = [*account.open_orders]
            for order in [*resting, *account.open_conditionals][:2]:
                cancel(venue, account, order)
        case _:
            fault = PlaceFault(fill_fraction=Decimal("0.5")) if name == "part" else PlaceFault()
            place(venue, account, ticket(name, side, quantity, level), fault)


def ticket(name: str, side: Side, quantity: Decimal, level: Decimal) -> Ticket:
    """Return the order that an action means."""
    trigger = None
    if name in {"stop", "target"}:
        kind = TriggerKind.STOP if name == "stop" else TriggerKind.TAKE_PROFIT
        trigger = Trigger(level, kind)
    return Ticket(
        symbol="BTCUSDT",
        side=side,
        kind=Kind.LIMIT if name == "limit" else Kind.MARKET,
        quantity=quantity,
        client_id="",
        type_name=name,
        price=level if name == "limit" else None,
        reduce_only=name == "reduce" or (name == "stop" and quantity < Decimal("0.2")),
        trigger=trigger,
    )


def run(
    steps: list[tuple[int, int, int]], todo: list[tuple[str, Side, int, int]]
) -> tuple[Venue, Account]:
    """Play the candles, doing the actions between the steps."""
    setup = ExchangeSetup(
        candles={"BTCUSDT": candles_of(steps)},
        timeframe=HOUR,
        dialects=("binance",),
        terms=Terms(slippage=Decimal("0.0002"), spread=Decimal("0.0001")),
        funding=RATES,
    )
    clock = ServerTime(ClockMode.MARKET, wall_ms=lambda: 0, monotonic_ms=lambda: 0)
    venue = build_venues(setup, clock)["binance"]
    account = next(iter(venue.accounts.values()))
    plan = iter(todo)
    while advance([venue], triggers_at_open=False).step is not None:
        for action in (next(plan, None), next(plan, None)):
            if action is not None:
                try:
                    act(venue, account, action)
                except OrderRejectedError:
                    continue
    return venue, account


@settings(max_examples=60)
@given(rows, actions)
def test_books_add_up(
    steps: list[tuple[int, int, int]], todo: list[tuple[str, Side, int, int]]
) -> None:
    """Wallet is the sum of its bookings, the position the sum of its fills."""
    venue, account = run(steps, todo)

    assert account.wallet == WALLET + sum((i.amount for i in account.incomes), Decimal(0))
    signed = sum(
        (e.quantity if e.side is Side.BUY else -e.quantity for e in account.executions), Decimal(0)
    )
    held = venue.book(account, "BTCUSDT").position
    assert signed == held.side.sign * held.quantity
    for order in account.orders.values():
        assert order.filled == sum((e.quantity for e in order.executions), Decimal(0))
        assert order.filled <= order.quantity
        if order.ticket.price is not None:
            worse = max if order.ticket.side is Side.BUY else min
            assert all(
                worse(e.price, order.ticket.price) == order.ticket.price for e in order.executions
            )
    assert len({e.id for e in account.executions}) == len(account.executions)


@settings(max_examples=60)
@given(rows, actions)
def test_isolated_margin_bounds_every_loss(
    steps: list[tuple[int, int, int]], todo: list[tuple[str, Side, int, int]]
) -> None:
    """A liquidation takes the position's margin and no more: the wallet never goes far below it."""
    venue, account = run(steps, todo)

    book = venue.book(account, "BTCUSDT")
    fees = sum((e.fee for e in account.executions), Decimal(0))
    assert account.wallet > -fees - 100
    if book.liquidation is not None and not book.position.is_flat:
        last = venue.tape("BTCUSDT").last_price
        assert book.position.side.sign * (last - book.liquidation) > 0


@settings(max_examples=25)
@given(rows, actions)
def test_same_run_twice_is_the_same(
    steps: list[tuple[int, int, int]], todo: list[tuple[str, Side, int, int]]
) -> None:
    """Ids, times, fills and wallets repeat to the last digit."""

    def told() -> dict[str, Any]:
        return describe_account(*run(steps, todo))

    assert told() == told()

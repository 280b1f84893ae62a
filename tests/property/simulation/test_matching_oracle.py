"""Matching against an oracle that walks the candle's price tick by tick."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from milobot.domain.intents import PositionSide
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.simulation.matching import Bar, Hit, Phase, next_hit

LEVELS = st.integers(1, 40)


def resting(side: PositionSide, kind: OrderType, ticks: int) -> Order:
    """Return a resting exit."""
    return Order(
        client_order_id=f"{kind}-{ticks}",
        intent_key="k",
        symbol="X",
        side=side.exit,
        type=kind,
        purpose=OrderPurpose.STOP if kind is OrderType.STOP_MARKET else OrderPurpose.TARGET,
        quantity=Decimal(1),
        created_ms=0,
        reduce_only=True,
        trigger_price=Decimal(ticks),
        status=OrderStatus.SUBMITTED,
    )


def path_of(bar: Bar, side: PositionSide) -> list[int]:
    """Return every tick a candle passes: open, adverse extreme, favourable extreme."""
    opens, low, high = int(bar.open), int(bar.low), int(bar.high)
    if side is PositionSide.LONG:
        return [opens, *range(opens - 1, low - 1, -1), *range(low, high + 1)]
    return [opens, *range(opens + 1, high + 1), *range(high, low - 1, -1)]


def walked(
    bar: Bar, side: PositionSide, stop: Order | None, target: Order | None, liquidation: int | None
) -> Hit | None:
    """Return the first thing that happens on the way, tick by tick."""
    sign = side.sign
    for tick in path_of(bar, side):
        at_open = tick == int(bar.open)
        stopped = stop is not None and sign * (tick - int(stop.trigger_price or 0)) <= 0
        if (
            liquidation is not None
            and sign * (tick - liquidation) <= 0
            and (at_open or not stopped)
        ):
            return Hit(None, Decimal(liquidation))
        if stop is not None and stopped:
            return Hit(stop, Decimal(tick))
        if target is not None and sign * (tick - int(target.trigger_price or 0)) >= 0:
            return Hit(target, Decimal(tick))
    return None


def matched(
    bar: Bar, side: PositionSide, orders: list[Order], liquidation: int | None
) -> Hit | None:
    """Return what the venue finds, phase by phase."""
    level = None if liquidation is None else Decimal(liquidation)
    hits = (next_hit(phase, bar, side, orders, level) for phase in Phase)
    return next((hit for hit in hits if hit is not None), None)


@given(
    prices=st.lists(LEVELS, min_size=4, max_size=4),
    side=st.sampled_from(PositionSide),
    stop=st.none() | LEVELS,
    gap=st.integers(1, 40),
    has_target=st.booleans(),
    liquidation=st.none() | LEVELS,
)
def test_a_candle_fills_what_a_walk_along_it_meets_first(
    prices: list[int],
    side: PositionSide,
    stop: int | None,
    gap: int,
    *,
    has_target: bool,
    liquidation: int | None,
) -> None:
    """Open, then to the adverse extreme, then to the favourable one, whatever the levels are."""
    low, *between, high = sorted(prices)
    bar = Bar(0, *(Decimal(p) for p in (between[0], high, low, between[1])))
    stop_order = None if stop is None else resting(side, OrderType.STOP_MARKET, stop)
    aim = (20 if stop is None else stop) + side.sign * gap
    target_order = resting(side, OrderType.TAKE_PROFIT_MARKET, aim) if has_target else None
    orders = [o for o in (target_order, stop_order) if o is not None]

    found = matched(bar, side, orders, liquidation)

    assert found == walked(bar, side, stop_order, target_order, liquidation)
    if found is not None and found.order is not None:
        assert bar.low <= found.price <= bar.high

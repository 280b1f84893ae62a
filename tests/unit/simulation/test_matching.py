"""What a candle does to resting orders."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.trading import LONG, SHORT, candle, dec

from milobot.domain.intents import PositionSide
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.simulation.matching import Bar, Hit, Phase, next_hit

BAR = Bar(0, dec("100"), dec("120"), dec("80"), dec("110"))


def exit_order(side: PositionSide, kind: OrderType, trigger: str, name: str = "o") -> Order:
    """Return a resting exit of a position."""
    return Order(
        client_order_id=name,
        intent_key="k",
        symbol="X",
        side=side.exit,
        type=kind,
        purpose=OrderPurpose.STOP if kind is OrderType.STOP_MARKET else OrderPurpose.TARGET,
        quantity=dec("1"),
        created_ms=0,
        reduce_only=True,
        trigger_price=dec(trigger),
        status=OrderStatus.SUBMITTED,
    )


def stop(side: PositionSide, trigger: str, name: str = "stop") -> Order:
    """Return a resting stop."""
    return exit_order(side, OrderType.STOP_MARKET, trigger, name)


def target(side: PositionSide, trigger: str, name: str = "target") -> Order:
    """Return a resting target."""
    return exit_order(side, OrderType.TAKE_PROFIT_MARKET, trigger, name)


def test_a_bar_is_exact() -> None:
    """Prices of a candle become money as they were written, not as binary noise."""
    bar = Bar.from_candle(candle(0.1, 0.3, 0.07, 0.2, hour=1))

    assert bar == Bar(3_600_000, dec("0.1"), dec("0.3"), dec("0.07"), dec("0.2"))


def test_the_phases_run_from_open_to_closed() -> None:
    """The venue walks them in this order; pessimism is that adverse comes second."""
    assert list(Phase) == [Phase.OPEN, Phase.ADVERSE, Phase.FAVOURABLE, Phase.CLOSED]


@pytest.mark.parametrize("side", [LONG, SHORT])
def test_each_side_has_its_own_adverse_extreme(side: PositionSide) -> None:
    """Low for a long, high for a short."""
    trigger = "80" if side is LONG else "120"
    order = stop(side, trigger)

    assert next_hit(Phase.ADVERSE, BAR, side, [order], None) == Hit(order, dec(trigger))
    assert next_hit(Phase.FAVOURABLE, BAR, side, [order], None) is None


def test_of_two_stops_the_nearer_is_hit_first() -> None:
    """While a moved stop replaces the old one both rest: the price meets the nearer first."""
    near, far = stop(LONG, "95", "near"), stop(LONG, "90", "far")

    assert next_hit(Phase.ADVERSE, BAR, LONG, [far, near], None) == Hit(near, dec("95"))
    near, far = stop(SHORT, "105", "near"), stop(SHORT, "110", "far")
    assert next_hit(Phase.ADVERSE, BAR, SHORT, [far, near], None) == Hit(near, dec("105"))


def test_of_two_targets_the_nearer_is_hit_first() -> None:
    """The same on the favourable side."""
    near, far = target(LONG, "105", "near"), target(LONG, "110", "far")

    assert next_hit(Phase.FAVOURABLE, BAR, LONG, [far, near], None) == Hit(near, dec("105"))
    near, far = target(SHORT, "95", "near"), target(SHORT, "90", "far")
    assert next_hit(Phase.FAVOURABLE, BAR, SHORT, [far, near], None) == Hit(near, dec("95"))


@pytest.mark.parametrize(
    ("side", "liquidation", "level"), [(LONG, "96", "95"), (SHORT, "104", "105")]
)
def test_liquidation_on_the_way_to_the_stop_comes_first(
    side: PositionSide, liquidation: str, level: str
) -> None:
    """The exchange does not wait for our stop."""
    hit = next_hit(Phase.ADVERSE, BAR, side, [stop(side, level)], dec(liquidation))

    assert hit == Hit(None, dec(liquidation))


@pytest.mark.parametrize("liquidation", ["95", "94.9"])
def test_a_stop_before_or_at_liquidation_is_hit(liquidation: str) -> None:
    """A stop triggers at the price that would liquidate: it was there first."""
    order = stop(LONG, "95")

    assert next_hit(Phase.ADVERSE, BAR, LONG, [order], dec(liquidation)) == Hit(order, dec("95"))


def test_liquidation_that_is_not_reached_does_nothing() -> None:
    """The low is 80."""
    assert next_hit(Phase.ADVERSE, BAR, LONG, [], dec("79.9")) is None
    assert next_hit(Phase.ADVERSE, BAR, LONG, [stop(LONG, "79")], dec("79.9")) is None


def test_an_open_beyond_liquidation_and_stop_liquidates() -> None:
    """A gap over both: the position is taken over, it does not get the stop's better luck."""
    orders = [stop(LONG, "101")]

    assert next_hit(Phase.OPEN, BAR, LONG, orders, dec("100")) == Hit(None, dec("100"))


def test_an_open_between_stop_and_liquidation_fills_the_stop_at_the_open() -> None:
    """Gapped through: the stop's own price was never traded."""
    order = stop(LONG, "105")

    assert next_hit(Phase.OPEN, BAR, LONG, [order], dec("90")) == Hit(order, dec("100"))


@pytest.mark.parametrize(("side", "level"), [(LONG, "95"), (SHORT, "105")])
def test_an_open_beyond_a_target_fills_at_the_open(side: PositionSide, level: str) -> None:
    """A gap in favour: the market order fills where the market is."""
    order = target(side, level)

    assert next_hit(Phase.OPEN, BAR, side, [order], None) == Hit(order, dec("100"))


@pytest.mark.parametrize("phase", list(Phase))
def test_without_orders_nothing_happens(phase: Phase) -> None:
    """An unprotected position at 1x."""
    assert next_hit(phase, BAR, LONG, [], None) is None


def test_a_candle_that_is_over_does_nothing() -> None:
    """Whatever rests then waits for the next one."""
    assert next_hit(Phase.CLOSED, BAR, LONG, [stop(LONG, "100")], dec("100")) is None


def test_a_conditional_order_without_a_trigger_is_a_fault() -> None:
    """The venue never lets one rest; a caller that does must hear of it."""
    order = replace(stop(LONG, "95"), trigger_price=None)

    with pytest.raises(ValueError, match="order stop rests without a trigger price"):
        next_hit(Phase.OPEN, BAR, LONG, [order], None)


def test_the_price_of_a_hit_is_exact() -> None:
    """No float comes near a fill."""
    order = stop(LONG, "80.000000000000000000000001")

    hit = next_hit(Phase.ADVERSE, BAR, LONG, [order], None)

    assert hit is not None
    assert hit.price == Decimal("80.000000000000000000000001")

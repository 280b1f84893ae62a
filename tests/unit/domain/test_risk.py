"""Levels and sizes, and every way they are refused."""

from decimal import Decimal

import pytest
from tests.support.trading import (
    at_price,
    base,
    dec,
    decs,
    enter_long,
    enter_short,
    in_atr,
    percent,
    risk,
    rules,
)

from milobot.domain.intents import Aim, Enter, Size, SizeKind
from milobot.domain.market import SymbolRules
from milobot.domain.risk import Levels, Target, levels_of, quantity_of
from milobot.errors import OrderDeniedError

RULES = rules()
ONE = base("1")


def levels(
    action: Enter, *, reference: str = "100", atr: str | None = None, grid: SymbolRules = RULES
) -> Levels:
    """Return the levels of an entry with a default stop of 5 %."""
    return levels_of(
        action,
        reference=dec(reference),
        atr=None if atr is None else dec(atr),
        rules=grid,
        default_stop=percent("5"),
    )


def quantity(
    size: Size,
    *,
    equity: str = "10000",
    reference: str = "100",
    stop: str | None = "98",
    grid: SymbolRules = RULES,
) -> Decimal:
    """Return the quantity of an entry."""
    return quantity_of(
        size,
        equity=dec(equity),
        reference=dec(reference),
        stop=None if stop is None else dec(stop),
        rules=grid,
    )


def test_levels_of_a_long() -> None:
    """2 % below, three times that above."""
    found = levels(enter_long(ONE, stop=percent("2"), reward_ratio=dec("3")))

    assert (found.stop, found.target) == decs(98, 106)


def test_levels_of_a_short_are_mirrored() -> None:
    """2 % above, three times that below."""
    found = levels(enter_short(ONE, stop=percent("2"), reward_ratio=dec("3")))

    assert (found.stop, found.target) == decs(102, 94)


@pytest.mark.parametrize(
    ("action", "stop", "target"),
    [
        (enter_long(ONE, stop=percent("1.23"), target=percent("1.23")), "98.8", "101.2"),
        (enter_short(ONE, stop=percent("1.23"), target=percent("1.23")), "101.2", "98.8"),
        (enter_long(ONE, stop=at_price("97.77"), target=at_price("103.33")), "97.8", "103.3"),
        (enter_short(ONE, stop=at_price("103.33"), target=at_price("97.77")), "103.3", "97.8"),
    ],
)
def test_levels_round_towards_the_reference(action: Enter, stop: str, target: str) -> None:
    """The loss is never larger, the gain never further away than asked for."""
    found = levels(action)

    assert (found.stop, found.target) == (dec(stop), dec(target))


def test_the_reward_counts_from_the_rounded_stop() -> None:
    """Stop at 98.8, 1.2 away: twice that is 102.4, not 102.46."""
    found = levels(enter_long(ONE, stop=percent("1.23"), reward_ratio=dec("2")))

    assert found.target == dec("102.4")


def test_atr_distances() -> None:
    """Multiples of ATR(14) at the deciding candle; the trail stays a distance."""
    action = enter_long(ONE, stop=in_atr("2"), target=in_atr("3"), trail=in_atr("1.5"))

    found = levels(action, atr="1.5")

    assert (found.stop, found.target, found.trail) == decs(97, "104.5", "2.25")


def test_a_trail_in_percent_is_of_the_reference() -> None:
    """Fixed when the entry leaves, the same for both sides."""
    assert levels(enter_long(ONE, trail=percent("1"))).trail == 1
    assert levels(enter_short(ONE, trail=percent("1"))).trail == 1


def test_break_even_counts_in_stop_distances() -> None:
    """At 1.5 times the first stop's distance beyond the reference."""
    long_ = levels(enter_long(ONE, stop=percent("2"), break_even=dec("1.5")))
    short = levels(enter_short(ONE, stop=percent("2"), break_even=dec("1.5")))

    assert (long_.break_even, short.break_even) == decs(103, 97)


def test_no_stop_named_means_the_default() -> None:
    """A position without a stop is only ever opened on purpose."""
    assert levels(enter_long(ONE)).stop == 95


def test_unprotected_has_neither_stop_nor_break_even() -> None:
    """Break-even is measured in stop distances: without a stop there is none."""
    found = levels(enter_long(ONE, unprotected=True, break_even=dec("1"), reward_ratio=dec("2")))

    assert found == Levels(dec("100"), None)


def test_without_a_grid_levels_stay_exact() -> None:
    """A bare file has no tick."""
    found = levels(enter_long(ONE, stop=percent("1.2345")), grid=rules(tick=None))

    assert found.stop == dec("98.7655")


@pytest.mark.parametrize(
    ("action", "code", "says"),
    [
        (enter_long(ONE, stop=in_atr("1")), "no_atr", "needs 15 candles"),
        (enter_long(ONE, stop=at_price("101")), "bad_level", "stop of a long must lie below 100"),
        (enter_long(ONE, stop=at_price("100")), "bad_level", "stop of a long must lie below 100"),
        (enter_long(ONE, stop=percent("0.05")), "bad_level", "not at 100: change"),
        (enter_short(ONE, stop=at_price("99")), "bad_level", "stop of a short must lie above 100"),
        (enter_long(ONE, target=at_price("99")), "bad_level", "target of a long must lie above"),
        (enter_short(ONE, target=at_price("101")), "bad_level", "target of a short must lie below"),
        (
            enter_short(ONE, stop=percent("50"), reward_ratio=dec("2")),
            "bad_level",
            "above 0, not at 0",
        ),
    ],
)
def test_levels_that_are_refused(action: Enter, code: str, says: str) -> None:
    """On the wrong side, on the reference after rounding, at or below zero, or unknown."""
    with pytest.raises(OrderDeniedError, match=says) as caught:
        levels(action)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (risk("1"), "50"),  # 100 USDT at 2 a unit
        (Size(SizeKind.EQUITY, dec("0.5")), "50"),  # 5000 USDT at 100
        (Size(SizeKind.QUOTE, dec("1234.56")), "12.345"),  # 12.3456 down to the step
        (base("0.0519"), "0.051"),
    ],
)
def test_sizes(size: Size, expected: str) -> None:
    """Each of the four ways to state a size, rounded down to the step."""
    assert quantity(size) == dec(expected)


def test_a_short_risks_the_same() -> None:
    """The distance counts, not its direction."""
    assert quantity(risk("1"), stop="102") == quantity(risk("1"), stop="98")


def test_leverage_and_stop_have_no_part_in_a_stated_size() -> None:
    """Only %risk looks at the stop."""
    assert quantity(base("3"), stop=None) == 3


@pytest.mark.parametrize(
    ("size", "grid", "code", "says"),
    [
        (risk("1"), RULES, "no_stop", "add sl=2%"),
        (base("0.0009"), RULES, "below_min_quantity", "0 BTCUSDT is below the smallest .* 0.001"),
        (base("0.04"), rules(min_quantity="0.05"), "below_min_quantity", "quantity, 0.05: raise"),
        (base("0.049"), RULES, "below_min_notional", "worth 4.9 USDT, below .* 5: raise"),
        (base("51"), rules(max_market="50"), "above_max_quantity", "largest market order, 50"),
        (base("1e25"), RULES, "above_max_quantity", "more BTCUSDT than anybody trades"),
    ],
)
def test_sizes_that_are_refused(size: Size, grid: SymbolRules, code: str, says: str) -> None:
    """Denied, never rounded up; the sentence says what to change."""
    with pytest.raises(OrderDeniedError, match=says) as caught:
        quantity(size, stop=None, grid=grid)

    assert caught.value.code == code


@pytest.mark.parametrize("equity", ["0", "-0.01"])
def test_nothing_left_to_trade_with(equity: str) -> None:
    """A lost account must not turn a negative equity into a size."""
    with pytest.raises(OrderDeniedError, match="nothing is left") as caught:
        quantity(base("1"), equity=equity)

    assert caught.value.code == "no_equity"


def test_the_smallest_size_is_allowed_exactly() -> None:
    """Minimums are inclusive: 0.05 * 100 is the smallest notional."""
    assert quantity(base("0.05")) == dec("0.05")
    assert quantity(base("50"), grid=rules(max_market="50")) == 50


def test_several_targets_stand_in_the_order_in_which_the_price_meets_them() -> None:
    """However they were named; each on the grid, towards the reference."""
    aims = (Aim(percent("10"), dec("0.2")), Aim(percent("3.333"), dec("0.8")))

    above, below = levels(enter_long(ONE, aims=aims)), levels(enter_short(ONE, aims=aims))

    assert above.targets == (Target(dec("103.3"), dec("0.8")), Target(dec("110.0"), dec("0.2")))
    assert below.targets == (Target(dec("96.7"), dec("0.8")), Target(dec("90.0"), dec("0.2")))
    assert above.target == dec("103.3")


def test_one_of_several_targets_on_the_wrong_side_is_refused() -> None:
    """A long that takes its gain below its entry is a slip of somebody's pen."""
    aims = (Aim(at_price("105"), dec("0.5")), Aim(at_price("99"), dec("0.5")))

    with pytest.raises(OrderDeniedError, match="target of a long must lie above"):
        levels(enter_long(ONE, aims=aims))

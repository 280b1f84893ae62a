"""Rounding laws, up to the 28 digits that decimals have."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from milobot.domain.money import decimal_from_float, format_decimal, round_down, round_up, to_money

STEPS = st.sampled_from(
    [Decimal(s) for s in ("1E-8", "0.0001", "0.001", "0.05", "0.1", "0.25", "0.3", "1", "7", "100")]
)
VALUES = st.integers(-(10**28) + 1, 10**28 - 1).flatmap(
    lambda digits: st.integers(-27, -10).map(lambda exponent: Decimal(digits).scaleb(exponent))
)


@given(value=VALUES, step=STEPS)
def test_down_is_the_last_step_not_above(value: Decimal, step: Decimal) -> None:
    """On the grid, never above, and the next step is above."""
    rounded = round_down(value, step)

    assert rounded % step == 0
    assert rounded <= value < rounded + step


@given(value=VALUES, step=STEPS)
def test_up_is_the_first_step_not_below(value: Decimal, step: Decimal) -> None:
    """The mirror of the law above."""
    rounded = round_up(value, step)

    assert rounded % step == 0
    assert rounded - step < value <= rounded


@given(steps=st.integers(-(10**12), 10**12), step=STEPS)
def test_what_lies_on_the_grid_stays(steps: int, step: Decimal) -> None:
    """Rounding twice is rounding once."""
    value = steps * step

    assert round_down(value, step) == round_up(value, step) == value


@given(st.decimals(-(10**15), 10**15, places=10))
def test_a_booking_moves_by_half_a_step_at_most(value: Decimal) -> None:
    """1e-8 USDT is the smallest unit that exchanges book."""
    assert abs(to_money(value) - value) <= Decimal("5E-9")


@given(st.floats(1e-9, 1e12))
def test_a_float_reads_back_as_itself(value: float) -> None:
    """Money of a price is that price, to the last bit."""
    assert float(decimal_from_float(value)) == value


@given(VALUES)
def test_written_numbers_read_back(value: Decimal) -> None:
    """Plain digits, no exponent, nothing lost."""
    text = format_decimal(value)

    assert Decimal(text) == value
    assert set(text) <= set("-.0123456789")

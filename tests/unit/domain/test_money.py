"""Rounding and the text of numbers."""

from decimal import Decimal

import pytest

from milobot.domain.money import (
    decimal_from_float,
    format_decimal,
    round_down,
    round_up,
    to_money,
)


@pytest.mark.parametrize(
    ("value", "step", "down", "up"),
    [
        ("1.29", "0.1", "1.2", "1.3"),
        ("1.2", "0.1", "1.2", "1.2"),
        ("-1.29", "0.1", "-1.3", "-1.2"),
        ("0.04", "0.05", "0", "0.05"),
        ("7", "2.5", "5", "7.5"),
        ("123456", "1000", "123000", "124000"),
    ],
)
def test_rounding_goes_to_the_named_side(value: str, step: str, down: str, up: str) -> None:
    """Towards minus and plus infinity, not towards zero: a short's levels lie the other way."""
    assert round_down(Decimal(value), Decimal(step)) == Decimal(down)
    assert round_up(Decimal(value), Decimal(step)) == Decimal(up)


def test_rounding_down_is_exact_where_a_quotient_would_round_up() -> None:
    """The quotient has 29 digits here; rounded to 28 it is the next whole number."""
    value = Decimal("8.999999999999999999999999999")

    assert round_down(value, Decimal("0.5")) == Decimal("8.5")


def test_rounding_up_is_exact_where_a_quotient_would_round_down() -> None:
    """The same trap from above: a value a hair over the grid goes to the next step."""
    value = Decimal("9.000000000000000000000000001")

    assert round_up(value, Decimal("1.5")) == Decimal("10.5")


def test_without_a_step_nothing_is_rounded() -> None:
    """A bare file has no price grid: its prices stay as they are."""
    value = Decimal("1.23456789012345")

    assert round_down(value, None) == value
    assert round_up(value, None) == value


def test_bookings_round_half_to_even() -> None:
    """Half to even has no drift over many bookings."""
    assert to_money(Decimal("0.000000005")) == Decimal("0.00000000")
    assert to_money(Decimal("0.000000015")) == Decimal("0.00000002")


@pytest.mark.parametrize("text", ["0.1", "42314.1", "1e-08", "0.00001234", "123456789.12345"])
def test_a_float_becomes_the_number_it_was_written_as(text: str) -> None:
    """Binary noise must not reach an order: 0.1 is a tenth, not 0.1000000000000000055."""
    assert decimal_from_float(float(text)) == Decimal(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0E-8", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("1E+5", "100000"),
        ("1E-8", "0.00000001"),
        ("-1.50", "-1.5"),
        ("100", "100"),
    ],
)
def test_numbers_are_written_plainly(value: str, text: str) -> None:
    """Exchanges refuse exponents, and 100 must keep its zeros."""
    assert format_decimal(Decimal(value)) == text

"""Numbers as a trader reads them."""

import doctest
from decimal import Decimal

import pytest

from milobot.cli import backtest_numbers
from milobot.cli.backtest_numbers import duration, money, percent, prices, quantities, ratio


def test_examples_in_the_docstrings_are_true() -> None:
    """An example that lies is worse than none."""
    found = doctest.testmod(backtest_numbers)

    assert found.attempted >= 7
    assert found.failed == 0


def test_what_is_not_defined_is_a_hyphen() -> None:
    """Zero would be a statement; nothing is known here."""
    assert [percent(None), ratio(None), money(None), duration(None)] == ["-"] * 4
    assert prices([None, None]) == ["-", "-"]
    assert prices([]) == []


def test_nothing_is_ever_minus_zero() -> None:
    """A loss of nothing is no loss."""
    shown = [percent(-1e-9), ratio(-1e-9), money(Decimal("-0.001")), money(Decimal(0), signed=True)]

    assert shown == ["0.00 %", "0.00", "0.00", "+0.00"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(99_999.0, "9,999,900.00 %"), (1e10, "1.00e+12 %"), (-1e300, "-1.00e+302 %")],
)
def test_absurd_percentages_keep_their_width(value: float, text: str) -> None:
    """A growth rate of a lucky week must not push the columns off the screen."""
    assert percent(value) == text


def test_small_prices_keep_their_digits() -> None:
    """A price of 0.00001234 has no cents to be rounded to."""
    assert prices([Decimal("0.00001234"), Decimal("0.000012")]) == ["0.00001234", "0.00001200"]
    assert prices([Decimal(1) / 3]) == ["0.33333333"]


def test_whole_prices_have_no_decimals() -> None:
    """Nothing is shown that is not there, nor an exponent."""
    assert prices([Decimal("1E+3"), Decimal("200.00")]) == ["1000", "200"]
    assert prices([Decimal("1234567891.5")]) == ["1234567892"]


def test_quantities_are_exact() -> None:
    """What was traded is not rounded: it is compared with the exchange's list."""
    assert quantities([Decimal("0.00000001"), Decimal("1E+2")]) == ["0.00000001", "100.00000000"]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0m"),
        (59_999, "0m"),
        (3_600_000, "1h 0m"),
        (86_400_000, "1d 0h"),
        (8_640_000_000, "100d"),
    ],
)
def test_durations(milliseconds: int, text: str) -> None:
    """Two units at most: nobody compares seconds of a month."""
    assert duration(milliseconds) == text

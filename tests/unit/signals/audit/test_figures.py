"""Figures against values from the literature and ones worked out by hand."""

import pytest

from milobot.signals.audit.figures import (
    bootstrap_mean,
    drawdown,
    longest_losing_streak,
    mean,
    median,
    profit_factor,
    trades_needed,
    wilson,
)


def test_wilson_interval_of_a_textbook_case() -> None:
    """Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662."""
    interval = wilson(81, 263)

    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)


def test_wilson_interval_of_nothing_hit_stays_within_bounds() -> None:
    """Newcombe 1998, table I: 0 of 20 gives 0 to 0.1611; of nothing there is none."""
    interval = wilson(0, 20)

    assert interval is not None
    assert (interval.low, round(interval.high, 4)) == (0.0, 0.1611)
    assert wilson(0, 0) is None


def test_bootstrap_is_repeatable_and_near_the_normal_interval() -> None:
    """For many values of known spread it must agree with mean +- 1.96 deviations."""
    values = [1.0, -1.0] * 200
    first, second = bootstrap_mean(values), bootstrap_mean(values)

    assert first == second
    assert first is not None
    assert first.low == pytest.approx(-0.098, abs=0.006)
    assert first.high == pytest.approx(0.098, abs=0.006)
    assert bootstrap_mean([1.0]) is None


def test_bootstrap_of_many_values_is_done_in_parts() -> None:
    """Five thousand trades times ten thousand resamples do not fit into memory at once."""
    interval = bootstrap_mean([0.5] * 5_000)

    assert interval is not None
    assert (interval.low, interval.high) == (0.5, 0.5)


def test_trades_needed_grow_with_the_spread() -> None:
    """(1.96 * 1.0 / 0.1) ** 2 is 384; a mean of zero never stands out."""
    values = [1.1, -0.9] * 1_000

    assert trades_needed(values) == 385
    assert trades_needed([1.0, -1.0]) is None
    assert trades_needed([1.0]) is None


def test_streak_drawdown_and_profit_factor() -> None:
    """+1 -1 -1 +3 -1: two losses in a row, two below the peak, four won for three lost."""
    results = [1.0, -1.0, -1.0, 3.0, -1.0]

    assert longest_losing_streak(results) == 2
    assert drawdown(results) == 2.0
    assert profit_factor(results) == pytest.approx(4 / 3)
    assert mean(results) == pytest.approx(0.2)
    assert median(results) == -1.0


def test_nothing_has_no_figures() -> None:
    """No trade, no number: not a zero that looks like one."""
    assert (mean([]), median([]), profit_factor([1.0]), drawdown([])) == (None, None, None, 0.0)

"""Growth, drawdown and return for risk, against numbers worked out by hand."""

import math
from decimal import Decimal

import numpy as np
import pytest
from tests.support.backtests import FIRST_MS, HOUR_MS, candles_of

from milobot.backtest.performance import Performance, close_times, measure
from milobot.domain.timeframes import DAY_MS, Timeframe

START = Decimal(100)


def measured(
    values: list[float], timeframe: Timeframe = Timeframe.D1, *, first_ms: int = FIRST_MS
) -> Performance:
    """Return the measures of a curve that starts at 100."""
    candles = candles_of([1.0] * len(values), timeframe=timeframe, first_ms=first_ms)
    return measure(candles, timeframe, np.array(values), START, Decimal(str(values[-1])))


def test_return_and_growth_of_two_years() -> None:
    """100 to 121 in two years of 365 days is 10 % a year."""
    found = measured([100.0] * 729 + [121.0])

    assert found.total_return == pytest.approx(0.21)
    assert found.cagr == pytest.approx(0.10)
    assert found.end_equity == 121


def test_growth_counts_fractions_of_days() -> None:
    """Thirty-six hours are one day and a half, not one or two."""
    found = measured([100.0] * 35 + [101.0], Timeframe.H1)

    assert found.cagr == pytest.approx(1.01 ** (365 / 1.5) - 1)


def test_growth_of_less_than_a_day_is_not_stated() -> None:
    """One good hour, compounded, would promise an absurd year."""
    assert measured([110.0] * 23, Timeframe.H1).cagr is None
    assert measured([110.0] * 24, Timeframe.H1).cagr is not None


def test_growth_that_fits_no_number_is_not_stated() -> None:
    """A tenfold day is 10^365 a year: beyond a float."""
    found = measured([1000.0])

    assert found.cagr is None
    assert found.calmar is None


@pytest.mark.parametrize("end", [0.0, -5.0])
def test_account_that_is_gone(end: float) -> None:
    """Nothing left is -100 % a year; ratios of returns on nothing do not exist."""
    found = measured([80.0, end, end])

    assert found.cagr == -1
    assert found.total_return == pytest.approx(end / 100 - 1)
    assert found.max_drawdown == pytest.approx(1 - end / 100)
    assert (found.sharpe, found.sortino) == (None, None)
    assert found.calmar == pytest.approx(-1 / found.max_drawdown)


def test_drawdown_is_the_deepest_not_the_last() -> None:
    """From 120 to 90 is 25 %; the later fall from 130 to 110 is smaller."""
    found = measured([110.0, 120.0, 100.0, 90.0, 130.0, 110.0])

    assert found.max_drawdown == pytest.approx(0.25)
    assert found.drawdown_peak_ms == FIRST_MS + DAY_MS
    assert found.drawdown_trough_ms == FIRST_MS + 3 * DAY_MS


def test_drawdown_from_the_start_counts() -> None:
    """A curve that only falls has its peak at the start."""
    found = measured([95.0, 90.0])

    assert found.max_drawdown == pytest.approx(0.10)
    assert found.drawdown_peak_ms == FIRST_MS
    assert found.drawdown_trough_ms == FIRST_MS + DAY_MS
    assert found.longest_under_water_ms == 2 * DAY_MS


def test_drawdown_begins_at_the_last_close_at_the_peak() -> None:
    """While equity stands at its peak nothing is falling."""
    found = measured([110.0, 110.0, 99.0])

    assert found.drawdown_peak_ms == FIRST_MS + DAY_MS
    assert found.longest_under_water_ms == DAY_MS


def test_longest_time_under_water_ends_where_the_peak_is_reached_again() -> None:
    """Three days to be back at 110; the last dip is one day old."""
    found = measured([110.0, 100.0, 105.0, 110.0, 109.0])

    assert found.longest_under_water_ms == 3 * DAY_MS


def test_time_under_water_runs_to_the_end() -> None:
    """An account that never recovered is under water still."""
    found = measured([110.0, 105.0, 110.0, 109.0, 108.0, 107.0])

    assert found.longest_under_water_ms == 3 * DAY_MS


def test_rising_curve_has_no_drawdown() -> None:
    """Nothing lost: no times, and no division by it."""
    found = measured([101.0, 102.0, 103.5])

    assert found.max_drawdown == 0
    assert found.drawdown_peak_ms is None
    assert found.drawdown_trough_ms is None
    assert found.longest_under_water_ms == 0
    assert found.calmar is None
    assert found.sortino is None


def test_ratios_of_daily_returns() -> None:
    """Returns of +10 %, -5 % and +2 %: by hand, with 365 days a year."""
    found = measured([110.0, 104.5, 106.59])

    mean = (0.10 - 0.05 + 0.02) / 3
    variance = ((0.10 - mean) ** 2 + (-0.05 - mean) ** 2 + (0.02 - mean) ** 2) / 2
    assert found.sharpe == pytest.approx(mean / math.sqrt(variance) * math.sqrt(365))
    assert found.sortino == pytest.approx(mean / math.sqrt(0.05**2 / 3) * math.sqrt(365))
    assert found.cagr is not None
    assert found.calmar == pytest.approx(found.cagr / 0.05)


def test_hourly_candles_give_the_daily_ratios_of_their_midnights() -> None:
    """What happened between two midnights changes no ratio; the close at 24:00 ends the day."""
    daily = measured([110.0, 104.5, 106.59])
    hourly = measured(
        [105.0] * 23 + [110.0] + [99.0] * 23 + [104.5] + [120.0] * 23 + [106.59], Timeframe.H1
    )

    assert hourly.sharpe == pytest.approx(daily.sharpe)
    assert hourly.sortino == pytest.approx(daily.sortino)
    assert hourly.max_drawdown > daily.max_drawdown


def test_first_day_may_be_short() -> None:
    """A run that begins at 22:00 has two hours of a first day, then whole ones."""
    found = measured(
        [100.0, 110.0] + [100.0] * 23 + [104.5], Timeframe.H1, first_ms=FIRST_MS + 22 * HOUR_MS
    )

    expected = measured([110.0, 104.5])
    assert found.sharpe == pytest.approx(expected.sharpe)


def test_day_without_candles_returns_nothing() -> None:
    """A gap is a day on which the account stood still, not a day that never was."""
    times = [0, 2, 3]
    candles = candles_of([1.0] * 4, timeframe=Timeframe.D1).part(0, 3)
    gapped = type(candles)(
        np.array([FIRST_MS + day * DAY_MS for day in times]),
        *(getattr(candles, name) for name in ("open", "high", "low", "close", "volume")),
    )

    found = measure(
        gapped, Timeframe.D1, np.array([110.0, 104.5, 106.59]), START, Decimal("106.59")
    )

    assert found.sharpe == pytest.approx(measured([110.0, 110.0, 104.5, 106.59]).sharpe)


@pytest.mark.parametrize(
    ("timeframe", "per_year"),
    [(Timeframe.D3, 365 / 3), (Timeframe.W1, 365 / 7), (Timeframe.MONTH, 12)],
)
def test_candles_longer_than_a_day_are_their_own_period(
    timeframe: Timeframe, per_year: float
) -> None:
    """A weekly curve has no daily returns; its own are annualised by their number a year."""
    found = measured([110.0, 104.5, 106.59], timeframe)
    daily = measured([110.0, 104.5, 106.59])

    assert found.sharpe is not None
    assert daily.sharpe is not None
    assert found.sharpe == pytest.approx(daily.sharpe * math.sqrt(per_year / 365))


@pytest.mark.parametrize("values", [[105.0], [100.0, 100.0, 100.0], [101.0, 102.01, 103.0301]])
def test_ratios_without_spread_or_second_day_do_not_exist(values: list[float]) -> None:
    """A constant return is no risk, and one return no sample."""
    found = measured(values)

    assert found.sharpe is None
    assert found.sortino is None


def test_months_end_where_the_next_begins() -> None:
    """January has 31 days and February 2024 has 29: the span must know."""
    candles = candles_of([1.0, 1.0], timeframe=Timeframe.MONTH)

    closes = close_times(candles.time, Timeframe.MONTH)

    assert ((closes - candles.time) // DAY_MS).tolist() == [31, 29]

"""What an equity curve says: growth, drawdown and return for risk, never NaN or infinite.

A number that is not defined is None. Everything is measured at closes: how far equity fell
inside a candle is not known.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from milobot.domain.market import CandleSeries, Floats, Times
from milobot.domain.timeframes import DAY_MS, Timeframe

YEAR_DAYS = 365
_MONTHS_PER_YEAR = 12
_MONEY_DIGITS = 8
# Equity is booked in steps of 1e-8: a spread of returns below this, for returns above 100 %
# below this part of them, is rounding.
_NO_SPREAD = 1e-12
# exp() of more than this does not fit a float.
_MOST_LOG_GROWTH = 700.0


@dataclass(frozen=True, slots=True)
class Performance:
    """Measures of one equity curve from the first open to the last close.

    Attributes:
        end_equity: Balance at the end, in USDT.
        total_return: ``end / start - 1``.
        cagr: Compound annual growth rate ``(end / start) ** (365 / days) - 1`` over the days,
            fractions counted, from the first open to the last close; -1 when nothing is
            left. None for less than a day, which says nothing about a year, and where the
            figure would not fit a float.
        max_drawdown: Largest fall from a peak at a close, ``(peak - value) / peak``; the
            start counts as a peak. 0 to 1, above 1 only where equity went below zero.
        drawdown_peak_ms: Open time of the candle at whose close that fall began; None
            without a drawdown.
        drawdown_trough_ms: Open time of the candle at whose close it was deepest.
        longest_under_water_ms: Longest time from a peak to the first close that is as high
            again, or to the end, in milliseconds.
        sharpe: ``mean(r) / stdev(r) * sqrt(365)`` of the daily returns, risk-free rate 0
            (Sharpe 1994), sample standard deviation. None with fewer than two days, without
            spread, or where equity reached zero.
        sortino: ``mean(r) / sqrt(mean(min(r, 0) ** 2)) * sqrt(365)``, target 0 (Sortino and
            Price 1994), all days counted. None as for Sharpe and without a losing day.
        calmar: ``cagr / max_drawdown`` over the whole span (Young 1991 takes three years);
            None where either is missing or nothing was lost.

    A daily return is the change from one UTC midnight to the next; the first day begins at
    the first open, the last ends at the last close, and a day without candles returns 0. For
    candles longer than a day it is the change from close to close, annualised by the square
    root of their number in a year.
    """

    end_equity: Decimal
    total_return: float
    cagr: float | None
    max_drawdown: float
    drawdown_peak_ms: int | None
    drawdown_trough_ms: int | None
    longest_under_water_ms: int
    sharpe: float | None
    sortino: float | None
    calmar: float | None


class Drawdown(NamedTuple):
    """Depth of the largest drawdown, where it lies, and the longest one's time."""

    depth: float
    peak_ms: int | None
    trough_ms: int | None
    longest_ms: int


class Ratios(NamedTuple):
    """Return for risk, annualised; None where undefined."""

    sharpe: float | None
    sortino: float | None


def measure(
    candles: CandleSeries, timeframe: Timeframe, values: Floats, start: Decimal, end: Decimal
) -> Performance:
    """Return the measures of a curve with one value at the close of each candle.

    Args:
        candles: At least one.
        timeframe: Their timeframe.
        values: Equity at each close, in USDT.
        start: Equity at the first open, above zero.
        end: Equity at the end.
    """
    opens, closes = candles.time, close_times(candles.time, timeframe)
    path = np.concatenate([[float(start)], np.round(values, _MONEY_DIGITS)])
    fall = drawdown(path, opens, closes)
    growth = compound_growth(float(end / start), int(closes[-1] - opens[0]))
    points, per_year = period_ends(path, opens, closes, timeframe)
    ratios = return_for_risk(points, per_year)
    return Performance(
        end_equity=end,
        total_return=float((end - start) / start),
        cagr=growth,
        max_drawdown=fall.depth,
        drawdown_peak_ms=fall.peak_ms,
        drawdown_trough_ms=fall.trough_ms,
        longest_under_water_ms=fall.longest_ms,
        sharpe=ratios.sharpe,
        sortino=ratios.sortino,
        calmar=finite(growth / fall.depth) if growth is not None and fall.depth else None,
    )


def close_times(opens: Times, timeframe: Timeframe) -> Times:
    """Return when candles end: the open time of the candle after each."""
    if timeframe.is_calendar:
        return np.array([timeframe.next_open(time) for time in opens.tolist()], dtype=np.int64)
    return opens + timeframe.milliseconds


def compound_growth(growth: float, span_ms: int) -> float | None:
    """Return the annual rate that gives ``growth`` (end / start) over a span; see Performance."""
    days = span_ms / DAY_MS
    if days < 1:
        return None
    if growth <= 0:
        return -1.0
    log_growth = math.log(growth) * YEAR_DAYS / days
    return math.expm1(log_growth) if log_growth <= _MOST_LOG_GROWTH else None


def drawdown(path: Floats, opens: Times, closes: Times) -> Drawdown:
    """Return the largest drawdown of a path: the start, then the value at each close."""
    peaks = np.maximum.accumulate(path)
    depths = (peaks - path) / peaks
    trough = int(np.argmax(depths))
    if depths[trough] <= 0:
        return Drawdown(0.0, None, None, 0)
    peak = int(np.flatnonzero(path[:trough] == peaks[trough])[-1])
    return Drawdown(
        depth=float(depths[trough]),
        peak_ms=int(opens[max(peak - 1, 0)]),
        trough_ms=int(opens[trough - 1]),
        longest_ms=_longest_under_water(path < peaks, np.concatenate([opens[:1], closes])),
    )


def _longest_under_water(is_below: np.ndarray, moments: Times) -> int:
    turns = np.diff(is_below.astype(np.int8))
    since = np.flatnonzero(turns > 0)
    until = np.flatnonzero(turns < 0) + 1
    if is_below[-1]:
        until = np.append(until, len(moments) - 1)
    return int(np.max(moments[until] - moments[since]))


def period_ends(
    path: Floats, opens: Times, closes: Times, timeframe: Timeframe
) -> tuple[Floats, float]:
    """Return the values between which returns are taken, and how many periods a year has."""
    if timeframe.milliseconds > DAY_MS:
        if timeframe.is_calendar:
            return path, _MONTHS_PER_YEAR
        return path, YEAR_DAYS * DAY_MS / timeframe.milliseconds
    # A close at midnight is the end of the day before it.
    days = (closes - 1) // DAY_MS
    wanted = np.arange(opens[0] // DAY_MS, days[-1] + 1)
    last_of_day = np.searchsorted(days, wanted, side="right")
    return path[np.concatenate([[0], last_of_day])], YEAR_DAYS


def return_for_risk(points: Floats, per_year: float) -> Ratios:
    """Return Sharpe and Sortino ratio of the returns between ``points``; see Performance."""
    if len(points) <= 2 or np.any(points <= 0):  # noqa: PLR2004 - two returns need three points
        return Ratios(None, None)
    returns = points[1:] / points[:-1] - 1
    rounding = _NO_SPREAD * max(1.0, float(np.max(np.abs(returns))))
    mean = float(np.mean(returns)) * math.sqrt(per_year)
    spread = float(np.std(returns, ddof=1))
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0) ** 2)))
    return Ratios(
        finite(mean / spread) if spread > rounding else None,
        finite(mean / downside) if downside > rounding else None,
    )


def finite(value: float) -> float | None:
    """Return a number as it is, None in place of one that is none."""
    return value if math.isfinite(value) else None

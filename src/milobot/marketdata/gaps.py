"""What is missing or odd in a candle series."""

from dataclasses import dataclass

import numpy as np

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.domain.times import format_time
from milobot.marketdata.grid import candles_between, next_opens

OUTLIER_FACTOR = 20.0
"""A close that moves this many times further than usual is reported."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Candles that are missing between two that are there.

    Attributes:
        first_ms: Open time of the first missing candle.
        last_ms: Open time of the last missing candle.
        missing: Number of missing candles, at least 1.
        row: Position in the series of the candle after the gap.
    """

    first_ms: int
    last_ms: int
    missing: int
    row: int


@dataclass(frozen=True, slots=True)
class Jump:
    """A close far from the close before it.

    Attributes:
        time_ms: Open time of the candle that jumped.
        fraction: Change against the close before; 0.1 is 10 % up.
    """

    time_ms: int
    fraction: float


@dataclass(frozen=True, slots=True)
class SanityReport:
    """What to know about a series before trusting it.

    Attributes:
        candles: Number of candles there are.
        gaps: Missing stretches in order of time.
        missing: Number of missing candles in all gaps.
        zero_volume: Open times of candles in which nothing was traded.
        jumps: Closes that moved more than ``OUTLIER_FACTOR`` times the median move.
    """

    candles: int
    gaps: tuple[Gap, ...]
    missing: int
    zero_volume: tuple[int, ...]
    jumps: tuple[Jump, ...]


def find_gaps(candles: CandleSeries, timeframe: Timeframe) -> tuple[Gap, ...]:
    """Return the missing stretches of a series whose open times lie on the grid of ``timeframe``."""
    earlier, later = candles.time[:-1], candles.time[1:]
    missing = candles_between(earlier, later, timeframe) - 1
    rows = np.flatnonzero(missing > 0)
    firsts = next_opens(earlier[rows], timeframe)
    return tuple(
        Gap(first, timeframe.open_of(after - 1), count, row + 1)
        for first, after, count, row in zip(
            firsts.tolist(),
            later[rows].tolist(),
            missing[rows].tolist(),
            rows.tolist(),
            strict=True,
        )
    )


def count_missing(first_ms: int, last_ms: int, count: int, timeframe: Timeframe) -> int:
    """Return how many candles are missing of a series that holds ``count`` from first to last."""
    first, last = np.array([[first_ms], [last_ms]], dtype=np.int64)
    return int(candles_between(first, last, timeframe)[0]) + 1 - count


def check_sanity(candles: CandleSeries, timeframe: Timeframe) -> SanityReport:
    """Return the gaps, the candles without volume and the outlying jumps of a series."""
    gaps = find_gaps(candles, timeframe)
    return SanityReport(
        candles=len(candles),
        gaps=gaps,
        missing=sum(gap.missing for gap in gaps),
        zero_volume=tuple(candles.time[candles.volume == 0].tolist()),
        jumps=_find_jumps(candles),
    )


def describe_gaps(gaps: tuple[Gap, ...]) -> str:
    """Say how much is missing and where it begins; the empty text when nothing is.

    >>> describe_gaps((Gap(1704067200000, 1704070800000, 2, 5),))
    '1 gap, 2 candles missing in all, the first at 2024-01-01 00:00'
    """
    if not gaps:
        return ""
    missing = sum(gap.missing for gap in gaps)
    return (
        f"{_count(len(gaps), 'gap')}, {_count(missing, 'candle')} missing in all, "
        f"the first at {format_time(gaps[0].first_ms)}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _find_jumps(candles: CandleSeries) -> tuple[Jump, ...]:
    changes = np.diff(candles.close) / candles.close[:-1]
    if not changes.size:
        return ()
    usual = float(np.median(np.abs(changes)))
    if usual == 0:  # a mostly flat market: every move would be an outlier
        return ()
    rows = np.flatnonzero(np.abs(changes) > OUTLIER_FACTOR * usual)
    return tuple(
        Jump(time, change)
        for time, change in zip(
            candles.time[rows + 1].tolist(), changes[rows].tolist(), strict=True
        )
    )

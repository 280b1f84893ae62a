"""Coarser candles out of finer ones."""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from milobot.domain.market import CandleSeries, Floats, Times
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.marketdata.grid import next_opens, period_opens


def resample(
    candles: CandleSeries,
    source: Timeframe,
    target: Timeframe,
    *,
    keep_partial: bool = False,
) -> CandleSeries:
    """Return the ``target`` candles that ``candles`` of timeframe ``source`` add up to.

    A candle is made from what there is around a gap in its middle (``marketdata.gaps`` reports
    those). The first candle is left out unless it starts with its period, the last unless its
    period is over, because nobody knows what they would have become; ``keep_partial`` keeps both.
    Volumes are summed with ``math.fsum``, so that the sum depends on neither order nor machine.

    Raises:
        DataError: Candles of ``source`` do not add up to candles of ``target``.
    """
    if not target.is_multiple_of(source):
        raise DataError(
            f"{target} candles cannot be made from {source} candles: "
            f"load finer candles or use a timeframe that {source} divides"
        )
    if target is source or not len(candles):
        return candles
    opens = period_opens(candles.time, target)
    starts = np.flatnonzero(np.concatenate([[True], opens[1:] != opens[:-1]]))
    merged = _merge(candles, opens[starts], starts)
    if keep_partial:
        return merged
    starts_late = candles.time[0] != opens[0]
    ends_early = next_opens(candles.time[-1:], source)[0] != next_opens(opens[-1:], target)[0]
    first, stop = int(starts_late), len(merged) - int(ends_early)
    return merged.part(first, max(first, stop))


def _merge(candles: CandleSeries, opens: Times, starts: NDArray[np.intp]) -> CandleSeries:
    last = np.append(starts[1:], len(candles)) - 1
    return CandleSeries(
        opens,
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[last],
        _sums(candles.volume, starts),
    )


def _sums(volume: Floats, starts: NDArray[np.intp]) -> Floats:
    values = volume.tolist()
    bounds = [*starts.tolist(), len(values)]
    sums = (math.fsum(values[a:b]) for a, b in pairwise(bounds))
    return np.fromiter(sums, dtype=np.float64, count=len(starts))

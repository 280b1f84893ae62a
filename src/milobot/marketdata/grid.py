"""The grid of a timeframe for whole columns of open times at once."""

import numpy as np

from milobot.domain.market import Times
from milobot.domain.timeframes import DAY_MS, Timeframe


def period_opens(times: Times, timeframe: Timeframe) -> Times:
    """Return, for every time, the open of the ``timeframe`` candle that holds it.

    The same grid as ``Timeframe.open_of``, in UTC milliseconds.
    """
    if timeframe is Timeframe.MONTH:
        return _from_months(_months(times))
    origin = timeframe.open_of(0)
    return times - (times - origin) % timeframe.milliseconds


def next_opens(opens: Times, timeframe: Timeframe) -> Times:
    """Return, for every open time, the open of the following candle of ``timeframe``."""
    if timeframe is Timeframe.MONTH:
        return _from_months(_months(opens) + 1)
    return opens + timeframe.milliseconds


def candles_between(opens: Times, later: Times, timeframe: Timeframe) -> Times:
    """Return how many candle steps lie from ``opens`` to ``later``, elementwise; both on the grid."""
    if timeframe is Timeframe.MONTH:
        return _months(later) - _months(opens)
    return (later - opens) // timeframe.milliseconds


def spacing_timeframe(spacing_ms: int) -> Timeframe | None:
    """Return the timeframe whose candles open ``spacing_ms`` apart, or None."""
    for timeframe in Timeframe:
        if timeframe is not Timeframe.MONTH and timeframe.milliseconds == spacing_ms:
            return timeframe
    shortest, longest = 28 * DAY_MS, 31 * DAY_MS
    return Timeframe.MONTH if shortest <= spacing_ms <= longest else None


def _months(times: Times) -> Times:
    return times.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)


def _from_months(months: Times) -> Times:
    return months.astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)

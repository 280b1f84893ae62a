"""Candles of a higher timeframe, made from the script's own candles."""

import numpy as np

from milobot.domain.market import Times
from milobot.domain.timeframes import Timeframe
from milobot.scripting.views import Column


def higher_candles(
    columns: dict[str, Column], own: Timeframe, higher: Timeframe
) -> tuple[dict[str, Column], Times]:
    """Return the ended candles of ``higher``, and how many had ended by each own candle's end.

    A candle is visible once its end is not after the end of the current own
    candle. The first one is left out when the history begins inside it: its
    open and its extremes would be wrong.

    Args:
        columns: The own candles since the anchor.
        own: Their timeframe.
        higher: A multiple of it.
    """
    times = columns["time"].astype(np.int64)
    own_ends = _next_opens(times, own)
    opens = _opens(times, higher)
    is_first = np.ones(len(times), dtype=np.bool_)
    is_first[1:] = opens[1:] != opens[:-1]
    firsts = np.flatnonzero(is_first)
    if len(firsts) and times[0] != opens[0]:
        firsts = firsts[1:]
    ends = _next_opens(opens[firsts], higher)
    if len(firsts) and ends[-1] > own_ends[-1]:
        stop = int(firsts[-1])
        firsts, ends = firsts[:-1], ends[:-1]
    else:
        stop = len(times)
    counts = np.searchsorted(ends, own_ends, side="right").astype(np.int64)
    return _aggregated(columns, opens, firsts, stop), counts


def _aggregated(
    columns: dict[str, Column], opens: Times, firsts: Times, stop: int
) -> dict[str, Column]:
    if not len(firsts):
        return {name: values[:0] for name, values in columns.items()}
    lasts = np.append(firsts[1:], stop) - 1
    return {
        "time": opens[firsts],
        "open": columns["open"][firsts],
        "high": np.maximum.reduceat(columns["high"][:stop], firsts),
        "low": np.minimum.reduceat(columns["low"][:stop], firsts),
        "close": columns["close"][lasts],
        # Summed in order: the same bits however many candles follow.
        "volume": np.array(
            [sum(columns["volume"][a : b + 1].tolist()) for a, b in zip(firsts, lasts, strict=True)]
        ),
    }


def _opens(times: Times, timeframe: Timeframe) -> Times:
    """Return the open time of the candle of ``timeframe`` that holds each time."""
    if timeframe.is_calendar:
        months = times.astype("datetime64[ms]").astype("datetime64[M]")
        return months.astype("datetime64[ms]").astype(np.int64)
    return times - (times - timeframe.open_of(0)) % timeframe.milliseconds


def _next_opens(opens: Times, timeframe: Timeframe) -> Times:
    if timeframe.is_calendar:
        months = opens.astype("datetime64[ms]").astype("datetime64[M]") + np.timedelta64(1, "M")
        return months.astype("datetime64[ms]").astype(np.int64)
    return opens + timeframe.milliseconds

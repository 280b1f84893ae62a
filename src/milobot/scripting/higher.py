"""Candles of a higher timeframe, made from the script's own candles as they come."""

from collections.abc import Mapping

import numpy as np

from milobot.domain.market import COLUMNS, Times
from milobot.domain.timeframes import Timeframe
from milobot.scripting.history import GrowingArray, History
from milobot.scripting.views import Column


class HigherCandles:
    """The ended candles of a higher timeframe, and which of them each own candle sees.

    A candle is visible once its end is not after the end of the current own
    candle. The first one is left out when the history begins inside it: its
    open and its extremes would be wrong. Volume is summed in order.
    """

    def __init__(self, own: Timeframe, higher: Timeframe) -> None:
        """Begin without candles; ``higher`` is a multiple of ``own``."""
        self._own = own
        self._higher = higher
        self._ended = History()
        self._counts = GrowingArray(np.int64)
        self._seen = 0
        # First own candle of the higher candle that has not ended yet.
        self._open_from = 0

    def extend(self, columns: Mapping[str, Column]) -> None:
        """Take in the own candles that came since the last time.

        Args:
            columns: All own candles since the anchor.
        """
        part = {name: columns[name][self._open_from :] for name in COLUMNS}
        times: Times = part["time"]
        if self._open_from + len(times) == self._seen:
            return
        own_ends = _next_opens(times, self._own)
        opens = _opens(times, self._higher)
        is_first = np.ones(len(times), dtype=np.bool_)
        is_first[1:] = opens[1:] != opens[:-1]
        firsts = np.flatnonzero(is_first)
        if self._open_from == 0 and times[0] != opens[0]:
            firsts = firsts[1:]
        ends = _next_opens(opens[firsts], self._higher)
        ended = int(np.searchsorted(ends, own_ends[-1], side="right"))
        before = len(self._ended)
        new = own_ends[self._seen - self._open_from :]
        self._counts.append(before + np.searchsorted(ends[:ended], new, side="right"))
        self._seen += len(new)
        if ended:
            stop = int(firsts[ended]) if ended < len(firsts) else len(times)
            self._ended.append(_aggregated(part, opens, firsts[:ended], stop))
            self._open_from += stop

    def columns(self) -> dict[str, Column]:
        """Return the ended candles."""
        return self._ended.columns()

    def counts(self) -> Times:
        """Return how many of them had ended by the end of each own candle."""
        return self._counts.view()


def _aggregated(
    columns: Mapping[str, Column], opens: Times, firsts: Times, stop: int
) -> dict[str, Column]:
    lasts = np.append(firsts[1:], stop) - 1
    volumes = columns["volume"].tolist()
    return {
        "time": opens[firsts],
        "open": columns["open"][firsts],
        "high": np.maximum.reduceat(columns["high"][:stop], firsts),
        "low": np.minimum.reduceat(columns["low"][:stop], firsts),
        "close": columns["close"][lasts],
        "volume": np.array(
            [sum(volumes[a : b + 1]) for a, b in zip(firsts, lasts, strict=True)], np.float64
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

"""The swing points of a history of candles, as they were known at each of its candles."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Literal, TypedDict

import numpy as np
import numpy.typing as npt

from milobot.errors import DataError
from milobot.indicators.arguments import Numbers
from milobot.indicators.zigzag import PointLog, ZigZag


class SwingPoint(TypedDict):
    """A swing point as scripts see it, a plain dict; see :func:`zigzag_points`."""

    index: int
    time: int
    price: float
    kind: Literal["high", "low"]
    confirmed_index: int | None


class SwingHistory:
    """What the ZigZag knew at each candle of a growing history.

    Past knowledge never changes: a pivot is stored with the candle that
    confirmed it, a candidate with the candle that made it one, so the view as
    of a candle is found by bisection.
    """

    def __init__(self, deviation: float = 1.0, depth: int = 10) -> None:
        """Begin before the first candle.

        Raises:
            ValueError: As :class:`~milobot.indicators.zigzag.ZigZag`.
        """
        self._machine = ZigZag(deviation, depth)
        self._times = array("q")

    def __len__(self) -> int:
        """Return the number of candles seen."""
        return self._machine.length

    @property
    def deviation(self) -> float:
        """Percent by which the close has to turn back."""
        return self._machine.deviation

    @property
    def depth(self) -> int:
        """Candles that have to pass before a candidate can be confirmed."""
        return self._machine.depth

    @property
    def pivots(self) -> PointLog:
        """The confirmed points, highs and lows in turn; read only."""
        return self._machine.pivots

    @property
    def candidates(self) -> PointLog:
        """Each unconfirmed point there ever was; read only."""
        return self._machine.candidates

    def extend(
        self,
        high: Numbers,
        low: Numbers,
        close: Numbers,
        times: Sequence[int] | npt.NDArray[np.int64],
    ) -> None:
        """Take in the candles that follow; nothing before them is computed again.

        Args:
            high: Highest prices.
            low: Lowest prices.
            close: Closing prices.
            times: Open times in UTC milliseconds.

        Raises:
            DataError: Lengths differ or a price is not finite; nothing was taken in.
        """
        columns = [np.asarray(values, dtype=np.float64) for values in (high, low, close)]
        stamps = np.ascontiguousarray(times, dtype=np.int64)
        if any(column.shape != (stamps.size,) for column in columns):
            raise DataError(
                "calculate_zigzag: high, low, close and time must be of the same length"
            )
        for name, column in zip(("high", "low", "close"), columns, strict=True):
            finite = np.isfinite(column)
            if not finite.all():
                where = int(finite.argmin())
                raise DataError(
                    f"calculate_zigzag: the {name} of candle {len(self) + where} is {column[where]}"
                )
        self._machine.extend(*(column.tolist() for column in columns))
        self._times.frombytes(stamps.tobytes())

    def pivots_at(self, t: int) -> int:
        """Return how many pivots were confirmed as of candle ``t``: the first ones of ``pivots``."""
        return bisect_right(self.pivots.since, t)

    def candidate_at(self, t: int) -> int:
        """Return the position in ``candidates`` of the one open as of candle ``t``.

        Raises:
            IndexError: There is no such candle.
        """
        if not 0 <= t < len(self):
            raise IndexError(f"there is no candle {t} in a history of {len(self)}")
        return bisect_right(self.candidates.since, t) - 1

    def pivot(self, position: int, start: int = 0) -> SwingPoint:
        """Return a confirmed point, its indices counted from candle ``start``."""
        confirmed_index = self.pivots.since[position] - start
        return self._point(self.pivots, position, start, confirmed_index)

    def candidate(self, position: int, start: int = 0) -> SwingPoint:
        """Return an unconfirmed point, its index counted from candle ``start``."""
        return self._point(self.candidates, position, start, None)

    def _point(
        self, log: PointLog, position: int, start: int, confirmed_index: int | None
    ) -> SwingPoint:
        index = log.index[position]
        return {
            "index": index - start,
            "time": self._times[index],
            "price": log.price[position],
            "kind": "high" if log.is_high[position] else "low",
            "confirmed_index": confirmed_index,
        }


def zigzag(
    high: Numbers,
    low: Numbers,
    close: Numbers,
    times: Sequence[int] | npt.NDArray[np.int64],
    deviation: float = 1.0,
    depth: int = 10,
) -> SwingHistory:
    """Return the swing points of these candles.

    Raises:
        DataError: As :meth:`SwingHistory.extend`.
        ValueError: As :class:`~milobot.indicators.zigzag.ZigZag`.
    """
    history = SwingHistory(deviation, depth)
    history.extend(high, low, close, times)
    return history


def zigzag_points(history: SwingHistory, t: int, start: int = 0) -> list[SwingPoint]:
    """Return the swing points as they were known at candle ``t``, oldest first.

    Each is ``{index, time, price, kind, confirmed_index}``, both indices counted
    from candle ``start``; points before it are dropped. The confirmed ones are
    followed by the open candidate with ``confirmed_index`` None. Before the first
    confirmation, where a high and a low are both open, that is the later of the
    two (the high, if one candle holds both). So the last point is always the
    unconfirmed one, unless it is older than ``start``.

    Raises:
        IndexError: There is no candle ``t``.
    """
    open_candidate = history.candidate_at(t)
    first = bisect_left(history.pivots.index, start)
    points = [history.pivot(position, start) for position in range(first, history.pivots_at(t))]
    if history.candidates.index[open_candidate] >= start:
        points.append(history.candidate(open_candidate, start))
    return points

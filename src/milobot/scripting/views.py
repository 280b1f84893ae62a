"""What a script sees of its candles: read-only views as of one candle, made in constant time.

A view holds whole columns and shows the part up to the current candle. The
clock of its frame says where that is; moving the clock moves all views at
once. Nothing of NumPy comes out of a view, only plain numbers.

An index that only a longer history could satisfy raises
:class:`NotEnoughHistoryError`: the candle counts as warm-up.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy.typing as npt

from milobot.domain.market import COLUMNS
from milobot.indicators.swings import SwingHistory

Column = npt.NDArray[Any]
"""Times as int64, everything else as float64."""


class NotEnoughHistoryError(IndexError):
    """An index reaches back further than the history does so far."""


class Frame:
    """Columns of one timeframe, and the clock of all views on them.

    Only a stretch of each column is at hand as a list, ``limit`` values before
    the candles being evaluated and those candles, so memory does not grow with
    the history.

    Attributes:
        count: Candles of the history up to the current one.
        end: Position after the current candle in the stretch.
        size: Number of candles in view: at most ``limit``.
    """

    __slots__ = ("_first", "_last", "_lists", "_series", "columns", "count", "end", "limit", "size")

    def __init__(self, columns: dict[str, Column], limit: int) -> None:
        """Hold whole columns; nothing is in view until a stretch is opened."""
        self.columns = columns
        self.limit = limit
        self.count = 0
        self.end = 0
        self.size = 0
        self._first = 0
        self._last = 0
        self._lists: dict[str, list[float]] = {}
        self._series: list[Series] = []

    def open_stretch(self, begin: int, end: int) -> None:
        """Make ready for candles up to ``end``, none of them before ``begin``."""
        self._first = max(0, begin - self.limit)
        self._last = end
        self._lists.clear()
        for series in self._series:
            series.load(self._first, end)

    def close(self) -> None:
        """Let go of the stretches at hand; nothing may be read any more."""
        self._lists.clear()
        self._series.clear()

    def move(self, count: int) -> None:
        """Show the first ``count`` candles of the history, the last of them being now."""
        self.count = count
        self.end = count - self._first
        self.size = min(self.limit, count)  # min() costs twice the time

    @property
    def start(self) -> int:
        """Position in the whole history of the first candle in view."""
        return self.count - self.size

    @property
    def length(self) -> int:
        """Candles of the whole history, the current one being somewhere in it."""
        return len(self.columns["time"])

    def column(self, name: str) -> list[float]:
        """Return the stretch of a column."""
        values = self._lists.get(name)
        if values is None:
            values = self._lists[name] = self.columns[name][self._first : self._last].tolist()
        return values

    def all_columns(self) -> dict[str, list[float]]:
        """Return the stretch of every column."""
        if len(self._lists) < len(COLUMNS):
            for name in COLUMNS:
                self.column(name)
        return self._lists

    def series(self, values: Column) -> "Series":
        """Return a view on ``values``, one of them per candle of this frame."""
        series = Series(self, values)
        series.load(self._first, self._last)
        self._series.append(series)
        return series

    def position(self, index: int, what: str) -> int:
        """Return where an index into the candles in view points in the stretch.

        Raises:
            NotEnoughHistoryError: A longer history would have it.
            IndexError: No history would.
            TypeError: It is no whole number.
        """
        place = index if type(index) is int else _whole(index, what)
        if place < 0:
            place += self.size
        if 0 <= place < self.size:
            return self.end - self.size + place
        reach = place + 1 if place >= 0 else self.size - place
        raise not_enough(what, index, self.size, reach, self.limit)


def not_enough(what: str, index: object, size: int, reach: int, limit: int) -> IndexError:
    """Return the error for an index that needs ``reach`` elements where there are ``size``."""
    reason = f"{what} has {size} elements: there is no [{str(index)[:20]}]"
    return NotEnoughHistoryError(reason) if size < reach <= limit else IndexError(reason)


def _whole(index: object, what: str) -> int:
    if isinstance(index, bool):
        return int(index)
    raise TypeError(f"{what} takes whole numbers in [ ], not {type(index).__name__}")


class Series(Sequence[float]):
    """Values of a series up to the current candle, the newest last, as long as ``data``."""

    __slots__ = ("_frame", "_stretch", "values")

    def __init__(self, frame: Frame, values: Column) -> None:
        """View ``values``, which cover the whole history of ``frame``."""
        self._frame = frame
        self.values = values
        self._stretch: list[float] = []

    @property
    def frame(self) -> Frame:
        """The frame whose clock this view follows."""
        return self._frame

    def load(self, first: int, last: int) -> None:
        """Take a stretch of the values at hand as plain numbers."""
        self._stretch = self.values[first:last].tolist()

    def __len__(self) -> int:
        """Return the number of elements in view."""
        return self._frame.size

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> list[float]: ...
    def __getitem__(self, index: int | slice) -> float | list[float]:
        """Return what an index or key names."""
        frame = self._frame
        if type(index) is int and -frame.size <= index < 0:
            return self._stretch[frame.end + index]
        if isinstance(index, slice):
            begin, end, step = index.indices(frame.size)
            if step < 0:
                return self._shown()[index]
            first = frame.end - frame.size
            return self._stretch[first + begin : first + max(begin, end) : step]
        return self._stretch[frame.position(index, "a series")]

    def __iter__(self) -> Iterator[float]:
        """Yield the elements in view."""
        return iter(self._shown())

    def __repr__(self) -> str:
        """Return a short text without an address."""
        shown = [repr(value) for value in self._shown()[-3:]]
        return f"<series of {len(self)} values: {', '.join(['...', *shown])}>"

    def _shown(self) -> list[float]:
        frame = self._frame
        return self._stretch[frame.end - frame.size : frame.end]


class Record(Mapping[str, object]):
    """A read-only dictionary."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, object]) -> None:
        """Hold ``items``, which nobody else changes."""
        self._items = items

    def __getitem__(self, key: str) -> object:
        """Return what an index or key names."""
        return self._items[key]

    def __len__(self) -> int:
        """Return the number of elements in view."""
        return len(self._items)

    def __iter__(self) -> Iterator[str]:
        """Yield the elements in view."""
        return iter(self._items)

    def __repr__(self) -> str:
        """Return a short text without an address."""
        return repr(self._items)


class Row(Mapping[str, float]):
    """One candle: ``['time']``, ``['open']`` and so on, read only."""

    __slots__ = ("_columns", "_position")

    def __init__(self, columns: dict[str, list[float]], position: int) -> None:
        """View one position of the columns at hand."""
        self._columns = columns
        self._position = position

    def __getitem__(self, key: str) -> float:
        """Return what an index or key names."""
        return self._columns[key][self._position]

    def __len__(self) -> int:
        """Return the number of elements in view."""
        return len(COLUMNS)

    def __iter__(self) -> Iterator[str]:
        """Yield the elements in view."""
        return iter(COLUMNS)

    def __repr__(self) -> str:
        """Return a short text without an address."""
        return repr(dict(self))


class Candles(Sequence[Row]):
    """Candles up to the current one, the newest last."""

    __slots__ = ("_frame", "_rows")

    def __init__(self, frame: Frame) -> None:
        """View the candles of ``frame``."""
        self._frame = frame

    @property
    def frame(self) -> Frame:
        """The frame whose clock this view follows."""
        return self._frame

    def __len__(self) -> int:
        """Return the number of elements in view."""
        return self._frame.size

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        """Return what an index or key names."""
        frame = self._frame
        columns = frame.all_columns()
        if isinstance(index, slice):
            first = frame.end - frame.size
            return [Row(columns, first + place) for place in range(frame.size)[index]]
        return Row(columns, frame.position(index, "data"))

    def __iter__(self) -> Iterator[Row]:
        """Yield the elements in view."""
        return iter(self[:])

    def __repr__(self) -> str:
        """Return a short text without an address."""
        return f"<{len(self)} candles, the last {self[-1]!r}>" if len(self) else "<0 candles>"


class Points(Sequence[Record]):
    """Swing points known at the current candle, the open one last."""

    __slots__ = ("_frame", "history")

    def __init__(self, frame: Frame, history: SwingHistory) -> None:
        """View the points that ``history`` knows of the candles of ``frame``."""
        self._frame = frame
        self.history = history

    @property
    def frame(self) -> Frame:
        """The frame whose clock this view follows."""
        return self._frame

    def _range(self) -> tuple[int, int, int]:
        """Return the first confirmed point in view, how many, and the open candidate or -1."""
        history, start, now = self.history, self._frame.start, self._frame.count - 1
        if now < 0:
            return 0, 0, -1
        first = bisect_left(history.pivots.index, start)
        count = max(0, history.pivots_at(now) - first)
        candidate = history.candidate_at(now)
        return first, count, candidate if history.candidates.index[candidate] >= start else -1

    def __len__(self) -> int:
        """Return the number of elements in view."""
        _, count, candidate = self._range()
        return count + (candidate >= 0)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        """Return what an index or key names."""
        first, count, candidate = self._range()
        size = count + (candidate >= 0)
        if isinstance(index, slice):
            return [self._record(first, count, candidate, k) for k in range(size)[index]]
        place = index if type(index) is int else _whole(index, "a list of points")
        place += size if place < 0 else 0
        if not 0 <= place < size:
            # More candles bring more points, until the first ones drop out of view.
            reach = self._frame.size + 1
            raise not_enough("a list of points", index, size, reach, self._frame.limit)
        return self._record(first, count, candidate, place)

    def _record(self, first: int, count: int, candidate: int, place: int) -> Record:
        start = self._frame.start
        if place < count:
            return Record(self.history.pivot(first + place, start))
        return Record(self.history.candidate(candidate, start))

    def __iter__(self) -> Iterator[Record]:
        """Yield the elements in view."""
        return iter(self[:])

    def __repr__(self) -> str:
        """Return a short text without an address."""
        return repr(self[:])


class Lazy:
    """What zip, map and the like return: read once, printed without an address."""

    __slots__ = ("_iterator", "_name")

    def __init__(self, iterator: Iterator[object], name: str) -> None:
        """Hold an iterator that nobody else reads."""
        self._iterator = iterator
        self._name = name

    def __iter__(self) -> Iterator[object]:
        """Yield the elements in view."""
        return self._iterator

    def __repr__(self) -> str:
        """Return a short text without an address."""
        return f"<{self._name}: use list(...) to see it>"

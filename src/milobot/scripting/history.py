"""Columns that grow: a new candle costs no copy of all those before it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from milobot.domain.market import COLUMNS, CandleSeries
from milobot.errors import DataError
from milobot.scripting.views import Column

_FIRST_CAPACITY = 1024


class GrowingArray:
    """One column, appended to in constant time per value."""

    __slots__ = ("_buffer", "_length")

    def __init__(self, dtype: npt.DTypeLike) -> None:
        """Begin empty."""
        self._buffer: Column = np.empty(_FIRST_CAPACITY, dtype)
        self._length = 0

    def append(self, values: Column) -> None:
        """Add values at the end."""
        stop = self._length + len(values)
        if stop > len(self._buffer):
            # Room for more from the first block on: else the next candle would copy it all.
            room = max(stop + _FIRST_CAPACITY, 2 * len(self._buffer))
            larger = np.empty(room, self._buffer.dtype)
            larger[: self._length] = self._buffer[: self._length]
            self._buffer = larger
        self._buffer[self._length : stop] = values
        self._length = stop

    def view(self) -> Column:
        """Return all values, read only."""
        view = self._buffer[: self._length]
        view.flags.writeable = False
        return view


class History:
    """Candle columns since the anchor."""

    def __init__(self) -> None:
        """Begin without candles."""
        self._length = 0
        self._columns = {
            name: GrowingArray(np.int64 if name == "time" else np.float64) for name in COLUMNS
        }

    def __len__(self) -> int:
        """Return the number of candles."""
        return self._length

    def append(self, columns: Mapping[str, Column]) -> None:
        """Add closed candles after those at hand.

        Raises:
            DataError: Columns differ in length, or times do not rise; nothing was added.
        """
        times = columns["time"]
        if any(len(columns[name]) != len(times) for name in COLUMNS):
            raise DataError("candle columns differ in length")
        last = self._columns["time"].view()[-1:]
        if (times[1:] <= times[:-1]).any() or (len(times) and (last >= times[0]).any()):
            raise DataError("candles must come in order of time, each once")
        for name in COLUMNS:
            self._columns[name].append(columns[name])
        self._length += len(times)

    def series(self) -> CandleSeries:
        """Return all candles, without copying; what is appended later is not in it."""
        return CandleSeries(**self.columns())

    def columns(self) -> dict[str, Column]:
        """Return the columns, read only."""
        return {name: column.view() for name, column in self._columns.items()}

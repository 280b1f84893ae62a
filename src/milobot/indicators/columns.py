"""From what callers hold, candles or plain numbers, to the arrays indicators take."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from milobot.errors import DataError
from milobot.indicators.arguments import Numbers

Candles = Sequence[Mapping[str, float]]
"""``{'time', 'open', 'high', 'low', 'close', 'volume'}`` each, oldest first; time in UTC ms."""

_NUMERIC = (int, float, Decimal, np.integer, np.floating)


def closes_or_numbers(function: str, data: Candles | Numbers) -> npt.NDArray[np.float64]:
    """Return the closes of candles, or the numbers themselves.

    Raises:
        DataError: ``data`` is neither; the first wrong element is named.
    """
    if isinstance(data, np.ndarray):
        return _row(function, data)
    _require_sequence(function, data)
    if len(data) and isinstance(data[0], Mapping):
        return candle_column(function, data, "close")
    return _floats(function, list(data), "data[{}]")


def candle_column(function: str, data: object, name: str) -> npt.NDArray[np.float64]:
    """Return one column of candles, such as ``high``.

    Raises:
        DataError: ``data`` is no sequence of candles, or one of them has no such
            number; the first wrong one is named.
    """
    return _floats(function, _picked(function, data, name), f"data[{{}}]['{name}']")


def candle_times(function: str, data: object) -> npt.NDArray[np.int64]:
    """Return the open times of candles in UTC milliseconds.

    Raises:
        DataError: As :func:`candle_column`, or a time is no whole number.
    """
    times = _picked(function, data, "time")
    for index, time in enumerate(times):
        if not isinstance(time, int | np.integer) or isinstance(time, bool):
            raise DataError(
                f"{function}: data[{index}]['time'] must be whole milliseconds, not {time!r}"
            )
    return np.array(times, dtype=np.int64)


def _require_sequence(function: str, data: object) -> None:
    if not isinstance(data, Sequence) or isinstance(data, str | bytes):
        raise DataError(
            f"{function}: data must be a list of candles or of numbers, not {type(data).__name__}"
        )


def _picked(function: str, data: object, name: str) -> list[object]:
    if not isinstance(data, Sequence) or isinstance(data, str | bytes):
        raise DataError(
            f"{function}: data must be a list of candles with '{name}', not {type(data).__name__}"
        )
    values: list[object] = []
    for index, candle in enumerate(data):
        if not isinstance(candle, Mapping) or name not in candle:
            raise DataError(f"{function}: data[{index}] must be a candle with '{name}'")
        values.append(candle[name])
    return values


def _row(function: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        raise DataError(
            f"{function}: an array must be one row of numbers, not {values.dtype} of shape "
            f"{values.shape}"
        )
    return values.astype(np.float64)


def _floats(function: str, values: list[object], place: str) -> npt.NDArray[np.float64]:
    if set(map(type, values)) <= {float, int}:
        return np.array(values, dtype=np.float64)
    for index, value in enumerate(values):
        # Strict on purpose: NumPy would turn None into NaN and "12" into 12.
        if not isinstance(value, _NUMERIC) or isinstance(value, bool):
            raise DataError(f"{function}: {place.format(index)} must be a number, not {value!r}")
    return np.array(values, dtype=np.float64)

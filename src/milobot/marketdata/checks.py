"""Checks that a file's numbers are candles: units, order, grid and values, fault by row."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from milobot.domain.market import CandleSeries, Floats, Times
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.domain.times import format_time
from milobot.errors import DataError
from milobot.marketdata.grid import next_opens, period_opens, spacing_timeframe
from milobot.marketdata.tables import TIME, Table

_Fault = tuple[NDArray[np.bool_], Callable[[int], str]]

# Powers of ten between the units, for every time from 1973 to 2286.
_MS_RANGE = (1e11, 1e13)
_US_RANGE = (1e14, 1e16)
_S_RANGE = (1e8, 1e11)


def to_times(table: Table) -> Times:
    """Return the time column in UTC milliseconds; the file may have microseconds throughout.

    Raises:
        DataError: A time is no whole number of milliseconds, or the file mixes units or counts
            in seconds.
    """
    raw = table.columns[TIME]
    unit = _unit(table, float(raw[0]))
    low, high = _US_RANGE if unit == "microseconds" else _MS_RANGE
    outside = np.flatnonzero(~((raw >= low) & (raw < high)))
    if outside.size:
        raise _unit_error(table, int(outside[0]), unit)
    divisor = 1000 if unit == "microseconds" else 1
    # Such times are below 2**53, so that their floats are exact.
    broken = np.flatnonzero(np.floor(raw / divisor) * divisor != raw)
    if broken.size:
        row = int(broken[0])
        raise table.error(row, f"time {_text(raw[row])} is not a whole number of milliseconds")
    times: Times = raw.astype(np.int64) // divisor
    return times


def check_order(table: Table, times: Times) -> None:
    """Refuse rows that are out of order or there twice.

    Raises:
        DataError: Names the first such row.
    """
    _raise_first(table, _order_faults(times))


def detect_timeframe(table: Table, times: Times) -> Timeframe:
    """Return the timeframe that is the most common spacing of ``times``.

    Raises:
        DataError: There is one candle only, or the spacing is no timeframe, or no row is
            later than the one before.
    """
    if len(times) == 1:
        raise DataError(f"{table.name} holds one candle, which shows no timeframe: name it")
    steps = np.diff(times)
    spacings, counts = np.unique(steps[steps > 0], return_counts=True)
    if not spacings.size:
        check_order(table, times)
    common = int(spacings[np.argmax(counts)])
    timeframe = spacing_timeframe(common)
    if timeframe is None:
        raise DataError(
            f"{table.name}: most candles are {common / MINUTE_MS:g} minutes apart, "
            f"which is no timeframe: use one of {' '.join(Timeframe)}"
        )
    return timeframe


def check_timeframe(table: Table, times: Times, timeframe: Timeframe) -> None:
    """Refuse a file whose candles are of another ``timeframe`` than its user named.

    Raises:
        DataError: There are several candles, and no two are one candle apart.
    """
    if len(times) < 3 or np.any(next_opens(times[:-1], timeframe) == times[1:]):  # noqa: PLR2004 - two candles may have a gap between
        return
    found = detect_timeframe(table, times)
    if found is not timeframe:
        raise DataError(f"{table.name} holds {found} candles, not {timeframe}: name {found}")


def to_candles(table: Table, times: Times, timeframe: Timeframe) -> CandleSeries:
    """Return the candles of a table whose times are in milliseconds.

    Raises:
        DataError: Rows are out of order or there twice, a row is off the grid, a price is not a positive number, a volume is
            negative, or open and close do not lie between low and high.
    """
    columns = [table.columns[n] for n in ("open", "high", "low", "close", "volume")]
    candles = CandleSeries(times, *columns)
    faults = (_order_faults(times), _grid_faults(times, timeframe), _value_faults(candles))
    _raise_first(table, chain.from_iterable(faults))
    return candles


def _unit(table: Table, first: float) -> str:
    if _MS_RANGE[0] <= first < _MS_RANGE[1]:
        return "milliseconds"
    if _US_RANGE[0] <= first < _US_RANGE[1]:
        return "microseconds"
    raise _unit_error(table, 0, None)


def _unit_error(table: Table, row: int, unit: str | None) -> DataError:
    value = float(table.columns[TIME][row])
    shown = f"{value:.0f}" if value.is_integer() else repr(value)
    if _S_RANGE[0] <= value < _S_RANGE[1]:
        return table.error(row, f"time {shown} is in seconds: write milliseconds")
    both = ((_MS_RANGE, "milliseconds"), (_US_RANGE, "microseconds"))
    other = [name for (low, high), name in both if low <= value < high]
    if unit and other:
        return table.error(row, f"time {shown} is in {other[0]}, the rows before in {unit}")
    return table.error(row, f"time {shown} is no time in milliseconds or microseconds")


def _order_faults(times: Times) -> Iterator[_Fault]:
    steps = np.diff(times, prepend=times[0] - 1)

    def before(row: int) -> str:
        return f"{format_time(int(times[row]))} follows {format_time(int(times[row - 1]))}"

    yield steps == 0, lambda row: f"{format_time(int(times[row]))} is there twice"
    yield steps < 0, lambda row: f"{before(row)}: sort the rows by time"


def _grid_faults(times: Times, timeframe: Timeframe) -> Iterator[_Fault]:
    yield (
        period_opens(times, timeframe) != times,
        lambda row: f"{format_time(int(times[row]))} is off the grid of {timeframe} candles",
    )


def _value_faults(candles: CandleSeries) -> Iterator[_Fault]:
    low, high = candles.low, candles.high
    for name in ("open", "high", "low", "close", "volume"):
        column: Floats = getattr(candles, name)
        yield ~np.isfinite(column), _says(name, column, "is not a finite number")
        if name == "volume":
            yield column < 0, _says(name, column, "is negative")
        else:
            yield column <= 0, _says(name, column, "is not above zero")
    yield high < low, lambda row: f"high {_text(high[row])} is below low {_text(low[row])}"
    for name in ("open", "close"):
        column = getattr(candles, name)
        outside = (column < low) | (column > high)
        yield outside, _says(name, column, "is outside low and high")


def _says(name: str, column: Floats, reason: str) -> Callable[[int], str]:
    return lambda row: f"{name} {_text(column[row])} {reason}"


def _text(value: float) -> str:
    return repr(float(value))


def _raise_first(table: Table, faults: Iterable[_Fault]) -> None:
    first: tuple[int, Callable[[int], str]] | None = None
    for wrong, describe in faults:
        rows = np.flatnonzero(wrong)
        if rows.size and (first is None or rows[0] < first[0]):
            first = int(rows[0]), describe
    if first:
        row, describe = first
        raise table.error(row, describe(row))

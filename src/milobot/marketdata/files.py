"""Candles and funding rates from files, and candles back into files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from milobot.domain.market import CandleSeries, Floats, Times
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.marketdata.checks import (
    check_order,
    check_timeframe,
    detect_timeframe,
    to_candles,
    to_times,
)
from milobot.marketdata.csv_table import read_csv
from milobot.marketdata.gaps import describe_gaps, find_gaps
from milobot.marketdata.parquet import read_parquet
from milobot.marketdata.sources import plain_text
from milobot.marketdata.tables import CANDLE_LAYOUT, FUNDING_LAYOUT, Table

SUFFIXES = (".csv", ".gz", ".zip", ".parquet")


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """Candles of a file, checked.

    Attributes:
        timeframe: As named by the caller, or the most common spacing of the rows.
        warnings: Sentences for the user about what is tolerated, such as gaps.
    """

    candles: CandleSeries
    timeframe: Timeframe
    warnings: tuple[str, ...]


def load_candles(
    path: Path, *, timeframe: Timeframe | None = None, strict: bool = False
) -> LoadedFile:
    """Return the candles of a .csv, .csv.gz, .zip or .parquet file.

    Columns are found by a header (``open_time``, ``time`` or ``timestamp``, then ``open``,
    ``high``, ``low``, ``close``, ``volume`` in any order, others ignored); CSV without a header
    is read as the exchange's public archive. Times are milliseconds or microseconds, UTC.

    Args:
        path: The suffix tells the form.
        timeframe: What the rows must be; None takes their most common spacing.
        strict: Refuse gaps instead of warning of them.

    Raises:
        DataError: The file cannot be read or does not hold candles; names the first wrong line.
        ConfigurationError: A Parquet file, and the extra ``parquet`` is not installed.
    """
    if path.suffix.lower() == ".parquet":
        return _to_loaded(read_parquet(path, CANDLE_LAYOUT), timeframe, strict=strict)
    _require_known_suffix(path)
    with plain_text(path) as plain:
        return _to_loaded(read_csv(plain, path.name, CANDLE_LAYOUT), timeframe, strict=strict)


def load_funding(path: Path) -> tuple[Times, Floats]:
    """Return times (UTC milliseconds) and funding rates of a file like ``open_time,funding_rate``.

    Rates are fractions of the notional that longs pay to shorts, 0.0001 being 0.01 %.

    Raises:
        DataError: The file cannot be read, a time is out of order, or a rate is not a fraction.
    """
    if path.suffix.lower() == ".parquet":
        return _to_funding(read_parquet(path, FUNDING_LAYOUT))
    _require_known_suffix(path)
    with plain_text(path) as plain:
        return _to_funding(read_csv(plain, path.name, FUNDING_LAYOUT))


def _require_known_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path.name or path}: use a .csv, .csv.gz, .zip or .parquet file")


def _to_loaded(table: Table, timeframe: Timeframe | None, *, strict: bool) -> LoadedFile:
    times = to_times(table)
    if timeframe is None:
        timeframe = detect_timeframe(table, times)
    else:
        check_timeframe(table, times, timeframe)
    candles = to_candles(table, times, timeframe)
    gaps = find_gaps(candles, timeframe)
    if not gaps:
        return LoadedFile(candles, timeframe, ())
    sentence = f"{table.name}: {describe_gaps(gaps)} (before {table.locate(gaps[0].row)})"
    if strict:
        raise DataError(f"{sentence}: fetch what is missing, or load the file without strict")
    return LoadedFile(candles, timeframe, (sentence,))


def _to_funding(table: Table) -> tuple[Times, Floats]:
    times = to_times(table)
    check_order(table, times)
    rates = table.columns["funding_rate"]
    wrong = np.flatnonzero(~(np.abs(rates) < 1))
    if wrong.size:
        row = int(wrong[0])
        shown = repr(float(rates[row]))
        raise table.error(row, f"funding_rate {shown} is not a fraction between -1 and 1")
    return times, rates

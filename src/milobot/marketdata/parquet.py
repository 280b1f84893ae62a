"""Candles in Parquet files; needs the extra ``parquet``."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from milobot.domain.market import CandleSeries, Floats
from milobot.errors import ConfigurationError, DataError
from milobot.marketdata.tables import Layout, Table, find_positions

MAX_ROWS = 20_000_000
"""Most rows that are read; their number stands in the file, before anything is unpacked."""


def read_parquet(path: Path, layout: Layout, *, max_rows: int = MAX_ROWS) -> Table:
    """Return the columns of ``layout`` in a Parquet file; times may be numbers or timestamps.

    Raises:
        ConfigurationError: The extra ``parquet`` is not installed.
        DataError: The file cannot be read, lacks a column, or a column is not numbers.
    """
    pa, parquet = _import_pyarrow()
    try:
        with parquet.ParquetFile(path) as file:
            _check_rows(file.metadata.num_rows, path.name, max_rows)
            columns = _read_columns(file, path.name, layout, pa)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: check the path") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path.name} is not a readable Parquet file: fetch it again") from error
    return Table(path.name, columns, lambda row: f"row {row + 1}")


def write_parquet(path: Path, candles: CandleSeries) -> None:
    """Write candles into a Parquet file at ``path``, the time column called ``open_time``.

    Raises:
        ConfigurationError: The extra ``parquet`` is not installed.
    """
    pa, parquet = _import_pyarrow()
    columns = {"open_time": candles.time} | {
        name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")
    }
    parquet.write_table(pa.table(columns), path)


def _import_pyarrow() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import
        from pyarrow import parquet  # noqa: PLC0415 - as above
    except ImportError:
        raise ConfigurationError(
            "Parquet files need a further package: pip install 'milobot[parquet]'"
        ) from None
    return pa, parquet


def _check_rows(rows: int, name: str, max_rows: int) -> None:
    if not rows:
        raise DataError(f"{name} holds no rows")
    if rows > max_rows:
        raise DataError(f"{name} holds more than {max_rows} rows: split it by month or year")


def _read_columns(file: Any, name: str, layout: Layout, pa: ModuleType) -> dict[str, Floats]:
    header = file.schema_arrow.names
    found = {c: header[i] for c, i in find_positions(header, layout, name).items()}
    table = file.read(columns=list(found.values()))
    return {c: _to_floats(table.column(text), text, name, pa) for c, text in found.items()}


def _to_floats(column: Any, text: str, name: str, pa: ModuleType) -> Floats:
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise DataError(f"{name}: the column {text} holds {kind} where numbers belong")
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)

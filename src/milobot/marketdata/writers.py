"""Writes candles into files, whole or not at all, bit for bit what was there."""

import gzip
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from milobot.domain.market import CandleSeries
from milobot.errors import DataError, StorageError
from milobot.marketdata.parquet import write_parquet

_ROWS_AT_ONCE = 50_000
_HEADER = b"open_time,open,high,low,close,volume\n"
_GZIP_LEVEL = 6
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_candles(path: Path, candles: CandleSeries) -> None:
    """Write candles to a .csv, .csv.gz, .zip or .parquet file, replacing what was there.

    Floats are written as the shortest text that reads back as the same float. The same candles
    give the same bytes (Parquet: with the same version of its library). The file appears under
    its name only when it is complete and on disk.

    Raises:
        DataError: The suffix names no form, or there are no candles to write.
        StorageError: The file could not be written; an older one is still there.
        ConfigurationError: A Parquet file, and the extra ``parquet`` is not installed.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise DataError(f"{path.name}: use a .csv, .csv.gz, .zip or .parquet file")
    if not len(candles):
        raise DataError(f"there are no candles to write to {path.name}")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part, path, candles)
        _sync(part)
        part.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"{path} cannot be written: {reason}; nothing was changed") from error
    finally:
        _remove(part)


def _rows(candles: CandleSeries) -> Iterator[bytes]:
    yield _HEADER
    for start in range(0, len(candles), _ROWS_AT_ONCE):
        chunk = candles.part(start, start + _ROWS_AT_ONCE)
        yield "".join(
            [f"{t},{o!r},{h!r},{lo!r},{c!r},{v!r}\n" for t, o, h, lo, c, v in chunk]
        ).encode()


def _write_csv(part: Path, _path: Path, candles: CandleSeries) -> None:
    with part.open("wb") as file:
        file.writelines(_rows(candles))


def _write_gzip(part: Path, _path: Path, candles: CandleSeries) -> None:
    # Neither name nor time in the header: the same candles give the same bytes.
    with (
        part.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=_GZIP_LEVEL, fileobj=file, mtime=0) as packed,
    ):
        packed.writelines(_rows(candles))


def _write_zip(part: Path, path: Path, candles: CandleSeries) -> None:
    stem = path.stem.removesuffix(".csv")
    member = zipfile.ZipInfo(f"{stem}.csv", _ZIP_EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(part, "w") as archive, archive.open(member, "w") as packed:
        packed.writelines(_rows(candles))


def _write_parquet(part: Path, _path: Path, candles: CandleSeries) -> None:
    write_parquet(part, candles)


def _sync(part: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:  # the folder has gone or may not be changed: the caller's error says so
        return


_WRITERS: dict[str, Callable[[Path, Path, CandleSeries], None]] = {
    ".csv": _write_csv,
    ".gz": _write_gzip,
    ".zip": _write_zip,
    ".parquet": _write_parquet,
}

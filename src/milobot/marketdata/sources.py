"""Candle files as plain text, whatever they are packed in."""

import gzip
import io
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from milobot.errors import DataError, StorageError

MAX_TEXT_BYTES = 1024**3
"""Largest text that is read, packed or not: some seven million rows of the public archive."""

_BLOCK_BYTES = 1024 * 1024
_ENCRYPTED = 1
_COMMON_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Places outside the file, lengths that contradict each other: the library names them variously.
_ZIP_FAULTS = (
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def plain_text(path: Path, *, max_bytes: int = MAX_TEXT_BYTES) -> Iterator[Path]:
    """Give a plain CSV file with the text of ``path``, a .csv, .gz or .zip file.

    Packed text is unpacked into a temporary file, so that a parser may go over it twice
    and its size never depends on what the archive claims.

    Raises:
        DataError: The file is missing, empty, too large, cannot be read or unpacked.
    """
    _require_file(path)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        if path.stat().st_size > max_bytes:
            raise _too_large(path, max_bytes)
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="milobot-", suffix=".csv") as unpacked:
        if suffix == ".zip":
            _unpack_zip(path, unpacked, max_bytes)
        else:
            _unpack_gzip(path, unpacked, max_bytes)
        unpacked.flush()
        yield Path(unpacked.name)


def _require_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise DataError(f"{path.name} is a folder: name a file with candles")
        with path.open("rb") as file:
            if not file.read(1):
                raise DataError(f"{path.name} is empty: it should hold at least one row")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: check the path") from None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}") from error


def _unpack_gzip(path: Path, target: IO[bytes], max_bytes: int) -> None:
    try:
        with gzip.open(path, "rb") as packed:
            _copy(packed, target, path, max_bytes)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path.name} is not a complete gzip file: fetch it again") from error


def _unpack_zip(path: Path, target: IO[bytes], max_bytes: int) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            member = _only_csv(archive, path)
            with archive.open(member) as packed:
                _copy(packed, target, path, max_bytes)
    except _ZIP_FAULTS as error:
        raise DataError(f"{path.name} is not a complete zip file: fetch it again") from error


def _only_csv(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    files = [
        info
        for info in archive.infolist()
        if info.filename.lower().endswith(".csv") and not info.filename.startswith("__MACOSX/")
    ]
    if len(files) != 1:
        found = "none" if not files else f"{len(files)} of them"
        raise DataError(f"{path.name} should hold one CSV file and holds {found}")
    if files[0].flag_bits & _ENCRYPTED or files[0].compress_type not in _COMMON_COMPRESSION:
        raise DataError(
            f"{path.name} cannot be unpacked here: pack the CSV without a password, as plain zip"
        )
    return files[0]


def _copy(
    packed: IO[bytes] | io.BufferedIOBase, target: IO[bytes], path: Path, max_bytes: int
) -> None:
    left = max_bytes
    while block := packed.read(_BLOCK_BYTES):
        left -= len(block)
        if left < 0:
            raise _too_large(path, max_bytes)
        try:
            target.write(block)
        except OSError as error:
            room = shutil.disk_usage(tempfile.gettempdir()).free
            raise StorageError(
                f"{path.name} cannot be unpacked into the temporary folder: "
                f"{error.strerror}, {room // 1024**2} MiB are free there"
            ) from error
    if left == max_bytes:
        raise DataError(f"{path.name} holds an empty file: it should hold at least one row")


def _too_large(path: Path, max_bytes: int) -> DataError:
    return DataError(
        f"{path.name} holds more than {max_bytes / 1024**2:g} MiB of text: split it by month or year"
    )

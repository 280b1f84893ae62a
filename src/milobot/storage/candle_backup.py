"""Copies a SQLite file that is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from milobot.errors import StorageError
from milobot.storage.sqlite import as_storage_errors, connect

_WAL_SUFFIXES = ("-wal", "-shm")


def write_backup(source: Path, target: Path, *, lock_timeout_s: float) -> None:
    """Write a consistent copy of ``source`` to ``target``, which appears only when complete.

    Raises:
        StorageError: The copy could not be written, or ``target`` is a database in use, or
            a device or pipe, which a new file would replace.
    """
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise StorageError(f"{target} is no ordinary file: name one to write the copy to")
    # A log beside the old file would be replayed into the new one.
    if any(Path(f"{target}{suffix}").exists() for suffix in _WAL_SUFFIXES):
        raise StorageError(f"{target.name} is in use by a program: name another file")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with as_storage_errors(target):
            _copy(source, part, lock_timeout_s)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        _remove(part)


def _copy(source: Path, part: Path, lock_timeout_s: float) -> None:
    with (
        closing(connect(source, lock_timeout_s=lock_timeout_s)) as reading,
        closing(sqlite3.connect(part)) as writing,
    ):
        reading.backup(writing)
        writing.execute("PRAGMA journal_mode = DELETE")  # one file, readable on its own


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
        Path(f"{part}-journal").unlink(missing_ok=True)
    except OSError:  # the folder has gone: the caller's error says so
        return

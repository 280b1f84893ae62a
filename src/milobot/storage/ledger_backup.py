"""Copies of the ledger, made while it is in use."""

import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

from milobot.domain.times import format_time
from milobot.errors import ConfigurationError, LedgerError, StorageError
from milobot.storage.candle_backup import write_backup
from milobot.storage.database_url import PostgresTarget, SqliteTarget, parse_database_url

KEPT_BACKUPS = 14
_LOCK_TIMEOUT_S = 5.0
_STAMP_LENGTH = len("20260131130500")


def back_up_ledger(url: str, folder: Path, *, now_ms: int, keep: int = KEPT_BACKUPS) -> Path:
    """Write a verified copy of the ledger into ``folder`` and remove the oldest ones there.

    It blocks: an event loop calls it in a thread.

    Args:
        url: ``DATABASE_URL``.
        folder: Where the copies are; it is made when it is missing.
        now_ms: Becomes part of the name.
        keep: How many copies stay.

    Returns:
        The new file.

    Raises:
        ConfigurationError: The ledger is on a server; the sentence names the command to use.
        LedgerError: There is no ledger yet, or the copy is damaged.
        StorageError: The copy could not be written.
    """
    target = parse_database_url(url)
    if isinstance(target, PostgresTarget):
        raise ConfigurationError(
            f"a ledger on PostgreSQL is copied by its own tool: run `{pg_dump_command(target)}`"
        )
    return _copy(target, folder, now_ms, keep)


def pg_dump_command(target: PostgresTarget) -> str:
    """Return the command that copies a ledger on a server; it asks for the password itself."""
    words = [
        *("pg_dump", "--format=custom", f"--host={target.host}", f"--port={target.port}"),
        *(f"--username={target.user}", "--file=milobot.dump", target.database),
    ]
    return shlex.join(words)


def _copy(target: SqliteTarget, folder: Path, now_ms: int, keep: int) -> Path:
    source = target.path
    if not source.is_file():
        raise LedgerError(f"{source.name} does not exist: there is nothing to copy yet")
    if not source.stat().st_size:  # a copy of it would push out an older one that holds something
        raise LedgerError(f"{source.name} is empty: put a backup in its place if there was one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made: {error.strerror}") from error
    stamp = "".join(c for c in format_time(now_ms) if c.isdigit()).ljust(_STAMP_LENGTH, "0")
    copy = folder / f"{source.stem}-{stamp}{source.suffix}"
    write_backup(source, copy, lock_timeout_s=_LOCK_TIMEOUT_S)
    _verify(copy)
    copies = sorted(folder.glob(f"{source.stem}-{'[0-9]' * _STAMP_LENGTH}{source.suffix}"))
    for old in copies[:-keep]:
        old.unlink(missing_ok=True)
    return copy


def _verify(copy: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{copy.resolve()}?mode=ro", uri=True)) as connection:
            is_whole = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    except sqlite3.Error:
        is_whole = False
    if not is_whole:
        copy.unlink(missing_ok=True)
        raise LedgerError(
            f"the copy {copy.name} is damaged, as the ledger itself may be, and was removed:"
            " check the disk, keep older copies, then try again"
        )

"""Opens SQLite files: settings, versions, and errors as sentences."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from milobot.errors import StorageError

Migration = Sequence[str]
"""Statements that lead from one version of a database to the next."""

_PRIMARY_CODE = 0xFF
_REASONS = {
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full: make room, then try again",
    sqlite3.SQLITE_IOERR: "cannot be read or written, the disk refuses: check its space and health",
    sqlite3.SQLITE_BUSY: "is locked by another program: wait for it or end it, then try again",
    sqlite3.SQLITE_LOCKED: "is locked by another program: wait for it or end it, then try again",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database: name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged: put a backup in its place or import anew",
    sqlite3.SQLITE_READONLY: "is read-only: allow writing to the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that its folder exists and may be written",
}


@contextmanager
def as_storage_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite about the file ``path`` into one sentence that names it.

    Raises:
        StorageError: Whatever went wrong inside.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(f"{path.name or path} {reason_of(error)}") from error


def reason_of(error: BaseException | None) -> str:
    """Return what is wrong with a file and what to do, to be said after its name."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    return _REASONS.get(code, f"failed: {error}")


def connect(path: Path, *, lock_timeout_s: float) -> sqlite3.Connection:
    """Return a connection without implicit transactions, usable from any one thread at a time."""
    return sqlite3.connect(
        path, timeout=lock_timeout_s, isolation_level=None, check_same_thread=False
    )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one transaction: all of it is stored, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has already rolled it back
            connection.execute("ROLLBACK")
        raise


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Bring a database to the newest version; its number is SQLite's ``user_version``.

    Raises:
        StorageError: The database is newer than ``migrations``, or another program's.
    """
    newest = len(migrations)
    version = _version(connection)
    if version > newest:
        raise StorageError(
            f"{path.name} is a database of version {version} and this milobot knows versions "
            f"up to {newest}: update milobot or name another file"
        )
    if version == newest:
        return
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StorageError(f"{path.name} is a database of another program: name another file")
    with transaction(connection):
        version = _version(connection)  # another process may have been faster
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {newest}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])

"""The log that SQLite writes commits into (WAL), and when it is on disk."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from milobot.errors import LedgerUnavailableError

Flush = Callable[[int], None]
# Only what is needed to read the data again, where the system knows the difference.
to_disk: Flush = getattr(os, "fdatasync", os.fsync)


class CommitLog:
    """Puts commits on disk at once, or several of them later with one wait for the disk.

    A commit that is on disk has all before it there: they follow each other in one file.
    https://www.sqlite.org/pragma.html#pragma_synchronous
    """

    def __init__(self, path: Path, driver: sqlite3.Connection, flush: Flush = to_disk) -> None:
        """Look after the log of a database file.

        Args:
            path: The database's own file.
            driver: The one connection that writes it.
            flush: Waits until what was written to an open file is on disk.
        """
        found = path.resolve()  # SQLite puts it beside the file itself, not beside a link to it
        self._path = found.with_name(f"{found.name}-wal")
        self._driver = driver
        self._flush = flush
        self._handle: int | None = None
        self._is_put_off: bool | None = None
        self._may_have_a_hole = False

    def put_off(self, *, is_put_off: bool) -> None:
        """Say whether the next commits return before they are on disk, or when they are there.

        One that returns before survives the end of this process at once, and that of the machine
        after ``flush`` or after the next commit that is on disk.

        Raises:
            sqlite3.Error: The file cannot be read; nothing may be committed now.
            LedgerUnavailableError: The same.
        """
        if self._may_have_a_hole:
            self._begin_anew()
        if is_put_off and self._handle is None:
            self._handle = self._open()
        if self._is_put_off is not is_put_off:
            self._is_put_off = None  # nobody knows, should this fail
            self._driver.execute(f"PRAGMA synchronous = {'NORMAL' if is_put_off else 'FULL'}")
            self._is_put_off = is_put_off

    def flush(self) -> None:
        """Wait until all that was committed is on disk.

        Raises:
            OSError: The disk refuses.
        """
        if self._handle is not None:  # without it nothing was put off
            try:
                self._flush(self._handle)
            except OSError:
                self._may_have_a_hole = True
                raise

    def close(self) -> None:
        """Let go of the file; it takes no lock with it, as SQLite locks others."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _open(self) -> int:
        """Open the log before anything is put off: it tells only who has it open of a bad disk.

        It stays the same file as long as the database is open.
        """
        try:
            return os.open(self._path, os.O_RDONLY)
        except OSError as error:
            raise LedgerUnavailableError(
                f"{self._path.name} cannot be opened ({error.strerror}): check the disk"
            ) from error

    def _begin_anew(self) -> None:
        """Take all over into the database's own file: what follows a hole would not be found."""
        busy, *_ = self._driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise LedgerUnavailableError(
                f"{self._path.name} is in use and may not be whole on disk: try again"
            )
        self._may_have_a_hole = False

"""The candle store: one SQLite file of market data that can be fetched again."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from milobot.domain.market import COLUMNS, CandleSeries, SymbolRules
from milobot.domain.spans import CandleSpan
from milobot.domain.times import format_time
from milobot.errors import DataError, StorageError
from milobot.ports import CandleKey
from milobot.storage.candle_backup import write_backup
from milobot.storage.candle_rows import (
    SeriesSummary,
    insert_candles,
    select_candles,
    select_keys,
    summarise_series,
)
from milobot.storage.candle_schema import MIGRATIONS
from milobot.storage.known_gaps import read_gaps, write_gap
from milobot.storage.sqlite import as_storage_errors, connect, migrate, transaction
from milobot.storage.symbol_rules import read_rules, write_rules

_T = TypeVar("_T")

# NORMAL may lose the last commits when the power fails, never the file; they are fetched again.
_SETTINGS = ("PRAGMA synchronous = NORMAL", "PRAGMA cache_size = -200000")


class SqliteCandleStore:
    """Closed candles, symbol rules and leverage brackets in one SQLite file (port CandleStore).

    One thread writes, each call as one transaction that is committed when the call returns.
    Reads have a connection of their own and see the last commit. All methods may be called
    from any thread, and they block: an event loop calls them in a thread.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], int] | None = None,
        must_exist: bool = False,
        lock_timeout_s: float = 5.0,
    ) -> None:
        """Open the database, make it or bring it to the newest version.

        Args:
            path: The file, by convention ``binance_data.db``.
            clock: Gives UTC milliseconds; with one, a candle that is not over yet is refused.
                Without one (a back-test, an import of files) the caller answers for that.
            must_exist: Refuse to make a new database.
            lock_timeout_s: How long to wait for another program that is writing.

        Raises:
            StorageError: The file is missing, locked, read-only, no database of ours, or newer.
        """
        self._path = path
        self._clock = clock
        self._lock_timeout_s = lock_timeout_s
        self._closed = False
        if must_exist and not path.exists():
            raise StorageError(f"{path} does not exist: import candles first, or name another file")
        with as_storage_errors(path):
            self._writing = self._open()
            self._reading = connect(path, lock_timeout_s=lock_timeout_s)
            for setting in _SETTINGS:
                self._reading.execute(setting)
        self._reading_lock = Lock()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="candle-writer")

    def save_candles(
        self,
        key: CandleKey,
        candles: CandleSeries,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Store closed candles; those already stored stay as they are. Return how many are new.

        Args:
            key: Series they belong to.
            candles: In order of time.
            progress: Called in the writing thread with the number of candles done so far.

        Raises:
            DataError: A number is not finite, or the last candle is not closed yet.
            StorageError: Nothing was stored, for the reason given.
        """
        self._check(key, candles)
        given_up = Event()

        def report(done: int) -> None:
            if given_up.is_set():
                raise StorageError(f"{self._path.name}: the import was given up")  # rolls back
            if progress is not None:
                progress(done)

        def write() -> int:
            with transaction(self._writing):
                return insert_candles(self._writing, key, candles, report)

        try:
            return self._write(write)
        except KeyboardInterrupt:
            given_up.set()
            raise

    def load_candles(
        self,
        key: CandleKey,
        *,
        first_ms: int | None = None,
        last_ms: int | None = None,
        limit: int | None = None,
    ) -> CandleSeries:
        """Return stored candles with open time in [first_ms, last_ms]; ``limit`` keeps the last."""
        return self._read(lambda c: select_candles(c, key, first_ms, last_ms, limit))

    def list_series(self) -> list[CandleKey]:
        """Return the key of every series that has candles."""
        return self._read(select_keys)

    def summarise(self) -> list[SeriesSummary]:
        """Return size and reach of every series that has candles."""
        return self._read(summarise_series)

    def save_rules(self, source: str, rules: SymbolRules) -> None:
        """Store the rules and brackets of one symbol, replacing older ones."""

        def write() -> None:
            with transaction(self._writing):
                write_rules(self._writing, source, rules)

        self._write(write)

    def load_rules(self, source: str, symbol: str) -> SymbolRules | None:
        """Return the stored rules of a symbol, or None when there are none."""
        return self._read(lambda connection: read_rules(connection, source, symbol))

    def save_gap(self, key: CandleKey, gap: CandleSpan) -> None:
        """Note that the exchange itself lacks some candles of a series."""

        def write() -> None:
            with transaction(self._writing):
                write_gap(self._writing, key, gap)

        self._write(write)

    def load_gaps(self, key: CandleKey) -> tuple[CandleSpan, ...]:
        """Return what the exchange is known to lack of a series, in order of time."""
        return self._read(lambda connection: read_gaps(connection, key))

    def vacuum(self) -> None:
        """Give unused space back and renew the planner's statistics; the daily task."""

        def write() -> None:
            self._writing.execute("VACUUM")
            self._writing.execute("ANALYZE")

        self._write(write)

    def backup(self, target: Path) -> None:
        """Write a copy of the last commit to ``target`` while reading and writing go on.

        Raises:
            StorageError: The copy could not be made; an older ``target`` is still there.
        """
        self._require_open()
        write_backup(self._path, target, lock_timeout_s=self._lock_timeout_s)

    def close(self) -> None:
        """Finish the writes that were asked for and close the file; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._writer.shutdown(wait=True)
        with self._reading_lock, as_storage_errors(self._path):
            self._reading.close()
            self._writing.close()  # the last connection moves the log into the file

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.close()

    def _open(self) -> sqlite3.Connection:
        connection = connect(self._path, lock_timeout_s=self._lock_timeout_s)
        try:
            migrate(connection, self._path, MIGRATIONS)
            for setting in ("PRAGMA journal_mode = WAL", *_SETTINGS):
                connection.execute(setting)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, key: CandleKey, candles: CandleSeries) -> None:
        name = f"{key.symbol} {key.timeframe}"
        for column in COLUMNS[1:]:
            if not np.isfinite(getattr(candles, column)).all():
                raise DataError(f"{name}: a {column} is not a finite number, nothing was stored")
        if self._clock is None or not len(candles):
            return
        last = int(candles.time.max())
        if key.timeframe.next_open(last) > self._clock():
            raise DataError(f"{name}: the candle of {format_time(last)} is not closed yet")

    def _write(self, work: Callable[[], _T]) -> _T:
        self._require_open()
        with as_storage_errors(self._path):
            return self._writer.submit(work).result()

    def _read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        self._require_open()
        with self._reading_lock, as_storage_errors(self._path):
            return work(self._reading)

    def _require_open(self) -> None:
        if self._closed:
            raise StorageError(f"{self._path.name} has been closed")

"""The ledger in a SQLite file: one thread writes, and commits in groups what came together.

Several writing connections would wait for each other by sleeping, up to a second; one thread
commits hundreds of units a second, each on disk before its caller goes on.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from milobot.errors import CommitUnknownError, LedgerError
from milobot.storage.ledger_errors import sqlite_error
from milobot.storage.sqlite import connect, transaction
from milobot.storage.sqlite_log import CommitLog, Flush, to_disk

_T = TypeVar("_T")
_Loop = asyncio.AbstractEventLoop

_LARGEST_GROUP = 100
_READERS = 2
_PAGES_AT_ONCE = 200
_SYNC_AFTER_S = 0.004
# FULL: what was committed survives a power failure. The log is kept small after a burst.
_SETTINGS = (
    "PRAGMA auto_vacuum = INCREMENTAL",  # counts for a new file only, so it comes first
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 16777216",
)


@dataclass(slots=True, eq=False)
class _Job(Generic[_T]):
    unit: Callable[[Connection], _T]
    loop: _Loop
    done: "asyncio.Future[_T]"
    seen: Callable[[_T], None] | None = None
    result: _T | None = None
    error: BaseException | None = None

    def tell(self) -> None:
        seen, self.seen = self.seen, None
        if seen is not None and self.error is None:
            try:
                seen(cast("_T", self.result))
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                self.error = error

    def lose(self, error: BaseException) -> None:
        self.tell()  # it is there to be seen, for now
        self.error = error
        self.deliver()

    def deliver(self) -> None:
        self.tell()
        if self.done.done():  # whoever waited has been cancelled
            return
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(cast("_T", self.result))


def connect_sqlite(path: Path, *, lock_timeout_s: float = 5.0) -> Connection:
    """Return a connection of SQLAlchemy on which transactions are begun and ended by hand."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: connect(path, lock_timeout_s=lock_timeout_s),
        poolclass=NullPool,
    )
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the connection of the standard library below."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)


class SqliteDatabase:
    """A ledger file with its writing thread and two reading ones (``Database``)."""

    def __init__(
        self,
        path: Path,
        *,
        lock_timeout_s: float = 5.0,
        sync_after_s: float = _SYNC_AFTER_S,
        flush: Flush = to_disk,
    ) -> None:
        """Open the file, which is made when it is missing; the schema is not looked at.

        Args:
            path: The file, by convention ``milobot.db``.
            lock_timeout_s: How long to wait for another program that is writing.
            sync_after_s: How long what was seen early waits for a commit that takes it along.
            flush: Waits until what was written to an open file is on disk.

        Raises:
            LedgerError: It cannot be opened or written, or is no database.
        """
        self._path = path
        self._readers: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        opened: list[Connection] = []
        try:
            for _ in range(1 + _READERS):
                opened.append(connect_sqlite(path, lock_timeout_s=lock_timeout_s))
                for setting in _SETTINGS:
                    driver_of(opened[-1]).execute(setting)
            with transaction(driver_of(opened[0])):
                pass  # a file that cannot be written is found now, not at the first order
        except (sqlite3.Error, DBAPIError) as error:
            for connection in opened:
                connection.close()
            raise sqlite_error(path.name, error) from error
        self._writing = opened[0]
        for connection in opened[1:]:
            self._readers.put(connection)
        self._log = CommitLog(path, driver_of(self._writing), flush)
        self._sync_after_s = sync_after_s
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._unsynced: list[_Job[Any]] = []  # seen by others, and not on disk yet
        self._sync_at_s = 0.0
        self._reading = ThreadPoolExecutor(_READERS, thread_name_prefix="ledger-reader")
        self._writer = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._writer.start()
        self._is_closed = False

    @property
    def name(self) -> str:
        """Return what a sentence calls the database."""
        return self._path.name

    @property
    def path(self) -> Path:
        """Return the file."""
        return self._path

    async def write(self, unit: Callable[[Connection], _T]) -> _T:
        """Run ``unit`` as one transaction; it is on disk when this returns."""
        return await self._write(unit, None)

    async def write_early(self, unit: Callable[[Connection], _T], seen: Callable[[_T], None]) -> _T:
        """Run ``unit`` as one transaction, and tell what came out before it is on disk."""
        return await self._write(unit, seen)

    async def _write(
        self, unit: Callable[[Connection], _T], seen: Callable[[_T], None] | None
    ) -> _T:
        self._require_open()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_T] = loop.create_future()
        self._jobs.put(_Job(unit, loop, done, seen))
        return await done

    async def read(self, query: Callable[[Connection], _T]) -> _T:
        """Run ``query`` on what was committed last."""
        self._require_open()
        loop = asyncio.get_running_loop()
        found: _T = await loop.run_in_executor(self._reading, self._read, query)
        return found

    async def maintain(self) -> None:
        """Give unused pages back, few at a time: a VACUUM would stop trading for seconds."""
        while await self.write(_give_pages_back):
            continue
        await self.write(_analyse)

    async def close(self) -> None:
        """Finish the writes that were asked for and close the file; again it does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._finish)

    def _finish(self) -> None:
        self._writer.join()
        self._reading.shutdown()
        while not self._readers.empty():
            self._readers.get().close()
        self._log.close()
        self._writing.close()  # the last one moves the log into the file

    def _require_open(self) -> None:
        if self._is_closed:
            raise LedgerError(f"{self.name} has been closed")

    def _read(self, query: Callable[[Connection], _T]) -> _T:
        connection = self._readers.get()
        driver = driver_of(connection)
        try:
            driver.execute("BEGIN")  # all statements of a query see the same commit
            return query(connection)
        except (sqlite3.Error, DBAPIError) as error:
            raise sqlite_error(self.name, error) from error
        finally:
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            self._readers.put(connection)

    def _work(self) -> None:
        while True:
            group = self._next_group()
            jobs = [job for job in group if job is not None]
            if jobs and all(job.seen is not None for job in jobs):
                self._commit_early(jobs)
            elif jobs:
                self._commit_to_disk(jobs)
            is_over = len(jobs) < len(group)
            if self._unsynced and (is_over or monotonic() >= self._sync_at_s):
                self._sync()
            if is_over:
                return

    def _commit_to_disk(self, jobs: list[_Job[Any]]) -> None:
        """Commit jobs that wait for the disk, and take along what was seen early.

        SQLite waits for the disk only where there is something to be put there: who has written
        nothing may have seen what is not there yet.
        """
        is_alone = not self._unsynced and all(job.seen is None for job in jobs)
        driver = driver_of(self._writing)
        before = driver.total_changes
        self._commit(jobs, is_put_off=False)
        if is_alone:
            _deliver(jobs, _Job.deliver)
            return
        has_changed = driver.total_changes > before and not any(job.error for job in jobs)
        first = [job for job in jobs if job.error or (has_changed and job.seen is None)]
        _deliver(first, _Job.deliver)
        self._unsynced += [job for job in jobs if job not in first]
        self._sync()

    def _commit_early(self, jobs: list[_Job[Any]]) -> None:
        """Commit jobs, and tell before they are on disk; those that failed are told at once."""
        self._commit(jobs, is_put_off=True)
        if not self._unsynced:
            self._sync_at_s = monotonic() + self._sync_after_s
        self._unsynced += [job for job in jobs if job.error is None]
        _deliver([job for job in jobs if job.error is None], _Job.tell)
        _deliver([job for job in jobs if job.error is not None], _Job.deliver)

    def _sync(self) -> None:
        """Take to the disk what others see already."""
        jobs, self._unsynced = self._unsynced, []
        try:
            self._log.flush()
        except OSError as error:
            sentence = f"{self.name} may not be on disk ({error.strerror}): check its health"
            _deliver(jobs, lambda job: job.lose(CommitUnknownError(sentence)))
        else:
            _deliver(jobs, _Job.deliver)

    def _next_group(self) -> list[_Job[Any] | None]:
        """Return what waits; nothing once it is time to sync."""
        wait_s = max(0.0, self._sync_at_s - monotonic()) if self._unsynced else None
        try:
            group = [self._jobs.get(timeout=wait_s)]
        except queue.Empty:
            return []
        while group[-1] is not None and len(group) < _LARGEST_GROUP:
            try:
                group.append(self._jobs.get_nowait())
            except queue.Empty:
                break
        return group

    def _commit(self, jobs: list[_Job[Any]], *, is_put_off: bool) -> None:
        """Commit all jobs as one transaction, or each alone when that one cannot be had."""
        try:
            self._log.put_off(is_put_off=is_put_off)
            self._commit_together(jobs)
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it
            if len(jobs) == 1:
                jobs[0].error = self._as_ledger_error(error)
                return
            for job in jobs:
                self._commit([job], is_put_off=is_put_off)

    def _commit_together(self, jobs: list[_Job[Any]]) -> None:
        driver = driver_of(self._writing)
        with transaction(driver):
            for job in jobs:
                job.error = None
                if len(jobs) == 1:
                    job.result = job.unit(self._writing)
                else:
                    self._run_apart(job, driver)

    def _run_apart(self, job: _Job[Any], driver: sqlite3.Connection) -> None:
        """Run one job of a group so that its failure undoes nothing of the others."""
        driver.execute("SAVEPOINT job")
        try:
            job.result = job.unit(self._writing)
        except BaseException as error:
            if not driver.in_transaction:
                raise  # the whole group was undone, as by a full disk
            driver.execute("ROLLBACK TO job")
            job.error = self._as_ledger_error(error)
        driver.execute("RELEASE job")

    def _as_ledger_error(self, error: BaseException) -> BaseException:
        if isinstance(error, (sqlite3.Error, DBAPIError)):
            translated = sqlite_error(self.name, error)
            translated.__cause__ = error
            return translated
        if isinstance(error, Exception):
            return error
        return LedgerError(f"{self.name}: writing was interrupted")


def _give_pages_back(connection: Connection) -> bool:
    """Return some unused pages to the disk; whether there are more."""
    driver = driver_of(connection)
    before = _unused_pages(driver)
    driver.execute(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").fetchall()
    return 0 < _unused_pages(driver) < before


def _unused_pages(driver: sqlite3.Connection) -> int:
    return int(driver.execute("PRAGMA freelist_count").fetchone()[0])


def _analyse(connection: Connection) -> None:
    driver = driver_of(connection)
    driver.execute("PRAGMA analysis_limit = 1000")
    driver.execute("ANALYZE")


def _deliver(jobs: list[_Job[Any]], deliver: Callable[[_Job[Any]], None]) -> None:
    """Tell everybody who waits, each in the event loop of their own."""
    by_loop: dict[_Loop, list[_Job[Any]]] = {}
    for job in jobs:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, theirs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_deliver_here, theirs, deliver)
        except RuntimeError:  # the loop has ended, and with it everybody who waited
            continue


def _deliver_here(jobs: list[_Job[Any]], deliver: Callable[[_Job[Any]], None]) -> None:
    for job in jobs:
        deliver(job)

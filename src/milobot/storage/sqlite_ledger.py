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
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from milobot.errors import LedgerError
from milobot.storage.ledger_errors import sqlite_error
from milobot.storage.sqlite import connect, transaction

_T = TypeVar("_T")
_Loop = asyncio.AbstractEventLoop

_LARGEST_GROUP = 100
_READERS = 2
_PAGES_AT_ONCE = 200
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
    result: _T | None = None
    error: BaseException | None = None

    def deliver(self) -> None:
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

    def __init__(self, path: Path, *, lock_timeout_s: float = 5.0) -> None:
        """Open the file, which is made when it is missing; the schema is not looked at.

        Args:
            path: The file, by convention ``milobot.db``.
            lock_timeout_s: How long to wait for another program that is writing.

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
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
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
        self._require_open()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_T] = loop.create_future()
        job = _Job(unit, loop, done)
        self._jobs.put(job)
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
            if jobs:
                self._commit(jobs)
                _deliver(jobs)
            if len(jobs) < len(group):
                return

    def _next_group(self) -> list[_Job[Any] | None]:
        group = [self._jobs.get()]
        while group[-1] is not None and len(group) < _LARGEST_GROUP:
            try:
                group.append(self._jobs.get_nowait())
            except queue.Empty:
                break
        return group

    def _commit(self, jobs: list[_Job[Any]]) -> None:
        """Commit all jobs as one transaction, or each alone when that one cannot be had."""
        try:
            self._commit_together(jobs)
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it
            if len(jobs) == 1:
                jobs[0].error = self._as_ledger_error(error)
                return
            for job in jobs:
                self._commit([job])

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


def _deliver(jobs: list[_Job[Any]]) -> None:
    """Wake everybody who waited, each in the event loop of their own."""
    by_loop: dict[_Loop, list[_Job[Any]]] = {}
    for job in jobs:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, theirs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_deliver_here, theirs)
        except RuntimeError:  # the loop has ended, and with it everybody who waited
            continue


def _deliver_here(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        job.deliver()

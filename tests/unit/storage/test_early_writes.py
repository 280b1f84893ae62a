"""Writes whose result is seen before it is on disk: told early, returned late, never lost alone."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from milobot.errors import CommitUnknownError, LedgerError, LedgerUnavailableError
from milobot.storage.schema import bring_up_to_date
from milobot.storage.sqlite_ledger import SqliteDatabase

NEVER_S = 60.0
_PATIENCE_S = 10.0


class Disk:
    """A disk that takes notes, and may refuse."""

    def __init__(self) -> None:
        """Be well."""
        self.events: list[str] = []
        self.refuses = False
        self.gate = threading.Event()
        self.looks = asyncio.Semaphore(0)

    def flush(self, handle: int) -> None:
        """Note it, once somebody has seen what is to be put there."""
        assert handle >= 0
        assert self.gate.wait(_PATIENCE_S)
        if self.refuses:
            raise OSError(5, "Input/output error")
        self.events.append("flushed")

    def seen(self, number: int) -> None:
        """Note what came out."""
        self.events.append(f"seen {number}")
        self.gate.set()
        self.looks.release()


@asynccontextmanager
async def database(
    tmp_path: Path, disk: Disk, sync_after_s: float
) -> AsyncIterator[SqliteDatabase]:
    """Give a ledger file on a disk."""
    path = tmp_path / "milobot.db"
    bring_up_to_date(path)
    opened = SqliteDatabase(path, lock_timeout_s=0.05, sync_after_s=sync_after_s, flush=disk.flush)
    try:
        yield opened
    finally:
        await opened.close()


def note(number: int) -> Callable[[Connection], int]:
    """Return a unit that stores a number."""

    def unit(connection: Connection) -> int:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS notes (number INTEGER UNIQUE)")
        connection.exec_driver_sql("INSERT INTO notes VALUES (?)", (number,))
        return number

    return unit


def numbers(connection: Connection) -> list[int]:
    """Return all that is stored."""
    return list(connection.exec_driver_sql("SELECT number FROM notes").scalars())


def settings(connection: Connection) -> object:
    """Return how commits are put on disk; 2 is FULL."""
    return connection.exec_driver_sql("PRAGMA synchronous").scalar_one()


async def test_a_result_is_seen_before_it_is_on_disk_and_returned_afterwards(
    tmp_path: Path,
) -> None:
    """Whoever sent a message hears of it when it survives everything."""
    disk = Disk()
    async with database(tmp_path, disk, 0.0) as opened:
        returned = await opened.write_early(note(1), disk.seen)
        disk.events.append(f"returned {returned}")

        assert await opened.read(numbers) == [1]
        assert await opened.write(settings) == 2

    assert disk.events == ["seen 1", "flushed", "returned 1"]


async def test_what_follows_takes_it_to_the_disk_on_its_way(tmp_path: Path) -> None:
    """An order that a message leads to waits for the disk once, for both."""
    disk = Disk()
    async with database(tmp_path, disk, NEVER_S) as opened, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(opened.write_early(note(1), disk.seen))
        await disk.looks.acquire()
        assert not first.done()
        disk.gate.clear()
        await opened.write(note(2))
        disk.events.append("followed")
        disk.gate.set()

    assert first.result() == 1
    assert disk.events == ["seen 1", "followed", "flushed"]


async def test_who_has_written_nothing_waits_for_what_it_may_have_seen(tmp_path: Path) -> None:
    """A message that is handed in again is not answered before it is on disk, either."""
    disk = Disk()
    async with asyncio.TaskGroup() as tasks, database(tmp_path, disk, NEVER_S) as opened:
        tasks.create_task(opened.write_early(note(1), disk.seen))
        await disk.looks.acquire()
        assert await opened.write(numbers) == [1]
        disk.events.append("answered")

    assert disk.events == ["seen 1", "flushed", "answered"]


async def test_several_wait_for_the_disk_together(tmp_path: Path) -> None:
    """Five hundred messages a second are no five hundred waits."""
    disk = Disk()
    async with asyncio.TaskGroup() as tasks, database(tmp_path, disk, NEVER_S) as opened:
        for number in range(9):
            tasks.create_task(opened.write_early(note(number), disk.seen))
        for _ in range(9):
            await disk.looks.acquire()

    assert disk.events == [*(f"seen {number}" for number in range(9)), "flushed"]


async def test_together_with_others_it_is_on_disk_at_once(tmp_path: Path) -> None:
    """A group with anything in it that is waited for is put on disk as a whole."""
    disk = Disk()
    async with database(tmp_path, disk, NEVER_S) as opened:
        results = await asyncio.gather(
            opened.write(note(0)), *(opened.write_early(note(n), disk.seen) for n in (1, 2)),
            opened.write(note(3)),
        )  # fmt: skip

    assert results == [0, 1, 2, 3]
    assert disk.events == ["seen 1", "seen 2"]  # nothing was ever put off


async def test_a_failure_is_told_at_once_and_not_seen(tmp_path: Path) -> None:
    """Nothing was stored, so there is nothing to wait for."""
    disk = Disk()
    async with database(tmp_path, disk, NEVER_S) as opened:
        await opened.write(note(1))
        with pytest.raises(LedgerError, match="UNIQUE"):
            await opened.write_early(note(1), disk.seen)

    assert disk.events == []


async def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    """It was seen, and nobody can say whether it survives."""
    disk = Disk()
    disk.refuses = True
    async with database(tmp_path, disk, 0.0) as opened:
        with pytest.raises(CommitUnknownError, match="may not be on disk"):
            await opened.write_early(note(1), disk.seen)

        assert await opened.read(numbers) == [1]

    assert disk.events == ["seen 1"]


async def test_a_locked_file_is_told_and_the_writer_goes_on(tmp_path: Path) -> None:
    """A thread that dies without a word would let everybody wait for ever."""
    disk = Disk()
    async with database(tmp_path, disk, 0.0) as opened:
        await opened.write(note(1))
        with closing(sqlite3.connect(opened.path, isolation_level=None)) as other:
            other.execute("CREATE TABLE more (number INTEGER)")  # and a schema to be read anew
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerUnavailableError, match="is locked by another program"):
                await opened.write_early(note(2), disk.seen)
            other.execute("ROLLBACK")

        assert await opened.write_early(note(3), disk.seen) == 3
        assert await opened.write(settings) == 2

    assert disk.events == ["seen 3", "flushed"]


async def test_who_hears_of_it_and_fails_is_told_and_keeps_nobody_else_waiting(
    tmp_path: Path,
) -> None:
    """The journal of another account may be in the same group."""

    def fail(_: int) -> None:
        raise ValueError("nobody listens any more")

    disk = Disk()
    disk.gate.set()
    async with database(tmp_path, disk, NEVER_S) as opened:
        early, other = await asyncio.gather(
            opened.write_early(note(1), fail), opened.write(note(2)), return_exceptions=True
        )

        assert await opened.read(numbers) == [1, 2]
    assert isinstance(early, ValueError)
    assert other == 2


async def test_a_link_to_the_file_has_the_log_of_the_file(tmp_path: Path) -> None:
    """SQLite follows the link, and its log lies where it leads."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "milobot.db").symlink_to(tmp_path / "disk" / "real.db")
    disk = Disk()
    async with database(tmp_path, disk, 0.0) as opened:
        assert await opened.write_early(note(1), disk.seen) == 1

    assert disk.events == ["seen 1", "flushed"]


async def test_after_a_refusal_nothing_is_put_behind_a_hole(tmp_path: Path) -> None:
    """What follows a commit that is not on disk would not be found after a power failure."""
    disk = Disk()
    disk.refuses = True
    async with database(tmp_path, disk, 0.0) as opened:
        with pytest.raises(CommitUnknownError):
            await opened.write_early(note(1), disk.seen)
        with closing(sqlite3.connect(opened.path, isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT * FROM notes").fetchall()
            with pytest.raises(LedgerUnavailableError, match="in use and may not be whole"):
                await opened.write(note(2))
            other.execute("ROLLBACK")
        await opened.write(note(3))

        assert await opened.read(numbers) == [1, 3]

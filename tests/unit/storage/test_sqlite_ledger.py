"""The ledger file in trouble: locked, full, read-only, killed, many writers at once."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from tests.support.process import ROOT, child_environment
from tests.support.records import DECISION, INTENT, ORDER, SLOT

from milobot.errors import DuplicateIntentError, LedgerError, LedgerUnavailableError
from milobot.storage.ledger import Ledger, open_ledger
from milobot.storage.schema import bring_up_to_date
from milobot.storage.sqlite_ledger import SqliteDatabase, driver_of

# Commits whole sets of records and says which are acknowledged, until it is killed.
COMMIT_FOREVER = """
import asyncio, sys
from dataclasses import replace
from tests.support.records import DECISION, INTENT, ORDER, SLOT
from milobot.storage.ledger import open_ledger
async def main():
    async with await open_ledger(sys.argv[1]) as ledger:
        journal = ledger.journal("a")
        async def work(worker):
            for number in range(100_000):
                name = f"{worker}-{number}"
                await journal.commit(
                    replace(INTENT, key=name),
                    replace(DECISION, intent_key=name),
                    replace(ORDER, client_order_id=name, intent_key=name),
                )
                print(name, flush=True)
        await asyncio.gather(*(work(worker) for worker in range(4)))
asyncio.run(main())
"""

# A limit on the size of files is a disk that is full after so many bytes.
COMMIT_ON_A_SMALL_DISK = """
import asyncio, resource, sys
from dataclasses import replace
from tests.support.records import ORDER
from milobot.errors import LedgerUnavailableError
from milobot.storage.ledger import open_ledger
async def main():
    async with await open_ledger(sys.argv[1]) as ledger:
        journal = ledger.journal("a")
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        kept, said = 0, ""
        while not said:
            try:
                many = [replace(ORDER, client_order_id=f"{kept}-{n}") for n in range(20)]
                await journal.commit(*many)
                kept += 1
            except LedgerUnavailableError as error:
                said = str(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        print(said)
        print(len((await journal.load()).orders) == 20 * kept)
        await journal.commit(replace(ORDER, client_order_id="afterwards"))
        print(await journal.find_order("afterwards") is not None)
asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger of a test lies."""
    return tmp_path / "milobot.db"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[Ledger]:
    """Give an empty ledger."""
    async with await open_ledger(f"sqlite:///{path}") as opened:
        yield opened


@pytest.fixture
async def hasty(path: Path) -> AsyncIterator[SqliteDatabase]:
    """Give the same that waits for locks only briefly."""
    bring_up_to_date(path)
    database = SqliteDatabase(path, lock_timeout_s=0.05)
    yield database
    await database.close()


def run_python(program: str, path: Path) -> "subprocess.Popen[str]":
    """Start a program on a ledger of its own process."""
    return subprocess.Popen(  # noqa: S603 - the test's own words
        [sys.executable, "-c", program, f"sqlite:///{path}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}"),
    )


async def test_commits_survive_a_power_failure(ledger: Ledger) -> None:
    """FULL and a write-ahead log: what was acknowledged is on disk before the order leaves."""

    def settings(connection: Connection) -> tuple[object, ...]:
        names = ("synchronous", "journal_mode")
        return tuple(connection.exec_driver_sql(f"PRAGMA {n}").scalar_one() for n in names)

    assert await ledger.write(settings) == (2, "wal")


async def test_one_failure_in_a_group_undoes_nothing_of_the_others(ledger: Ledger) -> None:
    """Ten symbols commit at once, one of them twice the same intent: nine must trade."""
    journal = ledger.journal("a")
    keys = ["k1", "k2", "k3", "k3", "k4"]

    results = await asyncio.gather(
        *(
            journal.commit(replace(INTENT, key=key), replace(DECISION, intent_key=key))
            for key in keys
        ),
        return_exceptions=True,
    )

    assert [type(r) for r in results if r is not None] == [DuplicateIntentError]
    for key in keys:
        assert await journal.find_decision(key) is not None


async def test_a_unit_that_fails_leaves_nothing_of_itself(ledger: Ledger) -> None:
    """Also when it is a mistake of ours, and also in the midst of others."""
    journal = ledger.journal("a")

    def wrong(connection: Connection) -> None:
        connection.execute(text("INSERT INTO cursors VALUES ('c', '1', 1)"))
        raise ZeroDivisionError

    results = await asyncio.gather(
        ledger.write(wrong), journal.commit(ORDER), ledger.write(wrong), return_exceptions=True
    )

    assert [type(r).__name__ for r in results] == [
        "ZeroDivisionError",
        "NoneType",
        "ZeroDivisionError",
    ]
    assert await journal.find_order(ORDER.client_order_id) == ORDER
    assert (
        await ledger.read(lambda c: c.execute(text("SELECT count(*) FROM cursors")).scalar()) == 0
    )


async def test_a_group_that_was_undone_as_a_whole_is_repeated_one_by_one(ledger: Ledger) -> None:
    """A full disk takes the whole transaction back: those that still fit must be stored."""
    journal = ledger.journal("a")
    sizes: list[int] = []

    def undo_everything(connection: Connection) -> None:
        sizes.append(1)
        driver_of(connection).execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    results = await asyncio.gather(
        journal.commit(SLOT),
        journal.commit(ORDER),
        ledger.write(undo_everything),
        journal.commit(DECISION),
        return_exceptions=True,
    )

    assert [type(r) for r in results if r is not None] == [LedgerError]
    assert await journal.find_order(ORDER.client_order_id) == ORDER
    assert await journal.find_decision(DECISION.intent_key) == DECISION
    assert len((await journal.load()).slots) == 1
    assert sizes


async def test_a_failed_read_is_told_and_the_next_one_works(ledger: Ledger) -> None:
    """A mistake in one query must not cost the connection."""
    with pytest.raises(LedgerError, match=r"milobot.db lacks the table nowhere; "):
        await ledger.read(lambda c: c.execute(text("SELECT * FROM nowhere")).all())

    assert (await ledger.journal("a").load()).orders == ()


async def test_a_cancelled_commit_hurts_nobody(ledger: Ledger) -> None:
    """The task that waited is gone; the thread must go on for the others."""
    journal = ledger.journal("a")
    task = asyncio.ensure_future(journal.commit(ORDER))  # noqa: TID251 - cancelled on purpose
    await asyncio.sleep(0)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await journal.commit(SLOT)

    assert len((await journal.load()).slots) == 1


async def test_reading_goes_on_while_a_write_waits(ledger: Ledger) -> None:
    """The page must not hold up orders, nor orders the page."""
    await ledger.journal("a").commit(ORDER)
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_: Connection) -> None:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(10)

    writing = asyncio.gather(ledger.write(slow))
    found = await ledger.journal("a").find_order(ORDER.client_order_id)
    release.set()
    await writing

    assert found == ORDER


async def test_a_locked_file_is_told_and_forgotten(hasty: SqliteDatabase, path: Path) -> None:
    """Somebody opened it in a tool and left a transaction open: trading pauses, then goes on."""
    journal = Ledger(hasty).journal("a")
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailableError, match=r"milobot.db is locked by another"):
            await journal.commit(ORDER)
        other.rollback()

    await journal.commit(ORDER)

    assert await journal.find_order(ORDER.client_order_id) == ORDER


def test_a_full_disk_keeps_what_was_acknowledged_and_nothing_else(path: Path) -> None:
    """The writer goes on by itself once there is room again."""
    with run_python(COMMIT_ON_A_SMALL_DISK, path) as process:
        out, err = process.communicate(timeout=60)

    said, is_whole, goes_on = out.splitlines()
    assert said.startswith("milobot.db cannot "), err
    assert (is_whole, goes_on) == ("True", "True")


def test_kill_9_keeps_what_was_acknowledged_whole(path: Path) -> None:
    """Four writers at once, killed in their midst: no acknowledged set is missing or half there."""
    acknowledged: set[str] = set()
    with run_python(COMMIT_FOREVER, path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged.add(line.strip())
            if len(acknowledged) == 200:
                process.kill()

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        stored = [
            {row[0] for row in connection.execute(statement)}
            for statement in (
                "SELECT key FROM intents",
                "SELECT intent_key FROM decisions",
                "SELECT client_order_id FROM orders",
            )
        ]
    assert acknowledged <= stored[0]
    assert stored[0] == stored[1] == stored[2]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take rights away from itself")
def test_a_read_only_file_is_found_at_the_start() -> None:
    """Not at the first order, minutes later."""
    with tempfile.TemporaryDirectory() as folder:  # every folder above it may be entered
        path = Path(folder) / "milobot.db"
        Path(folder).chmod(0o755)
        bring_up_to_date(path)

        said = run_without_rights(path)

    assert "milobot.db is read-only: allow writing to the file and its folder" in said


def run_without_rights(path: Path) -> str:
    """Open a ledger as somebody who may read it only; return what is said."""
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from milobot.errors import LedgerError\n"
        "from milobot.storage.journal import LedgerJournal\n"  # with all it needs later
        "from milobot.storage.sqlite_ledger import SqliteDatabase\n"
        "os.chdir(sys.argv[1]); os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    SqliteDatabase(Path('milobot.db'))\n"
        "except LedgerError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(  # noqa: S603 - the test's own words
        [sys.executable, "-c", program, path.parent],
        capture_output=True,
        text=True,
        check=False,
        env=child_environment(PYTHONPATH=str(ROOT / "src")),
        timeout=60,
    )
    return done.stdout + done.stderr


def test_what_is_no_database_is_refused(path: Path) -> None:
    """A text file of that name stays what it is."""
    path.write_text("my notes " * 200)

    with pytest.raises(LedgerError, match=r"milobot.db is not a SQLite database"):
        SqliteDatabase(path)

    assert path.read_text().startswith("my notes")


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    """SQLite alone would say `unable to open database file`."""
    with pytest.raises(LedgerError, match=r"milobot.db cannot be opened: check that its folder"):
        SqliteDatabase(tmp_path / "none" / "milobot.db")


async def test_a_closed_ledger_takes_nothing_more(path: Path) -> None:
    """And closing it twice does no harm; what was asked for before is there."""
    ledger = await open_ledger(f"sqlite:///{path}")
    waiting = asyncio.gather(ledger.journal("a").commit(ORDER))
    await asyncio.sleep(0)
    await ledger.close()
    await waiting
    await ledger.close()

    with pytest.raises(LedgerError, match="has been closed"):
        await ledger.journal("a").commit(ORDER)

    async with await open_ledger(f"sqlite:///{path}") as again:
        assert await again.journal("a").find_order(ORDER.client_order_id) == ORDER


async def test_maintenance_gives_space_back(ledger: Ledger) -> None:
    """In small steps: a full VACUUM would stop trading."""
    many = [replace(ORDER, client_order_id=f"{n}", reason="x" * 1000) for n in range(3_000)]
    await ledger.journal("a").commit(*many)
    await ledger.write(lambda c: c.execute(text("DELETE FROM orders")).rowcount)

    await ledger.database.maintain()

    def unused(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())

    assert await ledger.read(unused) == 0

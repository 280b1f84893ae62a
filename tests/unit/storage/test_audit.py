"""The audit log is a chain: whatever is done to it afterwards shows."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.support.process import run_alembic

from milobot.storage import tables
from milobot.storage.audit import (
    GENESIS,
    AuditEntry,
    DamagedEntry,
    append_audit,
    check_chain,
    latest_of,
    list_audit,
    read_audit,
)
from milobot.storage.database_url import parse_database_url
from milobot.storage.ledger import Ledger, open_ledger
from milobot.storage.schema import run_on


def note(event: str, now_ms: int = 1, details: str = "") -> partial[AuditEntry]:
    """Return the unit of work that notes an event."""
    return partial(
        append_audit, account="a", actor="cli:u", event=event, details=details, now_ms=now_ms
    )


async def entries_of(ledger: Ledger) -> list[AuditEntry]:
    """Return the whole log."""
    found: list[AuditEntry | DamagedEntry] = []
    await read_audit(ledger, found.append)
    return [entry for entry in found if isinstance(entry, AuditEntry)]


@pytest.fixture
async def chain(ledger: Ledger) -> list[AuditEntry]:
    """Give the entries of a log of four."""
    for event in ("started", "halt", "resume", "stopped"):
        await ledger.write(note(event))
    return await entries_of(ledger)


async def test_an_untouched_chain_is_unbroken(chain: list[AuditEntry]) -> None:
    """What was written is what is read, and each entry follows on the one before it."""
    verdict = check_chain(chain)

    assert (verdict.entries, verdict.last, verdict.fault) == (4, chain[-1], "")
    assert [e.number for e in chain] == [1, 2, 3, 4]
    assert chain[0].previous_hash == GENESIS


async def test_an_empty_log_is_unbroken(ledger: Ledger) -> None:
    """A bot that was never started has nothing to hide."""
    assert check_chain(await entries_of(ledger)).fault == ""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"details": "other"}, "entry 2 was changed"),
        ({"actor": "milobot"}, "entry 2 was changed"),
        ({"account": "b"}, "entry 2 was changed"),
        ({"event": "resume"}, "entry 2 was changed"),
        ({"time_ms": 2}, "entry 2 was changed"),
        ({"hash": "f" * 64}, "entry 2 was changed"),
        ({"previous_hash": GENESIS}, "entry 2 does not follow"),
        ({"id": 7}, "entry 2 is missing"),
    ],
)
async def test_what_is_changed_in_the_database_shows(
    ledger: Ledger, chain: list[AuditEntry], change: dict[str, object], fault: str
) -> None:
    """Each column is covered: whoever changes one would have to write all later entries anew."""
    assert len(chain) == 4
    where = sa.update(tables.audit).where(tables.audit.c.id == 2)
    await ledger.write(lambda connection: connection.execute(where, change).rowcount)

    verdict = check_chain(await entries_of(ledger))

    assert fault in verdict.fault
    assert verdict.entries == 1


async def test_an_entry_that_is_taken_out_of_the_middle_shows(chain: list[AuditEntry]) -> None:
    """Also when what follows is numbered anew, for the hash covers the number."""
    without = [chain[0], *(replace(e, number=e.number - 1) for e in chain[2:])]

    assert "entry 2 is missing" in check_chain([chain[0], *chain[2:]]).fault
    assert "does not follow" in check_chain(without).fault


async def test_a_cut_end_and_a_new_chain_show_by_what_was_kept_elsewhere(
    chain: list[AuditEntry],
) -> None:
    """A chain alone cannot show it; the number and hash of its last entry can."""
    known = (4, chain[-1].hash)

    assert check_chain(chain, known=known).fault == ""
    assert "the log ends with entry 3" in check_chain(chain[:3], known=known).fault
    assert "the log is empty" in check_chain([], known=known).fault
    assert "written anew" in check_chain(chain, known=(4, "0" * 64)).fault


async def test_writers_at_the_same_time_do_not_fork_the_chain(
    ledger_url: str, ledger: Ledger
) -> None:
    """Two replicas and a command line share one log."""
    async with await open_ledger(ledger_url) as second, await open_ledger(ledger_url) as third:
        writers = [ledger, second, third]
        await asyncio.gather(*(w.write(note(f"e{n}")) for n in range(12) for w in writers))

    verdict = check_chain(await entries_of(ledger))

    assert (verdict.entries, verdict.fault) == (36, "")


async def test_what_cannot_be_stored_is_sealed_as_it_is_stored(ledger: Ledger) -> None:
    """A NUL from outside is replaced by the database's type: the hash must be of what is there."""
    await ledger.write(note("halt", details="a\x00b\ud800 \u2028ü"))

    (entry,) = await entries_of(ledger)

    assert entry.details == "a\ufffdb\ufffd \u2028ü"
    assert check_chain([entry]).fault == ""


async def test_the_latest_of_a_kind_is_found(ledger: Ledger, chain: list[AuditEntry]) -> None:
    """Settings are compared with those noted last."""
    await ledger.write(note("halt", now_ms=9))

    found = await ledger.read(partial(latest_of, account="a", event="halt"))
    nothing = await ledger.read(partial(latest_of, account="b", event="halt"))

    assert (found and found.number, nothing) == (len(chain) + 1, None)
    assert len(await ledger.read(partial(list_audit, after=3))) == 2


@pytest.fixture(params=["sqlite", "postgres"])
def older_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give a database of the version before the chain, with entries and a gap in their numbers."""
    url = (
        f"sqlite:///{tmp_path}/milobot.db"
        if request.param == "sqlite"
        else str(request.getfixturevalue("postgres_url"))
    )
    assert run_alembic(url, "upgrade", "0002").code == 0
    statement = sa.text("INSERT INTO audit VALUES (:id, 'a', 5, 'u', 'halt', 'd')")
    rows = [{"id": number} for number in (2, 3, 7)]
    run_on(parse_database_url(url), lambda c: c.execute(statement, rows).close())
    return url


async def test_entries_from_before_the_chain_become_its_beginning(older_url: str) -> None:
    """An update must lose nothing of it, there and back."""
    for command in (("upgrade", "head"), ("downgrade", "0002"), ("upgrade", "head")):
        done = await asyncio.to_thread(run_alembic, older_url, *command)
        assert done.code == 0, done.err

    async with await open_ledger(older_url) as ledger:
        await ledger.write(note("started"))
        found = await entries_of(ledger)

    assert check_chain(found).fault == ""
    assert [(e.number, e.event) for e in found] == [
        (1, "halt"),
        (2, "halt"),
        (3, "halt"),
        (4, "started"),
    ]

"""What is kept of an account beside its journal."""

from dataclasses import replace
from functools import partial

from sqlalchemy import text
from tests.support.trading import dec

from milobot.storage import account_records as records
from milobot.storage import queries
from milobot.storage.account_records import EquitySnapshot, Session
from milobot.storage.audit import append_audit
from milobot.storage.ledger import Ledger

SNAPSHOT = EquitySnapshot("a", 1_000, dec("10000.50"), dec("9000"), dec("-12.25"))
SESSION = Session("s1", "a", "s1", "samples/rsi.script", "paper", 1_704_067_200_000, 5_000)


async def test_equity_comes_back_oldest_first(ledger: Ledger) -> None:
    """A curve is drawn from left to right; the last moments count when there are many."""
    for step in range(5):
        await ledger.write(
            partial(records.save_equity, snapshot=replace(SNAPSHOT, time_ms=step * 1_000))
        )
    again = replace(SNAPSHOT, time_ms=4_000, wallet=dec("1"))
    await ledger.write(partial(records.save_equity, snapshot=again))

    found = await ledger.read(partial(queries.list_equity, account="a", first_ms=1_000, limit=3))

    assert [s.time_ms for s in found] == [2_000, 3_000, 4_000]
    assert found[-1] == again
    assert SNAPSHOT.equity == dec("9988.25")


async def test_the_governor_forgets_nothing(ledger: Ledger) -> None:
    """One row for each account, whatever happens to the process."""
    assert await ledger.write(partial(records.load_governor, account="a")) is None

    await ledger.write(partial(records.save_governor, account="a", content="1", now_ms=1))
    await ledger.write(partial(records.save_governor, account="a", content="2", now_ms=2))
    await ledger.write(partial(records.save_governor, account="b", content="3", now_ms=2))

    assert await ledger.write(partial(records.load_governor, account="a")) == "2"


async def test_a_session_keeps_its_first_anchor(ledger: Ledger) -> None:
    """A restart continues it: indicators must be computed from the same candle."""
    assert await ledger.write(partial(records.save_session, session=SESSION))
    assert not await ledger.write(
        partial(records.save_session, session=replace(SESSION, anchor_ms=9))
    )

    assert await ledger.read(partial(records.load_session, session_id="s1")) == SESSION
    assert await ledger.read(partial(records.load_session, session_id="s2")) is None


async def test_an_anchor_is_moved_on_purpose(ledger: Ledger) -> None:
    """Only whoever says so replaces a session."""
    await ledger.write(partial(records.save_session, session=SESSION))
    moved = replace(SESSION, anchor_ms=None, details="moved")

    await ledger.write(partial(records.replace_session, session=moved))

    assert await ledger.read(partial(records.list_sessions, account="a")) == [moved]


async def test_a_cursor_remembers_how_far_a_source_was_read(ledger: Ledger) -> None:
    """After a restart no message is read twice or left out."""
    assert await ledger.read(partial(records.load_cursor, name="telegram:1")) is None

    await ledger.write(partial(records.save_cursor, name="telegram:1", position="7", now_ms=1))
    await ledger.write(partial(records.save_cursor, name="telegram:1", position="8", now_ms=2))

    assert await ledger.read(partial(records.load_cursor, name="telegram:1")) == "8"


async def test_cursors_are_listed_by_how_their_names_begin(ledger: Ledger) -> None:
    """The tasks of one account, and not those of ``a_b`` when ``a%b`` is asked for."""
    for name, time_ms in (("task a_b prune", 1), ("task a%b prune", 2), ("task a%b capital", 3)):
        await ledger.write(partial(records.save_cursor, name=name, position="done", now_ms=time_ms))

    assert await ledger.read(partial(records.list_cursors, beginning="task a%b ")) == [
        ("task a%b capital", "done", 3),
        ("task a%b prune", "done", 2),
    ]


async def test_the_audit_log_takes_any_text(ledger: Ledger) -> None:
    """Also what came in from outside with characters that PostgreSQL refuses."""
    await ledger.write(
        partial(append_audit, account="a", actor="web:\x00", event="halt", details="", now_ms=1)
    )

    actors = await ledger.read(lambda c: c.execute(text("SELECT actor FROM audit")).scalars().all())
    assert actors == ["web:\ufffd"]

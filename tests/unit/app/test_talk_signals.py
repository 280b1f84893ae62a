"""What becomes of signals is read from the ledger: each line once, whoever has written it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from milobot.app.talk_signals import SignalFollower
from milobot.signals.talk.notices import NoticeKind
from milobot.storage import tables
from milobot.storage.ledger import Ledger, open_ledger
from milobot.storage.signal_records import EventRow, SignalRow, insert_signal

ROW = SignalRow(
    account="bingx:default",
    source="telegram:-1001",
    message_id="1",
    version=0,
    content="long btc",
    posted_ms=1,
    received_ms=1,
    updated_ms=1,
    reply_to=None,
    origin="telegram:-1001|1",
    fingerprint="",
    symbol="BTCUSDT",
    state="waiting",
    code="",
    reason="",
    is_live=True,
    details="{}",
)
LATE = EventRow(5, "received", "late", "too_old", "It is five minutes old.")


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """Give an empty ledger in a file."""
    async with await open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


async def keep(ledger: Ledger, message_id: str, *events: EventRow) -> None:
    """Put a signal with its history on record."""
    row = replace(ROW, message_id=message_id)
    await ledger.write(partial(insert_signal, row=row, events=events))


async def texts(follower: SignalFollower, *, names_account: bool = False) -> list[str]:
    """Return what is new, as it is told."""
    return [
        f"{notice.about}: {notice.line}"
        for notice in await follower.take(names_account=names_account)
    ]


async def test_what_was_there_before_is_not_told(ledger: Ledger) -> None:
    """A restart does not repeat the signals of the week."""
    await keep(ledger, "1", LATE)
    follower = SignalFollower(ledger)

    assert await texts(follower) == []
    await keep(ledger, "2", LATE)
    assert await texts(follower) == [
        "BTCUSDT: signal late: It is five minutes old. [too_old] (telegram:-1001)"
    ]
    assert await texts(follower) == []


async def test_accounts_are_named_where_asked(ledger: Ledger) -> None:
    """Where there are several."""
    follower = SignalFollower(ledger)
    await texts(follower)
    await keep(ledger, "1", LATE)

    [said] = await texts(follower, names_account=True)

    assert said.startswith("BTCUSDT on bingx:default: ")


async def test_chat_and_what_a_newer_version_wrote_are_passed_over(ledger: Ledger) -> None:
    """Neither is anything to tell, and neither is in the way."""
    follower = SignalFollower(ledger)
    await texts(follower)
    await keep(
        ledger,
        "1",
        replace(LATE, state="not_a_signal"),
        replace(LATE, state="dreaming"),
        replace(LATE, state="waiting", code="", sentence="at 60,000"),
    )

    notices = await follower.take(names_account=False)

    assert [notice.kind for notice in notices] == [NoticeKind.SIGNALS]


async def test_a_line_that_comes_on_record_after_a_later_one_is_told_too(ledger: Ledger) -> None:
    """On PostgreSQL two writers may finish in another order than they were numbered."""
    follower = SignalFollower(ledger)
    await texts(follower)
    await keep(ledger, "1")
    event = {"signal_id": 1, "time_ms": 5, "kind": "x", "state": "late", "code": "", "sentence": ""}

    async def write(number: int) -> None:
        row = event | {"id": number, "sentence": f"line {number}"}
        await ledger.write(lambda c: c.execute(tables.signal_events.insert(), row))

    await write(12)
    first = await texts(follower)
    await write(11)
    second = await texts(follower)

    assert ["line 12" in said for said in first] == [True]
    assert ["line 11" in said for said in second] == [True]


async def test_a_flood_is_told_in_the_end_and_memory_stays_bounded(ledger: Ledger) -> None:
    """Thousands of lines, some at a time, none twice."""
    follower = SignalFollower(ledger)
    await texts(follower)
    events = [replace(LATE, sentence=f"line {number}") for number in range(3_000)]
    await keep(ledger, "1", *events)

    told: list[str] = []
    while new := await texts(follower):
        told += new

    assert len(told) == len(set(told)) == 3_000

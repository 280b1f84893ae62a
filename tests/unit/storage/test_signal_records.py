"""Signals on record: taken once, changed by one process at a time, never forgotten while they live."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from milobot.errors import LedgerUnavailableError
from milobot.storage.ledger import Ledger, open_ledger
from milobot.storage.ledger_pruning import prune
from milobot.storage.signal_records import (
    EventRow,
    SignalRow,
    TwinRow,
    find_message,
    find_twins,
    insert_signal,
    list_events,
    list_live,
    list_signals,
    live_revisions,
    read_signal,
    save_signal,
)

DAY_MS = 86_400_000
ROW = SignalRow(
    account="paper:default",
    source="telegram:-1001",
    message_id="7",
    version=0,
    content="Long BTCUSDT",
    posted_ms=900,
    received_ms=1_000,
    updated_ms=1_000,
    reply_to=None,
    origin="telegram:-1001|7",
    fingerprint="f",
    symbol="BTCUSDT",
    state="waiting",
    code="",
    reason="",
    is_live=True,
    details="{}",
)
RECEIVED = EventRow(1_000, "received", "waiting", "", "")


async def keep(ledger: Ledger, row: SignalRow = ROW) -> SignalRow | None:
    """Keep a message with one line of history."""
    return await ledger.write(partial(insert_signal, row=row, events=(RECEIVED,)))


async def test_a_message_is_found_as_it_was_kept(ledger: Ledger) -> None:
    """A restart reads plan and state from here."""
    kept = await keep(ledger)

    assert kept is not None
    assert await ledger.read(partial(read_signal, signal_id=kept.signal_id)) == kept
    assert replace(kept, signal_id=0) == ROW
    assert await ledger.read(partial(list_events, signal_id=kept.signal_id)) == [RECEIVED]


async def test_the_same_message_is_kept_once(ledger: Ledger) -> None:
    """A source repeats what it got no receipt for."""
    first = await keep(ledger)

    assert await keep(ledger, replace(ROW, content="something else")) is None

    query = partial(find_message, account=ROW.account, source=ROW.source, message_id="7")
    assert await ledger.write(query) == first
    assert len(await ledger.read(partial(list_signals, account=ROW.account, limit=9))) == 1


async def test_of_two_processes_with_the_same_message_one_keeps_it(ledger_url: str) -> None:
    """Replicas behind one address may be handed the same request twice."""
    async with await open_ledger(ledger_url) as one, await open_ledger(ledger_url) as other:
        kept = await asyncio.gather(*(keep(ledger) for ledger in (one, other) * 5))

        found = await one.read(partial(list_signals, account=ROW.account, limit=9))

    assert sum(row is not None for row in kept) == 1
    assert len(found) == 1


async def test_two_accounts_may_follow_the_same_channel(ledger: Ledger) -> None:
    """One database serves many accounts."""
    await keep(ledger)

    assert await keep(ledger, replace(ROW, account="bingx:default")) is not None


async def test_a_change_of_what_somebody_else_has_changed_is_refused(ledger: Ledger) -> None:
    """Two replicas that both believe to lead must never both step a signal."""
    kept = await keep(ledger)
    assert kept is not None
    opened = replace(kept, state="open")
    decided = EventRow(2_000, "decided", "open", "accepted", "")
    saved = await ledger.write(partial(save_signal, row=opened, events=(decided,)))

    with pytest.raises(LedgerUnavailableError, match=r"signal \d+ was changed by another process"):
        await ledger.write(partial(save_signal, row=replace(kept, state="denied"), events=()))

    assert saved == replace(opened, revision=1)
    assert await ledger.read(partial(read_signal, signal_id=kept.signal_id)) == saved
    events = await ledger.read(partial(list_events, signal_id=kept.signal_id))
    assert events == [RECEIVED, decided]


async def test_live_signals_are_told_from_those_that_are_over(ledger: Ledger) -> None:
    """A start takes up what is live and nothing else."""
    live = await keep(ledger)
    await keep(ledger, replace(ROW, message_id="8", is_live=False))
    await keep(ledger, replace(ROW, message_id="9", source="http:default"))
    assert live is not None

    account = ROW.account
    everything = await ledger.read(partial(list_live, account=account))
    of_source = await ledger.read(partial(list_live, account=account, source=ROW.source))

    assert [row.message_id for row in everything] == ["7", "9"]
    assert list(of_source) == [live]
    assert (await ledger.read(partial(live_revisions, account=account)))[live.signal_id] == 0


async def test_twins_are_found_within_a_window(ledger: Ledger) -> None:
    """The same set-up a day later is another trade."""
    kept = await keep(ledger)

    assert kept is not None

    async def twins(fingerprint: str, since_ms: int) -> list[TwinRow]:
        query = partial(find_twins, account=ROW.account, fingerprint=fingerprint, since_ms=since_ms)
        return list(await ledger.read(query))

    twin = TwinRow(kept.signal_id, kept.source, kept.origin, kept.state, kept.received_ms)
    assert await twins("f", 1_000) == [twin]
    assert await twins("f", 1_001) == []
    assert await twins("g", 0) == []


async def test_pruning_keeps_what_lives(ledger: Ledger) -> None:
    """A set-up that has been open for a year still has its history."""
    live = await keep(ledger)
    over = await keep(ledger, replace(ROW, message_id="8", is_live=False))
    assert live is not None
    assert over is not None

    gone = await prune(ledger.database, now_ms=100 * DAY_MS, days=30)

    assert (gone.rows["signals"], gone.rows["signal_events"]) == (1, 1)
    assert await ledger.read(partial(list_events, signal_id=live.signal_id)) == [RECEIVED]
    assert await ledger.read(partial(list_events, signal_id=over.signal_id)) == []

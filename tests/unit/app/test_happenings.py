"""What a page is told of a journal that keeps everything elsewhere: each thing once, bounded."""

from dataclasses import replace

import pytest
from tests.support.records import DECISION, FILL, ORDER, TRIP, UPDATE

from milobot.app.happenings import Happened, JournalReader, Passing
from milobot.domain.orders import OrderPurpose, OrderStatus
from milobot.errors import LedgerError
from milobot.ports import Record
from milobot.storage.memory import MemoryJournal

FILLED = replace(UPDATE, fills=(FILL,))


class FullDisk(MemoryJournal):
    """A journal that takes nothing."""

    async def commit(self, *records: Record) -> None:
        """Refuse."""
        raise LedgerError("the disk is full")


async def test_what_goes_on_record_is_shown_once() -> None:
    """A fill that an exchange tells again, as it does after a restart, is one mark."""
    passing = Passing()
    journal = passing.before(MemoryJournal())

    await journal.commit(FILLED, ORDER, DECISION)
    await journal.commit(FILLED, TRIP)
    first, second = passing.take(), passing.take()

    assert [(done.fill, done.purpose) for done in first.executions] == [(FILL, OrderPurpose.ENTRY)]
    assert first.decisions == (DECISION,)
    assert first.round_trips == (TRIP,)
    assert second == Happened()


async def test_what_is_not_on_record_is_not_shown() -> None:
    """A page that shows what a crash would undo lies."""
    passing = Passing()

    with pytest.raises(LedgerError):
        await passing.before(FullDisk()).commit(DECISION)

    assert passing.take() == Happened()


async def test_nothing_piles_up_while_nobody_looks() -> None:
    """A bot runs for months, with or without somebody at its page."""
    passing = Passing(most=3)
    journal = passing.before(MemoryJournal())

    for number in range(10):
        name = f"milo{number}"
        fill = replace(FILL, fill_id=f"f{number}", client_order_id=name)
        update = replace(UPDATE, client_order_id=name, fills=(fill,))
        decision = replace(DECISION, time_ms=number)
        await journal.commit(replace(ORDER, client_order_id=name), update, decision)
    happened = passing.take()

    assert [done.fill.fill_id for done in happened.executions] == ["f7", "f8", "f9"]
    assert [decision.time_ms for decision in happened.decisions] == [7, 8, 9]


async def test_the_exit_of_a_position_that_is_held_for_long_keeps_its_name() -> None:
    """A page that calls a stop a liquidation frightens for nothing."""
    passing = Passing(most=3)
    journal = passing.before(MemoryJournal())
    await journal.commit(replace(ORDER, purpose=OrderPurpose.STOP))
    for number in range(10):
        ended = replace(ORDER, client_order_id=f"other{number}", status=OrderStatus.CANCELLED)
        await journal.commit(ended)

    await journal.commit(FILLED)

    assert [done.purpose for done in passing.take().executions] == [OrderPurpose.STOP]


async def test_a_journal_behind_the_page_answers_as_before() -> None:
    """The engine asks it whether an order or a decision is there."""
    kept = MemoryJournal()
    journal = Passing().before(kept)
    await journal.commit(FILLED, ORDER, DECISION)

    assert await journal.find_order(ORDER.client_order_id) == ORDER
    assert await journal.find_decision(DECISION.intent_key) == DECISION
    assert await journal.booked_fills(FILL.symbol, first_ms=0) == {FILL.fill_id}
    assert await journal.load() == await kept.load()


async def test_a_reader_goes_on_where_it_was() -> None:
    """Back-test and demo keep everything; the page takes what is new."""
    journal = MemoryJournal()
    reader = JournalReader(journal)
    await journal.commit(ORDER, FILLED)

    first = reader.take()
    await journal.commit(DECISION, TRIP)
    second = reader.take()

    assert [done.fill for done in first.executions] == [FILL]
    assert (second.executions, second.decisions) == ((), (DECISION,))
    assert second.round_trips == (TRIP,)

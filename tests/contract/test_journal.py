"""What every journal must do: keep what was committed, as it was, all of it or nothing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.records import (
    CLOSE_INTENT,
    DECISION,
    FILL,
    FUNDING,
    INTENT,
    ORDER,
    SLOT,
    TRIP,
    UPDATE,
)
from tests.support.trading import SYMBOL, dec

from milobot.domain.decisions import Outcome
from milobot.domain.orders import OrderStatus, Refusal
from milobot.errors import DuplicateIntentError
from milobot.ports import Journal
from milobot.storage.ledger import open_ledger
from milobot.storage.memory import MemoryJournal


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty ledger of each kind; none for the memory."""
    if request.param == "postgres":
        on_server: str = request.getfixturevalue("ledger_on_postgres")
        return on_server
    return f"sqlite:///{tmp_path}/milobot.db" if request.param == "sqlite" else ""


@pytest.fixture
async def journal(url: str) -> AsyncIterator[Journal]:
    """Give a fresh journal of each kind."""
    if not url:
        yield MemoryJournal()
        return
    async with await open_ledger(url) as ledger:
        yield ledger.journal("paper:default")


async def test_a_restart_finds_slots_and_live_orders(journal: Journal) -> None:
    """Everything that a restart must know comes back equal: plan, stop, queue, tally, order."""
    await journal.commit(INTENT, DECISION, SLOT, ORDER)

    books = await journal.load()

    assert [replace(slot, orders=()) for slot in books.slots] == [SLOT]
    assert books.orders == (ORDER,)


async def test_an_order_and_a_slot_replace_what_was_kept_of_them(journal: Journal) -> None:
    """There is one truth about each, the last one."""
    resting = replace(
        ORDER, status=OrderStatus.SUBMITTED, exchange_order_id="77", refusal=Refusal.TOO_LATE
    )
    await journal.commit(SLOT, ORDER)

    await journal.commit(replace(SLOT, closing="close", queued=CLOSE_INTENT), resting)

    books = await journal.load()
    assert [slot.closing for slot in books.slots] == ["close"]
    assert books.slots[0].queued == CLOSE_INTENT
    assert books.orders == (resting,)


async def test_a_finished_order_is_found_with_its_fills_but_not_loaded(journal: Journal) -> None:
    """A late fill asks for an order long after it ended; a start does not."""
    done = replace(
        ORDER,
        status=OrderStatus.FILLED,
        filled_quantity=ORDER.quantity,
        booked=frozenset({FILL.fill_id}),
    )

    await journal.commit(ORDER)
    await journal.commit(replace(UPDATE, fills=(FILL,)), done, SLOT)

    assert (await journal.load()).orders == ()
    assert await journal.find_order(ORDER.client_order_id) == done
    assert await journal.find_order("milonobody") is None


async def test_a_live_order_is_loaded_with_the_fills_it_has(journal: Journal) -> None:
    """After a restart a fill that was booked is known, so that it counts once."""
    half = replace(
        ORDER,
        status=OrderStatus.PARTIALLY_FILLED,
        filled_quantity=FILL.quantity,
        booked=frozenset({FILL.fill_id}),
    )

    await journal.commit(replace(UPDATE, fills=(FILL,)), half, SLOT)

    assert (await journal.load()).orders == (half,)


async def test_what_was_booked_lately_is_known(journal: Journal) -> None:
    """Reconciliation asks which fills of the exchange's list are in the books already."""
    late = replace(FILL, fill_id="f2", time_ms=FILL.time_ms + 10)
    await journal.commit(replace(UPDATE, fills=(FILL, late)), ORDER)

    assert await journal.booked_fills(SYMBOL, first_ms=0) == {"f1", "f2"}
    assert await journal.booked_fills(SYMBOL, first_ms=late.time_ms) == {"f2"}
    assert await journal.booked_fills("ETHUSDT", first_ms=0) == frozenset()


async def test_the_same_fills_and_payments_again_change_nothing(journal: Journal) -> None:
    """News comes twice; the books do not."""
    filled = replace(ORDER, filled_quantity=FILL.quantity, booked=frozenset({FILL.fill_id}))
    update = replace(UPDATE, fills=(FILL,))

    await journal.commit(update, filled, FUNDING)
    await journal.commit(update, filled, FUNDING)

    assert await journal.find_order(ORDER.client_order_id) == filled


async def test_an_older_state_of_an_order_changes_nothing_and_holds_up_nothing(
    journal: Journal,
) -> None:
    """A commit whose answer was lost is repeated late; what came after it must stay and go on."""
    filled = replace(ORDER, filled_quantity=FILL.quantity, booked=frozenset({FILL.fill_id}))
    await journal.commit(replace(UPDATE, fills=(FILL,)), filled)

    await journal.commit(ORDER, DECISION)

    assert await journal.find_order(ORDER.client_order_id) == filled
    assert await journal.find_decision(DECISION.intent_key) == DECISION


async def test_an_intent_is_taken_once(journal: Journal) -> None:
    """Two leaders, or the same message twice: the second gets nothing of its commit stored."""
    await journal.commit(INTENT, DECISION)
    denied = replace(DECISION, outcome=Outcome.DENIED, code="late")

    with pytest.raises(DuplicateIntentError, match=r"intent .* is on record already"):
        await journal.commit(INTENT, denied, ORDER)

    assert await journal.find_decision(INTENT.key) == DECISION
    assert await journal.find_order(ORDER.client_order_id) is None


async def test_the_latest_decision_about_an_intent_counts(journal: Journal) -> None:
    """A reversal decides twice: first to close, then about the entry."""
    denied = replace(DECISION, outcome=Outcome.DENIED, code="below_min_quantity", gates=())

    await journal.commit(DECISION)
    await journal.commit(denied)

    assert await journal.find_decision(INTENT.key) == denied
    assert await journal.find_decision("nobody's") is None


async def test_every_kind_of_record_is_taken(journal: Journal) -> None:
    """One commit holds what belongs together: an update and the round trip it ended."""
    await journal.commit(INTENT, ORDER, UPDATE, FUNDING, SLOT, DECISION, TRIP)

    assert await journal.find_decision(INTENT.key) == DECISION


async def test_an_empty_commit_keeps_nothing(journal: Journal) -> None:
    """Nothing said, nothing stored."""
    await journal.commit()

    books = await journal.load()
    assert (books.slots, books.orders) == ((), ())


async def test_amounts_come_back_to_the_last_digit(journal: Journal) -> None:
    """A price of 18 decimals or a quantity of millions must not become a float on its way."""
    exact = replace(
        ORDER, quantity=dec("12345678901234567890.123456789012345678"), price=dec("1E-18")
    )

    await journal.commit(exact)

    assert (await journal.load()).orders == (exact,)


async def test_slots_come_back_in_the_order_of_symbols(journal: Journal) -> None:
    """A start looks the same whatever happened before it."""
    other = replace(SLOT, symbol="ADAUSDT", position=replace(SLOT.position, symbol="ADAUSDT"))

    await journal.commit(SLOT)
    await journal.commit(other)

    assert {slot.symbol for slot in (await journal.load()).slots} == {"ADAUSDT", SYMBOL}


async def test_of_two_states_in_one_commit_the_later_counts(journal: Journal) -> None:
    """What is stored late comes with what came after it."""
    resting = replace(ORDER, status=OrderStatus.SUBMITTED)

    await journal.commit(SLOT, ORDER, replace(SLOT, closing="close"), resting)

    books = await journal.load()
    assert books.orders == (resting,)
    assert [slot.closing for slot in books.slots] == ["close"]


async def test_of_two_decisions_in_one_commit_the_later_is_the_latest(journal: Journal) -> None:
    """Found by kill -9: a wish that was accepted and then denied was accepted for ever."""
    denied = replace(DECISION, outcome=Outcome.DENIED, code="ledger_unavailable")

    await journal.commit(INTENT, DECISION, SLOT, denied)

    assert await journal.find_decision(INTENT.key) == denied


async def test_a_long_commit_is_stored_whole(journal: Journal) -> None:
    """A market order that sweeps the book has dozens of fills."""
    fills = tuple(replace(FILL, fill_id=f"f{number}") for number in range(40))

    await journal.commit(SLOT, ORDER, replace(UPDATE, fills=fills), DECISION)

    found = await journal.booked_fills(SYMBOL, first_ms=0)
    assert found == {fill.fill_id for fill in fills}


async def test_an_intent_that_is_there_lets_nothing_of_its_commit_in(journal: Journal) -> None:
    """The order of a wish that somebody else took must not be on record as ours."""
    await journal.commit(INTENT, DECISION)

    with pytest.raises(DuplicateIntentError, match="on record already"):
        await journal.commit(SLOT, ORDER, INTENT, DECISION)

    assert (await journal.load()).orders == ()


async def test_an_order_is_found_by_the_name_that_the_exchange_gave_it(journal: Journal) -> None:
    """Stops of BingX carry no id of ours."""
    await journal.commit(SLOT, replace(ORDER, exchange_order_id="77"))

    found = await journal.find_nameless(SYMBOL, "77")

    assert found is not None
    assert found.client_order_id == ORDER.client_order_id
    assert await journal.find_nameless(SYMBOL, "78") is None
    assert await journal.find_nameless("ETHUSDT", "77") is None

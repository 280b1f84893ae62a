"""How intents ended, as orders, decisions and round trips on record tell it."""

from dataclasses import replace

from tests.support.records import DECISION, INTENT, ORDER, TRIP

from milobot.domain.decisions import Outcome
from milobot.domain.orders import OrderPurpose, OrderStatus
from milobot.signals.inbox.account_trades import told_end
from milobot.signals.life.happenings import Ended
from milobot.storage.ledger import Ledger
from milobot.storage.signal_ends import IntentEnd, end_of

ACCOUNT = "a"
FILLED = replace(ORDER, status=OrderStatus.FILLED, filled_quantity=ORDER.quantity)


async def ended(ledger: Ledger) -> IntentEnd:
    """Return what is on record of the intent."""
    return await ledger.read(lambda c: end_of(c, ACCOUNT, ORDER.symbol, [INTENT.key]))


async def test_a_position_that_is_closed_tells_how(ledger: Ledger) -> None:
    """The first round trip after its entry, not an older or a later one."""
    made_ms = ORDER.created_ms
    ours = replace(TRIP, entry_time_ms=made_ms + 50, exit_time_ms=made_ms + 90, exit_reason="stop")
    older = replace(TRIP, entry_time_ms=made_ms - 90_000, exit_time_ms=made_ms - 50)
    later = replace(TRIP, entry_time_ms=made_ms + 95_000, exit_time_ms=made_ms + 99_000)
    await ledger.journal(ACCOUNT).commit(DECISION, FILLED, older, later, ours)

    end = told_end(await ended(ledger))

    assert end is not None
    assert (end.has_entered, end.code) == (True, "stop")
    assert end.sentence == "Closed at 101 (stop), +1.00 USDT."


async def test_an_end_that_is_not_on_record_yet_is_not_told(ledger: Ledger) -> None:
    """The entry filled, its round trip is still being written; or an order may still fill."""
    assert told_end(await ended(ledger)) is None
    await ledger.journal(ACCOUNT).commit(DECISION, ORDER)
    assert told_end(await ended(ledger)) is None
    await ledger.journal(ACCOUNT).commit(FILLED)

    assert told_end(await ended(ledger)) is None


async def test_an_entry_that_came_to_nothing_says_why(ledger: Ledger) -> None:
    """The exchange's words, or the engine's when it denied what it had accepted."""
    rejected = replace(ORDER, status=OrderStatus.REJECTED, reason="margin is insufficient")
    await ledger.journal(ACCOUNT).commit(DECISION, rejected)
    by_exchange = told_end(await ended(ledger))
    denied = replace(DECISION, outcome=Outcome.DENIED, code="level_passed", reason="too far")
    await ledger.journal(ACCOUNT).commit(denied)
    by_engine = told_end(await ended(ledger))

    said = "Nothing filled: margin is insufficient."
    assert by_exchange == Ended(has_entered=False, code="not_filled", sentence=said)
    assert by_engine == Ended(has_entered=False, code="level_passed", sentence="too far")


async def test_an_order_that_only_reduced_is_told_apart(ledger: Ledger) -> None:
    """A plain order against what is held opens nothing."""
    reduced = replace(FILLED, purpose=OrderPurpose.REDUCE)
    await ledger.journal(ACCOUNT).commit(DECISION, replace(reduced, status=OrderStatus.UNKNOWN))
    while_unknown = told_end(await ended(ledger))
    await ledger.journal(ACCOUNT).commit(reduced)
    end = told_end(await ended(ledger))

    assert while_unknown is None
    assert end is not None
    assert (end.has_entered, end.has_reduced) == (False, True)

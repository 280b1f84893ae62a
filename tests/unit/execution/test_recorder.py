"""What goes on record while the ledger is away: nothing is lost, and an entry never counts on it."""

import asyncio
from dataclasses import replace

import pytest
from tests.support.desk import PLAN, P, S
from tests.support.exchanges import SilentExchange, fill_news, status_news
from tests.support.journals import FailingJournal
from tests.support.trading import SYMBOL, at_price, base, dec, enter_short, intent

from milobot.domain.decisions import Decision, Outcome
from milobot.domain.intents import Close, Enter, Side
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.errors import DuplicateIntentError, LeaseLostError, LedgerError
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.entries import decision_about
from milobot.execution.recorder import PATIENCE_S, Recorder
from milobot.execution.verdicts import Judgement, Verdict
from milobot.ports import Record
from milobot.simulation.clock import ReplayClock

ORDER = Order("milo1", "k1", SYMBOL, Side.BUY, OrderType.MARKET, OrderPurpose.ENTRY, dec("1"), 0)


class FreezingJournal(FailingJournal):
    """A journal in whose commit a process may be frozen until its lease has ended, or that is mute."""

    is_frozen = False
    is_mute = False

    async def find_decision(self, intent_key: str) -> Decision | None:
        """Return the latest decision about an intent, or fail as asked to."""
        if self.is_mute:
            raise LedgerError("the ledger is away: wait until it is back")
        return await super().find_decision(intent_key)

    async def commit(self, *records: Record) -> None:
        """Store the records, or wake up to a lost lease."""
        if self.is_frozen:
            self.is_frozen = False
            self.failures = [LeaseLostError("another process leads the account")]
            await asyncio.sleep(1)
        await super().commit(*records)


class Away:
    """An engine whose ledger can be away."""

    def __init__(self) -> None:
        """Start flat, with a ledger that works."""
        self.exchange = SilentExchange()
        self.journal = FreezingJournal()
        self.engine = ExecutionEngine(self.exchange, self.journal, ReplayClock(), EngineConfig())

    async def restarted(self) -> ExecutionEngine:
        """Return another engine that knows what is on record."""
        engine = ExecutionEngine(self.exchange, self.journal, ReplayClock(), EngineConfig())
        engine.restore(await self.journal.load())
        return engine


@pytest.fixture
def away() -> Away:
    """Return an engine whose ledger can be away."""
    return Away()


async def test_entry_that_is_not_on_record_is_not_sent(away: Away) -> None:
    """An order that no record tells of would be lost in a crash, or sent twice after it."""
    away.journal.is_away = True

    decision = await away.engine.accept(intent(PLAN))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "ledger_unavailable")
    assert "the ledger is away" in decision.reason
    assert away.exchange.placed == []
    assert away.engine.slot(SYMBOL).is_idle


async def test_stop_does_not_wait_for_the_ledger(away: Away) -> None:
    """A full disk must not leave a position without its stop."""
    await away.engine.accept(intent(PLAN))
    entry = away.exchange.last(P.ENTRY)
    away.journal.is_away = True

    await away.engine.apply(fill_news(entry, "1", "100", fill_id="f1"))

    assert away.exchange.last(P.STOP).trigger_price == dec("95")
    assert away.engine.recorder.is_behind


async def test_stop_does_not_wait_for_a_ledger_that_hangs(away: Away) -> None:
    """A server that neither answers nor fails takes longer than the two seconds promised."""
    await away.engine.accept(intent(PLAN))
    entry = away.exchange.last(P.ENTRY)
    away.journal.hangs = True

    async with asyncio.timeout(PATIENCE_S * 3):
        await away.engine.apply(fill_news(entry, "1", "100", fill_id="f1"))

    assert away.exchange.last(P.STOP).trigger_price == dec("95")
    assert "did not answer" in away.engine.recorder.reason
    away.journal.hangs = False
    assert await away.engine.recorder.catch_up()
    assert away.journal.slots[SYMBOL].position.quantity == dec("1")


async def test_what_was_not_waited_for_is_stored_before_what_came_after_it(away: Away) -> None:
    """Stored behind the fill of a stop, the older slot would bring back a position that is gone."""
    await away.engine.accept(intent(PLAN))
    await away.engine.apply(fill_news(away.exchange.last(P.ENTRY), "1", "100", fill_id="f1"))
    stop = away.exchange.last(P.STOP)
    await away.engine.apply(status_news(stop, S.SUBMITTED))
    away.journal.hangs = True
    await away.engine.apply(status_news(stop, S.TRIGGERED))
    away.journal.hangs = False

    await away.engine.apply(fill_news(stop, "1", "95", fill_id="f2"))
    assert await away.engine.recorder.catch_up()
    await asyncio.sleep(1)

    assert away.journal.slots[SYMBOL].position.is_flat
    assert away.journal.latest[stop.client_order_id].status is S.FILLED


async def test_what_was_late_is_on_record_before_what_comes_next(away: Away) -> None:
    """Once the ledger is back, a restart must know everything that happened meanwhile."""
    await away.engine.accept(intent(PLAN))
    entry = away.exchange.last(P.ENTRY)
    away.journal.is_away = True
    await away.engine.apply(fill_news(entry, "1", "100", fill_id="f1"))
    stop = away.exchange.last(P.STOP)
    await away.engine.apply(status_news(stop, S.SUBMITTED))
    away.journal.is_away = False

    assert await away.engine.recorder.catch_up()
    again = await away.restarted()

    assert again.slot(SYMBOL).position == away.engine.slot(SYMBOL).position
    assert {o.client_order_id: o.status for o in again.slot(SYMBOL).orders} == {
        o.client_order_id: o.status for o in away.engine.slot(SYMBOL).orders
    }
    assert [u.client_order_id for u in away.journal.updates].count(entry.client_order_id) == 1


async def test_no_entry_passes_while_something_is_late_that_cannot_be_stored(away: Away) -> None:
    """The first entry after an outage must not leave on a record with holes before it."""
    away.journal.is_away = True
    await away.engine.accept(intent(PLAN))

    decision = await away.engine.accept(intent(PLAN, key="k2"))

    assert decision.code == "ledger_unavailable"
    assert away.exchange.placed == []


async def test_an_entry_stored_although_the_answer_was_lost_is_said_not_to_have_left(
    away: Away,
) -> None:
    """After a restart such an order would be asked for as if it might have been executed."""
    away.journal.loses_answers = True
    away.journal.failures = [LedgerError("the connection was lost")]

    decision = await away.engine.accept(intent(PLAN))
    again = await away.restarted()

    assert decision.outcome is Outcome.DENIED
    assert again.slot(SYMBOL).orders == ()
    assert [o.status for o in away.journal.latest.values()] == [OrderStatus.NOT_EXECUTED]


async def test_a_close_does_not_wait_for_the_ledger(away: Away) -> None:
    """Getting out is always possible."""
    await away.engine.accept(intent(PLAN))
    await away.engine.apply(fill_news(away.exchange.last(P.ENTRY), "1", "100", fill_id="f1"))
    away.journal.is_away = True

    await away.engine.accept(intent(Close(), key="k2"))

    assert away.exchange.last(P.CLOSE).quantity == dec("1")


@pytest.mark.parametrize("action", [PLAN, Close()])
async def test_a_decision_that_a_frozen_process_could_not_record_is_not_told(
    away: Away, action: Enter | Close
) -> None:
    """It wakes to the end of its patience first, and to the loss of its lease after that.

    Told as decided, the intent would have no recorded end: who asked does not ask again.
    """
    await away.engine.accept(intent(PLAN))
    await away.engine.apply(fill_news(away.exchange.last(P.ENTRY), "1", "100", fill_id="f1"))
    away.journal.is_frozen = True

    with pytest.raises(LeaseLostError):
        await away.engine.accept(intent(action, key="k2"))


SHORT = enter_short(base("1"), stop=at_price("105"))


@pytest.mark.parametrize("again", [Close(), SHORT])
async def test_a_wish_that_comes_again_closes_nothing_however_slow_the_ledger(
    away: Away, again: Enter | Close
) -> None:
    """After a restart only the ledger knows it: what was opened since would be closed for it."""
    old = intent(again, key="old")
    first = decision_about(old, Outcome.IGNORED, Judgement(Verdict.IGNORE, "x", "nothing to do"))
    await away.journal.commit(old, first)
    await away.engine.accept(intent(PLAN))
    await away.engine.apply(fill_news(away.exchange.last(P.ENTRY), "1", "100", fill_id="f1"))
    before = len(away.exchange.placed)
    away.journal.hangs = True

    async with asyncio.timeout(PATIENCE_S * 3):
        assert await away.engine.accept(old) == first

    assert len(away.exchange.placed) == before


async def test_a_reversal_is_denied_where_nobody_can_say_whether_it_is_new(away: Away) -> None:
    """A close is safe at any time; an entry behind it is not."""
    await away.engine.accept(intent(PLAN))
    await away.engine.apply(fill_news(away.exchange.last(P.ENTRY), "1", "100", fill_id="f1"))
    before = len(away.exchange.placed)
    away.journal.is_mute = away.journal.is_away = True

    decision = await away.engine.accept(intent(SHORT, key="k2"))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "ledger_unavailable")
    assert len(away.exchange.placed) == before


async def test_intent_taken_elsewhere_is_decided_there(away: Away) -> None:
    """Two leaders in a hurry take one intent once: the second returns the first one's decision."""
    other = await away.restarted()
    first = await other.accept(intent(PLAN))

    second = await away.engine.accept(intent(PLAN))

    assert second == first
    assert len(away.exchange.placed) == 1


@pytest.mark.parametrize("lost", [LeaseLostError("lost"), DuplicateIntentError("there")])
async def test_what_ends_trading_is_not_kept_for_later(lost: Exception) -> None:
    """Who has lost the lead must not write its records over its successor's later on."""
    journal = FailingJournal()
    recorder = Recorder(journal)
    journal.failures = [lost]

    with pytest.raises(type(lost)):
        await recorder.note(SYMBOL, ORDER)

    assert not recorder.is_behind


async def test_only_the_newest_state_of_an_order_is_kept_for_later() -> None:
    """An outage of an hour must not fill the memory, nor bring back an older state."""
    journal = FailingJournal()
    recorder = Recorder(journal)
    journal.is_away = True
    filled = replace(ORDER, status=OrderStatus.FILLED, filled_quantity=dec("1"))

    await recorder.note(SYMBOL, ORDER)
    await recorder.note(SYMBOL, filled)
    journal.is_away = False
    await recorder.catch_up()

    assert journal.latest == {"milo1": filled}
    assert journal.orders == []


async def test_an_intent_that_was_stored_after_all_holds_up_nothing(away: Away) -> None:
    """A lost answer would otherwise make every later record wait behind the same intent."""
    journal = away.journal
    journal.loses_answers = True
    journal.failures = [LedgerError("the connection was lost")]
    recorder = Recorder(journal)
    wish = intent(PLAN)
    accepted = Judgement(Verdict.REVERSE, "accepted", "reverse")
    decision = decision_about(wish, Outcome.ACCEPTED, accepted)

    await recorder.note(SYMBOL, wish, decision, ORDER)
    await recorder.note(SYMBOL, replace(ORDER, status=S.FILLED))

    assert await recorder.catch_up()
    assert journal.latest["milo1"].status is S.FILLED
    assert journal.decisions == [decision]


async def test_the_decision_that_stands_stays_the_latest_when_late_records_are_repeated() -> None:
    """A reversal that was denied once flat would be accepted for ever, and never sent."""
    journal = FailingJournal()
    recorder = Recorder(journal)
    wish = intent(PLAN)
    accepted = decision_about(wish, Outcome.ACCEPTED, Judgement(Verdict.REVERSE, "accepted", ""))
    denied = decision_about(wish, Outcome.DENIED, Judgement(Verdict.DENY, "level_passed", ""))
    journal.is_away = True
    await recorder.note(SYMBOL, wish, accepted)
    await recorder.note(SYMBOL, denied)
    journal.is_away, journal.loses_answers = False, True
    journal.failures = [LedgerError("the connection was lost")]

    assert not await recorder.catch_up()
    assert await recorder.catch_up()

    assert journal.decisions == [accepted, denied]


async def test_an_intent_that_comes_again_is_refused_beside_late_records(away: Away) -> None:
    """What is late is none of its business, and must not be taken for the duplicate."""
    journal = away.journal
    recorder = Recorder(journal)
    wish = intent(PLAN)
    await recorder.note(SYMBOL, wish)
    journal.failures = [LedgerError("the disk is full")]
    await recorder.note(SYMBOL, ORDER)

    with pytest.raises(DuplicateIntentError):
        await recorder.demand(SYMBOL, wish)

    assert await recorder.catch_up()
    assert journal.latest == {"milo1": ORDER}


class StrictJournal(FailingJournal):
    """A journal that lets no order have filled less than before, as ledgers do."""

    async def commit(self, *records: Record) -> None:
        """Store the records, or refuse all of them."""
        for record in records:
            known = self.latest.get(record.client_order_id) if isinstance(record, Order) else None
            if (
                isinstance(record, Order)
                and known
                and record.filled_quantity < known.filled_quantity
            ):
                raise LedgerError("the order has filled more already")
        await super().commit(*records)


async def test_older_states_of_an_order_that_was_stored_without_an_answer_are_left_out() -> None:
    """Refused for the first of them, nothing would ever go on record again."""
    journal = StrictJournal()
    recorder = Recorder(journal)
    filled = replace(ORDER, status=OrderStatus.FILLED, filled_quantity=dec("1"))
    await journal.commit(filled)
    # Kept one by one while what came before was being stored.
    recorder._late = [ORDER, filled]

    assert await recorder.catch_up()

    assert journal.latest == {"milo1": filled}

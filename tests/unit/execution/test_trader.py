"""The trader: time, doubt and news, so that nothing waits for what does not come."""

import asyncio
from dataclasses import replace

import pytest
from tests.support.desk import PLAN, P, S
from tests.support.exchanges import fill_news, status_news
from tests.support.office import Office
from tests.support.trading import SYMBOL, dec, intent

from milobot.domain.alerts import AlertKind
from milobot.domain.decisions import Outcome
from milobot.domain.orders import Order, OrderStatus
from milobot.domain.reports import AccountNews, NewsKind
from milobot.domain.slots import PositionState, position_state
from milobot.errors import (
    AuthenticationError,
    ExchangeUnavailableError,
)
from milobot.ports import Books


@pytest.fixture
def office() -> Office:
    """Return a trader that has not started."""
    return Office()


async def _entered(office: Office) -> Order:
    """Enter, and fill; return the entry."""
    await office.trader.submit(intent(PLAN))
    entry = office.account.last(P.ENTRY)
    office.trader.hear(fill_news(entry, "1", "100", fill_id="f1"))
    await office.time.run_for(0.05)
    return entry


async def test_fill_gets_its_stop_although_the_entry_is_not_answered(office: Office) -> None:
    """An answer may take seconds; the position is open since the first of them."""
    office.account.hangs = {P.ENTRY}
    async with office.at_work(), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(office.trader.submit(intent(PLAN)))
        await office.time.run_for(0.05)
        entry = office.account.last(P.ENTRY)

        office.trader.hear(fill_news(entry, "1", "100", fill_id="f1"))
        await office.time.run_for(0.05)

        assert office.account.last(P.STOP).trigger_price == dec("95")
        waiting.cancel()


async def test_stop_that_is_not_answered_ends_in_a_close_within_two_seconds(
    office: Office,
) -> None:
    """Protected or flat: a stop of which nothing is heard is none."""
    office.account.hangs = {P.STOP}
    async with office.at_work():
        await _entered(office)

        await office.time.run_for(1.6)

        assert [o.purpose for o in office.account.placed].count(P.CLOSE) == 1


async def test_order_that_nobody_answers_for_is_asked_for(office: Office) -> None:
    """The only way to learn what became of it when the stream says nothing."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        entry = office.account.last(P.ENTRY)
        filled = fill_news(entry, "1", "100", fill_id="f1")
        office.account.news_of[entry.client_order_id] = filled

        await office.time.run_for(1.6)

        assert office.engine.slot(SYMBOL).position.quantity == dec("1")
        assert office.account.last(P.STOP).quantity == dec("1")


async def test_entry_that_is_nowhere_is_given_up_after_the_fence_not_before(
    office: Office,
) -> None:
    """Before it, not found means not visible yet; a slot freed too early enters twice."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        entry = office.account.last(P.ENTRY)
        until_fence_s = (entry.send_before_ms + 12_000 - office.time.now_ms()) / 1000

        await office.time.run_for(until_fence_s)
        before = office.engine.slot(SYMBOL).orders
        await office.time.run_for(5)

        assert [o.status for o in before] == [OrderStatus.PENDING]
        assert office.engine.slot(SYMBOL).is_idle
        ended = office.journal.latest[entry.client_order_id]
        assert ended.status is OrderStatus.NOT_EXECUTED
        assert "asked twice" in ended.reason


async def test_after_a_restart_what_was_pending_is_asked_for(office: Office) -> None:
    """A process that dies between record and answer leaves an order that may be executed."""
    await office.engine.accept(intent(PLAN))
    known = await office.journal.load()
    again = Office(office.journal)
    entry = office.account.last(P.ENTRY)
    again.account.news_of[entry.client_order_id] = fill_news(entry, "1", "100", fill_id="f1")

    async with again.at_work(known):
        await again.time.run_for(1.6)

    assert again.engine.slot(SYMBOL).position.quantity == dec("1")
    assert again.account.last(P.STOP).trigger_price == dec("95")
    assert again.account.placed == [o for o in again.account.placed if o.purpose is not P.ENTRY]


async def test_nothing_is_decided_before_the_account_was_compared(office: Office) -> None:
    """A position taken by hand while the bot was away must be seen before anything enters."""
    office.account.failure = ExchangeUnavailableError("away")
    async with asyncio.TaskGroup() as tasks:
        starting = tasks.create_task(office.trader.start(Books()))
        asking = tasks.create_task(office.trader.submit(intent(PLAN)))
        await office.time.run_for(3)
        assert office.account.placed == []
        assert not office.trader.is_ready

        office.account.failure = None
        await office.time.run_for(1)

        assert (await asking).outcome is Outcome.ACCEPTED
        await starting
    assert office.told[0].kind is AlertKind.EXCHANGE


async def test_refused_key_ends_the_start(office: Office) -> None:
    """Asking again with the same key would get the address banned."""
    office.account.failure = AuthenticationError("the key is refused")

    with pytest.raises(AuthenticationError):
        await office.trader.start(Books())


@pytest.mark.parametrize(
    ("kind", "compares"),
    [(NewsKind.RECONNECTED, True), (NewsKind.TRIGGER_REJECTED, True), (NewsKind.BALANCE, False)],
)
async def test_news_of_the_account_that_may_hide_a_difference_is_compared_at_once(
    office: Office, kind: NewsKind, *, compares: bool
) -> None:
    """Half a minute is too long to wait after a gap in the stream."""
    async with office.at_work():
        before = office.account.listings
        office.trader.hear(AccountNews(kind, office.time.now_ms(), SYMBOL))

        await office.time.run_for(1)

        assert (office.account.listings > before) is compares


async def test_account_is_compared_every_half_minute(office: Office) -> None:
    """What no event told is found all the same."""
    async with office.at_work():
        await office.time.run_for(70)  # at first more often: nobody knows what went before
        before = office.account.listings
        await office.time.run_for(61)

        assert office.account.listings == before + 2


async def test_news_that_contradicts_the_books_is_told_and_compared(office: Office) -> None:
    """It must neither end the bot nor pass unseen."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        entry = office.account.last(P.ENTRY)
        half = fill_news(entry, "0.5", "100", fill_id="f1", status=S.PARTIALLY_FILLED)
        office.trader.hear(half)
        before = office.account.listings
        office.trader.hear(status_news(entry, S.REJECTED))

        await office.time.run_for(1)

        assert [a.kind for a in office.told] == [AlertKind.CONTRADICTION]
        assert office.account.listings > before


async def test_what_contradicting_news_has_executed_is_acted_on_at_once(office: Office) -> None:
    """A stop that waits for the next look would be late for a fill that is booked already."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        entry = office.account.last(P.ENTRY)
        office.trader.hear(status_news(entry, S.EXPIRED))
        await office.time.run_for(0.01)
        office.trader.hear(fill_news(entry, "1", "100", fill_id="f1", status=S.REJECTED))

        await office.time.run_for(0.02)

        assert [a.kind for a in office.told] == [AlertKind.CONTRADICTION]
        assert office.account.last(P.CLOSE).quantity == dec("1")


async def test_one_symbol_does_not_wait_for_another(office: Office) -> None:
    """Four hundred symbols close a candle at the same moment."""
    office.account.hangs = {P.ENTRY}
    async with office.at_work(), asyncio.TaskGroup() as tasks:
        waiting = [
            tasks.create_task(office.trader.submit(replace(intent(PLAN, key=name), symbol=name)))
            for name in ("AUSDT", "BUSDT", "CUSDT")
        ]
        await office.time.run_for(0.05)

        assert {o.symbol for o in office.account.placed} == {"AUSDT", "BUSDT", "CUSDT"}
        for task in waiting:
            task.cancel()


async def test_position_with_a_resting_stop_is_left_in_peace(office: Office) -> None:
    """Looking again and again must not send anything again."""
    async with office.at_work():
        await _entered(office)
        for purpose in (P.STOP, P.TARGET):
            office.trader.hear(status_news(office.account.last(purpose), S.SUBMITTED))
        await office.time.run_for(0.05)
        sent = len(office.account.placed)
        slot = office.engine.slot(SYMBOL)
        assert position_state(slot) is PositionState.PROTECTED

        await office.time.run_for(5)

        assert len(office.account.placed) == sent


async def test_what_is_refused_for_long_leaves_room_for_a_comparison(office: Office) -> None:
    """Found by kill -9: four closes a second, always one under way, let none ever say why."""
    office.account.refuses = {P.STOP, P.CLOSE}
    async with office.at_work():
        await _entered(office)
        await office.time.run_for(4.5)
        tried, compared = len(office.account.placed), office.reconciler.rounds

        await office.time.run_for(6)

        assert len(office.account.placed) - tried in {3, 4, 5}
        assert office.reconciler.rounds - compared >= 3

"""Entries of which only a part is told, and slots that nobody frees: found by simulation."""

import asyncio
from dataclasses import replace

import pytest
from tests.support.desk import PLAN, Desk, P, S
from tests.support.exchanges import fill_news, status_news
from tests.support.office import Office
from tests.support.trading import SYMBOL, dec, intent

from milobot.domain.ids import client_order_id
from milobot.domain.intents import PositionSide, Side
from milobot.domain.orders import Fill, Order, OrderType, OrderUpdate
from milobot.domain.reports import AccountNews, NewsKind, PositionNews
from milobot.errors import LeaseLostError, LedgerError
from milobot.execution.doubt import is_in_doubt
from milobot.storage.memory import MemoryJournal


async def test_an_entry_told_as_filled_without_its_first_part_stays_open() -> None:
    """The late part would be held without a stop by a slot that has long been given away."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)

    await desk.fill(entry, "0.6", "100", "f2", S.FILLED)

    (known,) = desk.slot.live(P.ENTRY)
    assert (known.status, is_in_doubt(known)) == (S.PARTIALLY_FILLED, True)
    await desk.fill(entry, "0.4", "100", "f1", S.PARTIALLY_FILLED)
    await desk.tell(entry, S.FILLED)
    assert desk.slot.live(P.ENTRY) == ()
    assert desk.slot.position.quantity == 1


async def test_a_stop_stays_while_its_entry_may_fill_unheard() -> None:
    """What was closed is what was told; a part that nobody has told of is held all the same."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.fill(entry, "0.6", "100", "f1", S.PARTIALLY_FILLED)
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.SUBMITTED)
    target = desk.exchange.last(P.TARGET)

    await desk.fill(target, "0.6", "110", "f2")
    assert stop.client_order_id not in {o.client_order_id for o in desk.exchange.cancelled}
    await desk.tell(entry, S.EXPIRED)

    assert desk.exchange.cancelled[-1].client_order_id == stop.client_order_id


@pytest.fixture
def office() -> Office:
    """Return a trader that has not started."""
    return Office()


async def test_a_slot_is_freed_when_the_last_exit_is_refused_after_the_position_is_gone(
    office: Office,
) -> None:
    """Nobody else could trade in a symbol that is flat and owned."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        entry = office.account.last(P.ENTRY)
        office.account.hangs = {P.STOP}
        office.trader.hear(fill_news(entry, "1", "100", fill_id="f1"))
        await office.time.run_for(0.05)
        stop = office.account.last(P.STOP)
        office.trader.hear(_taken_by_liquidation())
        await office.time.run_for(0.05)

        await office.engine.book(status_news(stop, S.REJECTED))
        await office.time.run_for(0.6)

        assert office.engine.slot(SYMBOL).owner == ""


def _taken_by_liquidation() -> OrderUpdate:
    name = "autoclose-1"
    fill = Fill("f2", name, SYMBOL, Side.SELL, dec("1"), dec("90"), dec("0"), 0)
    return OrderUpdate(name, SYMBOL, S.FILLED, 0, (fill,), purpose=P.LIQUIDATION)


class MuteJournal(MemoryJournal):
    """A journal that can be asked nothing for a while.

    Attributes:
        failure: What every question raises; None for none.
    """

    failure: LedgerError | None = None

    async def find_order(self, client_order_id: str) -> Order | None:
        """Return an order, or fail as asked to."""
        if self.failure is not None:
            raise self.failure
        return await super().find_order(client_order_id)


async def test_news_waits_for_a_ledger_that_cannot_say_whose_it_is() -> None:
    """A database that is restarted must neither end the bot nor swallow a fill."""
    journal = MuteJournal()
    lost = client_order_id("paper:default", "k0", "entry", 0)
    entry = Order(lost, "k0", SYMBOL, Side.BUY, OrderType.MARKET, P.ENTRY, dec("1"), 0)
    await journal.commit(replace(entry, status=S.NOT_EXECUTED))
    journal.failure = LedgerError("the database is restarted")
    office = Office(journal)
    async with office.at_work():
        office.trader.hear(fill_news(entry, "1", "100", fill_id="f1"))
        await office.time.run_for(1)
        assert office.engine.slot(SYMBOL).position.is_flat

        journal.failure = None
        await office.time.run_for(1)

        assert office.engine.slot(SYMBOL).position.quantity == 1
        assert office.account.last(P.CLOSE).quantity == 1


async def test_a_lost_lead_ends_the_trader() -> None:
    """Another process leads: nothing is tried again."""
    journal = MuteJournal()
    lost = client_order_id("paper:default", "k0", "entry", 0)
    entry = Order(lost, "k0", SYMBOL, Side.BUY, OrderType.MARKET, P.ENTRY, dec("1"), 0)
    office = Office(journal)
    journal.failure = LeaseLostError("another process leads the account")

    async def hears() -> None:
        async with office.at_work():
            office.trader.hear(fill_news(entry, "1", "100", fill_id="f1"))
            await office.time.run_for(1)

    with pytest.raises(ExceptionGroup) as ended:
        await hears()

    assert ended.group_contains(LeaseLostError)


async def test_late_news_of_an_earlier_position_is_not_taken_for_the_entrys(
    office: Office,
) -> None:
    """A close would be sent for what was closed long ago, beside what is held."""
    async with office.at_work():
        await office.time.run_for(5)
        office.account.hangs = {P.ENTRY}
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(office.trader.submit(intent(PLAN)))
            await office.time.run_for(0.05)
            earlier = PositionNews(SYMBOL, PositionSide.LONG, dec("1"), dec("100"))
            before_ms = office.time.now_ms() - 1_000
            news = AccountNews(NewsKind.POSITION, before_ms, SYMBOL, positions=(earlier,))
            office.trader.hear(news)

            await office.time.run_for(0.8)

            assert office.engine.slot(SYMBOL).seen == 0
            waiting.cancel()


async def test_news_after_the_end_is_no_error(office: Office) -> None:
    """The stream may be a moment longer at work than the trader that lost the lead."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        entry = office.account.last(P.ENTRY)

    office.trader.hear(fill_news(entry, "1", "100", fill_id="f1"))

    assert office.engine.slot(SYMBOL).position.is_flat

"""Positions that are shown beside what was asked for: they are compared like any that is told."""

from dataclasses import replace

from tests.support.desk import PLAN, P
from tests.support.office import Office, long_position
from tests.support.trading import SYMBOL, intent

from milobot.domain.orders import Order
from milobot.domain.reports import PositionReport
from milobot.execution.inquiry import Inquiry


async def test_whatever_is_listed_when_an_order_is_asked_for_is_handed_on() -> None:
    """Time runs from any answer that shows a position, also one to a question about another."""
    office, seen = Office(), list[PositionReport]()
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        order: Order = office.account.last(P.ENTRY)
        other = replace(long_position(office.time.now_ms()), symbol="ETHUSDT")
        office.account.held = [other]
        inquiry = Inquiry(office.reconciler.account, office.journal, office.time)
        inquiry.shown = lambda _order, positions: seen.extend(positions)
        await office.time.run_for(14)

        await inquiry.ask(office.engine.slot(SYMBOL), order)

        assert seen == [other]


async def test_an_entry_that_is_given_up_leaves_nothing_unseen_beside_it() -> None:
    """The question that ends it lists the whole account: another symbol lies open there."""
    office = Office()
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        await office.time.run_for(14.6)  # it was not found once, and is asked for once more
        office.account.held = [replace(long_position(office.time.now_ms()), symbol="ETHUSDT")]

        await office.time.run_for(1.4)  # the next comparison in turn is later than that

        assert office.engine.slot(SYMBOL).is_free
        assert office.engine.slot("ETHUSDT").blocked == "foreign_position"

"""A stop whose position may have been flat at the exchange, though never in our books."""

from tests.support.desk import PLAN, P, S
from tests.support.exchanges import fill_news, status_news
from tests.support.office import Office
from tests.support.trading import intent

from milobot.domain.orders import Order


async def _in_parts(office: Office) -> tuple[Order, Order, Order]:
    """Fill half of an entry, let stop and target rest; return the three."""
    await office.trader.submit(intent(PLAN))
    entry = office.account.last(P.ENTRY)
    office.trader.hear(fill_news(entry, "0.5", "100", fill_id="f1", status=S.PARTIALLY_FILLED))
    await office.time.run_for(0.3)
    stop, target = office.account.last(P.STOP), office.account.last(P.TARGET)
    for order in (stop, target):
        office.trader.hear(status_news(order, S.SUBMITTED))
        office.account.news_of[order.client_order_id] = status_news(order, S.SUBMITTED)
    await office.time.run_for(0.3)
    return entry, stop, target


async def test_an_entry_that_fills_on_about_when_a_target_fills_has_its_stop_asked_for() -> None:
    """Between the two nothing was open, and the exchange has ended the stop: found by simulation."""
    office = Office()
    async with office.at_work():
        entry, stop, target = await _in_parts(office)
        office.account.news_of[stop.client_order_id] = status_news(stop, S.EXPIRED)
        office.trader.hear(fill_news(entry, "0.5", "100", fill_id="f2"))
        office.trader.hear(fill_news(target, "0.5", "110", fill_id="f3"))

        await office.time.run_for(1)

        assert stop.client_order_id in office.account.asked
        assert office.account.last(P.STOP).client_order_id != stop.client_order_id


async def test_a_target_alone_puts_no_stop_in_doubt() -> None:
    """Where no entry can fill any more the stop rests as long as something is open."""
    office = Office()
    async with office.at_work():
        entry, stop, target = await _in_parts(office)
        office.trader.hear(fill_news(entry, "0.5", "100", fill_id="f2"))
        await office.time.run_for(0.6)
        office.account.asked.clear()
        half = fill_news(target, "0.2", "110", fill_id="f3", status=S.PARTIALLY_FILLED)
        office.trader.hear(half)

        await office.time.run_for(1)

        assert stop.client_order_id not in office.account.asked

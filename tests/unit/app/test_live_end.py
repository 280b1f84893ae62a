"""The end of a run: an entry that is on its way by then is not left without a stop."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from tests.support.desk import PLAN, P
from tests.support.exchanges import fill_news, status_news
from tests.support.office import Office, TellingAccount
from tests.support.trading import SYMBOL, intent
from tests.support.virtual_time import VirtualTime

from milobot.app.live_end import SETTLED_WITHIN_S, settle
from milobot.domain.orders import Order, OrderStatus, OrderUpdate


@dataclass
class SlowAccount(TellingAccount):
    """Takes its time to say a price; all orders come to rest, an entry fills at once.

    Attributes:
        time: Waited by.
        price_s: How long a price takes.
        is_filling: Whether entries fill.
    """

    time: VirtualTime = field(default_factory=VirtualTime)
    price_s: float = 0.0
    is_filling: bool = True

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Say it late."""
        await self.time.sleep(self.price_s)
        return await super().fetch_last_price(symbol)

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Answer an entry with its fill."""
        await super().place_order(order)
        if order.purpose is P.ENTRY and self.is_filling:
            return (fill_news(order, "1", "100", fill_id="f1"),)
        return (status_news(order, OrderStatus.SUBMITTED),)


@pytest.mark.parametrize("price_s", [0.0, 1.5])
async def test_an_entry_that_is_being_decided_at_the_end_gets_its_stop(price_s: float) -> None:
    """Its slot shows nothing while its price is looked up: the end came too early there."""
    account = SlowAccount(price_s=price_s)
    office = Office(account=account)
    account.time = office.time
    async with office.at_work(), asyncio.TaskGroup() as tasks:
        tasks.create_task(office.trader.submit(intent(PLAN)))
        await office.time.run_for(0.001)
        ending = tasks.create_task(settle(office.trader, office.engine, office.time.sleep))
        while not ending.done():
            await office.time.run_for(0.05)

        stops = [order for order in account.placed if order.purpose is P.STOP]
        assert len(stops) == 1
        assert not office.trader.is_deciding
    assert office.engine.slot(SYMBOL).position.quantity == 1


async def test_what_never_settles_does_not_hold_up_the_end() -> None:
    """The supervisor would kill the process a little later."""
    account = SlowAccount(price_s=60)
    office = Office(account=account)
    account.time = office.time
    async with office.at_work(), asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(office.trader.submit(intent(PLAN)))
        await office.time.run_for(0.001)
        ending = tasks.create_task(settle(office.trader, office.engine, office.time.sleep))
        await office.time.run_for(SETTLED_WITHIN_S + 0.1)

        assert ending.done()
        assert office.trader.is_deciding
        asking.cancel()


async def test_an_entry_that_rests_is_withdrawn_once() -> None:
    """It could fill when nobody is there any more to protect it."""
    account = SlowAccount(is_filling=False)
    office = Office(account=account)
    account.time = office.time
    async with office.at_work(), asyncio.TaskGroup() as tasks:
        tasks.create_task(office.trader.submit(intent(PLAN)))
        await office.time.run_for(0.01)
        tasks.create_task(settle(office.trader, office.engine, office.time.sleep))
        await office.time.run_for(SETTLED_WITHIN_S + 0.1)

    assert [order.purpose for order in account.cancelled] == [P.ENTRY]

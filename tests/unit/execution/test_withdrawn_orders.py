"""An order that is withdrawn: asked for once, and its end on record."""

from dataclasses import replace

from tests.support.desk import P, S
from tests.support.exchanges import status_news
from tests.support.office import Office, TellingAccount, listed
from tests.support.trading import SYMBOL, dec

from milobot.domain.ids import client_order_id
from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderType, OrderUpdate


class ObedientAccount(TellingAccount):
    """An account that confirms every cancel."""

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Take the order away and say so."""
        self.cancelled.append(order)
        self.resting = [o for o in self.resting if o.client_order_id != order.client_order_id]
        return (status_news(order, S.CANCELLED),)


def _target(number: int = 0) -> Order:
    return Order(
        client_order_id=client_order_id("paper:default", "k1", P.TARGET, number),
        intent_key="k1",
        symbol=SYMBOL,
        side=Side.SELL,
        type=OrderType.TAKE_PROFIT_MARKET,
        purpose=P.TARGET,
        quantity=dec("1"),
        created_ms=0,
        status=S.SUBMITTED,
        reduce_only=True,
        trigger_price=dec("110"),
    )


async def test_a_lost_exit_of_a_flat_symbol_is_cancelled_once_and_its_end_recorded() -> None:
    """Nothing else ever happens in the symbol that would have taken the answer along."""
    account = ObedientAccount()
    office = Office(account=account)
    lost = _target()
    account.resting.append(replace(listed(lost), close_position=False))

    async with office.at_work():
        await office.time.run_for(60)

    assert [order.client_order_id for order in account.cancelled] == [lost.client_order_id]
    assert office.journal.latest[lost.client_order_id].status is S.CANCELLED
    assert not office.engine.recorder.holds(SYMBOL)


async def test_what_has_ended_since_it_was_found_is_not_brought_back() -> None:
    """The comparison saw it rest; until its turn came, somebody had cancelled it."""
    office = Office(account=(account := ObedientAccount()))
    found = _target()
    await office.engine.adopt(found)
    await office.engine.apply(status_news(found, S.CANCELLED))

    await office.engine.withdraw(found)

    assert account.cancelled == []
    assert office.journal.latest[found.client_order_id].status is S.CANCELLED


async def test_the_answer_to_a_withdrawal_is_on_record_when_it_returns() -> None:
    """A process that dies right after it must not leave an order that nobody asks for."""
    office = Office(account=ObedientAccount())
    found = _target()
    await office.engine.adopt(found)

    await office.engine.withdraw(found)

    assert office.journal.latest[found.client_order_id].status is S.CANCELLED


async def test_what_nothing_followed_is_put_on_record_at_the_next_look() -> None:
    """News that is booked while the trader is kept from looking at what follows from it."""
    office = Office(account=ObedientAccount())
    found = _target()
    async with office.at_work():
        await office.engine.adopt(found)
        await office.engine.book(status_news(found, S.CANCELLED))
        assert office.engine.recorder.holds(SYMBOL)

        await office.time.run_for(0.6)

        assert office.journal.latest[found.client_order_id].status is S.CANCELLED

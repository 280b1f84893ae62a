"""Exits asked for one by one: what not being found says, and of which of them it says nothing."""

from dataclasses import dataclass, field
from typing import cast

from tests.support.desk import Desk, P
from tests.support.exchanges import AttachingExchange

from milobot.domain.orders import Order, OrderStatus, OrderUpdate
from milobot.execution.engine import ExecutionEngine
from milobot.execution.stop_check import StopCheck
from milobot.ports import ExchangeAccount
from milobot.simulation.clock import ReplayClock


@dataclass
class Forgetful:
    """An account that knows no order, and notes which it was asked for."""

    asked: list[Order] = field(default_factory=list)

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Find nothing."""
        self.asked.append(order)
        return None


async def checked(engine: ExecutionEngine) -> tuple[list[Order], list[OrderUpdate]]:
    """Verify all exits; return what was asked for and what came of it."""
    account, told = Forgetful(), list[OrderUpdate]()

    async def heard(update: OrderUpdate) -> None:
        told.append(update)

    async def sleep(seconds: float) -> None:
        del seconds

    exchange = cast(ExchangeAccount, account)
    await StopCheck(engine, exchange, ReplayClock(), sleep, heard, 0.25).verify("")
    return account.asked, told


async def test_an_exit_that_is_twice_not_found_has_ended_with_its_trigger() -> None:
    """One answer may be older than the order."""
    desk = Desk()
    await desk.opened()

    asked, told = await checked(desk.engine)

    assert [order.purpose for order in asked[:2]] == [P.STOP, P.TARGET]
    assert {update.status for update in told} == {OrderStatus.EXPIRED}
    assert told[0].client_order_id == asked[0].client_order_id


async def test_what_comes_with_an_entry_is_not_missed_while_that_may_fill() -> None:
    """Found by kill -9: it was given up for never having rested, and rested a moment later."""
    desk = Desk(exchange=AttachingExchange())
    await desk.enter()

    assert await checked(desk.engine) == ([], [])

"""A live account starts: what is open is protected first, whatever else cannot be asked."""

import asyncio
from decimal import Decimal

from tests.support.crash.exposure import is_protected
from tests.support.crash.market import exchange_for
from tests.support.crash.wishes import PRICES
from tests.support.local_clients import plain_client

from milobot.app.live_account import LiveAccount, LivePlan
from milobot.domain.governor import GovernorState
from milobot.domain.intents import (
    Distance,
    DistanceKind,
    Enter,
    PositionSide,
    Size,
    SizeKind,
    TradeIntent,
)
from milobot.exchanges.binance.requests import WEIGHT
from milobot.exchanges.limits import Usage
from milobot.execution.engine import EngineConfig
from milobot.execution.governor import Governor
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY
from milobot.storage.memory import MemoryJournal

SYMBOL = "BTCUSDT"
PROMISE_S = 2.0
ENTRY = Enter(
    side=PositionSide.LONG,
    size=Size(SizeKind.BASE, Decimal("0.01")),
    leverage=5,
    stop=Distance(DistanceKind.PERCENT, Decimal("0.03")),
)


async def _run(exchange: LocalExchange, journal: MemoryJournal, *, used: int, trade: bool) -> None:
    """Run an account until its position has a stop; enter first, or find one that has none.

    Args:
        exchange: Where.
        journal: What is on record.
        used: Of the budget of a minute, before we come.
        trade: Whether to enter.
    """
    plan = LivePlan(EngineConfig(account="binance:test"), symbols=(SYMBOL,))
    async with plain_client("binance", exchange) as client:
        client.limiter.learn(Usage(WEIGHT, used))
        governor = Governor(GovernorState("binance:test"))
        live = LiveAccount(client, journal, governor, plan, lambda _: None)

        async def work() -> None:
            now_ms = client.clock.now_ms()
            await live.trader.submit(
                TradeIntent(
                    key="k",
                    owner="test",
                    symbol=SYMBOL,
                    time_ms=now_ms,
                    action=ENTRY,
                    reference_price=PRICES[SYMBOL],
                    due_ms=now_ms,
                )
            )

        async def idle() -> None:
            await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(live.run(work if trade else idle))
            await _protected(exchange)
            running.cancel()


async def _protected(exchange: LocalExchange) -> None:
    account = exchange.venues["binance"].accounts[DEFAULT_KEY]
    for _ in range(round(PROMISE_S / 0.02)):
        held = account.books.get(SYMBOL)
        if held is not None and not held.position.is_flat and is_protected(account, SYMBOL):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the position has no stop")


async def test_a_start_protects_what_is_open_although_the_budget_of_questions_is_used_up() -> None:
    """The process before it, on the same address, used it up: nobody else protects meanwhile."""
    journal = MemoryJournal()
    async with exchange_for("binance", 1) as exchange:
        await _run(exchange, journal, used=0, trade=True)
        account = exchange.venues["binance"].accounts[DEFAULT_KEY]
        async with plain_client("binance", exchange) as somebody:
            for order in [o for o in journal.latest.values() if o.type.is_conditional]:
                await somebody.account.cancel_order(order)
        assert not is_protected(account, SYMBOL)

        await _run(exchange, journal, used=2_000, trade=False)

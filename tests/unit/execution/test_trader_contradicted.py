"""A trader that is contradicted, superseded or told nothing: it goes on, and compares."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import pytest
from tests.support.desk import PLAN, P, S
from tests.support.exchanges import SilentExchange, fill_news, status_news
from tests.support.office import Office, TellingAccount, listed, long_position
from tests.support.trading import SYMBOL, intent

from milobot.domain.alerts import AlertKind
from milobot.domain.decisions import Decision
from milobot.domain.intents import Close
from milobot.domain.orders import Order, OrderUpdate, Refusal
from milobot.domain.reports import (
    AccountNews,
    NewsKind,
)
from milobot.errors import (
    LeaseLostError,
    OrderTransitionError,
)
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.ports import ExchangeAccount, Record
from milobot.simulation.clock import ReplayClock
from milobot.storage.memory import MemoryJournal


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


class ContradictoryExchange(SilentExchange):
    """Answers a cancel as two sources that do not agree on why the order ended."""

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Say both."""
        await super().cancel_order(order)
        return status_news(order, S.CANCELLED), status_news(order, S.EXPIRED)


async def _closed_in_contradiction(engine: ExecutionEngine, exchange: SilentExchange) -> Decision:
    await engine.accept(intent(PLAN))
    for purpose, price in ((P.ENTRY, "100"), (P.CLOSE, "101")):
        if purpose is P.CLOSE:
            await engine.apply(status_news(exchange.last(P.STOP), S.SUBMITTED))
            await engine.accept(intent(Close(), key="k2"))
        order = exchange.last(purpose)
        await engine.apply(fill_news(order, "1", price, fill_id=purpose.value))
    return await engine.accept(intent(Close(), key="k3"))


async def test_answer_that_contradicts_the_books_does_not_end_who_asked_for_a_trade() -> None:
    """Found by kill -9: a stop was CANCELLED in the books and EXPIRED in the answer to a cancel."""
    exchange = ContradictoryExchange()
    engine = ExecutionEngine(exchange, MemoryJournal(), ReplayClock(), EngineConfig())
    found: list[str] = []
    engine.contradicted = lambda symbol, error: found.append(f"{symbol}: {error}")

    decision = await _closed_in_contradiction(engine, exchange)

    assert decision.code == "already_flat"
    assert found
    assert "is CANCELLED here and EXPIRED at the exchange" in found[0]


async def test_back_test_does_not_pass_over_a_contradiction() -> None:
    """There nobody compares afterwards: it is a mistake of ours, to be seen at once."""
    exchange = ContradictoryExchange()
    engine = ExecutionEngine(exchange, MemoryJournal(), ReplayClock(), EngineConfig())

    with pytest.raises(OrderTransitionError, match="EXPIRED at the exchange"):
        await _closed_in_contradiction(engine, exchange)


async def test_contradicting_answer_is_told_and_leads_to_a_comparison(office: Office) -> None:
    """Two sources disagree: the next look at the account decides."""
    async with office.at_work():
        rounds = office.reconciler.rounds
        assert office.engine.contradicted is not None

        office.engine.contradicted(SYMBOL, OrderTransitionError("no longer"))
        await office.time.run_for(1.5)

        assert office.reconciler.rounds > rounds
    assert [a.kind for a in office.told] == [AlertKind.CONTRADICTION]


class LosingJournal(MemoryJournal):
    """Loses the lease at a commit; ``then`` is called while whoever wrote is being ended."""

    def __init__(self) -> None:
        """Hold the lease."""
        super().__init__()
        self.then: Callable[[], None] | None = None

    async def commit(self, *records: Record) -> None:
        """Keep the records, or say that the lease is lost."""
        if self.then is None:
            await super().commit(*records)
            return
        loop = asyncio.get_running_loop()
        # Two turns of the loop later the failed task has told its group, and no one else yet.
        loop.call_soon(loop.call_soon, self.then)
        raise LeaseLostError("another process leads the account now")


async def _lose_the_lease(office: Office, journal: LosingJournal, hear: Callable[[], None]) -> None:
    """Enter, and lose the lease at the commit that follows from the fill."""
    async with office.at_work():
        await office.trader.submit(intent(PLAN))
        journal.then = hear
        office.trader.hear(fill_news(office.account.last(P.ENTRY), "1", "100", fill_id="f1"))
        await office.time.run_for(1)


async def test_news_in_the_moment_the_lease_is_lost_does_not_end_the_process() -> None:
    """Found by freezing leaders: a task was begun in a group that was ending, and all ended."""
    journal = LosingJournal()
    office = Office(journal)
    heard: list[str] = []

    def hear() -> None:
        office.trader.hear(fill_news(office.account.last(P.ENTRY), "1", "100", fill_id="f2"))
        heard.append("f2")

    with pytest.raises(ExceptionGroup) as ended:
        await _lose_the_lease(office, journal, hear)

    assert heard
    assert ended.group_contains(LeaseLostError)
    assert not ended.group_contains(RuntimeError)


async def test_after_an_entry_was_given_up_the_account_is_compared_more_often(
    office: Office,
) -> None:
    """An exchange that is slower than assumed shows the fill later, and nobody tells of it."""
    async with office.at_work():
        await office.time.run_for(70)
        await office.trader.submit(intent(PLAN))
        await office.time.run_for(20)  # past the fence, and asked twice
        assert office.engine.slot(SYMBOL).is_idle
        before = office.account.listings
        await office.time.run_for(45)

        assert office.account.listings >= before + 4


async def test_a_stop_whose_trigger_was_refused_is_not_waited_for(office: Office) -> None:
    """The order's own news may be lost, and a listing may still show it: the position is bare."""
    async with office.at_work():
        await _entered(office)
        for purpose in (P.STOP, P.TARGET):
            order = office.account.last(purpose)
            office.trader.hear(status_news(order, S.SUBMITTED))
            office.account.news_of[order.client_order_id] = status_news(order, S.SUBMITTED)
        stop = office.account.last(P.STOP)
        await office.time.run_for(0.5)
        del office.account.news_of[stop.client_order_id]

        office.trader.hear(AccountNews(NewsKind.TRIGGER_REJECTED, office.time.now_ms(), SYMBOL))
        await office.time.run_for(2)

        after = [o for o in office.account.placed if o.created_ms > stop.created_ms]
        assert {o.purpose for o in after} & {P.STOP, P.CLOSE}


async def test_one_answer_that_knows_no_stop_does_not_end_it(office: Office) -> None:
    """It may be older than the stop; given up, that would rest on beside its successor."""
    async with office.at_work():
        await _entered(office)
        stop = office.account.last(P.STOP)
        office.trader.hear(status_news(stop, S.SUBMITTED))
        office.account.news_of[stop.client_order_id] = status_news(stop, S.SUBMITTED)
        await office.time.run_for(0.5)
        office.trader.hear(AccountNews(NewsKind.TRIGGER_REJECTED, office.time.now_ms(), SYMBOL))
        await office.time.run_for(0.3)

        del office.account.news_of[stop.client_order_id]
        await office.time.run_for(0.2)
        office.account.news_of[stop.client_order_id] = status_news(stop, S.SUBMITTED)
        await office.time.run_for(1)

        assert stop.client_order_id in {
            o.client_order_id for o in office.engine.slot(SYMBOL).orders
        }


async def test_stops_are_asked_for_once_at_the_start(office: Office) -> None:
    """The listing at the start may still show one that has ended since."""
    async with office.at_work():
        await _entered(office)
        stop = office.account.last(P.STOP)
        office.trader.hear(status_news(stop, S.SUBMITTED))
        await office.time.run_for(0.05)
    again = Office(office.journal)
    again.account.resting = [listed(stop)]
    again.account.held = [long_position(office.time.now_ms())]
    again.account.news_of[stop.client_order_id] = status_news(stop, S.EXPIRED)

    async with again.at_work(await office.journal.load()):
        await again.time.run_for(0.3)

        assert again.account.asked.count(stop.client_order_id) == 1
        assert again.account.last(P.STOP).client_order_id != stop.client_order_id


async def test_account_that_says_nothing_is_held_is_compared_at_intervals(office: Office) -> None:
    """Two looks have to lie apart to count; more of them only use up the allowance."""
    async with office.at_work():
        await _entered(office)
        office.engine._books.keep(
            replace(office.engine.slot(SYMBOL), hindrances=frozenset({Refusal.NOTHING_TO_REDUCE}))
        )
        office.account.held = [long_position(office.time.now_ms())]
        before = office.account.listings

        await office.time.run_for(6)

        assert 4 <= office.account.listings - before <= 7


@dataclass
class CountingAccount(TellingAccount):
    """Counts how many questions about single orders wait for their answers at the same time."""

    waiting: int = 0
    most: int = 0

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Answer a moment later."""
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(0)
        self.waiting -= 1
        return await super().fetch_update(order)


async def test_what_a_comparison_needs_is_asked_at_the_same_time(office: Office) -> None:
    """One after the other, ten answers take the second that a position without a stop has left."""
    await office.engine.accept(intent(PLAN))
    await office.engine.apply(fill_news(office.account.last(P.ENTRY), "1", "100", fill_id="f1"))
    for purpose in (P.STOP, P.TARGET):
        await office.engine.apply(status_news(office.account.last(purpose), S.SUBMITTED))
    await office.time.run_for(1)
    account = CountingAccount(held=[long_position(office.time.now_ms())])
    office.reconciler.account = cast(ExchangeAccount, account)

    await office.reconciler.run()

    assert account.most == 2
    assert len(account.asked) == 2

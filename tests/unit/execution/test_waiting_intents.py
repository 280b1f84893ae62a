"""Who waits for a slot to be flat is on record, or is told that nothing will come of it."""

import pytest
from tests.support.desk import PLAN, P, S
from tests.support.exchanges import SilentExchange, fill_news, status_news
from tests.support.journals import FailingJournal
from tests.support.trading import SYMBOL, at_price, base, enter_short, intent

from milobot.domain.decisions import Decision, Outcome
from milobot.domain.orders import OrderPurpose
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.simulation.clock import ReplayClock

TURN = intent(enter_short(base("1"), stop=at_price("105")), key="k2")


class Turning:
    """An engine in a long position, with a ledger that can be away."""

    def __init__(self) -> None:
        """Start flat."""
        self.exchange = SilentExchange()
        self.journal = FailingJournal()
        self.engine = ExecutionEngine(self.exchange, self.journal, ReplayClock(), EngineConfig())

    async def enter(self) -> None:
        """Enter, and let the exits rest."""
        await self.engine.accept(intent(PLAN))
        await self.fill(P.ENTRY)
        for purpose in (P.STOP, P.TARGET):
            await self.engine.apply(status_news(self.exchange.last(purpose), S.SUBMITTED))

    async def fill(self, purpose: OrderPurpose) -> None:
        """Fill the last order of a purpose."""
        news = fill_news(self.exchange.last(purpose), "1", "100", fill_id=purpose.value)
        await self.engine.apply(news)

    async def leave(self) -> None:
        """Fill the close, and end the exits."""
        await self.fill(P.CLOSE)
        for order in self.engine.slot(SYMBOL).orders:
            await self.engine.apply(status_news(order, S.CANCELLED))

    async def latest(self) -> Decision:
        """Return the decision about the reversal that stands on record."""
        found = await self.journal.find_decision(TURN.key)
        assert found is not None
        return found


@pytest.fixture
async def turning() -> Turning:
    """Return an engine in a long position."""
    turning = Turning()
    await turning.enter()
    return turning


async def test_a_reversal_that_no_ledger_takes_closes_and_is_denied(turning: Turning) -> None:
    """Accepted and not on record, its second half would be lost with the process, silently."""
    turning.journal.is_away = True

    decision = await turning.engine.accept(TURN)

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "ledger_unavailable")
    assert "nothing is entered" in decision.reason
    assert turning.exchange.placed[-1].purpose is P.CLOSE, "getting out is always possible"
    turning.journal.is_away = False
    await turning.leave()
    assert await turning.engine.recorder.catch_up()
    assert [o.purpose for o in turning.exchange.placed].count(P.ENTRY) == 1
    assert await turning.latest() == decision
    assert turning.engine.slot(SYMBOL).is_free


async def test_a_reversal_on_record_survives_the_process(turning: Turning) -> None:
    """Accepted means that whoever comes after finds it, and enters once flat."""
    assert (await turning.engine.accept(TURN)).outcome is Outcome.ACCEPTED

    turning.engine = ExecutionEngine(
        turning.exchange, turning.journal, ReplayClock(), EngineConfig()
    )
    turning.engine.restore(await turning.journal.load())
    await turning.leave()

    assert turning.exchange.placed[-1].intent_key == TURN.key


async def test_who_waits_is_told_when_somebody_closes_the_position(turning: Turning) -> None:
    """``milobot close`` ends the reversal, too: accepted for ever would be no recorded end."""
    await turning.engine.accept(TURN)

    await turning.engine.close_position(SYMBOL, "by hand")
    await turning.leave()

    assert (await turning.latest()).code == "slot_busy"
    assert "by hand" in (await turning.latest()).reason
    assert [o.purpose for o in turning.exchange.placed].count(P.ENTRY) == 1

"""Where somebody else holds something, nothing is entered; what is ours may be closed."""

import pytest
from tests.support.desk import PLAN, Desk, P
from tests.support.trading import SYMBOL, at_price, base, enter_short, intent

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Close
from milobot.execution.findings import Code


@pytest.mark.parametrize("code", [Code.FOREIGN_POSITION, Code.FOREIGN_ORDERS])
async def test_nothing_is_entered_beside_what_is_not_ours(code: Code) -> None:
    """In one-way mode our stop would close, and our entry add to, what is somebody else's."""
    desk = Desk()
    await desk.engine.block(SYMBOL, code)

    decision = await desk.engine.accept(intent(PLAN))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, code.value)
    assert "until it is gone" in decision.reason
    assert [(gate.name, gate.is_passed) for gate in decision.gates] == [("foreign", False)]
    assert desk.exchange.placed == []


async def test_what_is_gone_lets_the_next_entry_pass() -> None:
    """A block that nobody lifts would end trading in the symbol for good."""
    desk = Desk()
    await desk.engine.block(SYMBOL, Code.FOREIGN_ORDERS)
    await desk.engine.block(SYMBOL, "")

    decision = await desk.engine.accept(intent(PLAN))

    assert decision.outcome is Outcome.ACCEPTED


async def test_a_blocked_slot_can_still_be_closed() -> None:
    """Our own part must not be held captive by what somebody added to it."""
    desk = Desk()
    await desk.opened()
    await desk.engine.block(SYMBOL, Code.POSITION_LARGER)

    decision = await desk.engine.accept(intent(Close(), key="k2"))

    assert decision.outcome is Outcome.ACCEPTED
    assert desk.exchange.last(P.CLOSE).quantity == 1


async def test_a_reversal_in_a_blocked_slot_closes_and_enters_nothing() -> None:
    """Its first half is wanted and safe, its second is an entry like any other."""
    desk = Desk()
    await desk.opened()
    await desk.engine.block(SYMBOL, Code.POSITION_LARGER)
    await desk.engine.accept(intent(enter_short(base("1"), stop=at_price("105")), key="k2"))

    await desk.fill(desk.exchange.last(P.CLOSE), "1", "100", "f2")
    for order in desk.slot.orders:
        await desk.tell(order, order.status.CANCELLED)

    latest = await desk.journal.find_decision("k2")
    assert latest is not None
    assert (latest.outcome, latest.code) == (Outcome.DENIED, "position_larger")
    assert [o.purpose for o in desk.exchange.placed].count(P.ENTRY) == 1

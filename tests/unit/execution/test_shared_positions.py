"""Somebody else adds to a position of ours: ours stays guarded, by its quantity, and theirs theirs."""

from dataclasses import replace

import pytest
from tests.support.desk import PLAN, Desk, P, S
from tests.support.exchanges import status_news
from tests.support.reconciling import World
from tests.support.trading import SYMBOL, dec, intent

from milobot.domain.decisions import Outcome
from milobot.domain.orders import Order, Refusal
from milobot.domain.slots import PositionState, is_covered, position_state
from milobot.execution.findings import Code


async def shared() -> tuple[Desk, Order]:
    """Return a desk whose position somebody has added to, and its first stop."""
    desk = Desk()
    await desk.opened()
    first = desk.exchange.last(P.STOP)
    assert first.close_position
    await desk.engine.block(SYMBOL, Code.POSITION_LARGER)
    await desk.engine.look_again(SYMBOL)
    return desk, first


async def test_a_stop_for_ours_alone_rests_before_the_one_for_everything_leaves() -> None:
    """A close-position stop would sell what somebody else bought; no moment goes without any."""
    desk, first = await shared()

    stop = desk.exchange.last(P.STOP)
    assert (stop.close_position, stop.reduce_only, stop.quantity) == (False, True, dec("1"))
    assert stop.trigger_price == first.trigger_price
    assert desk.exchange.cancelled == []
    await desk.tell(stop, S.SUBMITTED)
    assert [o.client_order_id for o in desk.exchange.cancelled] == [first.client_order_id]
    await desk.tell(first, S.CANCELLED)

    assert position_state(desk.slot) is PositionState.PROTECTED
    assert desk.exchange.last(P.STOP) is stop, "no other stop for everything is placed"


async def test_the_stop_for_everything_comes_back_when_the_position_is_ours_alone() -> None:
    """It is the better backstop: whatever our books miss, it closes."""
    desk, first = await shared()
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.SUBMITTED)
    await desk.tell(first, S.CANCELLED)

    await desk.engine.block(SYMBOL, "")
    await desk.engine.look_again(SYMBOL)

    again = desk.exchange.last(P.STOP)
    assert again.close_position
    assert is_covered(desk.slot)
    await desk.tell(again, S.SUBMITTED)
    assert desk.exchange.cancelled[-1].client_order_id == stop.client_order_id


@pytest.mark.parametrize("refusal", [Refusal.TOO_MANY_ORDERS, Refusal.UNAVAILABLE])
async def test_the_stop_for_everything_stays_while_none_for_ours_is_taken(refusal: Refusal) -> None:
    """Better to close theirs with ours than to leave ours without a stop."""
    desk, _ = await shared()
    refused = status_news(desk.exchange.last(P.STOP), S.REJECTED)

    await desk.engine.apply(replace(refused, refusal=refusal))

    assert desk.exchange.cancelled == []
    assert (desk.slot.closing, is_covered(desk.slot)) == ("", True)


async def test_a_stop_that_takes_our_part_leaves_theirs_reported_and_nothing_entered() -> None:
    """The slot is free of ours, and still no place for an entry: the rest is somebody's."""
    world = World()
    _, stop, target = await world.opened()
    world.others_trade("3")
    await world.converge()
    assert world.slot.blocked == Code.POSITION_LARGER

    await world.fill(stop, "1")
    await world.end(target, S.CANCELLED)
    world.later(1)
    await world.reconcile()

    assert (world.slot.is_idle, world.stand()) == (True, dec("3"))
    assert (world.slot.blocked, world.codes) == (Code.FOREIGN_POSITION, ["foreign_position"])
    (trip,) = world.journal.round_trips
    assert (trip.quantity, trip.exit_reason) == (dec("1"), "stop")
    world.others_trade("-3")
    await world.converge(3)
    assert world.slot.blocked == ""


async def test_no_entry_passes_between_our_stop_and_the_next_comparison() -> None:
    """The block outlives the position: what was larger than ours is not gone with ours."""
    desk, first = await shared()
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.SUBMITTED)
    await desk.fill(stop, "1", "95", "f2")
    for order in (first, desk.exchange.last(P.TARGET)):
        await desk.tell(order, S.CANCELLED)

    decision = await desk.engine.accept(intent(PLAN, key="k2"))

    assert desk.slot.owner == ""
    assert (decision.outcome, decision.code) == (Outcome.DENIED, "position_larger")

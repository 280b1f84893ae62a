"""Which order at the exchange is which of ours, when it has lost its name or its place."""

from dataclasses import replace

import pytest
from tests.support.reconciling import P, S, World, state, status
from tests.support.trading import dec

from milobot.domain.intents import Side
from milobot.domain.orders import OrderStatus, OrderType
from milobot.execution.doubt import Terms
from milobot.execution.findings import Snapshot
from milobot.execution.listing import sort_listing


async def test_a_stop_without_a_name_is_recognized_by_what_it_does() -> None:
    """BingX keeps no id of ours; this one was sent just before a crash, its answer lost."""
    world = World()
    order = await world.record(world.order(P.STOP))
    remote = world.arrive(order, takes_id=False)
    world.later(1)

    await world.reconcile()

    assert status(world, order) is S.SUBMITTED
    assert world.journal.latest[order.client_order_id].exchange_order_id == remote.exchange_id
    assert world.slot.blocked == ""


async def test_two_stops_without_names_are_not_both_the_same_order() -> None:
    """The second is somebody else's, or of an earlier try: not the one we recognize."""
    world = World()
    order = await world.record(world.order(P.STOP))
    world.arrive(order, takes_id=False)
    twin = replace(order, client_order_id="somebody")
    world.arrive(twin, takes_id=False)

    listing = sort_listing(world.listed(), [order], [])

    assert len(listing.live) == len(listing.foreign) == 1


async def test_what_has_another_trigger_or_side_is_not_recognized() -> None:
    """Doing nearly the same is not being the same."""
    world = World()
    order = await world.record(world.order(P.STOP))
    world.arrive(replace(order, trigger_price=dec("94")), takes_id=False)

    listing = sort_listing(world.listed(), [order], [])

    assert (len(listing.live), len(listing.foreign)) == (0, 1)


async def test_a_name_that_was_never_told_is_learnt_from_the_listing() -> None:
    """Without it a restart could not tell our executions from others'."""
    world = World()
    order = await world.record(world.order(P.STOP))
    remote = world.arrive(order)
    kept = world.journal.latest[order.client_order_id]
    await world.books.change(world.slot, replace(kept, status=S.SUBMITTED))
    await world.books.change(world.slot.with_order(replace(kept, status=S.SUBMITTED)))
    world.later(1)

    await world.reconcile()
    findings = await world.look()

    assert world.journal.latest[order.client_order_id].exchange_order_id == remote.exchange_id
    assert findings.updates == ()


async def test_an_entry_refused_and_executed_all_the_same_is_booked() -> None:
    """Otherwise a position without a stop would pass for somebody else's."""
    world = World()
    entry = await world.send(world.order(P.ENTRY))
    await world.end(entry, S.REJECTED)
    world.later(60)
    world.execute(entry, dec("1"))

    await world.converge(2)

    assert world.slot.position.quantity == dec("1")


async def test_a_symbol_that_cannot_be_judged_keeps_its_notices() -> None:
    """What stands is not news again after a request was under way."""
    world = World()
    await world.opened()
    world.others_rest()
    await world.converge(2)

    with world.books.busy(world.slot.live(P.STOP)[0]):
        await world.converge(1)
    await world.converge(1)

    assert world.codes == []
    assert len(world.last.notices) == 1


async def test_an_account_that_was_never_used_agrees() -> None:
    """Nothing here, nothing there."""
    findings = await World().look(Snapshot(asked_ms=5))

    assert findings.is_converged
    assert Terms().apart_ms == 2_000


async def test_a_short_position_of_a_lost_record_is_recognized_by_side() -> None:
    """A resting buy that reduces is an exit whatever its kind."""
    world = World()
    order = replace(world.order(P.CLOSE, side=Side.BUY), type=OrderType.LIMIT, intent_key="before")
    lost = world.arrive(order)

    await world.converge(2)

    assert state(lost) is S.CANCELLED
    assert world.slot.orders == ()


async def test_an_entry_given_up_is_found_by_its_execution_alone() -> None:
    """The exchange forgot the order, but had told its name before."""
    world = World()
    entry = await world.send(world.order(P.ENTRY))
    for told in (S.UNKNOWN, S.NOT_EXECUTED):
        await world.end(entry, told)
    entry.is_known = False
    world.later(60)
    world.execute(entry, dec("0.4"))
    entry.status = S.CANCELLED

    await world.converge(1)

    assert world.slot.position.quantity == dec("0.4")
    assert status(world, entry.order) is S.PARTIALLY_FILLED


async def test_an_order_that_only_the_listing_misses_is_left_as_it_is() -> None:
    """Asked for by name the exchange knows it: that answer is the better one."""
    world = World()
    _, stop, _ = await world.opened()
    stop.is_listed = False

    findings = await world.reconcile()

    assert findings.is_converged
    assert status(world, stop.order) is S.SUBMITTED


async def test_a_named_order_is_recognized_by_the_name_it_has_there() -> None:
    """BingX keeps no id of ours, but its own was told when the stop was taken."""
    world = World()
    order = await world.record(world.order(P.STOP))
    remote = world.arrive(order, takes_id=False)
    await world.hear(remote, ())
    world.later(60)

    findings = await world.reconcile()

    assert findings.is_converged


async def test_a_nameless_exit_given_up_too_soon_comes_back() -> None:
    """By what it does, since neither side has a name of the other."""
    world = World()
    await world.opened()
    order = await world.record(world.order(P.STOP))
    remote = world.arrive(order, takes_id=False)
    await world.hear(replace(remote, status=S.NOT_EXECUTED, exchange_id=""), ())
    world.later(1)

    await world.reconcile()

    assert status(world, order) is S.SUBMITTED


async def test_a_vanished_order_that_had_filled_in_part_keeps_its_part() -> None:
    """What is left of it counts as cancelled."""
    world = World()
    await world.opened()
    limit = replace(world.order(P.CLOSE), type=OrderType.LIMIT)
    close = await world.send(limit)
    world.later(60)
    world.execute(close, dec("0.4"))
    close.is_known = close.is_listed = False

    await world.converge(3)

    assert status(world, limit) is S.CANCELLED
    assert world.slot.position.quantity == dec("0.6")


@pytest.mark.parametrize(("filled", "end"), [("1", S.FILLED), ("0.4", S.CANCELLED)])
async def test_a_fill_hidden_by_somebody_else_s_is_found_with_its_order(
    filled: str, end: OrderStatus
) -> None:
    """The positions agree, since they bought what our vanished order had sold."""
    world = World()
    await world.opened()
    limit = replace(world.order(P.CLOSE), type=OrderType.LIMIT)
    close = await world.send(limit)
    world.later(60)
    world.execute(close, dec(filled))
    world.others_trade(filled)
    close.is_known = close.is_listed = False

    await world.converge(2)

    assert status(world, limit) is end
    assert world.slot.position.quantity == 1 - dec(filled)


async def test_an_order_of_another_kind_is_not_recognized_by_what_it_does() -> None:
    """A limit order without a name is nobody's that we know."""
    world = World()
    limit = replace(world.order(P.CLOSE), type=OrderType.LIMIT)
    await world.record(limit)
    world.arrive(limit, takes_id=False)

    listing = sort_listing(world.listed(), [limit], [])

    assert (len(listing.live), len(listing.foreign)) == (0, 1)


async def test_an_order_on_the_wrong_side_is_not_ours_any_more() -> None:
    """No exchange should do that; if one does, it goes."""
    world = World()
    _, stop, _ = await world.opened()
    stop.order = replace(stop.order, side=Side.BUY)

    await world.converge(2)

    assert state(stop) is S.CANCELLED

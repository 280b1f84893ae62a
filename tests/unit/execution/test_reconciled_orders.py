"""What a comparison finds about orders: missing, forgotten, changed, lost, somebody else's."""

from dataclasses import replace

import pytest
from tests.support.reconciling import P, S, World, state, status
from tests.support.trading import dec

from milobot.domain.orders import OrderStatus, OrderType


@pytest.mark.parametrize("end", [S.CANCELLED, S.EXPIRED])
async def test_an_end_that_was_never_told_is_told_by_asking(end: OrderStatus) -> None:
    """Cancelled in the exchange's app, event lost: the engine places the stop anew from here."""
    world = World()
    _, stop, _ = await world.opened()
    await world.end(stop, end, is_heard=False)

    findings = await world.reconcile()

    assert status(world, stop.order) is end
    assert [n.code for n in findings.news] == ["order_news"]
    assert findings.again_ms is None, "the exchange's word about an order is enough"


async def test_a_stop_that_filled_unheard_closes_the_books() -> None:
    """The fill comes under the condition's name although it was listed under its child's."""
    world = World()
    _, stop, target = await world.opened()
    await world.fill(stop, "1", is_heard=False)
    await world.end(target, S.EXPIRED, is_heard=False)

    await world.reconcile()

    (trip,) = world.journal.round_trips
    assert trip.exit_reason == "stop"
    assert world.slot.orders == ()


async def test_a_partial_fill_that_was_never_told_is_asked_for() -> None:
    """The order still rests, with less left of it than we think."""
    world = World()
    _, _, target = await world.opened("2")
    await world.fill(target, "0.5", is_heard=False)

    await world.reconcile()

    assert world.slot.position.quantity == dec("1.5")
    assert status(world, target.order) is S.PARTIALLY_FILLED


async def test_an_order_of_unknown_fate_that_rests_is_known_to_rest() -> None:
    """The listing is an answer too."""
    world = World()
    stop = await world.send(world.order(P.STOP), is_heard=False)
    world.later(1)

    await world.reconcile()

    assert status(world, stop.order) is S.SUBMITTED
    assert world.journal.latest[stop.order.client_order_id].exchange_order_id == stop.exchange_id


async def test_a_vanished_stop_is_given_up_after_two_looks() -> None:
    """Neither listed nor found: the position has to get another one."""
    world = World()
    _, stop, _ = await world.opened()
    stop.is_known = stop.is_listed = False

    await world.converge(1)
    assert status(world, stop.order) is S.SUBMITTED
    await world.converge(1)

    assert status(world, stop.order) is S.CANCELLED
    assert world.codes == ["order_vanished"]
    assert world.slot.position.quantity == 1


async def test_a_stop_that_is_too_young_to_be_seen_is_not_given_up() -> None:
    """Listings and queries served as of some seconds ago do not know it yet."""
    world = World()
    await world.opened()
    stop = await world.send(world.order(P.STOP))
    stop.is_known = stop.is_listed = False

    await world.converge(3)
    assert status(world, stop.order) is S.SUBMITTED
    stop.is_known = stop.is_listed = True
    await world.converge(3)

    assert status(world, stop.order) is S.SUBMITTED
    assert world.last.is_converged


async def test_a_vanished_order_takes_its_fills_with_it() -> None:
    """The exchange forgets orders that ended, but not what was executed."""
    world = World()
    await world.opened()
    close = await world.send(world.order(P.CLOSE))
    close.order = limit = replace(close.order, type=OrderType.LIMIT)
    await world.books.change(world.slot.with_order(replace(limit, status=S.SUBMITTED)), limit)
    await world.hear(close, ())
    world.later(60)
    world.execute(close, dec("1"))
    close.is_known = False

    await world.converge(2)

    assert status(world, close.order) is S.FILLED
    assert world.slot.position.is_flat


async def test_a_stop_changed_by_hand_is_withdrawn() -> None:
    """Its trigger was moved in the exchange's app: ours is placed anew, at the planned level."""
    world = World()
    _, stop, _ = await world.opened()
    stop.trigger = dec("80")

    await world.converge(1)
    assert state(stop) is S.SUBMITTED
    await world.converge(1)

    assert state(stop) is S.CANCELLED
    assert status(world, stop.order) is S.CANCELLED
    assert world.codes == ["order_altered"]


async def test_an_exit_given_up_too_soon_comes_back_when_it_rests() -> None:
    """It was sent anew in between; which one is too many the engine decides, knowing both."""
    world = World()
    await world.opened()
    stop = await world.send(world.order(P.STOP), is_heard=False)
    stop.is_known = False
    world.later(3)
    await world.ask()
    assert status(world, stop.order) is S.NOT_EXECUTED

    stop.is_known = True
    world.later(1)
    await world.reconcile()

    assert status(world, stop.order) is S.SUBMITTED
    assert world.last.withdraw == ()


async def test_an_entry_given_up_that_rests_after_all_is_withdrawn() -> None:
    """Nobody waits for it any more."""
    world = World()
    entry = await world.send(world.order(P.ENTRY), is_heard=False)
    await world.end(entry, S.NOT_EXECUTED)
    entry.status = S.SUBMITTED
    world.later(60)

    await world.reconcile()

    assert entry.status is S.CANCELLED
    assert world.slot.orders == ()


async def test_an_entry_given_up_that_has_filled_a_part_is_flattened() -> None:
    """The late fill rule: booked, and closed since no plan waits for it."""
    world = World()
    entry = await world.send(world.order(P.ENTRY), is_heard=False)
    await world.end(entry, S.NOT_EXECUTED)
    await world.books.change(world.slot.released())
    world.later(60)
    world.execute(entry, dec("0.4"))

    await world.reconcile()

    assert world.slot.position.quantity == dec("0.4")
    assert world.slot.closing == "late_fill"


async def test_a_cancelled_order_that_rests_is_withdrawn_again() -> None:
    """Once a stale listing is ruled out: the cancel was told and did not happen."""
    world = World()
    _, stop, _ = await world.opened()
    await world.end(stop, S.CANCELLED)
    stop.status = S.SUBMITTED

    await world.converge(2)
    assert state(stop) is S.SUBMITTED, "the listing may show the time before the cancel"
    world.later(10)
    await world.converge(2)

    assert state(stop) is S.CANCELLED


async def test_a_lost_exit_goes_once_our_own_protects() -> None:
    """An order under an id of ours, but from a ledger that is gone."""
    world = World()
    await world.opened()
    lost = world.arrive(world.order(P.STOP))

    await world.converge(2)

    assert state(lost) is S.CANCELLED
    assert "order_orphaned" in world.codes or not world.codes


async def test_a_lost_exit_stays_while_nothing_else_protects() -> None:
    """Whoever sent it, it may be the only stop there is."""
    world = World()
    _, stop, _ = await world.opened()
    await world.end(stop, S.CANCELLED)
    lost = world.arrive(world.order(P.STOP))

    await world.converge(3)
    assert state(lost) is S.SUBMITTED

    await world.send(world.order(P.STOP))
    await world.converge(3)
    assert state(lost) is S.CANCELLED


async def test_a_lost_exit_of_a_foreign_position_is_left_alone() -> None:
    """Another bot of this kind elsewhere: its stop protects its position."""
    world = World()
    world.others_trade("2")
    lost = world.arrive(world.order(P.STOP))

    await world.converge(4)

    assert state(lost) is S.SUBMITTED
    assert world.slot.blocked == "foreign_position"


@pytest.mark.parametrize(("filled", "closing"), [("0", ""), ("0.4", "late_fill")])
async def test_a_lost_entry_is_taken_over_and_withdrawn(filled: str, closing: str) -> None:
    """What it filled is booked and flattened, what rests of it goes."""
    world = World()
    order = replace(world.order(P.ENTRY), type=OrderType.LIMIT, intent_key="before")
    lost = world.arrive(order)
    if dec(filled):
        world.execute(lost, dec(filled))
    world.later(60)

    await world.converge(2)

    assert state(lost) is S.CANCELLED
    assert (world.slot.position.quantity, world.slot.closing) == (dec(filled), closing)


async def test_a_record_in_the_journal_makes_a_lost_order_ours() -> None:
    """It ended too long ago to be at hand, and rests all the same."""
    world = World()
    await world.opened()
    stop = await world.send(world.order(P.STOP))
    await world.end(stop, S.CANCELLED)
    await world.restart()
    stop.status = S.SUBMITTED
    world.later(60)

    await world.converge(2)

    assert world.last.adopted == ()
    assert state(stop) is S.CANCELLED


async def test_foreign_orders_block_entries_and_are_never_touched() -> None:
    """Told once, with their names; entries pass again after two looks without them."""
    world = World()
    rests = [world.others_rest(f"web_{number}") for number in range(4)]

    await world.converge(1)
    assert world.slot.blocked == "foreign_orders"
    assert "and 1 more" in world.last.news[0].sentence
    await world.converge(2)
    assert world.codes == []

    for remote in rests:
        remote.status = S.CANCELLED
    await world.converge(2)
    assert world.slot.blocked == ""
    assert len(world.remotes) == 4


async def test_a_foreign_order_beside_our_position_leaves_ours_alone() -> None:
    """A stop that the user set by hand on top of ours."""
    world = World()
    await world.opened()
    world.others_rest()

    await world.converge(2)

    assert world.slot.blocked == "foreign_orders"
    assert len(world.slot.orders) == 2

"""Exits that came with an entry, or lost their name: known again by their place, late and after a restart."""

from dataclasses import replace

import pytest
from tests.support.model_exchange import Remote
from tests.support.reconciling import P, S, World, status
from tests.support.trading import dec

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.execution.listing import sort_listing


async def came_along(world: World, purpose: OrderPurpose = P.STOP) -> Order:
    """Return an exit that travelled with an entry, on record and in its slot's memory."""
    order = await world.record(world.order(purpose))
    names = (order.client_order_id, *world.slot.attached)
    await world.books.change(replace(world.slot, attached=names))
    return order


async def given_up(world: World, purpose: OrderPurpose = P.STOP) -> Order:
    """Return one that was not seen in time."""
    order = await came_along(world, purpose)
    gone = Remote(order, "", "", status=S.NOT_EXECUTED)
    await world.hear(gone, ())
    return order


@pytest.mark.parametrize("quantity", ["1", "0.4"])
async def test_an_exit_that_came_with_its_entry_is_known_by_its_place(quantity: str) -> None:
    """The exchange makes it, maybe over another quantity; the books say how much it is over."""
    world = World()
    order = await came_along(world)
    remote = world.arrive(replace(order, quantity=dec(quantity)), takes_id=False)
    await world.restart()
    world.later(1)

    await world.reconcile()

    kept = world.journal.latest[order.client_order_id]
    assert (kept.status, kept.quantity) == (S.SUBMITTED, dec(quantity))
    assert kept.exchange_order_id == remote.exchange_id
    assert (world.codes, world.slot.blocked) == ([], "")


@pytest.mark.parametrize("purpose", [P.STOP, P.TARGET])
@pytest.mark.parametrize("quantity", ["1", "0.4"])
@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("is_free", [False, True])
async def test_one_that_was_given_up_and_rests_is_ours(
    purpose: OrderPurpose, quantity: str, *, restarts: bool, is_free: bool
) -> None:
    """Before and after a restart, with the position open or over: never somebody else's."""
    world = World()
    if not is_free:
        await world.opened()
    order = await given_up(world, purpose)
    world.later(5)
    world.arrive(replace(order, quantity=dec(quantity)), takes_id=False)
    if is_free:
        await world.books.change(world.slot.released())
    if restarts:
        await world.restart()
    world.later(1)

    await world.reconcile()

    kept = world.journal.latest[order.client_order_id]
    assert (kept.status, kept.quantity) == (S.SUBMITTED, dec(quantity))
    assert kept in world.slot.orders
    assert (world.codes, world.slot.blocked) == (["order_news"], "")


@pytest.mark.parametrize("end", [S.EXPIRED, S.CANCELLED])
@pytest.mark.parametrize("restarts", [False, True])
async def test_one_that_was_missed_before_its_entry_had_filled_is_withdrawn(
    end: OrderStatus, *, restarts: bool
) -> None:
    """Asked for too soon it counted as ended; it rests since, and is no stranger's."""
    world = World()
    await world.opened()
    order = await came_along(world)
    await world.hear(Remote(order, "", "", status=end), ())
    remote = world.arrive(order, takes_id=False)
    if restarts:
        await world.restart()
    world.later(12)

    await world.reconcile()
    assert (world.codes, world.slot.blocked) == ([], "")
    world.later(2.5)
    findings = await world.look()

    (withdrawn,) = findings.withdraw
    assert withdrawn.client_order_id == order.client_order_id
    assert withdrawn.exchange_order_id == remote.exchange_id
    assert findings.blocked == {}


async def test_a_stop_that_the_exchange_named_and_that_seemed_gone_is_withdrawn_when_it_rests() -> (
    None
):
    """Found by kill -9: after a restart only the exchange's own id tells that it is ours."""
    world = World()
    await world.opened()
    order = await world.record(replace(world.order(P.STOP), trigger_price=dec("94")))
    remote = world.arrive(order, takes_id=False)
    await world.hear(Remote(order, remote.exchange_id, "", status=S.SUBMITTED), ())
    await world.hear(Remote(order, remote.exchange_id, "", status=S.EXPIRED), ())
    await world.restart()
    world.later(12)

    await world.reconcile()
    assert (world.codes, world.slot.blocked) == ([], "")
    world.later(2.5)
    findings = await world.look()

    (withdrawn,) = findings.withdraw
    assert withdrawn.exchange_order_id == remote.exchange_id
    assert findings.blocked == {}


@pytest.mark.parametrize(
    "change",
    [
        {"trigger_price": dec("94")},
        {"side": Side.BUY},
        {"type": OrderType.TAKE_PROFIT_MARKET},
    ],
)
async def test_what_is_not_in_the_place_of_one_given_up_is_foreign(
    change: dict[str, object],
) -> None:
    """Somebody's order beside ours blocks the slot, after a restart too."""
    world = World()
    await world.opened()
    order = await given_up(world)
    other = replace(order, client_order_id="web", quantity=dec("0.4"))
    world.arrive(replace(other, **change), takes_id=False)  # type: ignore[arg-type]  # fields of it
    await world.restart()
    world.later(1)

    await world.reconcile()

    assert (world.codes, world.slot.blocked) == (["foreign_orders"], "foreign_orders")
    assert status(world, order) is S.NOT_EXECUTED


async def test_what_rested_before_the_entry_left_did_not_come_with_it() -> None:
    """Over another quantity it is somebody else's, although it is in the same place."""
    world = World()
    order = world.order(P.STOP)
    world.arrive(replace(order, quantity=dec("0.4")), takes_id=False)
    later = replace(order, created_ms=order.created_ms + 2_001)

    listing = sort_listing(world.listed(), [later], [], {order.client_order_id})

    assert (len(listing.live), len(listing.foreign)) == (0, 1)


async def test_of_two_in_one_place_each_goes_to_the_order_that_fits_it_best() -> None:
    """The stop of our own that closes everything, and the attached one, which was made too small."""
    world = World()
    attached = world.order(P.STOP)
    own = replace(world.order(P.STOP), close_position=True)
    small = world.arrive(replace(attached, quantity=dec("0.4")), takes_id=False)
    whole = world.arrive(own, takes_id=False)

    listing = sort_listing(world.listed(), [attached, own], [], {attached.client_order_id})

    told = {name: report.exchange_order_id for name, report in listing.live.items()}
    assert told == {
        attached.client_order_id: small.exchange_id,
        own.client_order_id: whole.exchange_id,
    }


async def test_an_exit_of_our_own_is_not_recognized_over_another_quantity() -> None:
    """What we sent rests as we sent it; only what an exchange made of an entry may differ."""
    world = World()
    order = await world.record(world.order(P.STOP))
    world.arrive(replace(order, quantity=dec("0.4")), takes_id=False)

    listing = sort_listing(world.listed(), [order], [])

    assert (len(listing.live), len(listing.foreign)) == (0, 1)


async def test_of_two_under_one_name_the_one_that_rests_is_withdrawn() -> None:
    """A client that took one for the other names both alike; the books know the one that ended."""
    world = World()
    _, stop, _ = await world.opened()
    await world.end(stop, S.CANCELLED)
    twin = world.arrive(stop.order)
    world.later(12)
    await world.reconcile()
    world.later(2.5)

    findings = await world.look()

    (withdrawn,) = findings.withdraw
    assert twin.exchange_id != stop.exchange_id
    assert withdrawn.exchange_order_id == twin.exchange_id

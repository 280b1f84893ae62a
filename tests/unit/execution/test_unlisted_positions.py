"""What was filled and is in no listing: it counts as held until something proves that it is not."""

from dataclasses import replace

import pytest
from tests.support.reconciling import P, S, World
from tests.support.trading import SYMBOL, dec, decs

from milobot.domain.reports import PositionReport


async def look_for(world: World, seconds: float, *positions: PositionReport) -> None:
    """Compare every ten seconds with a listing that shows these positions."""
    for _ in range(round(seconds / 10)):
        world.later(10)
        await world.reconcile(replace(world.snapshot(), positions=positions))


async def test_a_position_whose_fill_was_told_survives_a_listing_that_is_silent() -> None:
    """The exchange's stream told the fill; its listing is behind, or broken. The stop stays."""
    world = World()
    _, stop, _ = await world.opened()

    await look_for(world, 300)

    assert world.slot.position.quantity == 1
    assert stop.order.client_order_id in {o.client_order_id for o in world.slot.orders}
    assert [notice.code for notice in world.last.notices] == ["position_unlisted"]
    assert "its stop stays" in world.last.notices[0].sentence
    await world.converge()
    assert (world.last.notices, world.slot.blocked) == ((), "")


async def test_a_listing_of_the_first_part_says_nothing_of_the_second() -> None:
    """Its stamp is older than the fill that it lacks, for however long."""
    world = World()
    entry = await world.send(world.order(P.ENTRY))
    await world.fill(entry, "0.4")
    first = world.position(SYMBOL, dec("0.4"))
    world.later(1)
    await world.fill(entry, "0.6")

    await look_for(world, 300, first)

    assert world.slot.position.quantity == 1


async def test_a_listing_of_a_later_moment_is_believed() -> None:
    """Stamped after the last fill, it tells what is left; executions may be missing for good."""
    world = World()
    await world.opened()
    world.told_late = {world.others_trade("-0.7").fill_id}

    await look_for(world, 40, world.position(SYMBOL, dec("0.3")))

    assert world.slot.position.quantity == dec("0.3")


async def test_an_execution_ends_what_no_listing_has_ever_shown() -> None:
    """Closed by hand a moment after the entry: what was executed needs no listing before it."""
    world = World()
    await world.opened()
    world.others_trade("-1")

    await world.converge()

    assert world.slot.position.is_flat
    assert world.codes == ["position_reduced"]


async def test_what_is_explained_is_booked_and_the_rest_is_kept() -> None:
    """Half of it was sold by hand and is listed so; of the other half nobody knows an end."""
    world = World()
    await world.opened()
    world.others_trade("-0.5")

    await look_for(world, 60)

    assert world.slot.position.quantity == dec("0.5")


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_sale_before_the_entry_explains_no_missing_position(restarts: bool) -> None:  # noqa: FBT001 - a case
    """Somebody closed a position of his own half a minute before: it took nothing off ours."""
    world = World()
    world.others_trade("1")
    world.later(100)
    world.others_trade("-1")
    world.later(30)
    _, stop, _ = await world.opened()
    if restarts:
        await world.restart()

    await look_for(world, 60)

    assert world.slot.position.quantity == 1
    assert world.journal.latest[stop.order.client_order_id].status is S.SUBMITTED


async def test_what_stays_unlisted_for_ten_minutes_is_given_up() -> None:
    """A slot that nobody could ever use again is no safety; by then a reader has been told."""
    world = World()
    await world.opened()
    world.told_late = {world.others_trade("-1").fill_id}
    await look_for(world, 590)
    assert world.slot.position.quantity == 1

    await look_for(world, 30)

    assert world.slot.position.is_flat
    assert world.codes == ["position_unexplained"]


async def test_what_others_held_before_our_entry_explains_what_is_missing_after_a_minute() -> None:
    """Their short took half of our entry: nothing says so but that others trade here."""
    world = World()
    world.others_trade("-0.5")
    world.later(30)
    entry = await world.send(world.order(P.ENTRY))
    await world.fill(entry, "1")
    close = await world.send(world.order(P.CLOSE))
    await world.fill(close, "0.5")
    await world.end(close, S.EXPIRED)
    assert (world.stand(), world.slot.position.quantity) == decs("0", "0.5")

    await look_for(world, 60)
    assert world.slot.position.quantity == dec("0.5")
    await look_for(world, 20)

    assert world.slot.position.is_flat

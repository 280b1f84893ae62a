"""More at the exchange than in our books: exits that are open explain none of it, entries may."""

from dataclasses import replace

from tests.support.reconciling import P, S, World
from tests.support.trading import SYMBOL, dec

from milobot.domain.intents import Side
from milobot.execution.findings import signed


async def _shown_after_it_was_given_up(world: World, quantity: str) -> str:
    """Let an entry fill that counts as not executed; return its id."""
    late = await world.send(world.order(P.ENTRY, quantity), is_heard=False)
    await world.end(late, S.NOT_EXECUTED)
    world.execute(late, dec(quantity))
    late.status = S.FILLED
    return late.order.client_order_id


async def test_an_entry_to_the_other_side_hides_no_position_while_its_request_hangs() -> None:
    """It can only have sold, and its answer may be five seconds away: what is long is another's."""
    world = World()
    late = await _shown_after_it_was_given_up(world, "3")
    world.later(60)
    short = await world.record(world.order(P.ENTRY, "2", side=Side.SELL))

    with world.books.busy(short):
        await world.converge(1)

    assert signed(world.slot.position) == 3
    assert world.journal.latest[late].filled_quantity == 3


async def test_an_entry_to_the_same_side_hides_no_position_that_is_older_than_it() -> None:
    """Its request hangs, and what is held last changed before it was made."""
    world = World()
    await _shown_after_it_was_given_up(world, "3")
    world.later(60)
    long = await world.record(world.order(P.ENTRY, "2"))

    with world.books.busy(long):
        await world.converge(1)

    assert signed(world.slot.position) == 3


async def test_an_entry_to_the_same_side_may_explain_what_has_changed_since() -> None:
    """Its answer is on the way: what is held may be its own, and nobody else's is looked for."""
    world = World()
    await _shown_after_it_was_given_up(world, "1")
    long = await world.record(world.order(P.ENTRY, "1"))

    with world.books.busy(long):
        await world.converge(1)

    assert world.slot.position.is_flat
    assert not world.slot.blocked


async def test_a_close_in_doubt_hides_no_position_that_is_left_behind_it() -> None:
    """The other close has closed all that our books held: what is still there lies open."""
    world = World()
    late = await _shown_after_it_was_given_up(world, "1")
    entry = await world.send(world.order(P.ENTRY, "2"))
    await world.fill(entry, "2")
    close = await world.send(world.order(P.CLOSE, "2"))
    doubted = await world.record(world.order(P.CLOSE, "2"))
    await world.fill(close, "2")
    assert world.slot.position.is_flat
    assert world.held[SYMBOL] == 1

    with world.books.busy(doubted):
        await world.converge(1)

    assert signed(world.slot.position) == 1
    assert world.journal.latest[late].filled_quantity == 1


async def test_an_old_picture_of_the_other_side_is_looked_into_and_proves_nothing() -> None:
    """What was executed is a fact, however old the listing of positions is beside it."""
    world = World()
    late = await world.send(world.order(P.ENTRY, "3", side=Side.SELL), is_heard=False)
    await world.end(late, S.NOT_EXECUTED)
    world.execute(late, dec("3"))
    late.status = S.FILLED
    old = world.snapshot().positions
    world.later(1)
    entry = await world.send(world.order(P.ENTRY, "1"))
    await world.fill(entry, "1")
    world.later(1)

    await world.reconcile(replace(world.snapshot(), positions=old))

    assert signed(world.slot.position) == -2
    assert not world.slot.blocked


async def test_an_old_picture_of_what_was_closed_finds_nothing_and_blocks_nobody() -> None:
    """The position that was closed a second ago is still listed: all of it is booked already."""
    world = World()
    await world.opened()
    old = world.snapshot().positions
    world.later(1)
    close = await world.send(world.order(P.CLOSE))
    await world.fill(close, "1")
    world.later(1)

    await world.reconcile(replace(world.snapshot(), positions=old))

    assert world.slot.position.is_flat
    assert not world.slot.blocked
    assert world.last.again_ms is not None


async def test_what_lies_open_beside_an_event_is_looked_at_again_at_once() -> None:
    """Something happened while the exchange was asked: two seconds more are all that it may take."""
    world = World()
    late = await _shown_after_it_was_given_up(world, "1")
    old = world.snapshot()
    world.later(0.1)
    entry = await world.send(world.order(P.ENTRY, "2", side=Side.SELL))
    await world.end(entry, S.CANCELLED)

    await world.reconcile(old)

    assert world.slot.position.is_flat
    assert world.last.again_ms == old.asked_ms + world.terms.ask_every_ms
    await world.converge(1)
    assert world.journal.latest[late].filled_quantity == 1

"""What a comparison finds about positions: less than ours, more than ours, somebody else's."""

from dataclasses import replace

import pytest
from tests.support.exchanges import status_news
from tests.support.reconciling import P, S, World
from tests.support.trading import SYMBOL, dec

from milobot.domain.intents import PositionSide
from milobot.domain.orders import OrderPurpose, OrderUpdate, Refusal


async def test_what_agrees_gives_no_finding() -> None:
    """A comparison that finds something every time is one that nobody reads."""
    world = World()
    await world.opened()

    findings = await world.reconcile()

    assert findings.is_converged
    assert (findings.notices, findings.sightings.first_ms) == ((), {})


async def test_a_position_closed_by_hand_is_booked_as_what_it_was() -> None:
    """At the price of the real execution, with its fee, under a purpose of its own."""
    world = World()
    await world.opened()
    world.others_trade("-1")

    await world.converge()

    (trip,) = world.journal.round_trips
    assert world.slot.position.is_flat
    assert (trip.exit_reason, trip.exit_price, trip.fees) == ("external", dec("100"), dec("0.02"))
    assert world.codes == ["position_reduced"]


async def test_nothing_is_taken_from_our_books_at_first_sight() -> None:
    """One listing may be wrong; the second has to be apart and newer than the last event."""
    world = World()
    await world.opened()
    world.others_trade("-1")

    first = await world.reconcile()
    world.later(1)
    second = await world.reconcile()

    assert not first.is_converged
    (first_seen_ms,) = first.sightings.first_ms.values()
    assert first.again_ms == first_seen_ms + 2_000
    assert (first.updates, second.updates) == ((), ())
    assert world.slot.position.quantity == 1


async def test_an_event_between_two_sightings_starts_the_count_anew() -> None:
    """What was seen before a fill is no sight of the state after it."""
    world = World()
    _, _, target = await world.opened("4")
    world.others_trade("-1")
    await world.reconcile()
    world.later(2)
    await world.fill(target, "1")

    world.later(0.5)
    findings = await world.reconcile()

    assert findings.updates == ()
    await world.converge()
    assert world.slot.position.quantity == 2


async def test_an_order_sent_between_two_sightings_starts_the_count_anew() -> None:
    """It may be what changes the position next."""
    world = World()
    await world.opened()
    world.others_trade("-1")
    await world.reconcile()
    world.later(2)
    await world.send(world.order(P.TARGET, trigger_price=dec("120")))

    world.later(0.5)
    findings = await world.reconcile()

    assert findings.updates == ()


async def test_an_exit_that_is_refused_between_two_sightings_changes_nothing() -> None:
    """It is refused because the position is gone: it must not keep us from finding that out."""
    world = World()
    await world.opened()
    world.others_trade("-1")
    await world.reconcile()

    for _ in range(10):
        world.later(0.25)
        close = await world.record(world.order(P.CLOSE))
        refused = Refusal.NOTHING_TO_REDUCE
        await world.books.book(replace(status_news(close, S.REJECTED), refusal=refused))
    world.later(0.1)
    await world.reconcile()

    assert world.slot.position.is_flat


async def test_a_part_taken_by_hand_leaves_the_rest_ours() -> None:
    """The books shrink by the part; exits follow by themselves from there."""
    world = World()
    await world.opened("2")
    world.others_trade("-0.5")

    await world.converge()

    assert world.slot.position.quantity == dec("1.5")
    assert world.slot.closing == "", "what is left is still ours and planned"
    assert world.slot.blocked == ""


@pytest.mark.parametrize("name", ["autoclose-17", "adl_autoclose-18"])
async def test_a_liquidation_without_event_is_booked_as_one(name: str) -> None:
    """Nobody closed it by hand: the reader has to know that the margin was gone."""
    world = World()
    await world.opened()
    world.others_trade("-1", purpose=OrderPurpose.LIQUIDATION, name=name)

    await world.converge()

    (trip,) = world.journal.round_trips
    assert trip.exit_reason == "liquidation"
    assert world.slot.position.is_flat


async def test_an_event_after_its_finding_books_nothing_again() -> None:
    """A partial auto-deleveraging that was found and is told afterwards is one reduction."""
    world = World()
    await world.opened("2")
    fill = world.others_trade("-1", purpose=OrderPurpose.LIQUIDATION, name="adl_autoclose-9")
    await world.converge()

    late = OrderUpdate("adl_autoclose-9", SYMBOL, S.FILLED, fill.time_ms, (fill,))
    await world.book(replace(late, purpose=OrderPurpose.LIQUIDATION))

    assert world.slot.position.quantity == 1


async def test_an_event_under_another_name_books_nothing_again() -> None:
    """The order behind could not be asked for; its own name is told later."""
    world = World()
    await world.opened("2")
    fill = world.others_trade("-1", purpose=OrderPurpose.LIQUIDATION, name="adl_autoclose-9")
    world.remotes["adl_autoclose-9"].is_known = False
    await world.converge()
    assert world.slot.position.quantity == 1

    late = OrderUpdate("adl_autoclose-9", SYMBOL, S.FILLED, fill.time_ms, (fill,))
    await world.book(replace(late, purpose=OrderPurpose.LIQUIDATION))

    assert world.slot.position.quantity == 1


async def test_an_event_told_again_after_a_restart_books_nothing_again() -> None:
    """What the exchange did by itself is looked up on record like any order."""
    world = World()
    await world.opened("2")
    fill = world.others_trade("-1", purpose=OrderPurpose.LIQUIDATION, name="adl_autoclose-9")
    told = OrderUpdate("adl_autoclose-9", SYMBOL, S.FILLED, fill.time_ms, (fill,))
    told = replace(told, purpose=OrderPurpose.LIQUIDATION)
    await world.book(told)
    await world.restart()

    await world.book(told)

    assert world.slot.position.quantity == 1


async def test_what_no_execution_explains_is_booked_at_mark_price_in_the_end() -> None:
    """Books that stay wrong for ever are worse than a price that is a guess and says so."""
    world = World()
    await world.opened("2")
    world.told_late = {world.others_trade("-1").fill_id}

    await world.converge(4)
    assert world.slot.position.quantity == 2, "executions may be told late"
    await world.converge(2)

    assert world.slot.position.quantity == 1
    assert world.journal.updates[-1].fills[0].price == dec("100")
    assert world.codes == ["position_unexplained"]


async def test_half_explained_is_booked_half_as_told_and_half_as_guessed() -> None:
    """The execution that is there counts at its own price."""
    world = World()
    await world.opened("2")
    world.others_trade("-0.5")
    world.told_late = {world.others_trade("-0.7").fill_id}

    await world.converge(7)

    assert world.slot.position.quantity == dec("0.8")
    told, guessed = world.journal.updates[-2:]
    assert [f.quantity for f in told.fills] == [dec("0.5")]
    assert [(f.quantity, f.price) for f in guessed.fills] == [(dec("0.7"), dec("100"))]


async def test_what_others_add_is_left_to_them() -> None:
    """Frozen, our own quantity protected, nothing entered; their part is not ours to manage."""
    world = World()
    await world.opened()
    world.others_trade("3")

    await world.converge()
    assert world.slot.position.quantity == 1
    assert (world.slot.blocked, world.codes) == ("position_larger", ["position_larger"])

    world.others_trade("-3")
    await world.converge(3)
    assert (world.slot.position.quantity, world.slot.blocked) == (dec("1"), "")


async def test_what_others_take_is_theirs_first() -> None:
    """Added 1 and sold 1.5 by hand: only half of ours is gone."""
    world = World()
    await world.opened()
    world.others_trade("1")
    world.others_trade("-1.5")

    await world.converge()

    assert world.slot.position.quantity == dec("0.5")
    (update,) = world.journal.updates[-1:]
    (fill,) = update.fills
    assert (fill.quantity, fill.fee) == (dec("0.5"), dec("0.00333333"))


async def test_our_stop_that_closed_more_than_ours_is_put_right() -> None:
    """A stop for the whole position takes what somebody added: our books must not turn short."""
    world = World()
    _, stop, _ = await world.opened()
    world.others_trade("2")
    await world.fill(stop, "3")
    assert world.slot.position.side is PositionSide.SHORT

    await world.converge()

    assert world.slot.position.is_flat


async def test_a_position_turned_by_hand_is_closed_for_us_and_foreign_after() -> None:
    """Sold 3 while 1 was ours: ours is gone, the short is somebody else's."""
    world = World()
    await world.opened()
    world.others_trade("-3")

    await world.converge()

    assert world.slot.position.is_flat
    assert world.slot.blocked == "foreign_position"
    assert world.codes == ["position_reduced", "foreign_position"]


async def test_a_foreign_position_blocks_entries_until_it_is_gone() -> None:
    """At first sight, since blocking harms nobody; told once; lifted after two looks."""
    world = World()
    world.others_trade("-2", symbol="ETHUSDT")

    await world.converge(1)
    assert world.books.slot("ETHUSDT").blocked == "foreign_position"
    assert world.codes == ["foreign_position"]
    await world.converge(2)
    assert world.codes == [], "told once"

    world.others_trade("2", symbol="ETHUSDT")
    await world.converge(1)
    assert world.books.slot("ETHUSDT").blocked == "foreign_position"
    await world.converge(1)
    assert world.books.slot("ETHUSDT").blocked == ""


async def test_a_block_for_another_reason_is_left_alone() -> None:
    """Whoever blocked the symbol lets it go."""
    world = World()
    await world.books.change(replace(world.slot, blocked="not_trading"))
    world.others_trade("1")

    await world.converge(3)
    world.others_trade("-1")
    await world.converge(3)

    assert world.slot.blocked == "not_trading"


async def test_a_stale_listing_decides_nothing() -> None:
    """It shows the position as it was before the fill that we know."""
    world = World()
    await world.opened("2")
    stale = world.snapshot()
    target = await world.send(world.order(P.TARGET, "1"))
    await world.fill(target, "1")

    for _ in range(3):
        world.later(2.5)
        await world.reconcile(replace(stale, asked_ms=world.clock.time_ms))

    assert (world.slot.position.quantity, world.slot.blocked) == (dec("1"), "")
    assert not world.last.is_converged


async def test_a_listing_older_than_the_last_event_decides_nothing() -> None:
    """It was asked for before the entry filled."""
    world = World()
    old = world.snapshot()
    await world.opened()

    findings = await world.reconcile(old)

    assert (findings.updates, findings.blocked) == ((), {})
    assert findings.again_ms is not None


async def test_a_listing_that_has_not_heard_of_the_entry_takes_nothing_away() -> None:
    """Served as of before the entry for some seconds: no execution explains a flat account."""
    world = World()
    await world.opened()
    await world.restart()

    for _ in range(3):
        world.later(2.5)
        shot = world.snapshot()
        await world.reconcile(replace(shot, positions=()))

    assert world.slot.position.quantity == 1


async def test_while_an_order_is_in_doubt_no_position_is_judged() -> None:
    """It may explain any difference, and it is being asked for."""
    world = World()
    entry = await world.send(world.order(P.ENTRY), is_heard=False)
    world.execute(entry, dec("1"))

    await world.converge(3)

    assert (world.slot.position.is_flat, world.slot.blocked) == (True, "")
    await world.ask()
    await world.converge(1)
    assert (world.slot.position.quantity, world.last.is_converged) == (dec("1"), True)


async def test_a_request_under_way_keeps_its_symbol_out_of_it() -> None:
    """Its answer may be on its way while the listing is being read."""
    world = World()
    await world.opened()
    world.others_trade("-1")
    with world.books.busy(world.slot.live(P.STOP)[0]):
        await world.converge(3)
        assert world.slot.position.quantity == 1

    await world.converge()

    assert world.slot.position.is_flat

"""What a comparison finds about positions: less than ours, more than ours, somebody else's."""

from dataclasses import replace

import pytest
from tests.support.exchanges import status_news
from tests.support.reconciling import ACCOUNT, P, S, World
from tests.support.trading import SYMBOL, dec

from milobot.domain.intents import PositionSide, Side
from milobot.domain.orders import OrderPurpose, OrderUpdate, Refusal
from milobot.domain.reports import MarginMode
from milobot.execution.attribution import reductions
from milobot.execution.drift import WalletMark, booked_total, wallet_drift
from milobot.execution.reconciliation import compare


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
    await world.opened()
    world.told_late = {world.others_trade("-1").fill_id}

    await world.converge(4)
    assert world.slot.position.quantity == 1, "executions may be told late"
    await world.converge(2)

    (trip,) = world.journal.round_trips
    assert (trip.exit_price, trip.exit_reason) == (dec("99"), "external")
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
    with world.books.busy(SYMBOL):
        await world.converge(3)
        assert world.slot.position.quantity == 1

    await world.converge()

    assert world.slot.position.is_flat


async def test_a_fill_of_an_order_that_had_ended_is_booked_as_its_own() -> None:
    """Cancelled while its fill was on the way, and the event was lost: a late fill, flattened."""
    world = World()
    entry = await world.send(world.order(P.ENTRY))
    await world.end(entry, S.CANCELLED)
    world.later(60)
    world.execute(entry, dec("1"))
    entry.status = S.CANCELLED

    await world.converge(1)

    assert world.slot.position.quantity == 1
    assert world.codes == ["order_news"]
    assert world.journal.latest[entry.order.client_order_id].status is S.CANCELLED


async def test_an_execution_of_ours_is_found_although_its_order_is_not() -> None:
    """The exchange has forgotten the order; the execution carries the name it had."""
    world = World()
    entry, _, _ = await world.opened()
    close = await world.send(world.order(P.CLOSE))
    await world.end(close, S.CANCELLED)
    world.later(60)
    world.execute(close, dec("1"))
    close.is_known = False

    await world.converge(1)

    assert world.slot.position.is_flat
    assert world.journal.latest[close.order.client_order_id].filled_quantity == 1
    assert entry.filled == 1


async def test_after_a_restart_an_old_order_is_recognized_by_its_record() -> None:
    """Its execution carries only the exchange's name: the exchange tells ours, the journal knows."""
    world = World()
    await world.opened()
    close = await world.send(world.order(P.CLOSE))
    await world.end(close, S.CANCELLED)
    world.later(60)
    world.execute(close, dec("1"))
    await world.restart()

    await world.converge(2)

    assert world.slot.position.is_flat
    assert world.journal.latest[close.order.client_order_id].filled_quantity == 1


async def test_changed_leverage_and_margin_mode_are_told() -> None:
    """Neither is undone: the position is the user's own, but its liquidation has moved."""
    world = World()
    await world.opened()
    world.leverage = 50
    shot = world.snapshot()
    (position,) = shot.positions
    crossed = replace(position, margin_mode=MarginMode.CROSS)

    findings = await world.look(replace(shot, positions=(crossed,)))

    assert [notice.code for notice in findings.news] == ["settings_changed"] * 2
    assert "50x" in findings.news[0].sentence
    assert findings.is_converged, "there is nothing to do about it"


async def test_a_short_is_compared_as_one() -> None:
    """Signs: a reduction of a short is bought."""
    world = World()
    entry = await world.send(world.order(P.ENTRY, "2", side=Side.SELL))
    await world.fill(entry, "2")
    world.later(60)
    world.others_trade("1")

    await world.converge()

    assert (world.slot.position.side, world.slot.position.quantity) == (
        PositionSide.SHORT,
        dec("1"),
    )


async def test_carrying_out_the_same_findings_twice_changes_nothing() -> None:
    """A process may end between carrying them out and noting that it did."""
    world = World()
    await world.opened("2")
    world.others_trade("-0.5")
    await world.reconcile()
    world.later(2.5)
    findings = await world.look()

    await world.carry_out(findings)
    before = world.slot
    await world.restart()
    await world.carry_out(findings)

    assert world.slot.position == before.position
    assert before.position.quantity == dec("1.5")


async def test_what_moved_the_wallet_beside_our_trades_is_a_number() -> None:
    """A deposit, somebody else's trade: shown, and nothing is decided by it."""
    world = World()
    await world.opened()
    mark = WalletMark(dec("1000"), booked_total([world.slot]))
    world.others_trade("-1")
    await world.converge()

    drift = wallet_drift(mark, dec("1100") - dec("0.01"), [world.slot])

    assert drift == 100


async def test_the_latest_executions_are_those_that_reduced_ours() -> None:
    """What somebody closed of their own just before our entry has nothing to do with it."""
    world = World()
    world.others_trade("-1")
    world.held.clear()
    world.later(10)
    await world.opened()
    reduced = world.others_trade("-0.5")

    await world.converge()

    (update,) = world.journal.updates[-1:]
    assert [fill.fill_id for fill in update.fills] == [reduced.fill_id]


async def test_what_they_added_and_took_again_is_not_counted() -> None:
    """Bought 1, sold 1, sold half of ours: one execution of three is ours."""
    world = World()
    await world.opened()
    world.others_trade("1")
    world.others_trade("-1")
    reduced = world.others_trade("-0.5")

    await world.converge()

    (update,) = world.journal.updates[-1:]
    assert [fill.fill_id for fill in update.fills] == [reduced.fill_id]


async def test_an_execution_named_by_our_id_is_looked_up_on_record() -> None:
    """Some clients name executions by our id; after a restart the order is not at hand."""
    world = World()
    await world.opened()
    close = await world.send(world.order(P.CLOSE))
    close.fill_name = close.order.client_order_id
    await world.end(close, S.CANCELLED)
    world.later(60)
    world.execute(close, dec("1"))
    await world.restart()

    await world.converge(1)

    assert world.slot.position.is_flat
    assert world.journal.latest[close.order.client_order_id].filled_quantity == 1


async def test_fills_of_an_exit_that_wait_for_the_entry_decide_nothing() -> None:
    """The position was seen before the entry's fill was told, and is closed already."""
    world = World()
    entry = await world.send(world.order(P.ENTRY))
    world.execute(entry, dec("1"))
    await world.books.change(replace(world.slot, seen=dec("1")))
    close = await world.send(world.order(P.CLOSE))
    await world.fill(close, "1")
    assert world.slot.early
    entry.is_known = False
    await world.book(
        OrderUpdate(entry.order.client_order_id, SYMBOL, S.EXPIRED, world.clock.time_ms)
    )
    await world.restart()
    world.later(60)
    hidden, world.fills = world.fills, []

    await world.converge(3)
    assert world.slot.position.is_flat
    assert (world.slot.blocked, world.last.is_converged) == ("", False)

    world.fills, entry.is_known = hidden, True
    await world.converge(1)
    (trip,) = world.journal.round_trips
    assert (trip.quantity, world.slot.early) == (dec("1"), ())


async def test_an_execution_later_than_the_listing_waits_for_the_next() -> None:
    """The position that is listed may or may not show it."""
    world = World()
    await world.opened("2")
    world.others_trade("-0.5")
    await world.reconcile()
    world.later(2.5)
    shot = world.snapshot()
    world.later(0.1)
    world.others_trade("-0.5")

    findings = await world.reconcile(shot)
    assert findings.updates == ()

    await world.converge()
    assert world.slot.position.quantity == 1


async def test_a_part_of_an_order_that_ended_leaves_it_ended() -> None:
    """Late fills bring no order back to life."""
    world = World()
    await world.opened()
    close = await world.send(world.order(P.CLOSE))
    await world.end(close, S.CANCELLED)
    world.later(60)
    world.execute(close, dec("0.4"))
    close.is_known = close.is_listed = False

    await world.converge(1)

    assert world.slot.position.quantity == dec("0.6")
    assert world.journal.latest[close.order.client_order_id].status is S.CANCELLED


async def test_an_execution_booked_as_somebody_s_is_not_booked_as_its_order_s() -> None:
    """The exchange tells later that it was a close of ours that counted as not executed."""
    world = World()
    await world.opened("2")
    close = await world.send(world.order(P.CLOSE), is_heard=False)
    close.is_known = False
    world.later(3)
    await world.ask()
    world.execute(close, dec("1"))
    await world.converge(2)
    assert world.slot.position.quantity == 1

    close.is_known = True
    world.others_trade("-0.5")
    await world.converge(2)

    assert (world.slot.position.quantity, world.slot.blocked) == (dec("0.5"), "")


async def test_what_they_took_of_their_own_last_is_not_what_reduced_ours() -> None:
    """Half of ours sold, then 1 bought and sold again: the first sale was ours."""
    world = World()
    await world.opened()
    reduced = world.others_trade("-0.5")
    world.later(1)
    world.others_trade("1")
    world.later(1)
    world.others_trade("-1")

    await world.converge()

    (update,) = world.journal.updates[-1:]
    assert [fill.fill_id for fill in update.fills] == [reduced.fill_id]


async def test_two_orders_of_others_under_one_name_are_two() -> None:
    """Others may use a name twice; the exchange's own id of an order is never used again."""
    world = World()
    await world.opened("2")
    fills = [world.others_trade("-0.5"), world.others_trade("-0.5")]
    told = OrderUpdate("web_1", SYMBOL, S.FILLED, 0)
    strangers = {fill.client_order_id: told for fill in fills}

    updates = reductions(world.slot, fills, dec("1"), account=ACCOUNT, strangers=strangers)

    assert len({update.client_order_id for update in updates}) == 2


async def test_a_stop_whose_fate_is_open_may_be_what_closed_the_position() -> None:
    """Its execution has another name than itself: nobody else is held responsible too soon."""
    world = World()
    await world.opened()
    stop = await world.send(world.order(P.STOP))
    stop.is_known = stop.is_listed = False
    world.execute(stop, dec("1"))

    await world.converge(2)
    assert world.slot.position.quantity == 1

    stop.is_known = True
    await world.converge(1)
    assert [trip.exit_reason for trip in world.journal.round_trips] == ["stop"]


async def test_nothing_is_found_of_a_symbol_before_all_is_asked() -> None:
    """Half of it, carried out, would make the snapshot old for the other half."""
    world = World()
    await world.opened()
    await world.send(world.order(P.STOP), is_heard=False)
    world.others_trade("-0.5")
    world.later(1)

    findings = compare(
        world.books.ours(), world.snapshot(), world.last.sightings, world.terms, account=ACCOUNT
    )

    assert findings.needs.fills
    assert findings.updates == ()

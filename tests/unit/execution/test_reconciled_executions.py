"""Whose an execution is, and what follows from it, when ours and theirs are compared."""

from dataclasses import replace

from tests.support.reconciling import ACCOUNT, P, S, World
from tests.support.trading import SYMBOL, dec

from milobot.domain.intents import PositionSide, Side
from milobot.domain.orders import OrderPurpose, OrderUpdate
from milobot.domain.reports import MarginMode
from milobot.execution.attribution import reductions
from milobot.execution.drift import WalletMark, booked_total, wallet_drift
from milobot.execution.findings import signed
from milobot.execution.reconciliation import compare


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


async def test_an_answer_that_contradicts_the_books_is_told_and_its_fill_is_booked() -> None:
    """Cancelled here, expired there, and half of it filled: the word is in doubt, the fill is not."""
    world = World()
    entry = await world.send(world.order(P.ENTRY))
    await world.end(entry, S.CANCELLED)
    world.later(60)
    world.execute(entry, dec("0.5"))
    entry.status = S.EXPIRED

    await world.reconcile()

    assert world.slot.position.quantity == dec("0.5")
    assert world.codes == ["undecided", "order_news"]
    await world.converge()
    assert world.last.is_converged, "what is said once more about an order that ended is no news"


async def test_closes_that_were_refused_are_not_asked_for_one_by_one() -> None:
    """A close is refused four times a second where nothing is left: a look must not wait for it."""
    world = World()
    await world.opened()
    for _ in range(3):
        close = await world.send(world.order(P.CLOSE), is_heard=False)
        await world.end(close, S.REJECTED)
    world.others_trade("-1")
    world.later(1)

    findings = compare(
        world.books.ours(), world.snapshot(), world.last.sightings, world.terms, account=ACCOUNT
    )

    assert P.CLOSE not in {order.purpose for order in findings.needs.updates}


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


async def test_an_execution_later_than_the_picture_that_is_listed_waits_for_the_next() -> None:
    """Taken for what was missing before it, a part of that would stay without an explanation."""
    world = World()
    await world.opened("2")
    world.others_trade("-0.5")
    await world.reconcile()
    world.later(2.5)
    old = world.snapshot().positions
    world.later(1)
    world.others_trade("-0.5")
    world.later(0.1)

    findings = await world.reconcile(replace(world.snapshot(), positions=old))
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


async def _liquidated_unseen(*, told: OrderPurpose | None) -> World:
    """Return a short that is larger than our books say: its late long was taken before it showed."""
    world = World()
    late = await world.send(world.order(P.ENTRY), is_heard=False)
    await world.end(late, S.NOT_EXECUTED)
    world.execute(late, dec("1"))
    late.status = S.FILLED
    world.later(1)
    world.others_trade("-1", purpose=told)
    world.later(60)
    short = await world.send(world.order(P.ENTRY, "3", side=Side.SELL))
    await world.fill(short, "3")
    await world.hear(late, tuple(f for f in world.fills if f.side is Side.BUY))
    world.later(1)
    assert signed(world.slot.position) == -2
    return world


async def test_a_liquidation_of_what_was_not_shown_yet_is_booked_when_it_is() -> None:
    """Our books would hold less than is there, and the rest would lie open as somebody else's."""
    world = await _liquidated_unseen(told=P.LIQUIDATION)

    await world.converge(1)

    assert signed(world.slot.position) == -3
    assert world.codes == ["position_reduced"]
    await world.converge(2)
    assert signed(world.slot.position) == -3


async def test_a_liquidation_of_a_position_that_seems_to_have_turned_is_booked_at_once() -> None:
    """Exchanges turn no position: it was of a fill that nobody had seen, and ours lies open."""
    world = World()
    short = await world.send(world.order(P.ENTRY, "2", side=Side.SELL))
    await world.fill(short, "2")
    world.others_trade("2", purpose=P.LIQUIDATION)
    late = await world.send(world.order(P.ENTRY), is_heard=False)
    await world.fill(late, "1")
    assert signed(world.slot.position) == -1
    assert world.held[SYMBOL] == 1

    await world.converge(1)

    assert signed(world.slot.position) == 1


async def test_a_position_older_than_an_entry_in_doubt_is_looked_into_beside_it() -> None:
    """What changed last before the entry was made is not the entry's, however long that is open."""
    world = World()
    late = await world.send(world.order(P.ENTRY), is_heard=False)
    await world.end(late, S.NOT_EXECUTED)
    world.execute(late, dec("1"))
    late.status = S.FILLED
    world.later(60)
    doubted = await world.send(world.order(P.ENTRY), is_heard=False)
    doubted.is_known = doubted.is_listed = False

    await world.converge(1)

    assert signed(world.slot.position) == 1
    assert world.journal.latest[late.order.client_order_id].filled_quantity == 1


async def test_closes_on_their_way_hide_no_position_that_faces_our_books() -> None:
    """They can do nothing to it, and one is always on its way where there is nothing to close."""
    world = World()
    late = await world.send(world.order(P.ENTRY, "3"), is_heard=False)
    await world.end(late, S.NOT_EXECUTED)
    world.execute(late, dec("3"))
    late.status = S.FILLED
    short = await world.send(world.order(P.ENTRY, "1", side=Side.SELL))
    await world.fill(short, "1")
    world.later(1)
    close = await world.record(world.order(P.CLOSE, side=Side.BUY))
    assert close.is_live

    with world.books.busy(SYMBOL):
        await world.converge(1)

    assert signed(world.slot.position) == 2


async def test_what_others_sold_beside_ours_stays_theirs() -> None:
    """The same executions by somebody's hand: nothing of it is ours, and it is told."""
    world = await _liquidated_unseen(told=None)

    await world.converge(2)

    assert signed(world.slot.position) == -2
    assert world.slot.blocked == "position_larger"


async def test_an_entry_of_a_process_before_is_found_behind_what_was_traded_since() -> None:
    """Given up there, shown only now, and the position last changed by a later round trip."""
    world = World()
    entry = await world.send(world.order(P.ENTRY), is_heard=False)
    await world.end(entry, S.NOT_EXECUTED)
    world.execute(entry, dec("1"))
    entry.status = S.FILLED
    world.later(60)
    world.others_trade("0.5")
    world.later(1)
    world.others_trade("-0.5")
    await world.restart()

    await world.converge(1)

    assert world.journal.latest[entry.order.client_order_id].filled_quantity == 1
    assert "foreign_position" not in world.codes

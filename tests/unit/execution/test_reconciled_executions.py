"""Whose an execution is, and what follows from it, when ours and theirs are compared."""

from dataclasses import replace

from tests.support.reconciling import ACCOUNT, P, S, World
from tests.support.trading import SYMBOL, dec

from milobot.domain.intents import PositionSide, Side
from milobot.domain.orders import OrderUpdate
from milobot.domain.reports import MarginMode
from milobot.execution.drift import WalletMark, booked_total, wallet_drift
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

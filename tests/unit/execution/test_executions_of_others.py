"""Executions that others may have made: what is theirs stays theirs, and explains nothing of ours."""

from dataclasses import replace

from tests.support.exchanges import status_news
from tests.support.reconciling import ACCOUNT, P, S, World
from tests.support.trading import SYMBOL, dec

from milobot.domain.intents import Side
from milobot.domain.orders import OrderPurpose, OrderUpdate
from milobot.execution.attribution import reductions
from milobot.execution.findings import signed
from milobot.execution.reconciliation import compare


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

    with world.books.busy(close):
        await world.converge(1)

    assert signed(world.slot.position) == 2


async def test_a_request_that_hangs_hides_nothing_once_its_end_is_known() -> None:
    """Its answer may be seconds away; what others did meanwhile must not wait for it."""
    world = World()
    await world.opened()
    hanging = await world.record(world.order(P.CLOSE))
    await world.books.book(status_news(hanging, S.NOT_EXECUTED))
    world.others_trade("-1")

    with world.books.busy(hanging):
        await world.converge(3)

    assert world.slot.position.is_flat


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


async def test_an_execution_after_the_position_shown_waits_however_old_both_are() -> None:
    """Counted for what was missing before it, it would leave a rest that nothing explains."""
    world = World()
    await world.opened("4")
    world.others_trade("-2")
    old = world.snapshot().positions
    world.later(1)
    world.others_trade("-1")
    world.later(30)

    await world.reconcile(replace(world.snapshot(), positions=old))
    world.later(3)
    await world.reconcile(replace(world.snapshot(), positions=old))

    taken = [f.quantity for update in world.journal.updates for f in update.fills][1:]
    assert taken == [2]
    await world.converge(2)
    assert signed(world.slot.position) == 1


async def test_an_old_position_is_explained_by_nothing_later_for_a_minute() -> None:
    """What is missing in it was executed before, by an order that the exchange still hides."""
    world = World()
    _, _, target = await world.opened("4")
    hidden = await world.fill(target, "1", is_heard=False)
    world.told_late.add(hidden.fill_id)
    target.is_known = False
    old = world.snapshot().positions
    world.later(1)
    world.others_trade("-3")
    world.later(30)

    for _ in range(2):
        world.later(3)
        await world.reconcile(replace(world.snapshot(), positions=old))

    assert signed(world.slot.position) == 4
    assert world.last.again_ms is not None

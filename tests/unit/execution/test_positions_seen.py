"""Positions that are seen before the fills that explain them: protected at once, booked later."""

from dataclasses import replace

from tests.support.desk import PLAN, Desk, P, S
from tests.support.trading import LONG, SHORT, SYMBOL, dec, decs, intent

from milobot.domain.intents import Close
from milobot.domain.orders import OrderType
from milobot.domain.slots import PositionState, position_state


async def doubted() -> Desk:
    """Return a desk with an entry in doubt."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    await desk.tell(desk.exchange.last(P.ENTRY), S.UNKNOWN)
    return desk


async def test_a_position_of_an_entry_in_doubt_gets_its_stop() -> None:
    """Two seconds count from the first sight of it, whoever shows it."""
    desk = await doubted()

    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))

    stop = desk.exchange.last(P.STOP)
    assert (stop.trigger_price, stop.quantity, stop.close_position) == (dec("95"), dec("1"), True)
    assert desk.slot.exposed_since_ms == 0
    assert position_state(desk.slot) is PositionState.UNPROTECTED
    await desk.tell(stop, S.SUBMITTED)
    assert position_state(desk.slot) is PositionState.PROTECTED
    assert desk.slot.exposed_since_ms is None


async def test_its_fills_are_booked_when_they_arrive() -> None:
    """As if they had come first: the stop stays, the target is placed."""
    desk = await doubted()
    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.SUBMITTED)
    assert P.TARGET not in {o.purpose for o in desk.exchange.placed}

    await desk.fill(desk.exchange.last(P.ENTRY), "1", "100", "f1")

    assert (desk.slot.seen, desk.slot.position.quantity) == decs(0, 1)
    assert desk.exchange.last(P.STOP) == stop
    assert desk.exchange.last(P.TARGET).quantity == 1


async def test_only_what_the_entry_may_have_filled_is_ours() -> None:
    """Somebody else may hold the rest, or hold the other side."""
    desk = await doubted()
    await desk.engine.position_seen(SYMBOL, SHORT, dec("5"))
    assert desk.slot.seen == 0

    await desk.engine.position_seen(SYMBOL, LONG, dec("5"))

    assert desk.slot.seen == 1
    assert desk.exchange.last(P.STOP).quantity == 1


async def test_without_an_entry_on_its_way_nothing_seen_is_ours() -> None:
    """A foreign position is reported by reconciliation, never touched."""
    desk = Desk()

    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))

    assert desk.slot.is_idle
    assert desk.exchange.placed == []


async def test_what_is_booked_needs_no_other_explanation() -> None:
    """The event of a position follows that of its fill."""
    desk = Desk()
    await desk.opened()
    before = desk.slot

    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))

    assert desk.slot == before


async def test_what_is_not_seen_any_more_is_let_go() -> None:
    """Certain news that nothing is held: the stop leaves once the entry cannot fill any more."""
    desk = await doubted()
    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.SUBMITTED)

    await desk.engine.position_seen(SYMBOL, LONG, dec("0"))
    assert desk.exchange.cancelled == []
    assert position_state(desk.slot) is PositionState.OPENING
    await desk.tell(desk.exchange.last(P.ENTRY), S.NOT_EXECUTED)

    assert [o.client_order_id for o in desk.exchange.cancelled] == [stop.client_order_id]


async def test_what_was_seen_stays_protected_when_its_entry_is_given_up() -> None:
    """Not found, and yet there: a promise of the exchange is broken, the stop stays."""
    desk = await doubted()
    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))
    await desk.tell(desk.exchange.last(P.STOP), S.SUBMITTED)

    await desk.tell(desk.exchange.last(P.ENTRY), S.NOT_EXECUTED)
    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))

    assert desk.slot.seen == 1
    assert desk.exchange.cancelled == []
    assert position_state(desk.slot) is PositionState.PROTECTED
    assert not desk.slot.is_idle


async def test_a_stop_filled_before_its_entry_is_known_waits_to_be_booked() -> None:
    """Booked at once it would open a short in the books that nobody holds."""
    desk = await doubted()
    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.SUBMITTED)
    await desk.fill(stop, "1", "95", "f9")
    assert desk.slot.position.is_flat
    assert desk.slot.held == 0
    assert not desk.slot.is_idle
    placed = len(desk.exchange.placed)

    await desk.fill(desk.exchange.last(P.ENTRY), "0.4", "100", "f1", S.PARTIALLY_FILLED)
    assert desk.slot.held == 0
    await desk.fill(desk.exchange.last(P.ENTRY), "0.6", "101", "f2")

    (trip,) = desk.journal.round_trips
    assert (trip.entry_price, trip.exit_price) == (dec("100.6"), dec("95"))
    assert (trip.exit_reason, trip.quantity) == ("stop", dec(1))
    assert len(desk.exchange.placed) == placed
    assert desk.slot.is_idle


async def test_an_exit_filled_after_its_position_has_gone_waits_too() -> None:
    """Gone from the listing because the stop has filled: its fill proves that the entry has."""
    desk = await doubted()
    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.SUBMITTED)
    await desk.engine.position_seen(SYMBOL, LONG, dec("0"))

    await desk.fill(stop, "1", "95", "f9")
    assert desk.slot.position.is_flat
    assert desk.slot.held == 0
    await desk.engine.position_seen(SYMBOL, LONG, dec("0"))
    assert desk.slot.held == 0
    await desk.fill(desk.exchange.last(P.ENTRY), "1", "100", "f1")

    assert desk.journal.round_trips[0].pnl == -5
    assert desk.slot.is_idle


async def test_a_position_seen_while_closing_is_closed() -> None:
    """The trader said close before the entry was known to have filled."""
    desk = await doubted()
    await desk.engine.accept(intent(Close(), key="k2"))

    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))

    close = desk.exchange.last(P.CLOSE)
    assert (close.type, close.quantity, close.reduce_only) == (OrderType.MARKET, dec(1), True)
    await desk.fill(close, "1", "99", "f9")
    await desk.fill(desk.exchange.last(P.ENTRY), "1", "100", "f1")
    assert desk.journal.round_trips[0].exit_reason == "close"
    assert desk.slot.is_idle


async def test_a_short_that_is_seen_is_bought_back_above() -> None:
    """The mirror."""
    desk = Desk()
    await desk.engine.accept(
        intent(replace(PLAN, side=SHORT, stop=replace(PLAN.stop, value=dec("105")), target=None))  # type: ignore[type-var]  # replace of a frozen value
    )
    await desk.tell(desk.exchange.last(P.ENTRY), S.UNKNOWN)

    await desk.engine.position_seen(SYMBOL, SHORT, dec("1"))

    stop = desk.exchange.last(P.STOP)
    assert (stop.side, stop.trigger_price) == (LONG.entry, dec("105"))


async def test_where_a_stop_closes_everything_nothing_more_is_taken_for_ours() -> None:
    """What is added may be somebody else's, and our exits would close it."""
    desk = await doubted()
    await desk.fill(desk.exchange.last(P.ENTRY), "0.4", "100", "f1")
    await desk.tell(desk.exchange.last(P.STOP), S.SUBMITTED)

    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))

    assert (desk.slot.held, desk.slot.seen) == decs("0.4", 0)


async def test_an_exit_that_closed_what_others_held_waits_for_no_entry_that_has_ended() -> None:
    """The slot would be closing for ever; the comparison finds whose the rest was."""
    desk = await doubted()
    entry = desk.exchange.last(P.ENTRY)
    await desk.engine.position_seen(SYMBOL, LONG, dec("1"))
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.SUBMITTED)
    await desk.fill(stop, "1", "95", "s1")
    await desk.tell(entry, S.CANCELLED)
    assert len(desk.slot.early) == 1

    await desk.engine.position_seen(SYMBOL, LONG, dec("0"))

    assert not desk.slot.early
    assert not desk.slot.seen
    assert (desk.slot.position.side, desk.slot.position.quantity) == (SHORT, dec("1"))

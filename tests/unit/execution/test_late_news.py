"""News that comes in parts, late, or of what the exchange did by itself."""

from dataclasses import replace

import pytest
from tests.support.desk import PLAN, Desk, P, S
from tests.support.exchanges import fill_news
from tests.support.trading import (
    Stage,
    at_price,
    base,
    candle,
    dec,
    enter_long,
    intent,
)

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Close, Side
from milobot.domain.orders import OrderStatus
from milobot.domain.slots import PositionState, position_state


async def test_an_entry_that_fills_in_parts_is_protected_from_the_first() -> None:
    """The stop takes all that is open; the target is sized anew with each part."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.fill(entry, "0.4", "100", "f1", S.PARTIALLY_FILLED)
    stop, small = desk.exchange.last(P.STOP), desk.exchange.last(P.TARGET)
    await desk.tell(stop, S.SUBMITTED)
    await desk.tell(small, S.SUBMITTED)

    await desk.fill(entry, "0.6", "101", "f2")
    assert [o.client_order_id for o in desk.exchange.cancelled] == [small.client_order_id]
    await desk.tell(small, S.CANCELLED)

    assert (small.quantity, desk.exchange.last(P.TARGET).quantity) == (dec("0.4"), dec("1"))
    assert desk.exchange.last(P.STOP) is stop
    await desk.fill(stop, "0.5", "95", "f3", S.PARTIALLY_FILLED)
    await desk.fill(stop, "0.5", "94", "f4")
    (trip,) = desk.journal.round_trips
    assert (trip.entry_price, trip.exit_price) == (dec("100.6"), dec("94.5"))
    assert trip.quantity == 1, "the most that was held, not the largest fill"


async def test_an_exit_that_fills_in_parts_is_one_round_trip() -> None:
    """Average exit price, one result; the rest stays protected in between."""
    desk = Desk()
    await desk.opened()
    target = desk.exchange.last(P.TARGET)

    await desk.fill(target, "0.5", "110", "f2", S.PARTIALLY_FILLED)
    assert position_state(desk.slot) is PositionState.PROTECTED
    await desk.fill(target, "0.5", "111", "f3")

    (trip,) = desk.journal.round_trips
    assert (trip.exit_price, trip.pnl, trip.exit_reason) == (dec("110.5"), dec("10.5"), "target")


async def test_a_stop_that_somebody_cancelled_is_placed_again() -> None:
    """A hand in the exchange's app must not leave a position without a stop."""
    desk = Desk()
    await desk.opened()
    first = desk.exchange.last(P.STOP)

    await desk.tell(first, S.CANCELLED)

    again = desk.exchange.last(P.STOP)
    assert again.client_order_id != first.client_order_id
    assert again.trigger_price == 95


async def test_a_stop_that_expired_closes_the_position() -> None:
    """Triggered, and its market order was refused: flatten."""
    desk = Desk()
    await desk.opened()
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.TRIGGERED)

    await desk.tell(stop, S.EXPIRED)

    assert desk.exchange.placed[-1].purpose is P.CLOSE
    assert desk.slot.closing == "stop_expired"


async def test_an_exit_that_expires_when_flat_closes_nothing() -> None:
    """Exchanges expire reduce-only orders by themselves once the position is gone."""
    desk = Desk()
    await desk.opened()
    await desk.fill(desk.exchange.last(P.STOP), "1", "95", "f2")

    await desk.tell(desk.exchange.last(P.TARGET), S.EXPIRED)

    assert desk.slot.owner == ""
    assert P.CLOSE not in {o.purpose for o in desk.exchange.placed}


@pytest.mark.parametrize("end", [S.CANCELLED, S.EXPIRED, S.NOT_EXECUTED])
async def test_a_fill_after_the_end_of_its_entry_is_booked_then_flattened(
    end: OrderStatus,
) -> None:
    """Nobody waits for it any more, but it is real: no plan, so no position."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.tell(entry, S.UNKNOWN)
    await desk.tell(entry, end)
    assert desk.slot.owner == ""

    await desk.fill(entry, "1", "100", "f1")
    assert position_state(desk.slot) is PositionState.CLOSING
    close = desk.exchange.last(P.CLOSE)
    await desk.fill(close, "1", "99", "f2")

    (trip,) = desk.journal.round_trips
    assert (trip.exit_reason, trip.pnl) == ("late_fill", dec("-1"))
    assert (trip.stop, trip.target) == (None, None)
    assert desk.slot.is_idle


async def test_a_late_fill_in_a_slot_with_a_new_owner_flattens_all() -> None:
    """Two plans in one position cannot be told apart: out, and start anew."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    lost = desk.exchange.last(P.ENTRY)
    await desk.tell(lost, S.UNKNOWN)
    await desk.tell(lost, S.NOT_EXECUTED)
    await desk.engine.accept(intent(PLAN, key="k2", owner="other"))
    await desk.fill(desk.exchange.last(P.ENTRY), "1", "100", "f1")

    await desk.fill(lost, "1", "100", "f2")

    assert desk.slot.closing == "late_fill"
    assert desk.exchange.placed[-1].purpose is P.CLOSE
    assert desk.exchange.placed[-1].quantity == 2


async def test_late_news_without_a_fill_leaves_the_new_owner_alone() -> None:
    """An old order that ends once more has changed no position."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    lost = desk.exchange.last(P.ENTRY)
    await desk.tell(lost, S.UNKNOWN)
    await desk.tell(lost, S.NOT_EXECUTED)
    await desk.engine.accept(intent(PLAN, key="k2", owner="other"))
    await desk.fill(desk.exchange.last(P.ENTRY), "1", "100", "f1")

    await desk.tell(lost, S.EXPIRED)

    assert desk.slot.closing == ""
    assert P.CLOSE not in {o.purpose for o in desk.exchange.placed}


async def test_an_exit_takes_the_rest_of_its_entry_with_it() -> None:
    """Stopped out of the first part: the second must not open a position without a stop."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.fill(entry, "0.4", "100", "f1", S.PARTIALLY_FILLED)
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.SUBMITTED)
    await desk.tell(desk.exchange.last(P.TARGET), S.SUBMITTED)

    await desk.fill(stop, "0.4", "95", "f2")
    assert {o.purpose for o in desk.exchange.cancelled} == {P.ENTRY, P.TARGET}
    await desk.fill(entry, "0.6", "95", "f3")
    close = desk.exchange.last(P.CLOSE)
    assert close.quantity == dec("0.6")
    await desk.fill(close, "0.6", "94", "f4")
    await desk.tell(desk.exchange.last(P.TARGET), S.CANCELLED)

    assert [t.exit_reason for t in desk.journal.round_trips] == ["stop", "late_fill"]
    assert desk.slot.owner == ""


async def test_two_late_fills_are_closed_by_orders_of_their_own() -> None:
    """An id used twice would leave the second position open."""
    desk = Desk()
    for number in range(2):
        await desk.engine.accept(intent(PLAN, key=f"k{number}"))
        entry = desk.exchange.last(P.ENTRY)
        await desk.tell(entry, S.EXPIRED)
        await desk.fill(entry, "1", "100", f"in{number}")
        await desk.fill(desk.exchange.last(P.CLOSE), "1", "100", f"out{number}")

    ids = [o.client_order_id for o in desk.exchange.placed]
    assert len(set(ids)) == len(ids) == 4
    assert desk.slot.is_idle


async def test_a_refused_close_without_fill_waits_for_news() -> None:
    """Half of it filled before it expired: the rest is closed at once."""
    desk = Desk()
    await desk.opened()
    await desk.engine.accept(intent(Close(), key="k2"))
    close = desk.exchange.last(P.CLOSE)

    await desk.fill(close, "0.5", "101", "f2", S.EXPIRED)

    rest = desk.exchange.last(P.CLOSE)
    assert rest.client_order_id != close.client_order_id
    assert rest.quantity == dec("0.5")


async def test_a_liquidation_ends_the_round_trip() -> None:
    """The exchange's own order is booked as ours: reason, exits gone, slot free, once."""
    stage = Stage()
    await stage.play(
        candle(100, 101, 99, 100),
        intent(enter_long(base("1"), leverage=10, stop=at_price("91.5"), target=at_price("120"))),
    )
    await stage.play(candle(85, 86, 84, 85))
    (news,) = stage.updates

    await stage.engine.apply(news)

    (trip,) = stage.journal.round_trips
    assert (trip.exit_reason, trip.exit_price, trip.pnl) == ("liquidation", dec("90"), dec("-10"))
    assert stage.resting == []
    assert (stage.slot.owner, stage.slot.orders) == ("", ())


async def test_a_liquidation_of_what_we_do_not_hold_is_not_ours() -> None:
    """Somebody else's position in the account: booking it would open one here."""
    desk = Desk()
    entry = await desk.opened()
    await desk.fill(desk.exchange.last(P.STOP), "1", "95", "f2")
    foreign = replace(entry, client_order_id="autoclose-1", side=Side.SELL)

    await desk.engine.apply(
        replace(fill_news(foreign, "3", "90", fill_id="f9"), purpose=P.LIQUIDATION)
    )

    assert desk.slot.position.is_flat


async def test_a_slot_flattened_after_a_late_fill_is_free_again() -> None:
    """Nobody owned it when the fill came; it must not stay closed to everybody."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.tell(entry, S.NOT_EXECUTED)
    await desk.fill(entry, "1", "100", "f1")
    await desk.fill(desk.exchange.last(P.CLOSE), "1", "99", "f2")

    decision = await desk.engine.accept(intent(PLAN, key="k2"))

    assert desk.slot.closing == ""
    assert decision.outcome is Outcome.ACCEPTED

"""Exits that were sent and not heard of: they do not count, may be repeated, and never add up."""

from dataclasses import replace

import pytest
from tests.support.desk import PLAN as DESK_PLAN
from tests.support.desk import Desk
from tests.support.exchanges import fill_news, status_news
from tests.support.scripted_exchange import ARRIVED_UNHEARD, LOST, Says, Scene
from tests.support.trading import SYMBOL, dec, intent

from milobot.domain.intents import Close
from milobot.domain.orders import OrderPurpose, OrderStatus, Refusal
from milobot.domain.slots import PositionState, position_state
from milobot.execution.setbacks import after_news

P, S, R = OrderPurpose, OrderStatus, Refusal


def state(scene: Scene) -> PositionState:
    """Return how safe the slot is."""
    return position_state(scene.stage.slot)


async def test_a_stop_in_doubt_is_repeated_by_quantity() -> None:
    """Half a second later: it may rest already, and of its kind an exchange takes one only."""
    scene = Scene()
    scene.script.say(P.STOP, LOST)
    await scene.enter()
    assert state(scene) is PositionState.UNPROTECTED

    await scene.look()
    assert len(scene.script.of(P.STOP)) == 1
    await scene.look()

    first, second = scene.script.of(P.STOP)
    assert (first.close_position, second.close_position) == (True, False)
    assert state(scene) is PositionState.PROTECTED


async def test_a_lost_stop_is_replaced_once_it_is_known_to_be_lost() -> None:
    """The one that closes everything has to rest for the position's life; then one is enough."""
    scene = Scene()
    scene.script.say(P.STOP, LOST)
    await scene.enter()
    await scene.look(2)

    await scene.stage.engine.apply(status_news(scene.script.of(P.STOP)[0], S.NOT_EXECUTED))

    (stop,) = [o for o in scene.stage.slot.orders if o.purpose is P.STOP]
    assert (stop.close_position, stop.status) == (True, S.SUBMITTED)
    assert scene.stage.resting == [("stop", dec("95")), ("target", dec("110"))]


async def test_a_stop_that_turns_up_after_all_takes_the_place_of_its_repetition() -> None:
    """Two rest for a moment, both reduce-only; one of them leaves."""
    scene = Scene()
    scene.script.say(P.STOP, ARRIVED_UNHEARD)
    await scene.enter()
    await scene.look(2)
    assert [kind for kind, _ in scene.stage.resting] == ["stop", "stop", "target"]

    await scene.stage.engine.apply(status_news(scene.script.of(P.STOP)[0], S.SUBMITTED))

    assert scene.stage.resting == [("stop", dec("95")), ("target", dec("110"))]
    assert state(scene) is PositionState.PROTECTED


async def test_stops_that_are_lost_one_after_the_other_end_in_a_close() -> None:
    """At most three are out in doubt, and time is up after a second and a half."""
    scene = Scene()
    scene.script.say(P.STOP, *[LOST] * 10)
    await scene.enter()

    await scene.look(6)

    assert len(scene.script.of(P.STOP)) == 3
    assert scene.stage.journal.round_trips[0].exit_reason == "no_stop_in_time"


async def test_the_slot_is_held_while_a_stop_is_in_doubt() -> None:
    """Flat, but what may rest could open a position: nobody enters until its end is known."""
    scene = Scene()
    scene.script.say(P.STOP, *[LOST] * 10)
    await scene.enter()
    await scene.look(6)
    busy = await scene.stage.engine.accept(intent(DESK_PLAN, key="k2"))

    for lost in scene.script.of(P.STOP):
        await scene.stage.engine.apply(status_news(lost, S.NOT_EXECUTED))

    assert busy.code == "slot_busy"
    assert scene.stage.slot.is_idle
    assert scene.stage.slot.owner == ""


async def test_a_close_in_doubt_waits_while_a_stop_rests() -> None:
    """What is protected has time: a second close is sent only when the first is known to be lost."""
    scene = Scene()
    await scene.enter()
    scene.script.say(P.CLOSE, LOST)
    await scene.stage.engine.accept(intent(Close(), key="k2"))

    await scene.look(20)
    assert len(scene.script.of(P.CLOSE)) == 1
    await scene.stage.engine.apply(status_news(scene.script.of(P.CLOSE)[0], S.NOT_EXECUTED))

    assert len(scene.script.of(P.CLOSE)) == 2
    assert scene.stage.slot.is_idle


async def test_a_close_in_doubt_is_repeated_where_no_stop_rests() -> None:
    """Both can only reduce: whichever comes second finds nothing, and opens nothing."""
    scene = Scene()
    scene.script.say(P.STOP, Says(S.REJECTED, R.OTHER))
    scene.script.say(P.CLOSE, ARRIVED_UNHEARD)
    await scene.enter()

    await scene.look(2)
    first, second = scene.script.of(P.CLOSE)
    assert scene.stage.venue.book(SYMBOL).position.is_flat
    assert scene.stage.slot.is_doubted
    assert second.reduce_only
    await scene.stage.engine.apply(fill_news(first, "1", "100", fill_id="found"))

    assert scene.stage.slot.position.is_flat
    assert scene.stage.journal.round_trips[0].exit_reason == "stop_rejected"


async def test_what_an_entry_fills_while_a_close_is_at_work_is_closed_by_another() -> None:
    """The news that the first has ended may be lost: what it was too small for cannot wait."""
    scene = Scene()
    scene.script.say(P.STOP, Says(S.REJECTED, R.OTHER))
    scene.script.say(P.CLOSE, Says(S.SUBMITTED))
    await scene.enter()
    (first,) = scene.script.of(P.CLOSE)
    await scene.look(2)
    assert scene.script.of(P.CLOSE) == [first]
    entry = scene.script.of(P.ENTRY)[0]

    await scene.stage.engine.apply(fill_news(entry, "0.4", "100", fill_id="rest"))

    assert [o.quantity for o in scene.script.of(P.CLOSE)] == [dec("1"), dec("0.4")]


async def test_no_more_than_three_closes_are_out_in_doubt() -> None:
    """An exchange that never answers is not flooded."""
    scene = Scene()
    scene.script.say(P.STOP, Says(S.REJECTED, R.OTHER))
    scene.script.say(P.CLOSE, *[LOST] * 10)
    await scene.enter()

    await scene.look(20)

    assert len(scene.script.of(P.CLOSE)) == 3


async def test_a_target_in_doubt_is_not_repeated() -> None:
    """A gain can wait for certainty."""
    scene = Scene()
    scene.script.say(P.TARGET, LOST)
    await scene.enter()

    await scene.look(8)
    assert len(scene.script.of(P.TARGET)) == 1
    await scene.stage.engine.apply(status_news(scene.script.of(P.TARGET)[0], S.NOT_EXECUTED))

    assert scene.stage.resting == [("stop", dec("95")), ("target", dec("110"))]


@pytest.mark.parametrize("end", [S.EXPIRED, S.REJECTED, S.CANCELLED])
async def test_a_triggered_stop_whose_order_dies_is_flattened(end: OrderStatus) -> None:
    """Triggered is not filled: what it should have sold is still there."""
    desk = Desk()
    await desk.opened()
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.TRIGGERED)
    assert position_state(desk.slot) is PositionState.UNPROTECTED

    await desk.tell(stop, end)

    assert desk.slot.closing == f"stop_{end.lower()}"
    assert desk.exchange.placed[-1].purpose is P.CLOSE


async def test_the_rest_of_a_stop_that_filled_in_part_is_flattened() -> None:
    """Half was sold and the rest let go."""
    desk = Desk()
    await desk.opened()
    stop = desk.exchange.last(P.STOP)
    await desk.fill(stop, "0.5", "95", "f2", S.PARTIALLY_FILLED)

    await desk.tell(stop, S.EXPIRED)

    assert desk.slot.closing == "stop_expired"
    assert desk.exchange.placed[-1].quantity == dec("0.5")


async def test_a_resting_stop_that_the_exchange_rejects_is_flattened() -> None:
    """That is how an exchange tells of a triggered order whose child it refused."""
    desk = Desk()
    await desk.opened()

    await desk.tell(desk.exchange.last(P.STOP), S.REJECTED)

    assert desk.slot.closing == "stop_rejected"


async def test_a_stop_that_expires_while_it_rests_is_placed_again() -> None:
    """Whoever took it away: the position is there, as far as we know."""
    desk = Desk()
    await desk.opened()
    first = desk.exchange.last(P.STOP)

    await desk.tell(first, S.EXPIRED)

    again = desk.exchange.last(P.STOP)
    assert again.client_order_id != first.client_order_id
    assert (again.trigger_price, again.close_position, desk.slot.closing) == (dec("95"), True, "")


async def test_a_repeated_stop_refused_for_good_closes_nothing_while_the_first_rests() -> None:
    """One that rests does all that the other would have done."""
    desk = Desk()
    await desk.opened()
    (first,) = desk.slot.live(P.STOP)
    second = replace(first, client_order_id="again", close_position=False, status=S.PENDING)
    refused = replace(second, status=S.REJECTED, refusal=R.TOO_MANY_ORDERS)
    lost = replace(desk.slot, orders=())

    assert after_news(desk.slot, second, refused).closing == ""
    assert after_news(lost, second, refused).closing == "stop_rejected"

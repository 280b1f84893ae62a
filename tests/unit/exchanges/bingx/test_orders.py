"""Orders at BingX: every answer ends in an update that the engine may believe."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.bingx import (
    CANCEL,
    FILLS,
    HISTORY,
    OPEN,
    ORDER_ID,
    PLACE,
    QUERY,
    STOP_ID,
    TIME_MS,
    bench,
    entry,
    fill_payload,
    fills,
    listed,
    ok,
    order_payload,
    placed_payload,
    refused,
    stop,
    stop_payload,
)
from tests.support.fake_transport import TIMEOUT, UNREACHABLE, reply

from milobot.domain.orders import OrderPurpose, OrderStatus, OrderType, Refusal
from milobot.errors import ExchangeUnavailableError
from milobot.exchanges.bingx.requests import AttachedExits
from milobot.exchanges.wire import Answer, Facts

PLACED = ok(placed_payload())
STOP_PLACED = ok(placed_payload(orderId=STOP_ID, side="SELL", type="STOP_MARKET", clientOrderID=""))
EXITS = AttachedExits(Decimal(60000), Decimal(63000))


async def test_a_market_order_comes_with_its_fills() -> None:
    """The answer to placing says nothing of what was filled: one listing tells it."""
    desk = bench()
    desk.transport.on(PLACE, PLACED)
    desk.transport.on(FILLS, fills(fill_payload(2, "0.006"), fill_payload(1, "0.004")))

    (update,) = await desk.orders.place_order(entry())

    assert update.status is OrderStatus.FILLED
    assert [(f.fill_id, f.quantity) for f in update.fills] == [
        ("1", Decimal("0.004")),
        ("2", Decimal("0.006")),
    ]
    assert {f.client_order_id for f in update.fills} == {"milo1"}
    assert update.fills[0].fee == Decimal("0.305")
    assert update.exchange_order_id == str(ORDER_ID)
    assert desk.transport.names() == [PLACE, FILLS]


async def test_a_market_order_that_filled_in_part_is_asked_for() -> None:
    """What is not filled may have expired: only the order itself tells."""
    desk = bench()
    desk.transport.on(PLACE, PLACED)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.004")))
    desk.transport.on(QUERY, ok({"order": order_payload("CANCELLED", "0.004")}))

    (update,) = await desk.orders.place_order(entry())

    assert update.status is OrderStatus.CANCELLED
    assert [f.quantity for f in update.fills] == [Decimal("0.004")]


@pytest.mark.parametrize("looked", [TIMEOUT, refused(80012)])
async def test_a_taken_order_stays_taken_when_nothing_more_is_told(looked: Facts) -> None:
    """A failed look must not turn an accepted order into one in doubt."""
    desk = bench()
    desk.transport.on(PLACE, PLACED)
    desk.transport.on(FILLS, looked)

    (update,) = await desk.orders.place_order(entry())

    assert (update.status, update.refusal) == (OrderStatus.SUBMITTED, None)


async def test_an_order_that_is_not_visible_yet_is_submitted() -> None:
    """Accepted and not found at once is the rule on a slow day, not an end."""
    desk = bench()
    desk.transport.on(PLACE, PLACED)
    desk.transport.on(FILLS, fills())
    desk.transport.on(QUERY, refused(109421, "order not exist"))

    (update,) = await desk.orders.place_order(entry())

    assert update.status is OrderStatus.SUBMITTED


async def test_filled_is_not_told_before_its_fills_are_listed() -> None:
    """Whoever hears FILLED must have the position: without fills the slot would look flat."""
    desk = bench()
    desk.transport.on(QUERY, ok({"order": order_payload("FILLED", "0.010")}))
    desk.transport.on(FILLS, fills())

    update = await desk.orders.fetch_update(entry())

    assert update is not None
    assert (update.status, update.fills) == (OrderStatus.SUBMITTED, ())
    assert desk.transport.names().count(FILLS) == 4


async def test_a_resting_order_costs_no_further_question() -> None:
    """A limit entry fills later, when an event or a look tells."""
    desk = bench()
    desk.transport.on(PLACE, ok(placed_payload(type="LIMIT")))

    (update,) = await desk.orders.place_order(entry(type=OrderType.LIMIT, price=Decimal(60000)))

    assert update.status is OrderStatus.SUBMITTED
    assert desk.transport.names() == [PLACE]


@pytest.mark.parametrize(
    ("answer", "status", "refusal"),
    [
        (refused(101204), OrderStatus.REJECTED, Refusal.INSUFFICIENT_MARGIN),
        (refused(100410), OrderStatus.NOT_EXECUTED, Refusal.RATE_LIMITED),
        (UNREACHABLE, OrderStatus.NOT_EXECUTED, Refusal.UNAVAILABLE),
        (TIMEOUT, OrderStatus.UNKNOWN, Refusal.UNAVAILABLE),
        (Answer(200, {}, b""), OrderStatus.UNKNOWN, Refusal.OTHER),
        (Answer(200, {}, b"{}"), OrderStatus.UNKNOWN, Refusal.OTHER),
        (Answer(200, {}, b'{"code": 0, "ms'), OrderStatus.UNKNOWN, Refusal.OTHER),
        (ok({}), OrderStatus.UNKNOWN, Refusal.OTHER),
        (ok(placed_payload(orderId=0)), OrderStatus.UNKNOWN, Refusal.OTHER),
        (ok(placed_payload(clientOrderID="foreign")), OrderStatus.UNKNOWN, Refusal.OTHER),
        (ok(placed_payload(symbol="ETH-USDT")), OrderStatus.UNKNOWN, Refusal.OTHER),
        (ok(placed_payload(side="SELL")), OrderStatus.UNKNOWN, Refusal.OTHER),
    ],
)
async def test_what_was_not_taken_says_so(
    answer: Facts, status: OrderStatus, refusal: Refusal
) -> None:
    """No exception, no guess: a status, our word for the reason, and theirs in a sentence."""
    desk = bench()
    desk.transport.on(PLACE, answer)

    (update,) = await desk.orders.place_order(entry())

    assert (update.status, update.refusal) == (status, refusal)
    assert update.reason
    assert desk.transport.names() == [PLACE]


async def test_an_id_that_is_not_echoed_is_replaced_by_theirs() -> None:
    """Sent under a wrong name the order would have an empty id: then BingX's own must do."""
    desk = bench()
    desk.transport.on(PLACE, ok(placed_payload(clientOrderID="")))
    desk.transport.on(FILLS, fills())
    desk.transport.on(QUERY, ok({"order": order_payload("PENDING", clientOrderId="")}))

    (update,) = await desk.orders.place_order(entry())

    assert update.status is OrderStatus.SUBMITTED
    report = await desk.orders.fetch_order(entry())
    assert report is not None
    assert report.client_order_id == "milo1"
    assert desk.transport.sent[-1].params["orderId"] == str(ORDER_ID)


async def test_a_duplicate_id_leads_to_a_look() -> None:
    """The order is there: what it is doing is the answer."""
    desk = bench()
    desk.transport.on(PLACE, refused(101481))
    desk.transport.on(QUERY, ok({"order": order_payload("FILLED", "0.010")}))
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))

    (update,) = await desk.orders.place_order(entry())

    assert (update.status, len(update.fills)) == (OrderStatus.FILLED, 1)
    assert desk.transport.sent[1].params["clientOrderId"] == "milo1"


@pytest.mark.parametrize("looked", [TIMEOUT, refused(80016)])
async def test_a_duplicate_id_that_cannot_be_looked_at_stays_unknown(looked: Facts) -> None:
    """Not found is no proof: what was accepted may become visible later."""
    desk = bench()
    desk.transport.on(PLACE, refused(109201))
    desk.transport.on(QUERY, looked)

    (update,) = await desk.orders.place_order(entry())

    assert (update.status, update.refusal) == (OrderStatus.UNKNOWN, Refusal.DUPLICATE_ID)


async def test_an_order_too_late_is_not_signed() -> None:
    """No request may outlive the fence that its row states."""
    desk = bench()

    (update,) = await desk.orders.place_order(replace(entry(), send_before_ms=TIME_MS - 1))

    assert (update.status, update.refusal) == (OrderStatus.NOT_EXECUTED, Refusal.TOO_LATE)
    assert desk.transport.names() == []


# Stops, which take no id of ours.


async def test_a_stop_is_known_by_the_id_that_it_was_given() -> None:
    """The answer to placing names it; later questions use that name."""
    desk = bench()
    desk.transport.on(PLACE, STOP_PLACED)
    desk.transport.on(QUERY, ok({"order": stop_payload()}))

    (update,) = await desk.orders.place_order(stop())
    report = await desk.orders.fetch_order(stop())

    assert (update.status, update.exchange_order_id) == (OrderStatus.SUBMITTED, str(STOP_ID))
    assert "clientOrderId" not in desk.transport.sent[0].params
    assert report is not None
    assert (report.client_order_id, report.is_conditional) == ("milo2", True)
    assert desk.transport.names() == [PLACE, QUERY]


async def test_a_stop_that_was_taken_is_not_sent_again() -> None:
    """The same id of ours, which BingX never saw: we must be the ones who know it."""
    desk = bench()
    desk.transport.on(PLACE, STOP_PLACED)
    desk.transport.on(QUERY, ok({"order": stop_payload()}), TIMEOUT)

    await desk.orders.place_order(stop())
    (again,) = await desk.orders.place_order(stop())
    (unseen,) = await desk.orders.place_order(stop())

    assert (again.status, again.exchange_order_id) == (OrderStatus.SUBMITTED, str(STOP_ID))
    assert (unseen.status, unseen.refusal) == (OrderStatus.UNKNOWN, Refusal.DUPLICATE_ID)
    assert desk.transport.names().count(PLACE) == 1


async def test_a_stop_of_unknown_outcome_is_listed_before_it_is_repeated() -> None:
    """Placed twice it would close more than the position."""
    desk = bench()
    desk.transport.on(PLACE, TIMEOUT)
    desk.transport.on(OPEN, listed(stop_payload()))

    (first,) = await desk.orders.place_order(stop())
    (again,) = await desk.orders.place_order(stop(client_order_id="milo3"))

    assert first.status is OrderStatus.UNKNOWN
    assert (again.status, again.exchange_order_id) == (OrderStatus.SUBMITTED, str(STOP_ID))
    assert desk.transport.names() == [PLACE, OPEN]


async def test_a_stop_that_did_not_arrive_is_sent_again() -> None:
    """Nothing rests: a position without a stop is worse than a question more."""
    desk = bench()
    desk.transport.on(PLACE, TIMEOUT, STOP_PLACED)
    desk.transport.on(OPEN, listed())

    await desk.orders.place_order(stop())
    (again,) = await desk.orders.place_order(stop())

    assert again.status is OrderStatus.SUBMITTED
    assert desk.transport.names() == [PLACE, OPEN, PLACE]


async def test_a_listing_that_fails_does_not_keep_a_stop_from_leaving() -> None:
    """It can only close: twice is less harm than never."""
    desk = bench()
    desk.transport.on(PLACE, TIMEOUT, STOP_PLACED)
    desk.transport.on(OPEN, refused(100413, "Incorrect apiKey"))

    await desk.orders.place_order(stop())
    (again,) = await desk.orders.place_order(stop())

    assert again.status is OrderStatus.SUBMITTED


async def test_attached_exits_are_found_instead_of_placed_again() -> None:
    """They count once they are seen resting with the right side, trigger and quantity."""
    desk = bench()
    desk.transport.on(PLACE, PLACED)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    attached = stop_payload(closePosition=False)
    target = stop_payload(
        orderId=STOP_ID + 1, type="TAKE_PROFIT_MARKET", stopPrice="63000.0", closePosition=False
    )
    desk.transport.on(OPEN, listed(target, attached))

    await desk.orders.place_order(entry(), attached=EXITS)
    (stopped,) = await desk.orders.place_order(stop())
    (aimed,) = await desk.orders.place_order(
        stop(
            "63000",
            client_order_id="milo3",
            type=OrderType.TAKE_PROFIT_MARKET,
            purpose=OrderPurpose.TARGET,
            close_position=False,
        )
    )

    assert stopped.exchange_order_id == str(STOP_ID)
    assert aimed.exchange_order_id == str(STOP_ID + 1)
    assert desk.transport.names().count(PLACE) == 1


@pytest.mark.parametrize(
    "resting",
    [
        stop_payload(closePosition=False, origQty="0.004"),
        stop_payload(closePosition=False, stopPrice="59000.0"),
        stop_payload(closePosition=False, side="BUY"),
        stop_payload(closePosition=False, orderId=0),
        stop_payload(closePosition=False, symbol="ETH-USDT"),
        stop_payload(closePosition=False, type="TAKE_PROFIT_MARKET"),
    ],
)
async def test_an_attached_stop_that_is_not_right_does_not_count(
    resting: dict[str, object],
) -> None:
    """Too small, elsewhere, or without an id that it could be withdrawn by: place another."""
    desk = bench()
    desk.transport.on(PLACE, PLACED, STOP_PLACED)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    desk.transport.on(OPEN, listed(resting))

    await desk.orders.place_order(entry(), attached=EXITS)
    await desk.orders.place_order(stop())

    assert desk.transport.names().count(PLACE) == 2


async def test_exits_of_an_entry_that_was_refused_are_not_looked_for() -> None:
    """There are none: the stop of another entry leaves without a question."""
    desk = bench()
    desk.transport.on(PLACE, refused(101204), STOP_PLACED)

    await desk.orders.place_order(entry(), attached=EXITS)
    await desk.orders.place_order(stop())

    assert desk.transport.names() == [PLACE, PLACE]


async def test_after_a_restart_a_stop_is_recognized_by_what_it_does() -> None:
    """Side, type and trigger name it; what goes by another id of ours is passed over."""
    desk = bench()
    desk.account.learn_order_ids({"milo9": str(STOP_ID + 5)})
    other = stop_payload(orderId=STOP_ID + 5)
    desk.transport.on(OPEN, listed(other, stop_payload()))
    desk.transport.on(QUERY, ok({"order": stop_payload()}))

    report = await desk.orders.fetch_order(stop())

    assert report is not None
    assert (report.exchange_order_id, report.client_order_id) == (str(STOP_ID), "milo2")


async def test_after_a_restart_a_stop_that_has_ended_is_found_in_the_history() -> None:
    """It may have closed the position while nobody looked."""
    desk = bench()
    done = stop_payload("FILLED", "0.010")
    desk.transport.on(OPEN, listed())
    desk.transport.on(HISTORY, listed(done))
    desk.transport.on(QUERY, ok({"order": done}))
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010", orderId=str(STOP_ID), side="SELL")))

    update = await desk.orders.fetch_update(stop())

    assert update is not None
    assert (update.status, len(update.fills)) == (OrderStatus.FILLED, 1)
    span = desk.transport.sent[1].params
    assert int(span["startTime"]) == TIME_MS - 60_000


async def test_a_stop_that_nobody_lists_is_not_known() -> None:
    """None, and not an invention: the engine decides when that counts."""
    desk = bench()
    desk.transport.on(OPEN, ok({"orders": None}))
    desk.transport.on(HISTORY, ok({"orders": None}))

    assert await desk.orders.fetch_order(stop()) is None


async def test_a_triggered_stop_tells_of_its_child() -> None:
    """A trigger is no fill: until executions are listed it is TRIGGERED and nothing more."""
    desk = bench()
    desk.account.learn_order_ids({"milo2": str(STOP_ID)})
    child = str(STOP_ID + 1)
    desk.transport.on(QUERY, ok({"order": stop_payload("FILLED", "0.010", triggerOrderId=child)}))
    desk.transport.on(FILLS, fills(), fills(fill_payload(1, "0.010", orderId=child, side="SELL")))

    update = await desk.orders.fetch_update(stop())

    assert update is not None
    assert (update.status, update.fills[0].client_order_id) == (OrderStatus.FILLED, "milo2")
    assert desk.transport.sent[-1].params["orderId"] == child


async def test_a_triggered_stop_without_fills_is_no_filled_stop() -> None:
    """The child may have been refused: then the position is still open."""
    desk = bench()
    desk.account.learn_order_ids({"milo2": str(STOP_ID)})
    desk.transport.on(QUERY, ok({"order": stop_payload("FILLED")}))
    desk.transport.on(FILLS, fills())

    update = await desk.orders.fetch_update(stop())

    assert update is not None
    assert update.status is OrderStatus.TRIGGERED


# Cancelling.


async def test_a_cancel_is_done_when_the_order_shows_its_end() -> None:
    """Recorded: the answer to a cancel says PENDING, which is no proof of anything."""
    desk = bench()
    desk.transport.on(CANCEL, ok({"order": order_payload("PENDING")}))
    desk.transport.on(
        QUERY,
        ok({"order": order_payload("PENDING")}),
        ok({"order": order_payload("CANCELLED")}),
    )

    (update,) = await desk.orders.cancel_order(entry())

    assert update.status is OrderStatus.CANCELLED
    assert desk.transport.names() == [CANCEL, QUERY, QUERY]


async def test_a_cancel_whose_end_does_not_show_is_unknown() -> None:
    """It may still fill."""
    desk = bench()
    desk.transport.on(CANCEL, ok({"order": order_payload("PENDING")}))
    desk.transport.on(QUERY, ok({"order": order_payload("PENDING")}))

    (update,) = await desk.orders.cancel_order(entry())

    assert update.status is OrderStatus.UNKNOWN
    assert "does not show" in update.reason


async def test_a_cancel_that_lost_the_race_tells_the_fill() -> None:
    """Crossed on the way: the position is there."""
    desk = bench()
    desk.transport.on(CANCEL, refused(80018, "order is already filled"))
    desk.transport.on(QUERY, ok({"order": order_payload("FILLED", "0.010")}))
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))

    (update,) = await desk.orders.cancel_order(entry())

    assert (update.status, len(update.fills)) == (OrderStatus.FILLED, 1)


@pytest.mark.parametrize("answer", [TIMEOUT, refused(101500), Answer(504, {}, b"")])
async def test_a_cancel_without_an_answer_is_unknown(answer: Facts) -> None:
    """Neither done nor not done."""
    desk = bench()
    desk.transport.on(CANCEL, answer)

    (update,) = await desk.orders.cancel_order(entry())

    assert update.status is OrderStatus.UNKNOWN


async def test_a_stop_is_cancelled_by_their_id() -> None:
    """It has no other."""
    desk = bench()
    desk.transport.on(OPEN, listed(stop_payload()))
    desk.transport.on(CANCEL, ok({"order": stop_payload("CANCELLED")}))
    desk.transport.on(QUERY, ok({"order": stop_payload("CANCELLED")}))

    (update,) = await desk.orders.cancel_order(stop())

    assert update.status is OrderStatus.CANCELLED
    cancel = next(one for one in desk.transport.sent if one.name == CANCEL)
    assert cancel.params["orderId"] == str(STOP_ID)
    assert "clientOrderId" not in cancel.params


@pytest.mark.parametrize("looked", [listed(), TIMEOUT])
async def test_a_stop_that_cannot_be_found_cannot_be_cancelled(looked: Facts) -> None:
    """UNKNOWN: it may rest where the listing is late."""
    desk = bench()
    desk.transport.on(OPEN, looked)
    desk.transport.on(HISTORY, listed())

    (update,) = await desk.orders.cancel_order(stop())

    assert update.status is OrderStatus.UNKNOWN
    assert update.reason


# Listings.


async def test_open_orders_carry_our_ids_as_far_as_they_are_known() -> None:
    """A foreign stop has none, and stays foreign."""
    desk = bench()
    desk.account.learn_order_ids({"milo2": str(STOP_ID)})
    foreign = stop_payload(orderId=STOP_ID + 1)
    desk.transport.on(OPEN, listed(order_payload(), stop_payload(), foreign))

    found = await desk.orders.fetch_open_orders()

    assert [one.client_order_id for one in found] == ["milo1", "milo2", ""]
    assert "symbol" not in desk.transport.sent[0].params


async def test_fills_are_listed_page_by_page_and_week_by_week() -> None:
    """Longer spans are refused with 109400; a page holds a thousand."""
    desk = bench()
    page = [fill_payload(number, "0.001") for number in range(1000)]
    desk.transport.on(FILLS, fills(*page), fills(fill_payload(5000, "0.001")), fills())

    found = await desk.orders.fetch_fills("BTCUSDT", first_ms=TIME_MS - 8 * 86_400_000)

    asked = [(int(s.params["startTs"]), int(s.params["endTs"])) for s in desk.transport.sent]
    assert len(found) == 1001
    assert [int(s.params["pageIndex"]) for s in desk.transport.sent] == [1, 2, 1]
    assert asked[0][0] == TIME_MS - 8 * 86_400_000
    assert asked[2][0] == asked[0][1] + 1
    assert all(last - first < 7 * 86_400_000 for first, last in asked)


async def test_a_question_that_fails_says_so() -> None:
    """Nothing found and not known are two things."""
    desk = bench()
    desk.transport.on(QUERY, reply({}, 503))

    with pytest.raises(ExchangeUnavailableError):
        await desk.orders.fetch_order(entry())


async def test_an_order_followed_by_event_is_told_under_our_name() -> None:
    """Events know it by their id only."""
    desk = bench()
    desk.account.learn_order_ids({"milo2": str(STOP_ID)})
    done = stop_payload("FILLED", "0.010")
    desk.transport.on(QUERY, ok({"order": done}), refused(80016))
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010", orderId=str(STOP_ID), side="SELL")))

    update = await desk.orders.follow("BTCUSDT", str(STOP_ID))

    assert update is not None
    assert (update.client_order_id, update.status) == ("milo2", OrderStatus.FILLED)
    assert await desk.orders.follow("BTCUSDT", str(STOP_ID)) is None

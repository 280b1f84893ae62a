"""Orders at BingX: every answer ends in an update that the engine may believe."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.bingx import (
    FILLS,
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
    stop_payload,
)
from tests.support.fake_transport import TIMEOUT, UNREACHABLE, reply

from milobot.domain.ids import client_order_id
from milobot.domain.orders import OrderStatus, OrderType, Refusal
from milobot.errors import ExchangeUnavailableError
from milobot.exchanges.bingx import requests
from milobot.exchanges.bingx.events import FollowOrder
from milobot.exchanges.limits import Usage
from milobot.exchanges.wire import Answer, Facts

PLACED = ok(placed_payload())


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
    assert desk.transport.names() == [PLACE, FILLS, QUERY]


async def test_a_part_is_told_while_its_order_is_not_visible_yet() -> None:
    """It is open all the same, and without a stop for as long as nobody knows of it."""
    desk = bench()
    desk.transport.on(PLACE, PLACED)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.004")))
    desk.transport.on(QUERY, refused(109421, "order not exist"))

    (update,) = await desk.orders.place_order(entry())

    assert update.status is OrderStatus.PARTIALLY_FILLED
    assert [f.quantity for f in update.fills] == [Decimal("0.004")]


async def test_what_became_of_the_rest_is_not_asked_after_everything_else() -> None:
    """Until it is answered the part that has filled has no stop: it uses what exits may use."""
    desk = bench()
    desk.transport.on(PLACE, PLACED)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.004")))
    desk.transport.on(QUERY, ok({"order": order_payload("CANCELLED", "0.004")}))
    desk.limiter.learn(Usage(QUERY, requests.USER_LIMITS[QUERY].most - 1))
    start_ms = desk.time.now_ms()

    await desk.orders.place_order(entry())
    placed_ms = desk.time.now_ms()
    await desk.orders.fetch_order(entry())

    assert placed_ms - start_ms < 100
    assert desk.time.now_ms() - placed_ms > 500


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

    told = FollowOrder("BTCUSDT", str(STOP_ID), Decimal("0.010"), is_over=True)

    update = await desk.orders.follow(replace(told, filled_quantity=Decimal("0.020")))

    assert update is not None
    assert (update.client_order_id, update.status) == ("milo2", OrderStatus.FILLED)
    assert await desk.orders.follow(replace(told, filled_quantity=Decimal("0.020"))) is None


@pytest.mark.parametrize("status", [OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED])
async def test_what_an_event_tells_of_our_order_is_not_asked_again(status: OrderStatus) -> None:
    """Orders may be asked for five times a second: many closed at once would wait for that."""
    desk = bench()
    desk.account.learn_order_ids({"milo2": str(STOP_ID)})
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010", orderId=str(STOP_ID), side="SELL")))
    told = FollowOrder(
        "BTCUSDT", str(STOP_ID), Decimal("0.010"), status.is_final, status=status, time_ms=TIME_MS
    )

    update = await desk.orders.follow(told)
    again = await desk.orders.follow(told)

    assert update == again
    assert update is not None
    assert (update.client_order_id, update.status) == ("milo2", status)
    assert [fill.client_order_id for fill in update.fills] == ["milo2"]
    assert QUERY not in desk.transport.names()
    assert desk.transport.names().count(FILLS) == 1


async def test_an_order_that_only_its_event_names_as_ours_is_ours() -> None:
    """It may come before the answer to the order, which tells BingX's id."""
    desk = bench()
    name = client_order_id("bingx:test", "k", "entry", 0)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    told = FollowOrder(
        "BTCUSDT",
        str(ORDER_ID),
        Decimal("0.010"),
        is_over=True,
        client_order_id=name,
        status=OrderStatus.FILLED,
        time_ms=TIME_MS,
    )

    update = await desk.orders.follow(told)

    assert update is not None
    assert (update.client_order_id, update.status) == (name, OrderStatus.FILLED)
    assert QUERY not in desk.transport.names()


@pytest.mark.parametrize("is_ours", [True, False])
async def test_an_executed_order_of_ours_is_looked_up_before_what_can_wait(
    *, is_ours: bool
) -> None:
    """The event told that it has filled, and not what: until then nobody places its stop."""
    desk = bench()
    desk.transport.on(QUERY, ok({"order": order_payload("FILLED", "0.010")}))
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    for name in (QUERY, FILLS):
        desk.limiter.learn(Usage(name, requests.USER_LIMITS[name].most - 1))
    if is_ours:
        desk.orders.ids.bind("milo1", str(ORDER_ID))
    start_ms = desk.time.now_ms()

    told = FollowOrder("BTCUSDT", str(ORDER_ID), Decimal("0.010"), is_over=True)

    update = await desk.orders.follow(replace(told, status=OrderStatus.FILLED, time_ms=TIME_MS))

    assert update is not None
    assert update.status is OrderStatus.FILLED
    assert (desk.time.now_ms() - start_ms < 100) is is_ours

"""Budgets of BingX: told by headers, one for each interface."""

import pytest
from tests.support.bingx import OPEN, PLACE, bench, entry, listed, ok, placed_payload, refused, stop
from tests.support.fake_transport import reply

from milobot.domain.orders import OrderStatus, OrderType, Refusal
from milobot.errors import RateLimitedError
from milobot.exchanges.bingx import requests
from milobot.exchanges.wire import Answer

LIMIT_PLACED = placed_payload(type="LIMIT")


async def test_what_remains_is_what_others_left() -> None:
    """One of ten remains: another program uses the same key, and we wait in its place."""
    desk = bench()
    desk.transport.on(PLACE, ok(LIMIT_PLACED, x_ratelimit_requests_remain="1"))
    await desk.orders.place_order(entry(type=OrderType.LIMIT))
    before_ms = desk.time.now_ms()

    await desk.orders.place_order(entry(type=OrderType.LIMIT))

    assert desk.time.now_ms() - before_ms >= 900


async def test_eight_orders_a_second_do_not_wait() -> None:
    """Ten are allowed and one is kept for exits: eight are not the most there is."""
    desk = bench()
    desk.transport.on(PLACE, ok(LIMIT_PLACED))
    await desk.gateway.measure_clock()
    before_ms = desk.time.now_ms()

    for _ in range(9):
        await desk.orders.place_order(entry(type=OrderType.LIMIT))
    waited_ms = desk.time.now_ms() - before_ms
    await desk.orders.place_order(stop())

    assert waited_ms == 0
    assert desk.time.now_ms() == before_ms
    await desk.orders.place_order(entry(type=OrderType.LIMIT))
    assert desk.time.now_ms() > before_ms


@pytest.mark.parametrize("told", ["words", "header"])
async def test_a_closed_interface_is_left_alone_and_the_others_go_on(told: str) -> None:
    """Each interface has its own limit: orders leave while a listing is barred."""
    desk = bench()
    until_ms = desk.time.now_ms() + 60_000
    words = f"The endpoint is disabled and will be unblocked after {until_ms}"
    barred = (
        refused(100410, words)
        if told == "words"
        else refused(100410, "busy", x_ratelimit_requests_expire=str(until_ms))
    )
    desk.transport.on(OPEN, barred, listed())
    desk.transport.on(PLACE, ok(placed_payload(type="STOP_MARKET", side="SELL", clientOrderID="")))
    with pytest.raises(RateLimitedError):
        await desk.orders.fetch_open_orders()
    asked = desk.transport.names().count(OPEN)

    with pytest.raises(RateLimitedError, match="next try is possible in"):
        await desk.orders.fetch_open_orders()
    (update,) = await desk.orders.place_order(stop())

    assert desk.transport.names().count(OPEN) == asked == 1
    assert update.status is OrderStatus.SUBMITTED
    desk.time.step(61_000)
    assert await desk.orders.fetch_open_orders() == []
    assert await desk.orders.fetch_open_orders() == []


async def test_a_refused_order_of_that_kind_was_not_executed() -> None:
    """It may leave again when the interface is open."""
    desk = bench()
    desk.transport.on(PLACE, refused(109429, "Too many requests"))

    (update,) = await desk.orders.place_order(entry())

    assert (update.status, update.refusal) == (OrderStatus.NOT_EXECUTED, Refusal.RATE_LIMITED)


@pytest.mark.parametrize(
    "answer",
    [
        reply([1, 2]),
        Answer(200, {"x-ratelimit-requests-remain": "many"}, b"{}"),
        Answer(200, {"x-ratelimit-requests-remain": "1999"}, b"{}"),
        Answer(200, {}, b"x" * 5000),
    ],
)
async def test_headers_that_say_nothing_change_nothing(answer: Answer) -> None:
    """More than we think there is, or no number at all."""
    desk = bench()
    desk.transport.on(PLACE, answer)
    await desk.gateway.measure_clock()
    before_ms = desk.time.now_ms()

    for _ in range(8):
        await desk.orders.place_order(entry())

    assert desk.time.now_ms() == before_ms


def test_budgets_of_interfaces_are_told_apart() -> None:
    """Placing and cancelling share an address, not a budget."""
    names = list(requests.USER_LIMITS)

    assert len(names) == len(set(names))
    assert requests.cancel_order("BTCUSDT", exchange_order_id="1").costs != (
        requests.fetch_order("BTCUSDT", exchange_order_id="1").costs
    )

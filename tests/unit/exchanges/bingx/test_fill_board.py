"""The listing of all executions: believed on proof, used when the other has no room."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.support.bingx import (
    FILLS,
    ORDER_ID,
    TIME_MS,
    Bench,
    bench,
    fill_payload,
    fills,
    ok,
    order_payload,
)
from tests.support.fake_transport import reply

from milobot.domain.orders import Fill
from milobot.exchanges.bingx import mapping, requests
from milobot.exchanges.bingx.fills import BingxFills
from milobot.exchanges.limits import Usage
from milobot.exchanges.wire import Answer

ALL_FILLS = "GET /openApi/swap/v2/trade/allFillOrders"
KNOWN, OTHER = str(ORDER_ID), "7"


def board(*rows: dict[str, Any]) -> Answer:
    """Return a listing of the executions of all symbols."""
    return ok({"fill_orders": list(rows)})


def use_up(desk: Bench) -> None:
    """Leave no room for another question after one order's executions."""
    desk.limiter.learn(Usage(FILLS, requests.USER_LIMITS[FILLS].most))


async def no_room_then(desk: Bench, *answers: Answer, order_id: str = OTHER) -> list[Fill]:
    """Return what is told of an order while the listing of one order has no room."""
    desk.transport.on(ALL_FILLS, *answers)
    lists = BingxFills(desk.gateway, desk.gateway.sleep)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    await lists.of_order("BTCUSDT", KNOWN, quantity=Decimal(1), since_ms=TIME_MS)
    desk.transport.on(FILLS, fills(fill_payload(2, "0.020", orderId=OTHER)))
    use_up(desk)
    return await lists.of_order("BTCUSDT", order_id, quantity=Decimal(1), since_ms=TIME_MS)


async def test_it_is_not_asked_while_the_other_listing_has_room() -> None:
    """One order alone is asked for by itself."""
    desk = bench()
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))

    found = await BingxFills(desk.gateway, desk.gateway.sleep).of_order(
        "BTCUSDT", KNOWN, quantity=Decimal(1), since_ms=TIME_MS
    )

    assert [fill.fill_id for fill in found] == ["1"]
    assert desk.transport.names() == [FILLS]


async def test_it_serves_once_it_shows_what_is_known_in_the_same_way() -> None:
    """Two listings that name an execution differently would have it booked twice."""
    desk = bench()
    rows = (fill_payload(1, "0.010"), fill_payload(2, "0.020", orderId=OTHER))

    found = await no_room_then(desk, board(*rows))

    assert [(fill.fill_id, fill.quantity) for fill in found] == [("2", Decimal("0.020"))]
    assert desk.transport.names() == [FILLS, ALL_FILLS]


@pytest.mark.parametrize(
    "answer",
    [
        board(fill_payload(8, "0.010")),
        board(fill_payload(1, "0.010", commission="-0.3")),
        board({**fill_payload(1, "0.010"), "tradeId": ""}),
        board({**fill_payload(1, "0.010"), "side": ""}),
    ],
)
async def test_it_is_never_used_where_it_shows_executions_differently(answer: Answer) -> None:
    """Other ids, rounded fees, no ids, no sides: older descriptions have it so."""
    desk = bench()

    found = await no_room_then(desk, answer)

    assert [fill.fill_id for fill in found] == ["2"]
    assert desk.transport.names() == [FILLS, ALL_FILLS, FILLS]


@pytest.mark.parametrize("answer", [board(), reply({}, 400)])
async def test_what_proves_nothing_is_not_believed(answer: Answer) -> None:
    """It may be behind, or not be had: the other listing is asked, as ever."""
    desk = bench()

    found = await no_room_then(desk, answer)

    assert [fill.fill_id for fill in found] == ["2"]
    assert desk.transport.names()[-1] == FILLS


async def test_what_is_disproved_is_not_asked_again() -> None:
    """Each question would be for nothing."""
    desk = bench()
    desk.transport.on(ALL_FILLS, board(fill_payload(8, "0.010")))
    lists = BingxFills(desk.gateway, desk.gateway.sleep)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    await lists.of_order("BTCUSDT", KNOWN, quantity=Decimal(1), since_ms=TIME_MS)

    for _ in range(2):
        use_up(desk)
        await lists.of_order("BTCUSDT", KNOWN, quantity=Decimal(1), since_ms=TIME_MS)

    assert desk.transport.names().count(ALL_FILLS) == 1


async def test_many_who_wait_share_one_listing() -> None:
    """Sixteen orders a second are told by it where five can be asked for."""
    desk = bench()
    rows = [fill_payload(number, "0.010", orderId=str(number)) for number in range(10, 30)]
    desk.transport.on(ALL_FILLS, board(fill_payload(1, "0.010"), *rows))

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)
        await desk.gateway.sleep(seconds)

    lists = BingxFills(desk.gateway, sleep)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    await lists.of_order("BTCUSDT", KNOWN, quantity=Decimal(1), since_ms=TIME_MS)
    use_up(desk)
    await lists.of_order(
        "BTCUSDT", KNOWN, quantity=Decimal(1), since_ms=TIME_MS
    )  # believed from here on
    desk.limiter.learn(Usage(ALL_FILLS, requests.USER_LIMITS[ALL_FILLS].most))
    before = len(desk.transport.names())

    found = await asyncio.gather(
        *(
            lists.of_order("BTCUSDT", str(n), quantity=Decimal(1), since_ms=TIME_MS)
            for n in range(10, 30)
        )
    )

    assert [fill.fill_id for (fill,) in found] == [str(n) for n in range(10, 30)]
    assert desk.transport.names()[before:] == [ALL_FILLS]


async def test_what_a_report_promises_is_told_by_it_too() -> None:
    """Orders in doubt are asked for when there is least room: they would wait for seconds."""
    desk = bench()
    desk.transport.on(
        ALL_FILLS, board(fill_payload(1, "0.010"), fill_payload(2, "0.020", orderId=OTHER))
    )
    lists = BingxFills(desk.gateway, desk.gateway.sleep)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    await lists.of_order("BTCUSDT", KNOWN, quantity=Decimal("0.010"), since_ms=TIME_MS)
    use_up(desk)

    report = mapping.parse_order(
        {"data": {"order": order_payload("FILLED", "0.020", orderId=int(OTHER))}}
    )
    found = await lists.of_report(replace(report, time_ms=desk.time.now_ms()))

    assert [fill.fill_id for fill in found] == ["2"]
    assert desk.transport.names() == [FILLS, ALL_FILLS]


async def test_an_old_order_is_asked_for_by_itself() -> None:
    """The listing of everything since it was executed would be long."""
    desk = bench()
    lists = BingxFills(desk.gateway, desk.gateway.sleep)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    use_up(desk)

    report = mapping.parse_order({"data": {"order": order_payload("FILLED", "0.010")}})
    found = await lists.of_report(replace(report, time_ms=desk.time.now_ms() - 60_000))

    assert [fill.fill_id for fill in found] == ["1"]
    assert desk.transport.names() == [FILLS]

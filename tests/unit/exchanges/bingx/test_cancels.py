"""Cancels at BingX: an order has ended when it shows its end, and not before."""

import pytest
from tests.support.bingx import (
    CANCEL,
    FILLS,
    HISTORY,
    OPEN,
    QUERY,
    STOP_ID,
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
from tests.support.fake_transport import TIMEOUT

from milobot.domain.orders import OrderStatus
from milobot.exchanges.wire import Answer, Facts

PLACED = ok(placed_payload())
STOP_PLACED = ok(placed_payload(orderId=STOP_ID, side="SELL", type="STOP_MARKET", clientOrderID=""))


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


async def test_what_rests_is_withdrawn_by_the_id_that_it_rests_under() -> None:
    """Two that do the same, one taken for the other: an ended twin would be withdrawn for ever."""
    desk = bench()
    desk.transport.on(CANCEL, ok({"order": stop_payload("PENDING")}))
    desk.transport.on(QUERY, ok({"order": stop_payload("CANCELLED")}))
    desk.orders.ids.bind("milo2", "77")

    await desk.orders.cancel_order(stop(exchange_order_id=str(STOP_ID)))

    assert desk.transport.sent[0].params["orderId"] == str(STOP_ID)

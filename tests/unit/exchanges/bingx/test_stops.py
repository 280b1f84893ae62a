"""Stops and targets at BingX, which take no id of ours: known by what they do, sent once."""

from decimal import Decimal

import pytest
from tests.support.bingx import (
    FILLS,
    HISTORY,
    OPEN,
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
    placed_payload,
    refused,
    stop,
    stop_payload,
)
from tests.support.fake_transport import TIMEOUT

from milobot.domain.orders import OrderPurpose, OrderStatus, OrderType, Refusal
from milobot.domain.reports import OrderReport
from milobot.exchanges.bingx.orders import BingxOrders

PLACED = ok(placed_payload())
STOP_PLACED = ok(placed_payload(orderId=STOP_ID, side="SELL", type="STOP_MARKET", clientOrderID=""))
EXITS = (
    stop(close_position=False),
    stop(
        "63000",
        client_order_id="milo3",
        type=OrderType.TAKE_PROFIT_MARKET,
        purpose=OrderPurpose.TARGET,
        close_position=False,
    ),
)


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

    entered, stopped, aimed = await desk.orders.place_order(entry(attached=EXITS))

    assert entered.status is OrderStatus.FILLED
    assert (stopped.client_order_id, stopped.exchange_order_id) == ("milo2", str(STOP_ID))
    assert (aimed.client_order_id, aimed.exchange_order_id) == ("milo3", str(STOP_ID + 1))
    assert (stopped.status, stopped.quantity) == (OrderStatus.SUBMITTED, None)
    assert desk.transport.names().count(PLACE) == 1


@pytest.mark.parametrize(
    "resting",
    [
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
    """Elsewhere, closing everything, or without an id that it could be withdrawn by."""
    desk = bench()
    desk.transport.on(PLACE, PLACED)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    desk.transport.on(OPEN, listed(resting))

    _, stopped = await desk.orders.place_order(entry(attached=EXITS[:1]))

    assert stopped.status is OrderStatus.NOT_EXECUTED
    assert desk.transport.names().count(OPEN) == 2  # it may be made after the fill


async def test_an_attached_stop_is_in_doubt_while_the_exchange_cannot_be_asked() -> None:
    """Neither there nor not there: it is asked for later, like any exit on its way."""
    desk = bench()
    desk.transport.on(PLACE, PLACED)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    desk.transport.on(OPEN, refused(100413, "Incorrect apiKey"))

    (entered,) = await desk.orders.place_order(entry(attached=EXITS))

    assert entered.status is OrderStatus.FILLED


async def test_an_attached_stop_that_is_found_later_is_told_with_its_size() -> None:
    """A process that was restarted asks for it by what it does, and sees that it is too small."""
    desk = bench()
    small = stop_payload(closePosition=False, origQty="0.004")
    desk.transport.on(OPEN, listed(small))
    desk.transport.on(QUERY, ok({"order": small}))

    found = await desk.orders.fetch_update(EXITS[0])

    assert found is not None
    assert (found.status, found.quantity) == (OrderStatus.SUBMITTED, Decimal("0.004"))
    assert found.exchange_order_id == str(STOP_ID)


async def test_exits_of_an_entry_that_was_refused_are_not_looked_for() -> None:
    """There are none, and that is told: nothing of them is in doubt."""
    desk = bench()
    desk.transport.on(PLACE, refused(101204))

    entered, *exits = await desk.orders.place_order(entry(attached=EXITS))

    assert entered.status is OrderStatus.REJECTED
    assert [one.status for one in exits] == [OrderStatus.NOT_EXECUTED] * 2
    assert desk.transport.names() == [PLACE]


async def test_exits_of_an_entry_in_doubt_are_in_doubt() -> None:
    """What the entry carried may rest as long as the entry may fill."""
    desk = bench()
    desk.transport.on(PLACE, TIMEOUT)

    (entered,) = await desk.orders.place_order(entry(attached=EXITS))

    assert entered.status is OrderStatus.UNKNOWN


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


class Overtaken(BingxOrders):
    """One whose stop is answered for while it is looked for."""

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return what rests, a moment before the answer to placing names the stop."""
        found = await super().fetch_open_orders(symbol)
        self.ids.bind("milo2", str(STOP_ID))
        return found


async def test_a_stop_whose_answer_comes_while_it_is_looked_for_is_not_its_twin() -> None:
    """One that came with the entry does the same and was listed first: it goes by no id yet."""
    desk = bench()
    desk.transport.on(OPEN, listed(stop_payload(orderId=77)))
    desk.transport.on(QUERY, ok({"order": stop_payload()}))
    orders = Overtaken(desk.gateway, desk.time.sleep)

    report = await orders.fetch_order(stop())

    assert report is not None
    assert orders.ids.is_free("77")
    assert desk.transport.sent[-1].params["orderId"] == str(STOP_ID)

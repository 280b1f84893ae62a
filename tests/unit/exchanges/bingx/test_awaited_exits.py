"""Exits that came with an entry, known by BingX's events instead of by a listing."""

from decimal import Decimal
from typing import Any

import pytest
from tests.support.bingx import (
    CANCEL,
    FILLS,
    OPEN,
    ORDER_ID,
    PLACE,
    QUERY,
    STOP_ID,
    TIME_MS,
    Bench,
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

from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType, OrderUpdate
from milobot.exchanges.bingx.events import FollowOrder, UserEvents
from milobot.exchanges.wire import Answer

STOP = stop(close_position=False)
TARGET = stop(
    "63000",
    client_order_id="milo3",
    type=OrderType.TAKE_PROFIT_MARKET,
    purpose=OrderPurpose.TARGET,
    close_position=False,
)


def resting_event(**more: Any) -> dict[str, Any]:
    """Return the event that a stop rests, which names no id of ours."""
    order = {
        "s": "BTC-USDT", "c": "", "i": STOP_ID, "S": "SELL", "o": "STOP_MARKET", "q": "0.01000000",
        "p": "0", "sp": "60000.0", "ap": "0.0", "x": "NEW", "X": "NEW", "T": TIME_MS, "ps": "LONG",
        "z": "0.00000000", **more,
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": TIME_MS, "o": order}


TARGET_EVENT = resting_event(i=STOP_ID + 1, o="TAKE_PROFIT_MARKET", sp="63000.0")

TARGET_LISTED = stop_payload(
    orderId=STOP_ID + 1, type="TAKE_PROFIT_MARKET", stopPrice="63000.0", closePosition=False
)


def events_of(desk: Bench) -> UserEvents:
    """Return what reads the events of an account."""
    return UserEvents(desk.orders.ids, shown=desk.orders.attached.awaited.hear)


def enter(desk: Bench, *told: dict[str, Any], name: str = "milo1") -> list[OrderUpdate]:
    """Let an entry be taken and filled, and events come with the answer; return their news."""
    reader = events_of(desk)
    heard: list[OrderUpdate] = []

    def answer() -> Answer:
        for event in told:
            heard.extend(n for n in reader.parse(event) if isinstance(n, OrderUpdate))
        return ok(placed_payload(clientOrderID=name))

    desk.transport.on(PLACE, answer)
    desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
    return heard


async def rest(desk: Bench) -> Order:
    """Place a limit entry with a stop that does not fill; return it."""
    desk.transport.on(PLACE, ok(placed_payload(type="LIMIT")))
    desk.transport.on(OPEN, listed())
    limit = entry(attached=(STOP,), type=OrderType.LIMIT, price=Decimal(61_000))
    (waiting,) = await desk.orders.place_order(limit)
    assert waiting.status is OrderStatus.SUBMITTED
    return limit


async def placed(desk: Bench, *exits: Order) -> dict[str, OrderUpdate]:
    """Send an entry with exits; return the news of it by name."""
    news = await desk.orders.place_order(entry(attached=exits))
    return {update.client_order_id: update for update in news}


async def test_exits_that_events_tell_of_are_not_listed() -> None:
    """BingX lists what rests five times a second: entries would wait for that."""
    desk = bench()
    heard = enter(desk, TARGET_EVENT, resting_event())

    news = await placed(desk, STOP, TARGET)

    assert [news[name].status for name in ("milo2", "milo3")] == [OrderStatus.SUBMITTED] * 2
    assert news["milo2"].exchange_order_id == str(STOP_ID)
    assert news["milo3"].exchange_order_id == str(STOP_ID + 1)
    assert {update.client_order_id for update in heard} == {"milo2", "milo3"}
    assert OPEN not in desk.transport.names()


async def test_an_exit_that_no_event_tells_of_is_looked_for() -> None:
    """The stream may be away, and nobody promises that it tells of everything."""
    desk = bench()
    enter(desk, TARGET_EVENT)
    desk.transport.on(OPEN, listed(TARGET_LISTED, stop_payload(closePosition=False)))

    news = await placed(desk, STOP, TARGET)

    assert [news[name].status for name in ("milo2", "milo3")] == [OrderStatus.SUBMITTED] * 2
    assert desk.transport.names().count(OPEN) == 1


async def test_what_an_event_told_of_rests_whatever_a_listing_lacks() -> None:
    """A listing lags behind: the exit would be called missing and placed once more."""
    desk = bench()
    enter(desk, resting_event())
    desk.transport.on(OPEN, listed(TARGET_LISTED))

    news = await placed(desk, STOP, TARGET)

    assert [news[name].status for name in ("milo2", "milo3")] == [OrderStatus.SUBMITTED] * 2
    assert desk.transport.names().count(OPEN) == 1


async def test_a_stop_that_an_event_named_is_not_taken_for_a_twin_in_a_listing() -> None:
    """A person may have placed one at the same place: ours is withdrawn later, not theirs."""
    desk = bench()
    enter(desk, resting_event())
    desk.transport.on(
        OPEN, listed(TARGET_LISTED, stop_payload(orderId=STOP_ID + 7, closePosition=False))
    )

    news = await placed(desk, STOP, TARGET)

    assert news["milo2"].exchange_order_id == str(STOP_ID)
    assert desk.orders.ids.exchange_id("milo2") == str(STOP_ID)


@pytest.mark.parametrize("at_look", [1, 2])
async def test_an_event_that_comes_while_listings_lack_the_exit_is_not_contradicted(
    at_look: int,
) -> None:
    """Slow events and slow listings at the same time: one of them is enough."""
    desk = bench()
    heard = enter(desk)
    reader = events_of(desk)

    def answer() -> Answer:
        if desk.transport.names().count(OPEN) == at_look:
            heard.extend(n for n in reader.parse(resting_event()) if isinstance(n, OrderUpdate))
        return listed()

    desk.transport.on(OPEN, answer)

    news = await placed(desk, STOP)

    assert [update.status for update in heard] == [OrderStatus.SUBMITTED]
    assert news["milo2"].status is OrderStatus.SUBMITTED
    assert desk.transport.names().count(OPEN) == at_look


@pytest.mark.parametrize(
    "other",
    [
        resting_event(q="0.004"),
        resting_event(q="0"),
        resting_event(S="BUY"),
        resting_event(sp="59000.0"),
        resting_event(s="ETH-USDT"),
        resting_event(o="TAKE_PROFIT_MARKET"),
        resting_event(X="CANCELED"),
    ],
)
async def test_an_event_of_another_order_is_no_proof(other: dict[str, Any]) -> None:
    """Over another quantity, elsewhere, the other way, or at its end."""
    desk = bench()
    enter(desk, other)
    desk.transport.on(OPEN, listed())

    news = await placed(desk, STOP)

    assert news["milo2"].status is OrderStatus.NOT_EXECUTED
    assert desk.transport.names().count(OPEN) == 2


async def test_an_order_of_another_name_is_no_proof() -> None:
    """It rests for something else already."""
    desk = bench()
    desk.orders.ids.bind("milo9", str(STOP_ID))
    enter(desk, resting_event())
    desk.transport.on(OPEN, listed())

    news = await placed(desk, STOP)

    assert news["milo2"].status is OrderStatus.NOT_EXECUTED


async def test_an_entry_that_fills_later_has_its_stop_when_the_event_tells() -> None:
    """A limit order's exits come to rest when it fills: no question is needed then."""
    desk = bench()
    enter(desk)
    await rest(desk)

    (told,) = events_of(desk).parse(resting_event())

    assert isinstance(told, OrderUpdate)
    assert (told.client_order_id, told.status) == ("milo2", OrderStatus.SUBMITTED)


async def test_a_stop_that_was_given_up_takes_no_event_of_the_one_in_its_place() -> None:
    """The one that is placed by itself looks the same: it goes by its own name."""
    desk = bench()
    enter(desk)
    desk.transport.on(OPEN, listed())
    await placed(desk, STOP)

    (told,) = events_of(desk).parse(resting_event())

    assert isinstance(told, OrderUpdate)
    assert told.client_order_id == str(STOP_ID)


async def test_a_stop_that_is_sent_by_itself_is_not_taken_for_the_one_in_doubt() -> None:
    """The entry's fate is open, a stop of the same place leaves: its event is its own."""
    desk = bench()
    desk.transport.on(PLACE, refused(100400, status=500), ok(placed_payload(orderId=STOP_ID)))
    desk.transport.on(QUERY, ok({"order": order_payload()}))
    desk.transport.on(OPEN, listed())
    await desk.orders.place_order(entry(attached=(STOP,)))
    await desk.orders.place_order(stop(client_order_id="milo7", close_position=False))

    (told,) = events_of(desk).parse(resting_event(i=STOP_ID + 2))

    assert isinstance(told, OrderUpdate)
    assert told.client_order_id == str(STOP_ID + 2)
    assert desk.orders.ids.exchange_id("milo2") == ""


async def test_the_exit_of_an_entry_that_never_filled_takes_no_event_of_the_next_one() -> None:
    """A grid enters at the same levels again: its stop would go by the name of an old one."""
    desk = bench()
    await rest(desk)
    enter(desk, resting_event(), name="milo4")

    later = stop(client_order_id="milo5", close_position=False)
    news = await desk.orders.place_order(entry(client_order_id="milo4", attached=(later,)))

    assert {u.client_order_id: u.status for u in news}["milo5"] is OrderStatus.SUBMITTED
    assert desk.orders.ids.exchange_id("milo2") == ""


async def test_nothing_is_expected_of_an_entry_that_was_withdrawn() -> None:
    """A stop that a person places there afterwards is theirs."""
    desk = bench()
    limit = await rest(desk)
    desk.transport.on(CANCEL, ok(placed_payload(type="LIMIT")))
    desk.transport.on(QUERY, ok({"order": order_payload("CANCELED", type="LIMIT")}))

    await desk.orders.cancel_order(limit)
    (told,) = events_of(desk).parse(resting_event())

    assert isinstance(told, OrderUpdate)
    assert told.client_order_id == str(STOP_ID)


async def test_executions_that_two_ask_for_are_listed_once() -> None:
    """Whoever sent the order and whoever hears of its fill ask at the same moment."""
    desk = bench()
    enter(desk, resting_event())
    await placed(desk, STOP)
    event = resting_event(i=ORDER_ID, o="MARKET", c="milo1", S="BUY", X="FILLED", z="0.010", sp="0")

    (follow,) = events_of(desk).parse(event)
    assert isinstance(follow, FollowOrder)
    update = await desk.orders.follow(follow)

    assert update is not None
    assert update.status is OrderStatus.FILLED
    assert desk.transport.names().count(FILLS) == 1

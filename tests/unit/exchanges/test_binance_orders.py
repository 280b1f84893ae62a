"""Orders at Binance: every answer ends in an update that the engine may believe."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.binance import (
    algo_payload,
    bench,
    entry,
    fill_payload,
    order_payload,
    stop,
)
from tests.support.fake_transport import TIMEOUT, refusal, reply

from milobot.domain.intents import Side
from milobot.domain.orders import Fill, OrderPurpose, OrderStatus, Refusal
from milobot.errors import ExchangeUnavailableError, RateLimitedError
from milobot.exchanges.binance import requests
from milobot.exchanges.binance.orders import BinanceOrders
from milobot.exchanges.limits import Usage
from milobot.exchanges.urgency import vital
from milobot.exchanges.wire import Answer, Facts

PLACE, PLACE_ALGO = "POST /fapi/v1/order", "POST /fapi/v1/algoOrder"
FILLS, QUERY, QUERY_ALGO = (
    "GET /fapi/v1/userTrades",
    "GET /fapi/v1/order",
    "GET /fapi/v1/algoOrder",
)
CANCEL, CANCEL_ALGO = "DELETE /fapi/v1/order", "DELETE /fapi/v1/algoOrder"


async def test_a_filled_order_comes_with_its_fills() -> None:
    """Whoever hears FILLED must have the position: without fills the slot would look flat."""
    desk = bench()
    desk.transport.on(PLACE, reply(order_payload("FILLED", "0.010")))
    desk.transport.on(FILLS, reply([fill_payload(2, "0.006"), fill_payload(1, "0.004")]))

    (update,) = await desk.orders.place_order(entry())

    assert update.status is OrderStatus.FILLED
    assert [(f.fill_id, f.quantity) for f in update.fills] == [
        ("1", Decimal("0.004")),
        ("2", Decimal("0.006")),
    ]
    assert {f.client_order_id for f in update.fills} == {"milo1"}
    assert update.exchange_order_id == "9007199254740993"


@pytest.mark.parametrize(
    ("listed", "status"),
    [
        (reply([]), OrderStatus.SUBMITTED),
        (reply([fill_payload(1, "0.004")]), OrderStatus.PARTIALLY_FILLED),
        (TIMEOUT, OrderStatus.SUBMITTED),
    ],
)
async def test_a_fill_that_is_not_listed_yet_is_not_told_yet(
    listed: Facts, status: OrderStatus
) -> None:
    """The rest comes with the user stream or the next look, never as a promise."""
    desk = bench()
    desk.transport.on(PLACE, reply(order_payload("FILLED", "0.010")))
    desk.transport.on(FILLS, listed)

    (update,) = await desk.orders.place_order(entry())

    assert update.status is status


async def test_an_order_is_not_signed_after_its_time() -> None:
    """What makes 'not found' final: the order itself says until when it may leave."""
    desk = bench()
    order = replace(entry(), send_before_ms=desk.time.now_ms() - 1)

    (update,) = await desk.orders.place_order(order)

    assert (update.status, update.refusal) == (OrderStatus.NOT_EXECUTED, Refusal.TOO_LATE)
    assert desk.transport.names() == []


async def test_fills_that_are_listed_late_are_waited_for() -> None:
    """A position is known sooner by asking again than by waiting for an event."""
    desk = bench()
    desk.transport.on(PLACE, reply(order_payload("FILLED", "0.010")))
    desk.transport.on(FILLS, reply([]), reply([fill_payload(1, "0.010")]))

    (update,) = await desk.orders.place_order(entry())

    assert update.status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("answer", "status", "refusal_"),
    [
        (refusal(-2019), OrderStatus.REJECTED, Refusal.INSUFFICIENT_MARGIN),
        (refusal(-1015), OrderStatus.NOT_EXECUTED, Refusal.RATE_LIMITED),
        (TIMEOUT, OrderStatus.UNKNOWN, Refusal.UNAVAILABLE),
        (Answer(200, {}, b""), OrderStatus.UNKNOWN, Refusal.OTHER),
        (reply({"status": "NEW"}), OrderStatus.UNKNOWN, Refusal.OTHER),
        (reply(order_payload(clientOrderId="foreign")), OrderStatus.UNKNOWN, Refusal.OTHER),
        (reply(order_payload(symbol="ETHUSDT")), OrderStatus.UNKNOWN, Refusal.OTHER),
        (reply(order_payload(status="SOMETHING_NEW")), OrderStatus.UNKNOWN, Refusal.OTHER),
    ],
)
async def test_what_was_not_taken_says_so(
    answer: Facts, status: OrderStatus, refusal_: Refusal
) -> None:
    """No exception, no guess: a status, our word for the reason, and theirs in a sentence."""
    desk = bench()
    desk.transport.on(PLACE, answer)

    (update,) = await desk.orders.place_order(entry())

    assert (update.status, update.refusal) == (status, refusal_)
    assert update.reason
    assert desk.transport.names() == [PLACE]


async def test_a_duplicate_id_leads_to_a_look() -> None:
    """The order is there: what it is doing is the answer."""
    desk = bench()
    desk.transport.on(PLACE, refusal(-4116))
    desk.transport.on(QUERY, reply(order_payload("FILLED", "0.010")))
    desk.transport.on(FILLS, reply([fill_payload(1, "0.010")]))

    (update,) = await desk.orders.place_order(entry())

    assert (update.status, len(update.fills)) == (OrderStatus.FILLED, 1)


async def test_an_exit_with_nothing_to_reduce_may_have_been_executed_before() -> None:
    """The leader before us sent it and died with its record: the position is closed, not stuck."""
    desk = bench()
    close = replace(entry(), reduce_only=True, purpose=OrderPurpose.CLOSE)
    desk.transport.on(PLACE, refusal(-2022))
    desk.transport.on(QUERY, reply(order_payload("FILLED", "0.010")), refusal(-2013))
    desk.transport.on(FILLS, reply([fill_payload(1, "0.010")]))

    (found,) = await desk.orders.place_order(close)
    (refused,) = await desk.orders.place_order(close)

    assert (found.status, len(found.fills)) == (OrderStatus.FILLED, 1)
    assert (refused.status, refused.refusal) == (OrderStatus.REJECTED, Refusal.NOTHING_TO_REDUCE)


@pytest.mark.parametrize("looked", [TIMEOUT, refusal(-2013)])
async def test_a_duplicate_id_that_cannot_be_looked_at_stays_unknown(looked: Facts) -> None:
    """Not found is no proof: what was accepted may become visible later."""
    desk = bench()
    desk.transport.on(PLACE, refusal(-4116))
    desk.transport.on(QUERY, looked)

    (update,) = await desk.orders.place_order(entry())

    assert (update.status, update.refusal) == (OrderStatus.UNKNOWN, Refusal.DUPLICATE_ID)


async def test_conditional_orders_go_to_the_algo_service() -> None:
    """The plain endpoint answers -4120 to them since December 2025."""
    desk = bench()
    desk.transport.on(PLACE_ALGO, reply(algo_payload()))

    (update,) = await desk.orders.place_order(stop())

    params = desk.transport.sent[0].params
    assert update.status is OrderStatus.SUBMITTED
    assert (params["triggerPrice"], params["closePosition"]) == ("60000", "true")
    assert params["workingType"] == "CONTRACT_PRICE"
    assert not {"stopPrice", "quantity", "reduceOnly"} & params.keys()


async def test_a_cancelled_order_is_confirmed() -> None:
    """The answer is the order itself, with what had filled before."""
    desk = bench()
    desk.transport.on(CANCEL, reply(order_payload("CANCELED", "0.004")))
    desk.transport.on(FILLS, reply([fill_payload(1, "0.004")]))

    (update,) = await desk.orders.cancel_order(entry())

    assert (update.status, len(update.fills)) == (OrderStatus.CANCELLED, 1)


async def test_a_cancelled_order_whose_fills_are_not_listed_is_in_doubt() -> None:
    """CANCELLED without them would forget a position."""
    desk = bench()
    desk.transport.on(CANCEL, reply(order_payload("CANCELED", "0.004")))
    desk.transport.on(FILLS, reply([]))

    (update,) = await desk.orders.cancel_order(entry())

    assert update.status is OrderStatus.UNKNOWN


@pytest.mark.parametrize(
    "answer", [reply({"code": "200", "msg": "success"}), reply(algo_payload("CANCELED"))]
)
async def test_both_answers_to_a_conditional_cancel_are_understood(answer: Facts) -> None:
    """Documented is a bare success; recorded is the order."""
    desk = bench()
    desk.transport.on(CANCEL_ALGO, answer)

    (update,) = await desk.orders.cancel_order(stop())

    assert update.status is OrderStatus.CANCELLED


async def test_a_cancel_that_came_too_late_tells_the_fill() -> None:
    """-2011 means that nothing rests any more; why is a question to ask at once."""
    desk = bench()
    desk.transport.on(CANCEL_ALGO, refusal(-2011))
    desk.transport.on(QUERY_ALGO, reply(algo_payload("FINISHED", "77")))
    desk.transport.on(QUERY, reply(order_payload("FILLED", "0.010", orderId=77, side="SELL")))
    desk.transport.on(FILLS, reply([fill_payload(1, "0.010", orderId=77, side="SELL")]))

    (update,) = await desk.orders.cancel_order(stop())

    assert (update.status, len(update.fills)) == (OrderStatus.FILLED, 1)
    assert update.fills[0].client_order_id == "milo2"


@pytest.mark.parametrize("answer", [TIMEOUT, refusal(-1003, status=429), reply({}), reply([])])
async def test_a_cancel_that_is_not_confirmed_is_unknown(answer: Facts) -> None:
    """The order may rest or not; only a query tells."""
    desk = bench()
    desk.transport.on(CANCEL, answer)

    (update,) = await desk.orders.cancel_order(entry())

    assert update.status is OrderStatus.UNKNOWN
    assert desk.transport.names() == [CANCEL]


@pytest.mark.parametrize(
    ("child", "status", "filled"),
    [
        (reply(order_payload("FILLED", "0.010", orderId=77)), OrderStatus.FILLED, "0.010"),
        (reply(order_payload("NEW", "0", orderId=77)), OrderStatus.TRIGGERED, "0"),
        (reply(order_payload("EXPIRED", "0", orderId=77)), OrderStatus.EXPIRED, "0"),
        (refusal(-2013), OrderStatus.TRIGGERED, "0"),
    ],
)
async def test_a_triggered_order_is_what_its_child_became(
    child: Facts, status: OrderStatus, filled: str
) -> None:
    """FINISHED is not FILLED: the child may have been cancelled in the matching engine."""
    desk = bench()
    desk.transport.on(QUERY_ALGO, reply(algo_payload("FINISHED", "77")))
    desk.transport.on(QUERY, child)

    report = await desk.orders.fetch_order(stop())

    assert report is not None
    assert (report.status, report.filled_quantity) == (status, Decimal(filled))
    assert report.child_order_id == "77"


async def test_an_order_that_is_not_there_is_none() -> None:
    """Not found is an answer; trouble on the way is not."""
    desk = bench()
    desk.transport.on(QUERY, refusal(-2013), TIMEOUT)

    assert await desk.orders.fetch_update(entry()) is None
    with pytest.raises(ExchangeUnavailableError):
        await desk.orders.fetch_update(entry())


async def test_both_kinds_of_open_orders_are_listed() -> None:
    """A stop that is not in the listing would be placed twice."""
    desk = bench()
    desk.transport.on(
        "GET /fapi/v1/openOrders", reply([order_payload(type="TRAILING_STOP_MARKET")])
    )
    desk.transport.on("GET /fapi/v1/openAlgoOrders", reply([algo_payload()]))

    plain, conditional = await desk.orders.fetch_open_orders("BTCUSDT")

    assert (plain.type, plain.is_conditional) == (None, False)
    assert (conditional.client_order_id, conditional.is_conditional) == ("milo2", True)


async def test_fees_in_another_asset_are_worth_their_price() -> None:
    """With BNB for fees the commission is no USDT amount."""
    desk = bench()
    desk.transport.on("GET /fapi/v2/ticker/price", reply({"symbol": "BNBUSDT", "price": "600"}))
    row = fill_payload(1, "0.010", commission="0.001", commissionAsset="BNB")
    desk.transport.on(FILLS, reply([row, fill_payload(2, "1", commissionAsset="XYZ")]))
    await desk.account.learn_fee_prices()

    known, unknown = await desk.orders.fetch_fills("BTCUSDT")

    assert (known.fee, unknown.fee) == (Decimal("0.6"), Decimal(0))


def _told(*quantities: str) -> list[Fill]:
    return [
        Fill(str(n), "x", "BTCUSDT", Side.BUY, Decimal(q), Decimal(61_000), Decimal("0.3"), n)
        for n, q in enumerate(quantities, 1)
    ]


async def test_fills_that_the_stream_told_are_not_asked_for_once_more() -> None:
    """A listing costs five of the 2,400 a minute: one for each order spends a busy budget."""
    desk = bench()
    for fill in _told("0.004", "0.006"):
        desk.orders.told.learn("9007199254740993", fill)
    desk.transport.on(PLACE, reply(order_payload("FILLED", "0.010")))

    (update,) = await desk.orders.place_order(entry())

    assert (update.status, [f.fill_id for f in update.fills]) == (OrderStatus.FILLED, ["1", "2"])
    assert {(f.client_order_id, f.fee) for f in update.fills} == {("milo1", Decimal("0.3"))}
    assert desk.transport.names() == [PLACE]


async def test_an_open_stream_is_given_a_moment_to_tell_a_fill() -> None:
    """Answer and event leave Binance at the same time, and either may be read first."""
    desk = bench()
    desk.orders.told.is_live = True
    desk.transport.on(PLACE, reply(order_payload("FILLED", "0.010")))
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            desk.orders.told.learn("9007199254740993", _told("0.010")[0])

    orders = BinanceOrders(desk.gateway, sleep)
    orders.told = desk.orders.told
    (update,) = await orders.place_order(entry())

    assert update.status is OrderStatus.FILLED
    assert desk.transport.names() == [PLACE]


async def test_what_an_open_stream_does_not_tell_is_listed_and_counted_once() -> None:
    """Events get lost: the listing fills the gap, under the ids that both share."""
    desk = bench()
    desk.orders.told.is_live = True
    desk.orders.told.learn("9007199254740993", _told("0.004")[0])
    desk.transport.on(PLACE, reply(order_payload("FILLED", "0.010")))
    desk.transport.on(FILLS, reply([fill_payload(1, "0.004"), fill_payload(2, "0.006")]))
    began_ms = desk.time.now_ms()

    (update,) = await desk.orders.place_order(entry())

    assert (update.status, [f.fill_id for f in update.fills]) == (OrderStatus.FILLED, ["1", "2"])
    assert desk.transport.names() == [PLACE, FILLS]
    assert desk.time.now_ms() - began_ms < 500


async def test_a_fill_is_asked_for_although_the_share_of_questions_is_used_up() -> None:
    """Whose fill is not known, for that nobody places a stop."""
    desk = bench()
    desk.limiter.learn(Usage(requests.WEIGHT, 2_000))
    desk.transport.on(PLACE, reply(order_payload("FILLED", "0.010")))
    desk.transport.on(FILLS, reply([fill_payload(1, "0.010")]))

    (update,) = await desk.orders.place_order(entry())

    assert update.status is OrderStatus.FILLED
    with pytest.raises(RateLimitedError):
        await desk.orders.fetch_open_orders()


async def test_within_an_urgent_block_questions_use_what_is_kept_for_exits() -> None:
    """A start that waits a minute for its comparison protects nothing in that minute."""
    desk = bench()
    desk.limiter.learn(Usage(requests.WEIGHT, 2_000))
    desk.transport.on("GET /fapi/v1/openOrders", reply([]))
    desk.transport.on("GET /fapi/v1/openAlgoOrders", reply([]))

    with vital():
        assert await desk.orders.fetch_open_orders() == []

    with pytest.raises(RateLimitedError):
        await desk.orders.fetch_open_orders()

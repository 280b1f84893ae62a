"""The user stream of Binance: events to news, triggered orders followed, keys renewed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import orjson
from tests.support.binance import HOSTS, Bench, algo_payload, bench, fill_payload, order_payload
from tests.support.fake_sockets import FakeConnector
from tests.support.fake_transport import TIMEOUT, refusal, reply
from tests.support.virtual_time import VirtualTime

from milobot.domain.orders import FundingUpdate, OrderStatus, OrderUpdate
from milobot.domain.reports import AccountNews, NewsKind
from milobot.exchanges.binance.events import Follow, UserEvents
from milobot.exchanges.binance.user_stream import BinanceListenKeys, BinanceUserChannel
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.streams import SupervisedStream
from milobot.exchanges.user_feed import UserFeed
from milobot.ports import News

KEY = "/fapi/v1/listenKey"
TIME_MS = 1_700_000_000_000


def order_event(status: str, last: str, total: str, number: int = 0, **more: object) -> str:
    order = {
        "s": "BTCUSDT", "c": "milo1", "S": "BUY", "o": "MARKET", "X": status, "x": "TRADE",
        "i": 9007199254740993, "l": last, "z": total, "L": "61000", "n": "0.1", "N": "USDT",
        "T": TIME_MS + number, "t": number, **more,
    }  # fmt: skip
    return orjson.dumps({"e": "ORDER_TRADE_UPDATE", "T": TIME_MS, "o": order}).decode()


def algo_event(status: str, child: str = "") -> str:
    order = {"caid": "milo2", "aid": 77001, "s": "BTCUSDT", "S": "SELL", "X": status, "ai": child}
    return orjson.dumps({"e": "ALGO_UPDATE", "T": TIME_MS, "o": order}).decode()


@dataclass
class Stage:
    """A running user stream over fakes."""

    time: VirtualTime
    connector: FakeConnector
    desk: Bench
    heard: list[News] = field(default_factory=list)

    def updates(self) -> list[OrderUpdate]:
        """Return the news of orders."""
        return [news for news in self.heard if isinstance(news, OrderUpdate)]


@asynccontextmanager
async def listening() -> AsyncIterator[Stage]:
    desk = bench()
    time = VirtualTime()
    desk.transport.on(f"POST {KEY}", reply({"listenKey": "a/b"}), reply({"listenKey": "second"}))
    desk.transport.on(f"PUT {KEY}", reply({}))
    desk.transport.on("GET /fapi/v2/ticker/price", reply({"price": "600"}))
    stage = Stage(time, FakeConnector(time), desk)
    feed = UserFeed(time, time.sleep)
    keeper = ListenKeyKeeper(BinanceListenKeys(desk.gateway), sleep=time.sleep)
    channel = BinanceUserChannel(HOSTS, desk.account, desk.orders, feed, keeper)
    feed.over(SupervisedStream("user", channel, stage.connector, time, sleep=time.sleep), keeper)

    async def listen() -> None:
        async for news in feed.news():
            stage.heard.append(news)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(feed.run()), group.create_task(listen())]
        await time.run_for(0.5)
        yield stage
        for task in tasks:
            task.cancel()


async def test_it_connects_with_its_key_and_hears_orders() -> None:
    """The plain case; the key is part of the address and encoded in it."""
    async with listening() as stage:
        socket = stage.connector.socket
        socket.push(order_event("NEW", "0", "0"))
        socket.push(order_event("FILLED", "0.010", "0.010", 1))
        await stage.time.run_for(1)

        assert socket.address.url == "wss://stream.test/private/ws?listenKey=a%2Fb"
        assert [u.status for u in stage.updates()] == [OrderStatus.SUBMITTED, OrderStatus.FILLED]
        assert stage.updates()[1].fills[0].quantity == Decimal("0.010")
        assert stage.updates()[1].exchange_order_id == "9007199254740993"


async def test_a_filled_order_with_a_missing_event_is_asked_for() -> None:
    """The event of the first part was lost: FILLED alone would leave the position too small."""
    async with listening() as stage:
        order = "GET /fapi/v1/order"
        stage.desk.transport.on(order, reply(order_payload("FILLED", "0.010")))
        rows = [fill_payload(1, "0.004"), fill_payload(2, "0.006")]
        stage.desk.transport.on("GET /fapi/v1/userTrades", reply(rows))

        stage.connector.socket.push(order_event("FILLED", "0.006", "0.010", 2))
        await stage.time.run_for(1)

        first, whole = stage.updates()
        assert (first.status, len(first.fills)) == (OrderStatus.PARTIALLY_FILLED, 1)
        assert (whole.status, len(whole.fills)) == (OrderStatus.FILLED, 2)


async def test_a_triggered_stop_whose_fill_was_told_is_followed_without_a_listing() -> None:
    """The event of the execution has fee and id: only the order's end is asked for."""
    async with listening() as stage:
        child = order_payload("FILLED", "0.010", orderId=88, side="SELL", clientOrderId="x")
        stage.desk.transport.on("GET /fapi/v1/order", reply(child))
        socket = stage.connector.socket
        socket.push(order_event("FILLED", "0.010", "0.010", 1, i=88, S="SELL", c="x"))
        socket.push(algo_event("FINISHED", "88"))
        await stage.time.run_for(2)

        last = stage.updates()[-1]
        assert (last.client_order_id, last.status) == ("milo2", OrderStatus.FILLED)
        assert [(f.fill_id, f.fee) for f in last.fills] == [("1", Decimal("0.1"))]
        assert "GET /fapi/v1/userTrades" not in stage.desk.transport.names()


async def test_a_stream_is_relied_on_for_fills_while_it_is_open() -> None:
    """Waiting for what a lost connection tells would only cost time."""
    async with listening() as stage:
        assert stage.desk.orders.told.is_live
        stage.connector.refusals = 100
        await stage.connector.socket.close()
        await stage.time.run_for(20)

        assert not stage.desk.orders.told.is_live


async def test_a_triggered_stop_is_followed_to_its_fill() -> None:
    """FINISHED says nothing; the order it became is asked until it has ended."""
    async with listening() as stage:
        transport = stage.desk.transport
        transport.on(
            "GET /fapi/v1/order",
            refusal(-2013),
            TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT,
            reply(order_payload("NEW", "0", orderId=88, side="SELL", clientOrderId="x")),
            reply(order_payload("FILLED", "0.010", orderId=88, side="SELL", clientOrderId="x")),
        )  # fmt: skip
        row = fill_payload(1, "0.010", orderId=88, side="SELL")
        transport.on("GET /fapi/v1/userTrades", reply([row]))

        stage.connector.socket.push(algo_event("FINISHED", "88"))
        await stage.time.run_for(20)

        assert stage.updates()[0].status is OrderStatus.TRIGGERED
        assert stage.updates()[-1].status is OrderStatus.FILLED
        assert {u.client_order_id for u in stage.updates()} == {"milo2"}


async def test_events_of_the_child_carry_the_name_of_the_stop() -> None:
    """The engine knows the stop by its own id, whatever Binance calls the order it became."""
    events = UserEvents()
    update, follow = events.parse(orjson.loads(algo_event("TRIGGERED", "88")))
    (child,) = events.parse(orjson.loads(order_event("NEW", "0", "0", i=88, c="autogenerated")))

    assert isinstance(update, OrderUpdate)
    assert follow == Follow("BTCUSDT", "milo2", "88")
    assert isinstance(child, OrderUpdate)
    assert child.client_order_id == "milo2"


async def test_a_rejected_child_is_the_end_of_the_stop() -> None:
    """The position is open and its stop is gone: the engine must hear it at once."""
    events = UserEvents()
    reject = {"e": "CONDITIONAL_ORDER_TRIGGER_REJECT", "T": 1, "or": {"s": "X", "i": 88, "r": "no"}}
    (unknown,) = events.parse(reject)
    events.parse(orjson.loads(algo_event("TRIGGERED", "88")))
    (known,) = events.parse(reject)

    (by_condition,) = events.parse({**reject, "or": {"s": "X", "i": 77001, "r": "no"}})

    assert isinstance(by_condition, OrderUpdate)
    assert by_condition.client_order_id == "milo2"
    assert isinstance(unknown, AccountNews)
    assert (unknown.kind, unknown.exchange_order_id) == (NewsKind.TRIGGER_REJECTED, "88")
    assert isinstance(known, OrderUpdate)
    assert (known.client_order_id, known.status) == ("milo2", OrderStatus.REJECTED)


async def test_an_expired_key_leads_to_a_new_connection() -> None:
    """Without one no event comes any more, and the socket stays open as if nothing were wrong."""
    async with listening() as stage:
        await stage.time.run_for(5)
        stage.connector.socket.push('{"e":"listenKeyExpired","listenKey":"a"}')
        await stage.time.run_for(1)

        assert len(stage.connector.sockets) == 2
        assert stage.connector.socket.address.url.endswith("listenKey=second")
        (news,) = stage.heard
        assert isinstance(news, AccountNews)
        assert news.kind is NewsKind.RECONNECTED


async def test_the_key_is_extended_and_replaced_when_it_is_gone() -> None:
    """-1125 means: no such key; POST again."""
    async with listening() as stage:
        stage.desk.transport.on(f"PUT {KEY}", reply({}), refusal(-1125), reply({}))
        await stage.time.run_for(3700)

        assert stage.desk.transport.names().count(f"PUT {KEY}") == 2
        assert len(stage.connector.sockets) == 2


async def test_funding_is_booked_once_from_both_sources() -> None:
    """The event and the listing tell it at different milliseconds of the same hour."""
    account = {
        "m": "FUNDING_FEE",
        "B": [{"a": "USDT", "wb": "99.5", "bc": "-0.5"}],
        "P": [{"s": "BTCUSDT", "pa": "0.01", "ep": "61000", "ps": "BOTH"}],
    }
    hour_ms = 1_700_006_400_000
    event = {"e": "ACCOUNT_UPDATE", "T": hour_ms + 2371, "a": account}
    funding, news = UserEvents().parse(event)
    desk = bench()
    row = {
        "symbol": "BTCUSDT", "incomeType": "FUNDING_FEE", "income": "-0.5", "asset": "USDT",
        "time": hour_ms, "tranId": 5,
    }  # fmt: skip
    desk.transport.on("GET /fapi/v1/income", reply([row]))
    (income,) = await desk.account.fetch_income(first_ms=0, last_ms=hour_ms)

    assert isinstance(funding, FundingUpdate)
    assert funding.amount == Decimal("0.5")
    assert funding.funding_id == income.income_id
    assert isinstance(news, AccountNews)
    assert news.wallet == Decimal("99.5")


async def test_events_that_come_twice_or_late_change_nothing_in_their_meaning() -> None:
    """The same update again is the same value; the ledger knows it by its fill."""
    events = UserEvents()
    first = events.parse(orjson.loads(order_event("PARTIALLY_FILLED", "0.004", "0.004", 1)))
    again = events.parse(orjson.loads(order_event("PARTIALLY_FILLED", "0.004", "0.004", 1)))

    assert first == again
    (whole,) = events.parse(orjson.loads(order_event("FILLED", "0.006", "0.010", 2)))
    assert isinstance(whole, OrderUpdate)
    assert whole.status is OrderStatus.FILLED


def test_what_is_remembered_is_bounded() -> None:
    """Months of orders must not fill the memory."""
    events = UserEvents()
    for number in range(6000):
        events.parse(orjson.loads(order_event("NEW", "0", "0", i=number + 1)))
        events.parse(orjson.loads(algo_event("TRIGGERED", str(number + 1))))

    assert len(events.told) <= 5000
    assert len(events._parents) <= 5000


def test_a_cancelled_stop_is_told_with_its_reason() -> None:
    """Whoever reads the journal wants to know why it is gone."""
    event = orjson.loads(algo_event("CANCELED"))
    event["o"]["rm"] = "Reduce Only reject"
    (update,) = UserEvents().parse(event)

    assert isinstance(update, OrderUpdate)
    assert (update.status, update.reason) == (OrderStatus.CANCELLED, "Reduce Only reject")
    assert algo_payload()["clientAlgoId"] == update.client_order_id

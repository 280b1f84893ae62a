"""The user stream of BingX: keys fetched, extended and replaced; executions looked up once."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
import pytest
from tests.support.bingx import (
    FILLS,
    HOSTS,
    ORDER_ID,
    QUERY,
    Bench,
    bench,
    fill_payload,
    fills,
    ok,
    order_payload,
    refused,
)
from tests.support.fake_sockets import FakeConnector
from tests.support.fake_transport import TIMEOUT, reply
from tests.support.virtual_time import VirtualTime

from milobot.domain.orders import OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.reports import AccountNews, NewsKind
from milobot.errors import ExchangeUnavailableError, ProtocolError
from milobot.exchanges.bingx.follow import BingxUserFeed
from milobot.exchanges.bingx.user_stream import BingxListenKeys, BingxUserChannel
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.streams import SupervisedStream
from milobot.exchanges.wire import Answer, Facts
from milobot.ports import News

KEY = "/openApi/user/auth/userDataStream"
TIME_MS = 1_700_000_000_000


def order_event(status: str, filled: str = "0", **more: Any) -> bytes:
    order = {
        "s": "BTC-USDT", "c": "milo1", "i": ORDER_ID, "S": "BUY", "o": "MARKET",
        "x": "TRADE", "X": status, "z": filled, "n": "-0.3", "T": 0, **more,
    }  # fmt: skip
    event = {"e": "ORDER_TRADE_UPDATE", "E": TIME_MS, "o": order}
    return gzip.compress(orjson.dumps(event))


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
    desk.transport.on(f"PUT {KEY}", Answer(200, {}, b""))
    stage = Stage(time, FakeConnector(time), desk)
    feed = BingxUserFeed(time, time.sleep, desk.orders.follow)
    keeper = ListenKeyKeeper(BingxListenKeys(desk.gateway), sleep=time.sleep)
    channel = BingxUserChannel(HOSTS, desk.orders, feed, keeper)
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
    """The key is all the subscription there is; it is encoded in the address."""
    async with listening() as stage:
        stage.connector.socket.push(order_event("NEW"))
        stage.connector.socket.push(gzip.compress(b"Ping"))
        await stage.time.run_for(1)

        assert stage.connector.socket.address.url.endswith("?listenKey=a%2Fb")
        assert stage.connector.socket.sent == ["Pong"]
        assert [u.status for u in stage.updates()] == [OrderStatus.SUBMITTED]


async def test_an_execution_is_looked_up_and_told_with_its_fills() -> None:
    """The event holds no name of the execution: booked from it, it would count twice."""
    async with listening() as stage:
        stage.desk.transport.on(QUERY, ok({"order": order_payload("FILLED", "0.010")}))
        stage.desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
        stage.connector.socket.push(order_event("FILLED", "0.010"))
        await stage.time.run_for(1)

        (update,) = stage.updates()
        assert (update.status, update.client_order_id) == (OrderStatus.FILLED, "milo1")
        assert [f.fill_id for f in update.fills] == ["1"]


async def test_many_events_of_one_order_are_one_look_at_a_time() -> None:
    """An order that fills in fifty parts must not use up the budget of the listings."""
    async with listening() as stage:
        stage.desk.transport.on(QUERY, ok({"order": order_payload("FILLED", "0.010")}))
        stage.desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
        for part in range(1, 51):
            stage.connector.socket.push(order_event("PARTIALLY_FILLED", f"0.{part:05d}"))
        stage.connector.socket.push(order_event("FILLED", "0.010"))
        await stage.time.run_for(5)

        assert stage.desk.transport.names().count(QUERY) <= 3
        assert stage.updates()[-1].status is OrderStatus.FILLED


async def test_an_order_that_is_slow_to_show_holds_up_no_other() -> None:
    """Eight entries and eight exits a second: four looks at a time made a queue of seconds."""
    async with listening() as stage:
        stage.desk.transport.on(QUERY, refused(109421))
        for number in range(8):
            stage.connector.socket.push(
                order_event("FILLED", "0.010", i=number + 1, c=f"x{number}")
            )
        await stage.time.run_for(0.1)
        stage.desk.transport.on(QUERY, ok({"order": order_payload("FILLED", "0.010")}))
        stage.desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
        stage.connector.socket.push(order_event("FILLED", "0.010"))
        await stage.time.run_for(0.1)

        assert [update.client_order_id for update in stage.updates()] == ["milo1"]


async def test_a_fill_that_is_not_listed_yet_is_looked_for_again() -> None:
    """Until then only what is certain is told."""
    async with listening() as stage:
        stage.desk.transport.on(
            QUERY,
            TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT,
            refused(109421),
            ok({"order": order_payload("PARTIALLY_FILLED", "0.004")}),
            ok({"order": order_payload("FILLED", "0.010")}),
        )  # fmt: skip
        stage.desk.transport.on(
            FILLS, fills(fill_payload(1, "0.004")), fills(fill_payload(2, "0.010"))
        )
        stage.connector.socket.push(order_event("FILLED", "0.010"))
        await stage.time.run_for(30)

        assert [u.status for u in stage.updates()] == [
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.FILLED,
        ]


async def test_an_order_that_never_shows_is_given_up() -> None:
    """The reconciliation is there for the rest; the next event starts anew."""
    async with listening() as stage:
        stage.desk.transport.on(QUERY, refused(109421))
        stage.connector.socket.push(order_event("FILLED", "0.010"))
        await stage.time.run_for(120)
        asked = stage.desk.transport.names().count(QUERY)
        stage.connector.socket.push(order_event("FILLED", "0.010"))
        await stage.time.run_for(1)

        assert asked == 8
        assert stage.desk.transport.names().count(QUERY) > asked
        assert stage.updates() == []


async def test_a_liquidation_is_told_as_one() -> None:
    """Looked up like every execution, and marked as not ours."""
    async with listening() as stage:
        forced = order_payload("FILLED", "0.010", clientOrderId="", type="LIQUIDATION")
        stage.desk.transport.on(QUERY, ok({"order": forced}))
        stage.desk.transport.on(FILLS, fills(fill_payload(1, "0.010")))
        stage.connector.socket.push(order_event("FILLED", "0.010", c="", o="LIQUIDATION"))
        await stage.time.run_for(1)

        (update,) = stage.updates()
        assert update.purpose is OrderPurpose.LIQUIDATION
        assert update.client_order_id == str(ORDER_ID)
        assert update.fills[0].quantity == Decimal("0.010")


async def test_the_key_is_extended_every_half_hour() -> None:
    """It lives for an hour: one failure must not end it."""
    async with listening() as stage:
        await keep_alive(stage, 3700)

        extensions = [one for one in stage.desk.transport.sent if one.method == "PUT"]
        assert [one.params["listenKey"] for one in extensions] == ["a/b", "a/b"]
        assert len(stage.connector.sockets) == 1


@pytest.mark.parametrize(
    "gone",
    [Answer(404, {}, b""), Answer(204, {}, b""), refused(100400, "listenKey does not exist")],
)
async def test_a_key_that_is_gone_is_replaced(gone: Facts) -> None:
    """A socket with a dead key stays open and says nothing."""
    async with listening() as stage:
        stage.desk.transport.on(f"PUT {KEY}", gone)
        await keep_alive(stage, 1810)

        assert len(stage.connector.sockets) == 2
        assert stage.connector.socket.address.url.endswith("listenKey=second")
        news = [n for n in stage.heard if isinstance(n, AccountNews)]
        assert [n.kind for n in news] == [NewsKind.RECONNECTED]


async def test_an_expired_key_is_replaced_at_once() -> None:
    """BingX says so in an event; no other follows."""
    async with listening() as stage:
        event = {"e": "listenKeyExpired", "E": TIME_MS, "listenKey": "a/b"}
        await stage.time.run_for(2)
        stage.connector.socket.push(gzip.compress(orjson.dumps(event)))
        await stage.time.run_for(2)

        assert stage.connector.socket.address.url.endswith("listenKey=second")


async def test_an_outage_does_not_cost_the_key() -> None:
    """Not reached is not gone: the present connection goes on."""
    keys = BingxListenKeys((desk := bench()).gateway)
    desk.transport.on(f"PUT {KEY}", TIMEOUT)

    with pytest.raises(ExchangeUnavailableError):
        await keys.extend("a")


@pytest.mark.parametrize("answer", [reply({"listenKey": "k"}), ok({"listenKey": "k"})])
async def test_a_key_comes_bare_or_in_an_envelope(answer: Facts) -> None:
    """Documented without, and without any promise."""
    keys = BingxListenKeys((desk := bench()).gateway)
    desk.transport.on(f"POST {KEY}", answer)

    assert await keys.fetch() == "k"


async def test_no_key_is_an_error() -> None:
    """An empty one would connect to nobody's stream."""
    keys = BingxListenKeys((desk := bench()).gateway)
    desk.transport.on(f"POST {KEY}", ok({}))

    with pytest.raises(ProtocolError, match="listen key"):
        await keys.fetch()


async def keep_alive(stage: Stage, seconds: int) -> None:
    """Let time pass while heartbeats come."""
    for _ in range(seconds // 10):
        if stage.connector.socket.is_open:
            stage.connector.socket.push(gzip.compress(b"Ping"))
        await stage.time.run_for(10)

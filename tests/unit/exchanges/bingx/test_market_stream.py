"""BingX's market streams: packed frames, heartbeats, candles without a sign of their end."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

import orjson
import pytest
from tests.support.bingx import HOSTS
from tests.support.fake_sockets import FakeConnector, FakeSocket
from tests.support.virtual_time import VirtualTime

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.reports import BookTicker, MarkPrice
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.errors import ProtocolError
from milobot.exchanges.bingx.frames import event_of, is_ping, text_of
from milobot.exchanges.bingx.stream import MOST_STREAMS, candle_channels, price_channels
from milobot.exchanges.candle_feed import CandleFeed, Series
from milobot.exchanges.latest import PriceFeed
from milobot.exchanges.streams import SupervisedStream

M1 = Timeframe.M1
START_MS = 1_700_000_040_000  # a full minute
SERIES: Series = ("BTCUSDT", M1)


def packed(data: object) -> bytes:
    plain = data.encode() if isinstance(data, str) else orjson.dumps(data)
    return gzip.compress(plain, mtime=0)  # frames name test cases, which must not change


def candle_at(open_ms: int, close: float = 1.0) -> Candle:
    return Candle(open_ms, 1.0, 2.0, 0.5, close, 10.0)


def frame_of(candle: Candle, symbol: str = "BTC-USDT") -> bytes:
    """Return a candle as it stands, in the form of today."""
    row = {
        "c": str(candle.close),
        "o": "1.0",
        "h": "2.0",
        "l": "0.5",
        "v": "10.0",
        "T": candle.time,
    }
    name = f"{symbol}@kline_1m"
    return packed({"code": 0, "dataType": name, "s": symbol, "data": [row]})


@dataclass
class World:
    """An exchange whose candles are known, over streams that misbehave as told."""

    time: VirtualTime
    connector: FakeConnector
    feed: CandleFeed
    heard: list[Candle] = field(default_factory=list)
    listings: int = 0

    async def fetch(
        self, symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int
    ) -> CandleSeries:
        """List what has closed."""
        self.listings += 1
        await self.time.sleep(0.05)
        times = range(first_ms or 0, M1.open_of(self.time.now_ms()), MINUTE_MS)
        return CandleSeries.from_candles([candle_at(at) for at in times][:limit])

    def push(self, frame: bytes) -> None:
        """Let a frame arrive, if anybody listens."""
        for socket in reversed(self.connector.sockets):
            if socket.is_open:
                socket.push(frame)
                return


@asynccontextmanager
async def watching(first_ms: int | None) -> AsyncIterator[World]:
    time = VirtualTime(START_MS)
    world = World(time, FakeConnector(time), None)  # type: ignore[arg-type]  # the feed is made next
    world.feed = CandleFeed({SERIES: first_ms}, world.fetch, time, sleep=time.sleep)
    channels = candle_channels(HOSTS, [SERIES], world.feed)
    world.feed.over(
        [SupervisedStream("s", one, world.connector, time, sleep=time.sleep) for one in channels]
    )

    async def listen() -> None:
        async for closed in world.feed.candles():
            world.heard.append(closed.candle)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(world.feed.run()), group.create_task(listen())]
        await time.run_for(0.5)
        yield world
        for task in tasks:
            task.cancel()


async def test_a_candle_is_final_when_the_next_begins() -> None:
    """Its last state counts, and not before: nothing says that it has closed."""
    async with watching(None) as world:
        for close in (1.0, 1.5, 1.25):
            world.push(frame_of(candle_at(START_MS, close)))
        await world.time.run_for(1)
        before = list(world.heard)
        world.push(frame_of(candle_at(START_MS + MINUTE_MS)))
        await world.time.run_for(1)

        assert before == []
        assert [(c.time, c.close) for c in world.heard] == [(START_MS, 1.25)]


async def test_a_candle_that_was_quiet_at_its_end_is_listed() -> None:
    """Its last state may have been left out: the next one's begin alone proves no numbers."""
    async with watching(None) as world:
        world.push(frame_of(candle_at(START_MS, close=1.9)))
        await world.time.run_for(60)
        world.push(frame_of(candle_at(START_MS + MINUTE_MS)))
        await world.time.run_for(1)

        assert world.heard == [candle_at(START_MS)]


async def test_a_candle_that_nobody_traded_after_is_listed() -> None:
    """In a quiet market the next one may be long in coming."""
    async with watching(START_MS) as world:
        world.push(frame_of(candle_at(START_MS)))
        await world.time.run_for(75)

        assert [c.time for c in world.heard] == [START_MS]
        assert world.listings > 0


async def test_a_candle_that_was_forming_at_a_break_is_listed() -> None:
    """Its last state came while nobody listened."""
    async with watching(START_MS) as world:
        world.push(frame_of(candle_at(START_MS, close=1.9)))
        await world.time.run_for(30)
        await world.connector.socket.close()
        await world.time.run_for(40)
        world.push(frame_of(candle_at(START_MS + MINUTE_MS)))
        await world.time.run_for(1)

        assert [(c.time, c.close) for c in world.heard] == [(START_MS, 1.0)]


async def test_a_late_frame_of_an_older_candle_changes_nothing() -> None:
    """It was handed on; a second one would be a candle twice."""
    async with watching(None) as world:
        world.push(frame_of(candle_at(START_MS)))
        world.push(frame_of(candle_at(START_MS + MINUTE_MS)))
        world.push(frame_of(candle_at(START_MS, close=1.7)))
        await world.time.run_for(1)

        assert [(c.time, c.close) for c in world.heard] == [(START_MS, 1.0)]


async def test_the_heartbeat_is_answered_and_subscriptions_are_sent() -> None:
    """Without Pong BingX hangs up; each stream has a text of its own."""
    async with watching(None) as world:
        world.push(packed("Ping"))
        await world.time.run_for(1)

        socket = world.connector.socket
        assert socket.address.url == "wss://stream.test/swap-market"
        assert [orjson.loads(t)["dataType"] for t in socket.sent[:1]] == ["BTC-USDT@kline_1m"]
        assert socket.sent[1:] == ["Pong"]


@pytest.mark.parametrize("seed", range(5))
async def test_no_candle_is_lost_doubled_or_out_of_order(seed: int) -> None:
    """Two hours of drops, silence and doubled frames; ends must all be inferred."""
    chance = Random(seed)  # noqa: S311 - a plan of mishaps
    async with watching(START_MS) as world:
        for minute in range(120):
            for _ in range(3):
                frame = frame_of(candle_at(START_MS + minute * MINUTE_MS))
                if chance.random() < 0.9:
                    world.push(frame)
                if chance.random() < 0.1:
                    world.push(frame)
                if chance.random() < 0.05:
                    await drop(world.connector.socket)
                await world.time.run_for(20)
        await world.time.run_for(90)

        times = [c.time for c in world.heard]
        assert times == [START_MS + n * MINUTE_MS for n in range(len(times))]
        assert len(times) >= 120


async def drop(socket: FakeSocket) -> None:
    await socket.close()


def test_hundreds_of_symbols_need_few_connections() -> None:
    """One socket carries many subscriptions."""
    series: list[Series] = [(f"A{n}USDT", M1) for n in range(MOST_STREAMS + 1)]
    feed = CandleFeed({}, fetch=None, clock=VirtualTime())  # type: ignore[arg-type]  # nothing is fetched

    assert [len(c.greetings()) for c in candle_channels(HOSTS, series, feed)] == [MOST_STREAMS, 1]


async def test_prices_are_read_from_both_streams() -> None:
    """Of the mark price nothing but itself is told."""
    feed = PriceFeed()
    (channel,) = price_channels(HOSTS, ["BTCUSDT"], feed)
    mark = {"e": "markPriceUpdate", "E": 5, "s": "BTC-USDT", "p": "2999.63"}
    book = {"e": "bookTicker", "T": 6, "s": "BTC-USDT", "b": "1", "B": "2", "a": "3", "A": "4"}

    for name, data in (("markPrice", mark), ("bookTicker", book), ("ticker", {})):
        event = {"code": 0, "dataType": f"BTC-USDT@{name}", "data": data}
        await channel.received(packed(event))

    prices = feed.prices()
    first, second = await anext(prices), await anext(prices)
    assert isinstance(first, MarkPrice)
    assert (first.symbol, first.mark_price) == ("BTCUSDT", Decimal("2999.63"))
    assert first.index_price == 0
    assert isinstance(second, BookTicker)
    assert (second.ask_price, second.time_ms) == (Decimal(3), 6)


@pytest.mark.parametrize("frame", [packed("Ping"), "Ping", b"Ping"])
def test_a_ping_is_known_packed_or_not(frame: str | bytes) -> None:
    """Production packs it; a proxy may not."""
    assert is_ping(frame)


@pytest.mark.parametrize("frame", [packed("Pong"), b"\x1f\x8b\x00", packed("x" * 9999), "{}"])
def test_everything_else_is_no_ping(frame: str | bytes) -> None:
    """Garbage is not answered."""
    assert not is_ping(frame)


@pytest.mark.parametrize(
    "frame",
    [
        b"\x1f\x8b\x08broken",
        packed({"a": 1})[:-9],
        packed({"a": 1}) + b"more",
        packed("no json"),
        packed([1, 2]),
        packed({"code": 100500, "id": "1", "msg": ""}),
        gzip.compress(b" " * (9 * 1024 * 1024)),
    ],
)
def test_a_frame_that_makes_no_sense_is_refused(frame: bytes) -> None:
    """Cut, broken, refused, or unpacked to more than any candle needs."""
    with pytest.raises(ProtocolError):
        event_of(frame)


def test_the_answer_to_a_subscription_is_no_event() -> None:
    """Neither is its other recorded form, with empty fields."""
    assert event_of(packed({"id": "1", "code": 0, "msg": "SUCCESS", "timestamp": 1})) is None
    assert event_of(packed({"id": "1", "code": 0, "dataType": "", "data": None})) is None
    assert text_of("plain") == b"plain"

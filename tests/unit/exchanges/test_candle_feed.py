"""Closed candles over streams that lose, double and go silent: each once, in order, no gap."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import orjson
import pytest
from tests.support.binance import HOSTS
from tests.support.fake_sockets import FakeConnector, FakeSocket
from tests.support.virtual_time import VirtualTime

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.reports import ClosedCandle
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.errors import ExchangeUnavailableError
from milobot.exchanges.binance.stream import candle_channels
from milobot.exchanges.candle_feed import CandleFeed, Series
from milobot.exchanges.sockets import Signal
from milobot.exchanges.streams import SupervisedStream

M1 = Timeframe.M1
START_MS = 1_700_000_040_000  # a full minute


def candle_at(open_ms: int, price: float = 1.0) -> Candle:
    return Candle(open_ms, price, price + 1, price - 0.5, price, 10.0)


def frame_of(symbol: str, candle: Candle, *, is_closed: bool = True) -> str:
    time, opened, high, low, close, volume = candle
    kline = {
        "t": time, "T": time + MINUTE_MS - 1, "s": symbol, "i": "1m", "x": is_closed,
        "o": str(opened), "h": str(high), "l": str(low), "c": str(close), "v": str(volume),
    }  # fmt: skip
    return orjson.dumps({"e": "kline", "s": symbol, "k": kline}).decode()


@dataclass
class World:
    """An exchange whose candles are known, over streams that misbehave as told.

    Attributes:
        never: Open times of candles that this exchange does not have.
        outages: How many of the next listings fail.
        proven_ms: Until then listings leave out the last row.
        limits: How many rows each listing was asked for.
    """

    time: VirtualTime
    connector: FakeConnector
    feed: CandleFeed
    heard: dict[str, list[Candle]] = field(default_factory=lambda: defaultdict(list))
    never: set[int] = field(default_factory=set)
    outages: int = 0
    proven_ms: int = 0
    limits: list[int] = field(default_factory=list)

    @property
    def listings(self) -> int:
        """Return how many were asked for."""
        return len(self.limits)

    async def fetch(
        self, symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int
    ) -> CandleSeries:
        """List what has closed."""
        self.limits.append(limit)
        await self.time.sleep(0.05)
        if self.outages:
            self.outages -= 1
            raise ExchangeUnavailableError("down")
        last_ms = M1.open_of(self.time.now_ms())
        if self.time.now_ms() < self.proven_ms:
            last_ms -= MINUTE_MS
        times = range(first_ms or 0, last_ms, MINUTE_MS)
        return CandleSeries.from_candles(
            [candle_at(at) for at in times if at not in self.never][:limit]
        )

    def socket_of(self, symbol: str) -> FakeSocket | None:
        """Return the open socket that subscribed to a symbol."""
        wanted = f"{symbol.lower()}@kline_1m"
        return next(
            (s for s in reversed(self.connector.sockets)
             if s.is_open and any(wanted in text for text in s.sent)),
            None,
        )  # fmt: skip

    def push(self, symbol: str, candle: Candle) -> None:
        """Let a candle close on the stream, if anybody listens."""
        socket = self.socket_of(symbol)
        if socket is not None:
            socket.push(frame_of(symbol, candle))


@asynccontextmanager
async def watching(since: dict[Series, int | None], *, proven_ms: int = 0) -> AsyncIterator[World]:
    time = VirtualTime(START_MS)
    world = World(time, FakeConnector(time), None, proven_ms=proven_ms)  # type: ignore[arg-type]  # the feed is made next
    world.feed = CandleFeed(since, world.fetch, time, sleep=time.sleep)
    channels = candle_channels(HOSTS, since, world.feed)
    world.feed.over(
        [
            SupervisedStream(f"s{n}", channel, world.connector, time, sleep=time.sleep)
            for n, channel in enumerate(channels)
        ]
    )

    async def listen() -> None:
        async for closed in world.feed.candles():
            world.heard[closed.symbol].append(closed.candle)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(world.feed.run()), group.create_task(listen())]
        await time.run_for(0.5)
        yield world
        for task in tasks:
            task.cancel()


def opens(candles: list[Candle]) -> list[int]:
    return [candle.time for candle in candles]


async def test_candles_are_handed_on_as_they_close() -> None:
    """Forming ones are not, nor what belongs to a series that nobody asked for."""
    async with watching({("BTCUSDT", M1): START_MS}) as world:
        socket = world.connector.socket
        socket.push(frame_of("BTCUSDT", candle_at(START_MS), is_closed=False))
        await world.time.run_for(60)
        world.push("BTCUSDT", candle_at(START_MS))
        socket.push(frame_of("ETHUSDT", candle_at(START_MS)))
        await world.time.run_for(1)

        assert dict(world.heard) == {"BTCUSDT": [candle_at(START_MS)]}
        assert orjson.loads(socket.sent[0])["params"] == ["btcusdt@kline_1m"]


async def test_what_closed_while_nobody_listened_is_listed() -> None:
    """The start of a bot and every reconnect have such a hole."""
    async with watching({("BTCUSDT", M1): START_MS - 5 * MINUTE_MS}) as world:
        await world.time.run_for(2)
        assert opens(world.heard["BTCUSDT"]) == [START_MS - n * MINUTE_MS for n in range(5, 0, -1)]


async def test_a_candle_that_a_listing_could_not_prove_is_soon_asked_for_again() -> None:
    """It closed before the stream opened: without a second question nobody brings it."""
    since: dict[Series, int | None] = {("BTCUSDT", M1): START_MS - 3 * MINUTE_MS}
    async with watching(since, proven_ms=START_MS + 2000) as world:
        await world.time.run_for(5)
        assert opens(world.heard["BTCUSDT"]) == [START_MS - n * MINUTE_MS for n in range(3, 0, -1)]

        await world.time.run_for(40)
        assert world.listings == 2


async def test_a_listing_asks_for_what_is_missing_and_its_proof() -> None:
    """300 symbols reconnect at once: 500 rows for each would use up the rate budget."""
    async with watching({("BTCUSDT", M1): START_MS - 5 * MINUTE_MS}) as world:
        await world.time.run_for(2)

        assert world.limits == [5 + 2]


async def test_a_long_hole_is_listed_in_batches() -> None:
    """A bot that slept for a day has more missing than one listing holds."""
    async with watching({("BTCUSDT", M1): START_MS - 1200 * MINUTE_MS}) as world:
        await world.time.run_for(2)

        assert world.limits == [500, 500, 202]
        assert len(world.heard["BTCUSDT"]) == 1200


async def test_a_lost_candle_is_listed_when_it_is_overdue() -> None:
    """Without a later candle nobody else would notice, for hours on a long timeframe."""
    async with watching({("BTCUSDT", M1): START_MS}) as world:
        await world.time.run_for(75)

        assert opens(world.heard["BTCUSDT"]) == [START_MS]


async def test_a_candle_that_comes_too_early_waits_for_the_one_before() -> None:
    """Scripts must never see a hole close behind them."""
    async with watching({("BTCUSDT", M1): START_MS}) as world:
        await world.time.run_for(60)
        world.push("BTCUSDT", candle_at(START_MS + MINUTE_MS))
        await world.time.run_for(1)

        assert opens(world.heard["BTCUSDT"]) == [START_MS, START_MS + MINUTE_MS]


async def test_a_candle_that_the_exchange_does_not_have_is_skipped() -> None:
    """It stood still in March 2023; a bot that waits for that hour waits for ever."""
    async with watching({("BTCUSDT", M1): START_MS}) as world:
        world.never = {START_MS + MINUTE_MS}
        await world.time.run_for(200)

        assert opens(world.heard["BTCUSDT"]) == [START_MS, START_MS + 2 * MINUTE_MS]
        ((series, gap),) = world.feed.health.skipped
        assert (series, gap.first_ms) == (("BTCUSDT", M1), START_MS + MINUTE_MS)


async def test_listings_that_fail_are_asked_for_again() -> None:
    """An outage of the listings delays candles; it loses none."""
    async with watching({("BTCUSDT", M1): START_MS - 3 * MINUTE_MS}) as world:
        world.outages = 5
        await world.time.run_for(130)

        heard = opens(world.heard["BTCUSDT"])
        assert heard == [START_MS + n * MINUTE_MS for n in range(-3, 2)]
        assert world.feed.health.failed_listings > 0


async def test_hundreds_of_symbols_need_few_connections() -> None:
    """200 streams each; a connection a symbol would be refused."""
    since: dict[Series, int | None] = {(f"C{n}USDT", M1): None for n in range(450)}
    async with watching(since) as world:
        assert len(world.connector.sockets) == 3
        counts = [
            sum(len(orjson.loads(text)["params"]) for text in socket.sent)
            for socket in world.connector.sockets
        ]
        assert counts == [200, 200, 50]


@pytest.mark.parametrize("seed", range(4))
async def test_no_candle_is_lost_doubled_or_out_of_order(seed: int) -> None:
    """Two hours of twenty symbols: dropped sockets, silence, lost, doubled and late frames."""
    chance = Random(seed)  # noqa: S311 - a repeatable world
    symbols = [f"C{n}USDT" for n in range(20)]
    since: dict[Series, int | None] = {(symbol, M1): START_MS for symbol in symbols}
    async with watching(since) as world:
        for minute in range(120):
            await world.time.run_for(60)
            for symbol in symbols:
                candle = candle_at(START_MS + minute * MINUTE_MS)
                for _ in range(chance.choice([0, 1, 1, 1, 2])):
                    world.push(symbol, candle)
            if chance.random() < 0.1:
                world.connector.socket.push(Signal.CLOSED)
            if chance.random() < 0.05:
                world.connector.socket.answers_pings = False
            if chance.random() < 0.1:
                world.outages = chance.randrange(8)
        world.outages = 0
        await world.time.run_for(50)

        expected = [START_MS + n * MINUTE_MS for n in range(120)]
        for symbol in symbols:
            assert opens(world.heard[symbol]) == expected
        assert world.feed.health.skipped == []


async def test_a_feed_hands_on_closed_candles_with_their_names() -> None:
    """One stream carries many series: the reader must know which is which."""
    async with watching({("BTCUSDT", M1): START_MS}) as world:
        feed = world.feed
        other = CandleFeed({("X", M1): None}, world.fetch, world.time)
        other.closed("X", M1, candle_at(START_MS))

        assert await anext(other.candles()) == ClosedCandle("X", M1, candle_at(START_MS))
        assert feed.health.delivered == 0

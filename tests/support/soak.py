"""A day of candles through the real streams and feeds, on a clock that takes no time.

The exchange here is ours: it closes candles by a clock that drifts against the client's,
sends them late, twice, out of order or not at all, drops and silences connections, fails
listings and ends listen keys. What readers get is compared candle by candle.
"""

import asyncio
import gc
import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import orjson
from tests.support.fake_sockets import FakeConnector, FakeSocket
from tests.support.feeds import FakeMarket
from tests.support.virtual_time import VirtualTime

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.reports import AccountNews, NewsKind
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.errors import ExchangeUnavailableError
from milobot.exchanges.binance import stream as binance
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.bingx import stream as bingx
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.candle_feed import CandleFeed, Series
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.sockets import SocketAddress
from milobot.exchanges.streams import Channel, StreamPlan, SupervisedStream
from milobot.exchanges.times import ExchangeClock
from milobot.exchanges.user_feed import UserFeed
from milobot.marketdata.feed import FeedSource, LiveFeed
from milobot.marketdata.history import HistoryLoader
from milobot.marketdata.hub import FeedHub

M1 = Timeframe.M1
START_MS = 1_700_000_040_000
KEY_LIFE_S = 3600.0


@dataclass(frozen=True, slots=True)
class SoakPlan:
    """How long, how wide, and how bad.

    Attributes:
        lost, late, twice: Chances of each candle's frame.
        drops: Chance a minute that a connection ends; half of them refuse for a while.
        silences: Chance a minute that a connection goes dead without a word.
        outages: Chance that a listing fails.
        drift_ms: Most that the exchange's clock moves against ours in a minute; a bad quartz
            makes 6. They are 5 s apart to begin with.
        key_ends: Chance a minute that the listen key expires before its time.
    """

    dialect: str = "binance"
    minutes: int = 1440
    symbols: int = 300
    seed: int = 1
    lost: float = 0.002
    late: float = 0.002
    twice: float = 0.005
    drops: float = 1 / 60
    silences: float = 1 / 240
    outages: float = 0.02
    drift_ms: int = 6
    key_ends: float = 1 / 180


@dataclass(slots=True)
class SoakResult:
    """What readers got.

    Attributes:
        wrong: Candles whose numbers are not the final ones.
        keys_slow: Key expiries that were not answered by a new connection within 70 s.
        rss_mb: Resident memory at each simulated hour, from the first on.
    """

    delivered: int = 0
    missing: int = 0
    duplicate: int = 0
    out_of_order: int = 0
    wrong: int = 0
    gaps: int = 0
    dropped: int = 0
    silenced: int = 0
    most_skew_ms: int = 0
    listings: int = 0
    keys_ended: int = 0
    keys_slow: int = 0
    rss_mb: list[float] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Return whether every candle came once, in order, with its final numbers."""
        faults = (self.missing, self.duplicate, self.out_of_order, self.wrong, self.gaps)
        return not any(faults) and not self.keys_slow


def final(symbol: str, open_ms: int) -> Candle:
    """Return the one true candle of a symbol and minute."""
    price = 100.0 + (open_ms // MINUTE_MS * 7 + int(symbol[1:4])) % 977
    return Candle(open_ms, price, price + 1, price - 1, price + 0.5, 10.0)


def forming(symbol: str, open_ms: int) -> Candle:
    """Return the same candle before its close."""
    return final(symbol, open_ms)._replace(close=50.0, volume=3.0)


class Soak:
    """One run."""

    def __init__(self, plan: SoakPlan) -> None:
        """Prepare the exchange and the client."""
        self.plan = plan
        self.result = SoakResult()
        self.time = VirtualTime(START_MS)
        self.chance = Random(plan.seed)  # noqa: S311 - a test's dice
        self.skew_ms = 5000
        self.clock = ExchangeClock(self.time)
        self.connector = FakeConnector(self.time)
        self.symbols = [f"S{n:03d}USDT" for n in range(plan.symbols)]
        self._market = _Market(self)
        self._carried: dict[int, frozenset[str]] = {}
        self._next: dict[str, int] = {}

    async def run(self) -> SoakResult:
        """Play the whole plan and return what came."""
        market = self._market
        loader = HistoryLoader("soak", market, sleep=self.time.sleep)
        hub = FeedHub(
            FeedSource(market, self._open, loader, self.clock, self.time.sleep), parallel=50
        )
        feeds = [hub.feed(symbol, M1, first_ms=START_MS) for symbol in self.symbols]
        user = _User(self)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(hub.run()), group.create_task(user.feed.run())]
            tasks += [group.create_task(self._read(feed)) for feed in feeds]
            tasks += [group.create_task(user.watch())]
            await self.time.run_for(5)
            playing = group.create_task(self._play(user))
            while not playing.done():
                await self.time.run_for(60)
            await self.time.run_for(180)  # the last holes are filled
            for task in tasks:
                task.cancel()
        self._count_missing(feeds)
        self.result.listings = market.listings
        return self.result

    def exchange_ms(self) -> int:
        """Return the exchange's time."""
        return self.time.now_ms() + self.skew_ms

    def _open(self, since: Mapping[Series, int]) -> CandleFeed:
        feed = CandleFeed(since, self._market.fetch_candles, self.clock, sleep=self.time.sleep)
        channels: Sequence[Channel]
        if self.plan.dialect == "binance":
            hosts = BinanceHosts("soak", "https://rest.test", "wss://stream.test")
            channels = binance.candle_channels(hosts, since, feed)
        else:
            bingx_hosts = BingxHosts("soak", "https://rest.test", "wss://stream.test/swap-market")
            channels = bingx.candle_channels(bingx_hosts, since, feed)
        feed.over([self.supervised("candles", channel) for channel in channels])
        return feed

    def supervised(self, name: str, channel: Channel) -> SupervisedStream:
        """Return a real supervised stream over the fake network."""
        return SupervisedStream(
            name, channel, self.connector, self.time, plan=StreamPlan(), sleep=self.time.sleep
        )

    async def _read(self, feed: LiveFeed) -> None:
        """Compare what comes with what is true, keeping nothing of it."""
        symbol, result = feed.series[0], self.result
        async for candles in feed.candles():
            for candle in candles:
                expected = self._next.get(symbol, START_MS)
                if candle.time < expected:
                    result.duplicate += candle.time == expected - MINUTE_MS
                    result.out_of_order += candle.time != expected - MINUTE_MS
                    continue
                result.missing += (candle.time - expected) // MINUTE_MS
                result.wrong += candle != final(symbol, candle.time)
                result.delivered += 1
                self._next[symbol] = candle.time + MINUTE_MS
        result.gaps += len(feed.gaps)

    def _count_missing(self, feeds: Sequence[LiveFeed]) -> None:
        end_ms = START_MS + self.plan.minutes * MINUTE_MS
        for symbol in self.symbols:
            self.result.missing += max(end_ms - self._next.get(symbol, START_MS), 0) // MINUTE_MS
        self.result.gaps += sum(len(feed.gaps) for feed in feeds)

    async def _play(self, user: "_User") -> None:
        for minute in range(self.plan.minutes):
            close_ms = START_MS + (minute + 1) * MINUTE_MS
            before_ms = self.chance.randint(200, 50_000)
            await self.time.sleep((close_ms - before_ms - self.exchange_ms()) / 1000)
            self._disturb()
            user.disturb()
            await self.time.sleep((close_ms - self.exchange_ms()) / 1000)
            await self._close_candles(close_ms - MINUTE_MS)
            if minute % 60 == 59:
                self.result.rss_mb.append(rss_mb())

    async def _close_candles(self, open_ms: int) -> None:
        buckets: dict[int, list[str]] = {20: [], 130: [], 260: []}
        for symbol in self.symbols:
            dice = self.chance.random()
            if dice < self.plan.lost:
                continue
            if dice < self.plan.lost + self.plan.late:
                self._later(self.chance.uniform(1, 90), symbol, open_ms)
                continue
            if dice > 1 - self.plan.twice:
                self._later(self.chance.uniform(0.5, 70), symbol, open_ms)
            buckets[self.chance.choice((20, 130, 260))].append(symbol)
        at = 0
        for delay_ms, symbols in buckets.items():
            await self.time.sleep((delay_ms - at) / 1000)
            at = delay_ms
            for symbol in symbols:
                self._send(symbol, open_ms)

    def _later(self, seconds: float, symbol: str, open_ms: int) -> None:
        self.time.call_later(seconds, lambda: self._send(symbol, open_ms))

    def _send(self, symbol: str, open_ms: int) -> None:
        socket = self._socket_of(symbol)
        if socket is None:
            return
        if self.plan.dialect == "binance":
            socket.push(_binance_frame(symbol, forming(symbol, open_ms), is_closed=False))
            socket.push(_binance_frame(symbol, final(symbol, open_ms), is_closed=True))
        else:
            socket.push(_bingx_frame(symbol, final(symbol, open_ms)))
            socket.push(_bingx_frame(symbol, forming(symbol, open_ms + MINUTE_MS)))

    def _socket_of(self, symbol: str) -> FakeSocket | None:
        """Return the open socket that subscribed to a symbol, unless it has gone silent."""
        wanted = symbol.lower() if self.plan.dialect == "binance" else f"{symbol[:-4]}-USDT"
        for socket in self._market_sockets():
            if wanted in self._carries(socket):
                return socket if socket.answers_pings else None
        return None

    def _market_sockets(self) -> list[FakeSocket]:
        self.connector.sockets = [s for s in self.connector.sockets if s.is_open]
        return [s for s in self.connector.sockets if "listenKey" not in s.address.url]

    def _carries(self, socket: FakeSocket) -> frozenset[str]:
        known = self._carried.get(id(socket))
        if known is None or not known:
            texts = [orjson.loads(text) for text in socket.sent]
            names = [n for t in texts for n in t.get("params", [t.get("dataType", "")])]
            known = frozenset(name.partition("@")[0] for name in names)
            is_old = len(self._carried) > 10_000
            self._carried = {id(socket): known} if is_old else self._carried | {id(socket): known}
        return known

    def _disturb(self) -> None:
        plan, result = self.plan, self.result
        for socket in self._market_sockets():
            dice = self.chance.random()
            if dice < plan.drops:
                result.dropped += 1
                self.connector.refusals += self.chance.choice((0, 1, 2))
                self.end(socket)
            elif dice < plan.drops + plan.silences:
                result.silenced += 1
                socket.answers_pings = False
        self.skew_ms += self.chance.randint(-plan.drift_ms, plan.drift_ms)
        result.most_skew_ms = max(result.most_skew_ms, abs(self.skew_ms))

    def end(self, socket: FakeSocket) -> None:
        """Let the other side drop a connection."""
        self._carried.pop(id(socket), None)
        self.time.call_later(0, _closing(socket))


class _Market(FakeMarket):
    """Lists true candles, the one that forms left out by the client's idea of the time."""

    def __init__(self, soak: Soak) -> None:
        super().__init__(soak.time)
        self.soak = soak
        self.listings = 0

    async def fetch_server_time(self) -> int:
        asked = self.soak.time.now_ms()
        await self.soak.time.sleep(self.soak.chance.uniform(0.01, 0.1))
        told = self.soak.exchange_ms()
        await self.soak.time.sleep(self.soak.chance.uniform(0.01, 0.1))
        self.soak.clock.learn(asked_ms=asked, told_ms=told, received_ms=self.soak.time.now_ms())
        return told

    async def fetch_candles(
        self, symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int
    ) -> CandleSeries:
        soak = self.soak
        self.listings += 1
        asked_ms = soak.clock.now_ms() - soak.clock.uncertainty_ms  # as both clients do
        await soak.time.sleep(soak.chance.uniform(0.01, 0.2))
        if soak.chance.random() < soak.plan.outages:
            raise ExchangeUnavailableError("down")
        forms_ms = M1.open_of(soak.exchange_ms())
        times = range(first_ms or START_MS, forms_ms + 1, MINUTE_MS)
        rows = [final(symbol, t) if t < forms_ms else forming(symbol, t) for t in times][:limit]
        await soak.time.sleep(soak.chance.uniform(0.01, 0.2))
        return CandleSeries.from_candles([c for c in rows if c.time + MINUTE_MS <= asked_ms])


class _User:
    """A user stream whose key ends, with all of the real parts but the dialect's words."""

    def __init__(self, soak: Soak) -> None:
        self.soak = soak
        self.feed = UserFeed(soak.time, soak.time.sleep)
        self._valid_until_ms = 0
        self._number = 0
        self._ended_ms: int | None = None
        self._keeper = ListenKeyKeeper(self, every_s=KEY_LIFE_S / 2, sleep=soak.time.sleep)
        self.feed.over(soak.supervised("user", self), self._keeper)

    async def fetch(self) -> str:
        """Return a new key."""
        self._number += 1
        self._valid_until_ms = self.soak.time.now_ms() + int(KEY_LIFE_S * 1000)
        return str(self._number)

    async def extend(self, key: str) -> bool:
        """Make the key last, if it is still known."""
        if self.soak.time.now_ms() > self._valid_until_ms:
            return False
        self._valid_until_ms = self.soak.time.now_ms() + int(KEY_LIFE_S * 1000)
        return True

    async def address(self) -> SocketAddress:
        """Return where to connect."""
        return SocketAddress(f"wss://stream.test/private/ws?listenKey={await self._keeper.fetch()}")

    def greetings(self) -> Sequence[str]:
        """Return nothing."""
        return ()

    def reply_to(self, frame: str | bytes) -> str | None:
        """Return None."""
        return None

    async def opened(self, *, is_first: bool) -> None:
        """Pass on."""
        self.feed.opened(is_first=is_first)

    async def received(self, frame: str | bytes) -> None:
        """Hear the one event there is."""
        if orjson.loads(frame).get("e") == "listenKeyExpired":
            await self.feed.renew("the listen key has expired")

    async def watch(self) -> None:
        """Note how soon an expiry is answered by a connection with a new key."""
        async for news in self.feed.news():
            if isinstance(news, AccountNews) and news.kind is NewsKind.RECONNECTED:
                ended_ms, self._ended_ms = self._ended_ms, None
                late = ended_ms is not None and self.soak.time.now_ms() - ended_ms > 70_000
                self.soak.result.keys_slow += late

    def disturb(self) -> None:
        """End the key now and then; half of the time nobody says so on a dead socket."""
        soak = self.soak
        if soak.chance.random() >= soak.plan.key_ends or self._ended_ms is not None:
            return
        soak.result.keys_ended += 1
        self._valid_until_ms = 0
        self._ended_ms = soak.time.now_ms()
        for socket in soak.connector.sockets:
            if socket.is_open and "listenKey" in socket.address.url:
                if soak.chance.random() < 0.5:
                    socket.push('{"e":"listenKeyExpired"}')
                else:
                    soak.end(socket)


def rss_mb() -> float:
    """Return the resident memory of this process in MiB, garbage collected first."""
    gc.collect()
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _closing(socket: FakeSocket) -> Callable[[], None]:
    def close() -> None:
        coroutine = socket.close()
        try:
            coroutine.send(None)
        except StopIteration:
            return

    return close


def _binance_frame(symbol: str, candle: Candle, *, is_closed: bool) -> str:
    closed = "true" if is_closed else "false"
    return (
        f'{{"e":"kline","s":"{symbol}","k":{{"t":{candle.time},"T":{candle.time + MINUTE_MS - 1},'
        f'"s":"{symbol}","i":"1m","x":{closed},"o":"{candle.open}","h":"{candle.high}",'
        f'"l":"{candle.low}","c":"{candle.close}","v":"{candle.volume}"}}}}'
    )


def _bingx_frame(symbol: str, candle: Candle) -> bytes:
    wire = f"{symbol[:-4]}-USDT"
    text = (
        f'{{"code":0,"dataType":"{wire}@kline_1m","s":"{wire}","data":[{{"c":"{candle.close}",'
        f'"o":"{candle.open}","h":"{candle.high}","l":"{candle.low}","v":"{candle.volume}",'
        f'"T":{candle.time}}}]}}'
    )
    return gzip.compress(text.encode(), 1)

"""A day of candles through a real client, on a clock that takes no time.

The exchange is ``soak_exchange``'s; client, streams, user stream and feeds are the real
ones, only their network is not. What readers get is compared candle by candle.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.fake_sockets import FakeSocket
from tests.support.soak_exchange import SoakExchange
from tests.support.soak_words import listen_key_of
from tests.support.soak_world import START_MS, Badness, Met, final

from milobot.domain.reports import AccountNews, NewsKind
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.exchanges.limits import DownloadPace
from milobot.exchanges.options import ClientOptions, Network
from milobot.exchanges.streams import StreamPlan
from milobot.marketdata.feed import FeedSource, LiveFeed
from milobot.marketdata.history import HistoryLoader
from milobot.marketdata.hub import FeedHub
from milobot.ports import News

# Half the life of a key, a minute for a failure, a minute and some for the connection; an
# outage of the exchange, which cannot be helped, comes on top.
_KEY_PATIENCE_MS = (1800 + 60 + 90 + 90) * 1000
_LAST_HOLES_S = 300


@dataclass(frozen=True, slots=True)
class SoakPlan:
    """How long, how wide, and how bad."""

    dialect: str = "binance"
    minutes: int = 1440
    symbols: int = 300
    seed: int = 1
    bad: Badness = field(default_factory=Badness)


@dataclass(slots=True)
class SoakResult:
    """What readers got, and what was met on the way.

    Attributes:
        expected: Candles that the exchange closed.
        wrong: Candles whose numbers are not the final ones.
        reconnects: Connections of the user stream after its first, as its readers were told.
        connections: Connections of all kinds.
        keys_slow: Key expiries after which the stream had no good key for longer than the
            extension of keys takes to notice.
        rss_mb: Resident memory at each simulated hour, from the first on.
    """

    expected: int = 0
    delivered: int = 0
    missing: int = 0
    duplicate: int = 0
    out_of_order: int = 0
    wrong: int = 0
    gaps: int = 0
    reconnects: int = 0
    connections: int = 0
    keys_slow: int = 0
    met: Met = field(default_factory=Met)
    rss_mb: list[float] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Return whether every candle came once, in order, with its final numbers."""
        faults = (self.missing, self.duplicate, self.out_of_order, self.wrong, self.gaps)
        return not any(faults) and not self.keys_slow


class Soak:
    """One run."""

    def __init__(self, plan: SoakPlan) -> None:
        """Prepare the exchange and the client."""
        self.plan = plan
        self.symbols = [f"S{n:03d}USDT" for n in range(plan.symbols)]
        self.exchange = SoakExchange(plan.dialect, self.symbols, plan.bad, plan.seed)
        self.time = self.exchange.time
        self.result = SoakResult(met=self.exchange.met)
        self.exchange.connector.on_open = self._note_connection
        self.client = self.exchange.words.client(
            ClientOptions(
                clock=self.exchange.client_clock,
                sleep=self.time.sleep,
                pace=DownloadPace(parallel=50, apart_s=0.0),
                plan=StreamPlan(),
                network=Network(self.exchange, self.exchange.connector),
            )
        )
        self._next: dict[str, int] = {}
        self._keyless_since_ms: int | None = None

    async def run(self) -> SoakResult:
        """Play the whole plan and return what came."""
        market, sleep = self.client.market, self.time.sleep
        loader = HistoryLoader("soak", market, sleep=sleep)
        source = FeedSource(market, self.client.candle_feed, loader, self.client.clock, sleep)
        hub = FeedHub(source, parallel=50)
        feeds = [hub.feed(symbol, Timeframe.M1, first_ms=START_MS) for symbol in self.symbols]
        user = self.client.user_feed()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in (hub.run(), user.run())]
            tasks += [group.create_task(self._read(feed)) for feed in feeds]
            tasks.append(group.create_task(self._hear(user.news())))
            playing = group.create_task(self._play())
            while not playing.done():
                await self.time.run_for(60)
            await self.time.run_for(_LAST_HOLES_S)
            for task in tasks:
                task.cancel()
        await self.client.close()
        self._count_missing(feeds)
        return self.result

    async def _play(self) -> None:
        for minute in range(self.plan.minutes):
            await self.exchange.play(START_MS + minute * MINUTE_MS)
            self._check_key()
            self.result.expected += len(self.symbols)
            if minute % 60 == 59:
                self.result.rss_mb.append(rss_mb())

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
                result.delivered += candle.time < self._end_ms
                self._next[symbol] = candle.time + MINUTE_MS

    async def _hear(self, news: AsyncIterator[News]) -> None:
        async for one in news:
            is_new = isinstance(one, AccountNews) and one.kind is NewsKind.RECONNECTED
            self.result.reconnects += is_new

    @property
    def _end_ms(self) -> int:
        return START_MS + self.plan.minutes * MINUTE_MS

    def _count_missing(self, feeds: Sequence[LiveFeed]) -> None:
        for symbol in self.symbols:
            left_ms = self._end_ms - self._next.get(symbol, START_MS)
            self.result.missing += max(left_ms, 0) // MINUTE_MS
        self.result.gaps += sum(len(feed.gaps) for feed in feeds)

    def _check_key(self) -> None:
        """Note a user stream that stays without a connection over a good key."""
        active, now_ms = self.exchange.keys.active, self.time.now_ms()
        sockets = self.exchange.connector.sockets
        if active and any(s.is_open and listen_key_of(s) == active for s in sockets):
            self._keyless_since_ms = None
        elif self._keyless_since_ms is None:
            self._keyless_since_ms = now_ms
        elif now_ms - self._keyless_since_ms > _KEY_PATIENCE_MS:
            self.result.keys_slow += 1
            self._keyless_since_ms = now_ms

    def _note_connection(self, _: FakeSocket) -> None:
        self.result.connections += 1


def rss_mb() -> float:
    """Return the resident memory of this process in MiB, garbage collected first."""
    gc.collect()
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0

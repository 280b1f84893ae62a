"""Markets, streams and stores for feeds, without a network: every candle is known beforehand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from tests.support.virtual_time import VirtualTime

from milobot.domain.market import Candle, CandleSeries, SymbolRules
from milobot.domain.reports import BookTicker, ClosedCandle, FundingRate, MarkPrice
from milobot.domain.spans import CandleSpan, step_open
from milobot.domain.timeframes import Timeframe
from milobot.errors import ExchangeUnavailableError, StorageError
from milobot.marketdata.feed import FeedSource, Series
from milobot.marketdata.history import HistoryLoader
from milobot.ports import CandleKey

_T = TypeVar("_T")
START_MS = 1_700_000_040_000  # a full minute, not a full hour


def candle_at(open_ms: int) -> Candle:
    """Return the one candle that opens at a time, different from all others."""
    price = 100.0 + open_ms // 60_000 % 977
    return Candle(open_ms, price, price + 1, price - 1, price + 0.5, 10.0)


async def at_once(work: Callable[[], _T]) -> _T:
    """Do blocking work here and now: no thread that virtual time does not know of."""
    return work()


@dataclass
class FakeMarket:
    """An exchange that lists candles up to now.

    Attributes:
        listed_ms: Open time of the first candle it has of any series.
        never: Open times of candles that it does not have.
        outages: How many of the next listings fail.
        empty: How many of the next listings hold nothing.
        is_windowed: Whether a listing ends ``limit`` candles after its start, as BingX's do;
            Binance's goes on until it has that many.
        asked: What was listed, as (series, first, limit).
    """

    time: VirtualTime
    listed_ms: int = 0
    never: set[int] = field(default_factory=set)
    outages: int = 0
    empty: int = 0
    is_windowed: bool = False
    asked: list[tuple[Series, int, int]] = field(default_factory=list)

    async def fetch_server_time(self) -> int:
        """Return the time."""
        return self.time.now_ms()

    async def fetch_candles(
        self, symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int
    ) -> CandleSeries:
        """List what has closed."""
        await asyncio.sleep(0)
        self.asked.append(((symbol, timeframe), first_ms or 0, limit))
        if self.outages:
            self.outages -= 1
            raise ExchangeUnavailableError("down")
        if self.empty:
            self.empty -= 1
            return CandleSeries.empty()
        return CandleSeries.from_candles(self._listed(timeframe, first_ms or 0, limit))

    def _listed(self, timeframe: Timeframe, first_ms: int, limit: int) -> list[Candle]:
        end_ms = timeframe.open_of(self.time.now_ms())
        if self.is_windowed:
            end_ms = min(end_ms, step_open(first_ms, limit, timeframe))
        found: list[Candle] = []
        at = max(first_ms, timeframe.next_open(timeframe.open_of(self.listed_ms - 1)))
        while at < end_ms and len(found) < limit:
            if at not in self.never:
                found.append(candle_at(at))
            at = timeframe.next_open(at)
        return found

    async def fetch_all_rules(self) -> dict[str, SymbolRules]:
        """Return rules of two symbols."""
        return {name: SymbolRules(name, Decimal("0.1")) for name in ("BTCUSDT", "ETHUSDT")}

    async def fetch_funding_rates(
        self, symbol: str, *, first_ms: int, last_ms: int
    ) -> list[FundingRate]:
        """Return none."""
        return []

    async def fetch_book_ticker(self, symbol: str) -> BookTicker:
        """Refuse: feeds do not need it."""
        raise ExchangeUnavailableError("no book here")

    async def fetch_mark_price(self, symbol: str) -> MarkPrice:
        """Refuse: feeds do not need it."""
        raise ExchangeUnavailableError("no mark price here")


class FakeStream:
    """A candle stream that a test speaks through; it keeps the stream's promises itself."""

    def __init__(self, since: Mapping[Series, int]) -> None:
        """Remember what was asked for."""
        self.since = dict(since)
        self._queue: asyncio.Queue[ClosedCandle] = asyncio.Queue()

    async def run(self) -> None:
        """Stay until cancelled."""
        await asyncio.Event().wait()

    async def candles(self) -> AsyncIterator[ClosedCandle]:
        """Yield what the test closes."""
        while True:
            yield await self._queue.get()

    def close(self, series: Series, open_ms: int) -> None:
        """Let a candle close."""
        self._queue.put_nowait(ClosedCandle(*series, candle_at(open_ms)))


@dataclass
class MemoryCandleStore:
    """A candle store in memory.

    Attributes:
        broken: Whether it refuses to be written to.
    """

    broken: bool = False
    candles: dict[CandleKey, dict[int, Candle]] = field(default_factory=dict)
    gaps: dict[CandleKey, list[CandleSpan]] = field(default_factory=dict)
    rules: dict[tuple[str, str], SymbolRules] = field(default_factory=dict)

    def save_candles(self, key: CandleKey, candles: CandleSeries) -> int:
        """Keep candles."""
        if self.broken:
            raise StorageError("the disk is full")
        kept = self.candles.setdefault(key, {})
        new = [candle for candle in candles if candle.time not in kept]
        kept |= {candle.time: candle for candle in new}
        return len(new)

    def load_candles(
        self,
        key: CandleKey,
        *,
        first_ms: int | None = None,
        last_ms: int | None = None,
        limit: int | None = None,
    ) -> CandleSeries:
        """Return candles."""
        kept = self.candles.get(key, {})
        found = CandleSeries.from_candles([kept[at] for at in sorted(kept)])
        found = found.between(first_ms, last_ms)
        return found if limit is None else found.part(max(len(found) - limit, 0), len(found))

    def list_series(self) -> list[CandleKey]:
        """Return what has candles."""
        return [key for key, kept in self.candles.items() if kept]

    def save_rules(self, source: str, rules: SymbolRules) -> None:
        """Keep rules."""
        self.rules[source, rules.symbol] = rules

    def load_rules(self, source: str, symbol: str) -> SymbolRules | None:
        """Return rules."""
        return self.rules.get((source, symbol))

    def save_gap(self, key: CandleKey, gap: CandleSpan) -> None:
        """Keep a gap."""
        if self.broken:
            raise StorageError("the disk is full")
        known = self.gaps.setdefault(key, [])
        if gap not in known:
            known.append(gap)

    def load_gaps(self, key: CandleKey) -> tuple[CandleSpan, ...]:
        """Return gaps."""
        return tuple(sorted(self.gaps.get(key, [])))


@dataclass
class FeedWorld:
    """A market, the streams that were opened on it, a store, and time."""

    time: VirtualTime
    market: FakeMarket
    store: MemoryCandleStore
    streams: list[FakeStream] = field(default_factory=list)

    @classmethod
    def made(cls, now_ms: int = START_MS) -> "FeedWorld":
        """Return a world at a time."""
        time = VirtualTime(now_ms)
        return cls(time, FakeMarket(time), MemoryCandleStore())

    def loader(self, batch: int = 1000) -> HistoryLoader:
        """Return a loader from market to store."""
        return HistoryLoader(
            "binance",
            self.market,
            self.store,
            batch=batch,
            offload=at_once,
            sleep=self.time.sleep,
        )

    def source(self) -> FeedSource:
        """Return what a hub is made of."""
        return FeedSource(self.market, self.open, self.loader(), self.time, self.time.sleep)

    def open(self, since: Mapping[Series, int]) -> FakeStream:
        """Open a stream."""
        self.streams.append(FakeStream(since))
        return self.streams[-1]

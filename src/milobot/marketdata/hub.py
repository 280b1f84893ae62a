"""Brings many feeds their candles: histories first, then one stream shared by all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from milobot.domain.market import CandleSeries
from milobot.domain.reports import ClosedCandle
from milobot.domain.spans import CandleSpan, first_open_from, last_closed
from milobot.domain.timeframes import Timeframe
from milobot.errors import AuthenticationError, ExchangeError, RequestRefusedError
from milobot.marketdata.feed import FeedSource, LiveFeed, Series
from milobot.marketdata.history import EARLIEST_MS, History
from milobot.marketdata.keeper import CandleKeeper
from milobot.telemetry import get_logger

_T = TypeVar("_T")
_RETRY_S = 5.0
_MOST_RETRY_S = 60.0
_MEASURE_EVERY_S = 600.0


class FeedHub:
    """Runs the feeds of one exchange over as few connections as there can be.

    Candles are handed on first and stored afterwards.
    """

    def __init__(self, source: FeedSource, *, most_waiting: int = 1000, parallel: int = 5) -> None:
        """Connect nothing yet.

        Args:
            source: Where candles come from.
            most_waiting: Candles that a feed holds for its reader; it lists those beyond.
            parallel: Histories that are loaded at a time.
        """
        self._source = source
        self._most_waiting = most_waiting
        self._loading = asyncio.Semaphore(parallel)
        self._keeper = CandleKeeper(source.loader, source.sleep)
        self._new: list[LiveFeed] = []
        self._has_new = asyncio.Event()
        self._feeds: dict[Series, list[LiveFeed]] = {}
        self._next: dict[Series, int] = {}

    def feed(self, symbol: str, timeframe: Timeframe, *, first_ms: int) -> LiveFeed:
        """Return a feed from the first candle that opens at ``first_ms`` or later.

        Feeds that are made before the hub runs share its connections; each lot that is
        made later gets connections of its own. Candles before 2019 are not asked for.
        """
        opens = first_open_from(max(first_ms, EARLIEST_MS), timeframe)
        feed = LiveFeed((symbol, timeframe), opens, self._source, self._most_waiting)
        self._new.append(feed)
        self._has_new.set()
        return feed

    async def run(self) -> None:
        """Keep the feeds going until cancelled; an exchange that is away is waited for.

        Raises:
            AuthenticationError: The exchange refuses us.
            RequestRefusedError: It does not know a symbol.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keeper.run())
            group.create_task(self._keep_time())
            while True:
                await self._has_new.wait()
                self._has_new.clear()
                lot, self._new = self._new, []
                group.create_task(self._serve(lot))

    async def _keep_time(self) -> None:
        """Ask for the exchange's time now and then: what has closed is told by its clock."""
        while True:
            await self._source.sleep(_MEASURE_EVERY_S)
            try:
                await self._source.market.fetch_server_time()
            except ExchangeError as failed:
                get_logger().warning("exchange_time_not_measured", reason=str(failed))

    async def _serve(self, lot: Sequence[LiveFeed]) -> None:
        """Load the histories of some feeds, then bring what is live to everybody's."""
        fresh = {feed.series for feed in lot} - self._feeds.keys()
        for feed in lot:
            self._feeds.setdefault(feed.series, []).append(feed)
        await self._persist(self._source.market.fetch_server_time)
        starts: dict[Series, int] = {}
        async with asyncio.TaskGroup() as group:
            for feed in lot:
                group.create_task(self._begin(feed, starts))
        since = {series: starts[series] for series in starts if series in fresh}
        if not since:
            return
        self._next.update(since)
        stream = self._source.open_stream(since)
        async with asyncio.TaskGroup() as group:
            group.create_task(stream.run())
            group.create_task(self._route(stream.candles()))

    async def _begin(self, feed: LiveFeed, starts: dict[Series, int]) -> None:
        """Load the history of a feed; note when the candle after it opens."""
        symbol, timeframe = feed.series
        now_ms = self._source.clock.now_ms()
        newest_ms = last_closed(now_ms, timeframe)
        history = History(CandleSeries.empty(), ())
        if feed.first_ms <= newest_ms:
            span = CandleSpan(feed.first_ms, newest_ms)
            loader = self._source.loader
            async with self._loading:
                history = await self._persist(lambda: loader.load(symbol, timeframe, span))
        # Our clock may run ahead of the exchange's: what is not listed may be about to close.
        next_ms = max(feed.first_ms, newest_ms)
        if len(history.candles):
            next_ms = timeframe.next_open(int(history.candles.time[-1]))
        starts[feed.series] = min(next_ms, starts.get(feed.series, next_ms))
        feed.begin(history, next_ms)

    async def _route(self, candles: AsyncIterator[ClosedCandle]) -> None:
        """Hand candles to the feeds of their series; what a stream left out does not exist."""
        async for closed in candles:
            series, candle = (closed.symbol, closed.timeframe), closed.candle
            next_ms = self._next[series]
            self._next[series] = closed.timeframe.next_open(candle.time)
            if candle.time > next_ms:
                gap = CandleSpan(next_ms, closed.timeframe.open_of(candle.time - 1))
                self._keeper.keep_gap(series, gap)
                for feed in self._feeds[series]:
                    feed.lacks(gap)
            self._keeper.keep(series, candle)
            for feed in self._feeds[series]:
                feed.offer(candle)

    async def _persist(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask the exchange until it answers: a bot that starts in an outage waits for its end."""
        wait_s = _RETRY_S
        while True:
            try:
                return await ask()
            except (AuthenticationError, RequestRefusedError):
                raise
            except ExchangeError as failed:
                get_logger().warning("market_data_not_available", reason=str(failed))
            await self._source.sleep(wait_s)
            wait_s = min(wait_s * 2, _MOST_RETRY_S)

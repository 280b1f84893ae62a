"""Closed candles for whoever decides on them: history from the anchor on, then live.

``marketdata.hub`` makes feeds and brings them their candles. A feed whose reader is slow
holds a measured number of candles and lists the rest when its reader comes back: the
reader loses time, never a candle, and the others lose nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.spans import CandleSpan, step_open
from milobot.domain.timeframes import Timeframe
from milobot.errors import ExchangeError
from milobot.marketdata.backlog import Backlog
from milobot.marketdata.history import History, HistoryLoader
from milobot.ports import CandleStream, Clock, MarketData
from milobot.telemetry import get_logger

Series = tuple[str, Timeframe]

_FRUITLESS = 10
_MOST_WAIT_S = 60.0


class OpenStream(Protocol):
    """Opens a stream of closed candles; the clients' ``candle_feed`` is one."""

    def __call__(self, since: Mapping[Series, int], /) -> CandleStream:
        """Return a stream of series, each from the candle that opens at the time given on."""
        ...


@dataclass(frozen=True, slots=True)
class FeedSource:
    """Where candles come from.

    Attributes:
        market: Tells the exchange's time, which sets ``clock``.
        open_stream: Opens a stream of many series.
        loader: Loads history and keeps what has come.
        clock: The exchange's time: it says what has closed.
        sleep: Waits some seconds.
    """

    market: MarketData
    open_stream: OpenStream
    loader: HistoryLoader
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class LiveFeed:
    """Candles of one series (port ``MarketFeed``); a hub that runs makes them come.

    Attributes:
        series: Symbol and timeframe.
        first_ms: Open time of the first candle it is to bring.
        gaps: What the exchange does not have, as far as the feed has come.
    """

    def __init__(self, series: Series, first_ms: int, source: FeedSource, most: int) -> None:
        """Hold nothing yet; ``FeedHub.feed`` makes feeds."""
        self.series = series
        self.first_ms = first_ms
        self.gaps: list[CandleSpan] = []
        self._source = source
        self._most = most
        self._backlog = Backlog(series[1], most)
        self._history: CandleSeries | None = None
        self._has_history = asyncio.Event()
        self._has_news = asyncio.Event()

    async def history(self) -> CandleSeries:
        """Return the closed candles from the feed's first to its start; ``candles`` goes on from there.

        It is handed over once; ``candles`` begins with it when nobody has asked for it.
        """
        await self._has_history.wait()
        history, self._history = self._history, None
        return history if history is not None else CandleSeries.empty()

    async def candles(self) -> AsyncIterator[CandleSeries]:
        """Yield what has closed since the last turn: each candle once, in order, without a gap.

        Candles that the exchange itself does not have are left out and listed in ``gaps``.
        """
        history = await self.history()
        if len(history):
            yield history
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            while True:
                if len(self._backlog):
                    yield self._backlog.take()
                elif self._backlog.unlisted is not None:
                    await self._catch_up()
                else:
                    break

    def begin(self, history: History, next_ms: int) -> None:
        """Take the history; what the stream brings is wanted from ``next_ms`` on."""
        self._history = history.candles
        self.gaps += history.gaps
        self._backlog.begin(next_ms)
        self._has_history.set()
        self._has_news.set()

    def offer(self, candle: Candle) -> None:
        """Take a candle from the stream."""
        self._backlog.offer(candle)
        self._has_news.set()

    def lacks(self, gap: CandleSpan) -> None:
        """Hear that the exchange does not have some candles."""
        if gap not in self.gaps:
            self.gaps.append(gap)

    async def _catch_up(self) -> None:
        """List what was left out while the reader was away, until there is something to take."""
        fruitless, wait_s = 0, 1.0
        while (span := self._backlog.unlisted) is not None:
            last_ms = step_open(span.first_ms, self._most - 1, self.series[1])
            listed = await self._list(CandleSpan(span.first_ms, min(span.last_ms, last_ms)))
            if listed is not None:
                self._backlog.fill(listed)
                fruitless += 1
            if len(self._backlog):
                return
            if fruitless >= _FRUITLESS:
                self._give_up()
            await self._source.sleep(wait_s)
            wait_s = min(wait_s * 2, _MOST_WAIT_S)

    async def _list(self, span: CandleSpan) -> CandleSeries | None:
        """Return what there is of a span; None when nobody answers, which is waited out."""
        try:
            listed = await self._source.loader.load(*self.series, span)
        except ExchangeError as failed:
            warn("candle_listing_failed", self.series, reason=str(failed))
            return None
        for gap in listed.gaps:
            self.lacks(gap)
        return listed.candles

    def _give_up(self) -> None:
        lost = self._backlog.give_up()
        if lost is not None:
            self.lacks(lost)
            warn("candle_gap", self.series, first_ms=lost.first_ms, last_ms=lost.last_ms)


def warn(event: str, series: Series, **facts: object) -> None:
    """Log a warning about a series."""
    get_logger().warning(event, symbol=series[0], timeframe=series[1].value, **facts)

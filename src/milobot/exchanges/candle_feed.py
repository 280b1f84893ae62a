"""Closed candles of many series over few connections, filled in from listings.

Three things ask for a listing: a connection that opened again, a candle that came too
early, and a candle that should have come by now. So neither a lost frame nor a socket
that stays silent leaves a hole.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.reports import ClosedCandle
from milobot.domain.timeframes import Timeframe
from milobot.errors import ExchangeError
from milobot.exchanges.sequencer import CandleSequencer, Missing
from milobot.exchanges.streams import SupervisedStream
from milobot.exchanges.times import Sleep, real_sleep
from milobot.ports import Clock
from milobot.telemetry import get_logger

Series = tuple[str, Timeframe]

# Rows asked for beyond those missing: the next proves that the last one has closed.
_ROWS_BEHIND = 2


class FetchCandles(Protocol):
    """Lists closed candles of one series."""

    async def __call__(
        self, symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int
    ) -> CandleSeries:
        """Return up to ``limit`` closed candles from ``first_ms`` on; raise ``ExchangeError``."""
        ...


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """How holes are looked for.

    Attributes:
        grace_ms: How long after its close a candle may still be on its way.
        look_every_s: How often the clock is compared with what has come, and listings are
            repeated that did not bring all that was due.
        parallel: Listings at a time.
        batch: The most candles in a listing.
        fruitless: Listings without the missing candles until a hole is given up.
    """

    grace_ms: int = 8_000
    look_every_s: float = 4.0
    parallel: int = 4
    batch: int = 500
    fruitless: int = 3


@dataclass(slots=True)
class _Track:
    """A series; ``is_short`` while a listing has left something out that was due by our clock.

    It may not be proven closed yet, or the listing failed: it is asked for again soon, since
    a stream that has just been opened may never bring it.
    """

    sequencer: CandleSequencer
    fruitless: int = 0
    is_short: bool = False

    def due(self, now_ms: int) -> Missing | None:
        """Return what is missing, be it only by our clock."""
        return self.sequencer.missing() or self.sequencer.overdue(now_ms, 0)


@dataclass(slots=True)
class FeedHealth:
    """What happened to a feed so far."""

    delivered: int = 0
    listings: int = 0
    failed_listings: int = 0
    skipped: list[tuple[Series, Missing]] = field(default_factory=list)


class CandleFeed:
    """A ``CandleStream`` over supervised streams.

    Attributes:
        health: What happened so far.
        clock: The exchange's time.
    """

    def __init__(
        self,
        since: Mapping[Series, int | None],
        fetch: FetchCandles,
        clock: Clock,
        *,
        plan: FeedPlan | None = None,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Deliver nothing yet.

        Args:
            since: The series, each with the open time of the candle that comes next; None
                begins with the first that closes.
            fetch: Lists candles.
            clock: The exchange's time: it says which candles are due.
            plan: How holes are looked for; None for the defaults.
            sleep: Waits some seconds.
        """
        self.health = FeedHealth()
        self._fetch = fetch
        self.clock = clock
        self._plan = plan or FeedPlan()
        self._sleep = sleep
        self._tracks = {s: _Track(CandleSequencer(s[1], first)) for s, first in since.items()}
        self._queue: asyncio.Queue[ClosedCandle] = asyncio.Queue()
        self._holes: asyncio.Queue[Series] = asyncio.Queue()
        self._sought: set[Series] = set()
        self._streams: Sequence[SupervisedStream] = ()

    def over(self, streams: Sequence[SupervisedStream]) -> None:
        """Take the streams that bring the candles; their channels call ``closed`` and ``check``."""
        self._streams = streams

    async def candles(self) -> AsyncIterator[ClosedCandle]:
        """Yield candles as they close."""
        while True:
            yield await self._queue.get()

    async def run(self) -> None:
        """Keep the feed going until cancelled."""
        async with asyncio.TaskGroup() as group:
            for stream in self._streams:
                group.create_task(stream.run())
            for _ in range(self._plan.parallel):
                group.create_task(self._fill_holes())
            group.create_task(self._look_for_holes())

    def closed(self, symbol: str, timeframe: Timeframe, candle: Candle) -> None:
        """Take a closed candle from a stream; what nobody asked for is dropped."""
        series = (symbol, timeframe)
        track = self._tracks.get(series)
        if track is None:
            return
        self._deliver(series, track.sequencer.offer(candle))
        if track.sequencer.missing() is not None:
            self._seek(series)

    def doubted(self, symbol: str, timeframe: Timeframe, open_ms: int) -> None:
        """List a candle that has closed, but of which a stream may not have said all."""
        track = self._tracks.get((symbol, timeframe))
        if track is not None:
            track.sequencer.begin(open_ms)
            self._seek((symbol, timeframe))

    def check(self, series: Iterable[Series]) -> None:
        """Compare series with a listing: their connection has just opened."""
        for one in series:
            if one in self._tracks:
                self._seek(one)

    def _seek(self, series: Series) -> None:
        if series not in self._sought:
            self._sought.add(series)
            self._holes.put_nowait(series)

    async def _look_for_holes(self) -> None:
        while True:
            await self._sleep(self._plan.look_every_s)
            now_ms = self.clock.now_ms()
            for series, track in self._tracks.items():
                if track.is_short:
                    track.is_short = track.due(now_ms) is not None
                is_late = track.sequencer.overdue(now_ms, self._plan.grace_ms) is not None
                if is_late or track.is_short:
                    self._seek(series)

    async def _fill_holes(self) -> None:
        while True:
            series = await self._holes.get()
            self._sought.discard(series)
            track = self._tracks[series]
            try:
                await self._fill(series, track)
            except ExchangeError as failed:
                self.health.failed_listings += 1
                get_logger().warning(
                    "candle_listing_failed",
                    symbol=series[0],
                    timeframe=series[1].value,
                    reason=str(failed),
                )
            track.is_short = track.due(self.clock.now_ms()) is not None

    async def _fill(self, series: Series, track: _Track) -> None:
        """List what is missing of a series, batch by batch, as long as that brings it on."""
        sequencer, most = track.sequencer, self._plan.batch
        while asked := track.due(self.clock.now_ms()):
            before = sequencer.next_open_ms
            limit = min(most, asked.count(series[1]) + _ROWS_BEHIND)
            self.health.listings += 1
            listed = await self._fetch(*series, first_ms=asked.first_ms, limit=limit)
            self._deliver(series, sequencer.fill(listed, asked))
            if sequencer.next_open_ms == before:
                self._note_fruitless(series, track)
                return
            track.fruitless = 0
            if limit < most:
                return  # all there is was asked for

    def _note_fruitless(self, series: Series, track: _Track) -> None:
        if track.sequencer.missing() is None:
            return  # not listed yet: asked for again soon
        track.fruitless += 1
        if track.fruitless >= self._plan.fruitless:
            track.fruitless = 0
            self._deliver(series, track.sequencer.give_up())

    def _deliver(self, series: Series, candles: Iterable[Candle]) -> None:
        gaps = self._tracks[series].sequencer.known_gaps
        while gaps:
            gap = gaps.pop(0)
            self.health.skipped.append((series, gap))
            get_logger().warning(
                "candle_gap",
                symbol=series[0],
                timeframe=series[1].value,
                first_ms=gap.first_ms,
                last_ms=gap.last_ms,
            )
        for candle in candles:
            self.health.delivered += 1
            self._queue.put_nowait(ClosedCandle(*series, candle))

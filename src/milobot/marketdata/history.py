"""Candles of the past: from the store what is there, from the exchange what is not.

What is fetched is stored page by page, so that whoever is interrupted goes on where they
were. What the exchange does not have although it has what follows is noted as a known
gap, and not asked for again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from milobot.domain.market import COLUMNS, CandleSeries
from milobot.domain.spans import CandleSpan, count_candles, step_open, without
from milobot.domain.timeframes import Timeframe
from milobot.errors import StorageError
from milobot.marketdata.gaps import find_gaps
from milobot.ports import CandleKey, CandleStore, MarketData
from milobot.telemetry import get_logger

EARLIEST_MS = 1_546_300_800_000
"""2019-01-01 00:00 UTC: the exchanges have nothing before it, and nothing before it is asked for."""

_AGAIN_S = 0.25
_T = TypeVar("_T")


class HistoryStore(CandleStore, Protocol):
    """A candle store that also knows what the exchange lacks."""

    def save_gap(self, key: CandleKey, gap: CandleSpan) -> None:
        """Note that the exchange itself lacks some candles of a series."""
        ...

    def load_gaps(self, key: CandleKey) -> tuple[CandleSpan, ...]:
        """Return what the exchange is known to lack of a series, in order of time."""
        ...


class Offload(Protocol):
    """Does blocking work where the event loop does not wait for it."""

    async def __call__(self, work: Callable[[], _T], /) -> _T:
        """Return what ``work`` returns."""
        ...


@dataclass(frozen=True, slots=True)
class History:
    """Candles of a span, and what of it the exchange does not have."""

    candles: CandleSeries
    gaps: tuple[CandleSpan, ...]


class HistoryLoader:
    """Loads candles of one exchange."""

    def __init__(
        self,
        source: str,
        market: MarketData,
        store: HistoryStore | None = None,
        *,
        batch: int = 1000,
        offload: Offload = asyncio.to_thread,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Load nothing yet.

        Args:
            source: Exchange and environment, part of the key of stored candles.
            market: Lists candles.
            store: Keeps them; None keeps nothing.
            batch: Most candles in one request.
            offload: Does the store's work, which blocks.
            sleep: Waits some seconds.
        """
        self._source = source
        self._market = market
        self._store = store
        self._batch = batch
        self._offload = offload
        self._sleep = sleep

    async def load(self, symbol: str, timeframe: Timeframe, span: CandleSpan) -> History:
        """Return the candles of a span, fetching what is not stored.

        A store that fails is done without: a full disk must not cost a decision.

        Raises:
            ExchangeError: Something is missing and cannot be had.
        """
        try:
            return await self._load(symbol, timeframe, span)
        except StorageError as failed:
            get_logger().warning("candle_store_failed", symbol=symbol, reason=str(failed))
        without_store = HistoryLoader(
            self._source, self._market, batch=self._batch, sleep=self._sleep
        )
        return await without_store.load(symbol, timeframe, span)

    async def _load(self, symbol: str, timeframe: Timeframe, span: CandleSpan) -> History:
        stored = await self._stored(symbol, timeframe, span)
        fetched = await self.fetch(symbol, timeframe, missing_of(stored, timeframe, span))
        return History(
            merged(stored.candles, fetched.candles), tuple(sorted(stored.gaps + fetched.gaps))
        )

    async def missing(
        self, symbol: str, timeframe: Timeframe, span: CandleSpan
    ) -> tuple[CandleSpan, ...]:
        """Return what of a span has to be fetched: neither stored nor known to be missing."""
        return missing_of(await self._stored(symbol, timeframe, span), timeframe, span)

    async def known_gaps(
        self, symbol: str, timeframe: Timeframe, span: CandleSpan
    ) -> tuple[CandleSpan, ...]:
        """Return what the exchange is known to lack within a span, in order of time."""
        return tuple(sorted((await self._stored(symbol, timeframe, span)).gaps))

    async def fetch(
        self,
        symbol: str,
        timeframe: Timeframe,
        spans: Sequence[CandleSpan],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> History:
        """Fetch and store spans; candles that are not there yet at the very end may lack.

        Args:
            symbol: The symbol.
            timeframe: Their timeframe.
            spans: What to fetch, in order of time.
            progress: Hears how many candles of the spans have been seen to, after each page.

        Raises:
            ExchangeError: The exchange did not answer; what came before is stored.
        """
        key = CandleKey(self._source, symbol, timeframe)
        pages: list[History] = []
        for span in spans:
            at = proven_ms = span.first_ms
            while at <= span.last_ms:
                page, end_ms = await self._fetch_page(key, CandleSpan(at, span.last_ms), proven_ms)
                await self._save(key, page)
                pages.append(page)
                progress(count_candles(CandleSpan(at, end_ms), timeframe))
                at = timeframe.next_open(end_ms)
                proven_ms = at if len(page.candles) or page.gaps else proven_ms
        candles = CandleSeries.empty()
        for page in pages:
            candles = candles.joined(page.candles)
        return History(candles, tuple(gap for page in pages for gap in page.gaps))

    async def _fetch_page(
        self, key: CandleKey, span: CandleSpan, proven_ms: int
    ) -> tuple[History, int]:
        """Return one page of a span, and the open time that it reaches to.

        An empty page proves nothing, the next that has candles proves gaps from
        ``proven_ms`` on. One candle more than wanted is asked for, as such a proof.
        """
        timeframe = key.timeframe
        wanted = count_candles(span, timeframe)
        listed = await self._list(key, span, min(self._batch, wanted + 1))
        if not len(listed):
            steps = min(self._batch, wanted) - 1
            return History(listed, ()), step_open(span.first_ms, steps, timeframe)
        end_ms = min(int(listed.time[-1]), span.last_ms)
        candles = listed.between(span.first_ms, end_ms)
        gaps = missing_of(History(candles, ()), timeframe, CandleSpan(proven_ms, end_ms))
        return History(candles, gaps), end_ms

    async def _list(self, key: CandleKey, span: CandleSpan, limit: int) -> CandleSeries:
        """Ask for a page; an empty one twice, since a gap is noted for good."""
        for is_last in (False, True):
            listed = await self._market.fetch_candles(
                key.symbol, key.timeframe, first_ms=span.first_ms, limit=limit
            )
            listed = listed.between(span.first_ms, None)
            if len(listed) or is_last:
                return listed
            await self._sleep(_AGAIN_S)
        raise AssertionError("unreachable")  # pragma: no cover - the loop returns

    async def save(self, symbol: str, timeframe: Timeframe, new: History) -> None:
        """Store candles and gaps, where there is a store.

        Raises:
            StorageError: Nothing was stored.
        """
        await self._save(CandleKey(self._source, symbol, timeframe), new)

    async def _save(self, key: CandleKey, page: History) -> None:
        store = self._store
        if store is None:
            return

        def save() -> None:
            store.save_candles(key, page.candles)
            for gap in page.gaps:
                store.save_gap(key, gap)

        await self._offload(save)

    async def _stored(self, symbol: str, timeframe: Timeframe, span: CandleSpan) -> History:
        store, key = self._store, CandleKey(self._source, symbol, timeframe)
        if store is None:
            return History(CandleSeries.empty(), ())

        def load() -> History:
            candles = store.load_candles(key, first_ms=span.first_ms, last_ms=span.last_ms)
            gaps = [_within(gap, span) for gap in store.load_gaps(key)]
            return History(candles, tuple(gap for gap in gaps if gap is not None))

        return await self._offload(load)


def missing_of(have: History, timeframe: Timeframe, span: CandleSpan) -> tuple[CandleSpan, ...]:
    """Return what of a span is neither among the candles nor a known gap."""
    candles = have.candles
    if not len(candles):
        return without(span, have.gaps, timeframe)
    first, last = int(candles.time[0]), int(candles.time[-1])
    holes = [CandleSpan(gap.first_ms, gap.last_ms) for gap in find_gaps(candles, timeframe)]
    if first > span.first_ms:
        holes.insert(0, CandleSpan(span.first_ms, timeframe.open_of(first - 1)))
    if last < span.last_ms:
        holes.append(CandleSpan(timeframe.next_open(last), span.last_ms))
    return tuple(part for hole in holes for part in without(hole, have.gaps, timeframe))


def merged(one: CandleSeries, other: CandleSeries) -> CandleSeries:
    """Return the candles of two series that share none, in order of time."""
    both = one.joined(other)
    order = both.time.argsort(kind="stable")
    return CandleSeries(*(getattr(both, name)[order] for name in COLUMNS))


def _within(gap: CandleSpan, span: CandleSpan) -> CandleSpan | None:
    first, last = max(gap.first_ms, span.first_ms), min(gap.last_ms, span.last_ms)
    return CandleSpan(first, last) if first <= last else None

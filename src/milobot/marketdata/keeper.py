"""Stores candles that were handed on already: a slow disk must not make a decision late."""

import asyncio
from collections.abc import Awaitable, Callable

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.spans import CandleSpan
from milobot.errors import StorageError
from milobot.marketdata.feed import Series, warn
from milobot.marketdata.history import History, HistoryLoader

_AFTER_S = 1.0
_MOST = 100_000


class CandleKeeper:
    """Collects candles and gaps of many series and stores them a second later.

    What cannot be stored is dropped with a warning, what comes while too much waits without
    one: all of it can be fetched again.
    """

    def __init__(
        self,
        loader: HistoryLoader,
        sleep: Callable[[float], Awaitable[None]],
        *,
        most: int = _MOST,
    ) -> None:
        """Hold nothing yet.

        Args:
            loader: Stores.
            sleep: Waits some seconds.
            most: Candles that may wait.
        """
        self._most = most
        self._loader = loader
        self._sleep = sleep
        self._candles: dict[Series, list[Candle]] = {}
        self._gaps: dict[Series, list[CandleSpan]] = {}
        self._count = 0
        self._has_news = asyncio.Event()

    def keep(self, series: Series, candle: Candle) -> None:
        """Take a candle."""
        if self._count < self._most:
            self._count += 1
            self._candles.setdefault(series, []).append(candle)
            self._has_news.set()

    def keep_gap(self, series: Series, gap: CandleSpan) -> None:
        """Take a gap that the exchange itself has."""
        self._gaps.setdefault(series, []).append(gap)
        self._has_news.set()

    async def run(self) -> None:
        """Store what comes until cancelled."""
        while True:
            await self._has_news.wait()
            await self._sleep(_AFTER_S)
            self._has_news.clear()
            candles, self._candles = self._candles, {}
            gaps, self._gaps = self._gaps, {}
            self._count = 0
            for series in candles.keys() | gaps.keys():
                await self._save(series, candles.get(series, []), gaps.get(series, []))

    async def _save(self, series: Series, candles: list[Candle], gaps: list[CandleSpan]) -> None:
        new = History(CandleSeries.from_candles(candles), tuple(gaps))
        try:
            await self._loader.save(*series, new)
        except StorageError as failed:
            warn("candles_not_stored", series, candles=len(candles), reason=str(failed))

"""Prices of which only the latest counts: a slow reader skips, and never falls behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from milobot.domain.reports import BookTicker, MarkPrice
from milobot.exchanges.streams import SupervisedStream, run_all


class LatestPrices:
    """Holds the newest price of each kind and symbol until it is read."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._waiting: dict[tuple[type, str], MarkPrice | BookTicker] = {}
        self._has_news = asyncio.Event()

    def put(self, price: MarkPrice | BookTicker) -> None:
        """Take a price in place of an older one that nobody has read."""
        key = (type(price), price.symbol)
        waiting = self._waiting.get(key)
        if waiting is None or waiting.time_ms <= price.time_ms:
            self._waiting[key] = price
            self._has_news.set()

    async def prices(self) -> AsyncIterator[MarkPrice | BookTicker]:
        """Yield prices as they come."""
        while True:
            await self._has_news.wait()
            while self._waiting:
                yield self._waiting.pop(next(iter(self._waiting)))
            self._has_news.clear()


class PriceFeed(LatestPrices):
    """A ``PriceStream`` over supervised streams."""

    def __init__(self) -> None:
        """Hold no price yet; ``over`` says where they come from."""
        super().__init__()
        self._streams: Sequence[SupervisedStream] = ()

    def over(self, streams: Sequence[SupervisedStream]) -> None:
        """Take the streams that bring the prices."""
        self._streams = streams

    async def run(self) -> None:
        """Keep the prices coming until cancelled."""
        await run_all(self._streams)

"""The exchange that readers of the manual connect to: both dialects, two symbols, today's time."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import ExchangeSetup
from milobot.marketdata.generated import generate_candles

HISTORY = 6000
_AHEAD = 600
_SEEDS = {"BTCUSDT": 25, "ETHUSDT": 7}


@cache
def _candles() -> dict[str, CandleSeries]:
    minutes = HISTORY + _AHEAD
    return {
        symbol: generate_candles(symbol, minutes=minutes, seed=seed)
        for symbol, seed in _SEEDS.items()
    }


@contextmanager
def exchange_for_readers() -> Iterator[str]:
    """Serve an exchange on a thread of its own; yield its address."""
    setup = ExchangeSetup(
        candles=_candles(),
        timeframe=Timeframe.M1,
        history=HISTORY,
        speed=0.5,
        clock=ClockMode.WALL,
    )
    is_open, is_over = threading.Event(), threading.Event()
    found: list[str] = []

    async def serve() -> None:
        async with LocalExchange(setup) as exchange:
            found.append(exchange.url)
            is_open.set()
            await asyncio.to_thread(is_over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert is_open.wait(30)
        yield found[0]
    finally:
        is_over.set()
        thread.join(20)

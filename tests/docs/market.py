"""The exchange that readers of the manual connect to: both dialects, two symbols, today's time."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from tests.support.served_exchange import served

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.core.timing import ClockMode
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
    with served(setup) as exchange:
        yield exchange.url

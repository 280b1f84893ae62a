"""A listed candle counts as closed only if it had closed when the exchange was asked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.support import binance, bingx
from tests.support.fake_transport import FakeTransport, reply

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import MINUTE_MS, Timeframe

FIRST_MS = 1_700_000_040_000


async def list_on_binance(late_ms: int, takes_ms: int) -> CandleSeries:
    bench = binance.bench()
    rows: list[list[Any]] = [
        [t, "1", "2", "0.5", "1.5", "10", t + MINUTE_MS - 1, "15", 3, "5", "7", "0"]
        for t in (FIRST_MS, FIRST_MS + MINUTE_MS)
    ]
    bench.transport.on("GET /fapi/v1/klines", reply(rows))
    await bench.market.fetch_server_time()
    _ask_at(bench.transport, late_ms, takes_ms)
    return await bench.market.fetch_candles("BTCUSDT", Timeframe.M1, first_ms=FIRST_MS, limit=2)


async def list_on_bingx(late_ms: int, takes_ms: int) -> CandleSeries:
    bench = bingx.bench()
    rows = [
        {"open": "1", "high": "2", "low": "0.5", "close": "1.5", "volume": "10", "time": t}
        for t in (FIRST_MS, FIRST_MS + MINUTE_MS)
    ]
    bench.transport.on("GET /openApi/swap/v3/quote/klines", bingx.ok(rows))
    await bench.market.fetch_server_time()
    _ask_at(bench.transport, late_ms, takes_ms)
    return await bench.market.fetch_candles("BTCUSDT", Timeframe.M1, first_ms=FIRST_MS, limit=2)


def _ask_at(transport: FakeTransport, late_ms: int, takes_ms: int) -> None:
    """Move to a moment after the second candle's close; from now on answers take time."""
    close_ms = FIRST_MS + 2 * MINUTE_MS
    transport.time.step(close_ms + late_ms - transport.time.now_ms())
    transport.takes_ms = takes_ms


@pytest.mark.parametrize("list_candles", [list_on_binance, list_on_bingx])
@pytest.mark.parametrize(
    ("late_ms", "takes_ms", "count"), [(-100, 0, 1), (-100, 300, 1), (100, 300, 2)]
)
def test_close_between_question_and_answer_leaves_the_candle_out(
    list_candles: Callable[[int, int], Awaitable[CandleSeries]],
    late_ms: int,
    takes_ms: int,
    count: int,
) -> None:
    """The answer may hold the candle as it formed: stored for good, it would lie for ever."""

    async def listed() -> CandleSeries:
        return await list_candles(late_ms, takes_ms)

    assert len(asyncio.run(listed())) == count

"""Feeds over real sockets: connections that drop cost no candle, in either dialect."""

import asyncio

import pytest
from tests.support.wire import START_MS, setup_of

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.limits import DownloadPace
from milobot.exchanges.options import ClientOptions
from milobot.exchanges.streams import StreamPlan
from milobot.local_exchange.faults import FaultPlan, parse_rule_text
from milobot.local_exchange.server import LocalExchange
from milobot.marketdata.feed import FeedSource
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.history import HistoryLoader
from milobot.marketdata.hub import FeedHub

HISTORY, LIVE = 30, 40
MARKET = generate_candles(minutes=HISTORY + LIVE + 2)


def client_of(exchange: LocalExchange, dialect: str) -> BinanceClient | BingxClient:
    """Return a client that has the exchange's clock, which jumps with every step."""
    never_s = 1e9
    plan = StreamPlan(
        reconnect_delay_s=0.05,
        most_delay_s=0.2,
        stale_after_s=never_s,
        ping_every_s=never_s,
        replace_after_s=never_s,
    )
    options = ClientOptions(clock=exchange.clock, pace=DownloadPace(5, 0.0), plan=plan)
    if dialect == "binance":
        return BinanceClient(BinanceHosts.at(exchange.binance_url), options=options)
    return BingxClient(BingxHosts.at(exchange.bingx_url), options=options)


@pytest.mark.parametrize("dialect", ["binance", "bingx"])
async def test_dropped_sockets_cost_no_candle(dialect: str) -> None:
    """What closes while nobody listens is listed after the reconnect, in order, once."""
    drops = FaultPlan([parse_rule_text("stream_dropped:on=stream.*,times=6,chance=0.15")], seed=3)
    setup = setup_of(MARKET, history=HISTORY, faults=drops, has_limits=False)
    found: list[CandleSeries] = []
    all_came = asyncio.Event()
    async with LocalExchange(setup) as exchange, client_of(exchange, dialect) as client:
        loader = HistoryLoader("local", client.market)
        hub = FeedHub(FeedSource(client.market, client.candle_feed, loader, client.clock))
        feed = hub.feed("BTCUSDT", Timeframe.M1, first_ms=START_MS)

        async def read() -> None:
            async for candles in feed.candles():
                found.append(candles)
                if int(candles.time[-1]) >= START_MS + (HISTORY + LIVE - 1) * MINUTE_MS:
                    all_came.set()

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(hub.run()), group.create_task(read())]
            await asyncio.sleep(0.5)
            for _ in range(2 * LIVE + 2):  # the open of each candle, then the rest of it
                await exchange.advance()
                await asyncio.sleep(0.03)
            await asyncio.wait_for(all_came.wait(), 30)
            for task in tasks:
                task.cancel()

    came = found[0]
    for later in found[1:]:
        came = came.joined(later)
    assert len(found) > LIVE / 4
    assert drops.to_dict()["rules"][0]["struck"] >= 2
    assert came.part(0, HISTORY + LIVE).time.tolist() == [
        START_MS + n * MINUTE_MS for n in range(HISTORY + LIVE)
    ]
    assert (
        came.part(0, HISTORY + LIVE).close.tolist() == MARKET.part(0, HISTORY + LIVE).close.tolist()
    )
    assert feed.gaps == []

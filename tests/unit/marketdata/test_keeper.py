"""Candles are stored behind the decision: in batches, and never at its expense."""

import asyncio

from tests.support.feeds import START_MS, FeedWorld, candle_at

from milobot.domain.spans import CandleSpan
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.marketdata.feed import Series
from milobot.marketdata.keeper import CandleKeeper
from milobot.ports import CandleKey

SERIES: Series = ("BTCUSDT", Timeframe.M1)
KEY = CandleKey("binance", *SERIES)


async def run(world: FeedWorld, keeper: CandleKeeper, seconds: float) -> None:
    """Let the keeper work for a while."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(keeper.run())
        await world.time.run_for(seconds)
        task.cancel()


async def test_what_came_together_is_stored_together() -> None:
    """Three hundred candles a minute must not be three hundred waits for the disk."""
    world = FeedWorld.made()
    keeper = CandleKeeper(world.loader(), world.time.sleep)
    for number in range(5):
        keeper.keep(SERIES, candle_at(START_MS + number * MINUTE_MS))
    keeper.keep_gap(SERIES, CandleSpan(START_MS - MINUTE_MS, START_MS - MINUTE_MS))
    await run(world, keeper, 0.9)
    assert world.store.candles == {}

    await run(world, keeper, 1.1)

    assert len(world.store.load_candles(KEY)) == 5
    assert world.store.load_gaps(KEY) == (CandleSpan(START_MS - MINUTE_MS, START_MS - MINUTE_MS),)


async def test_store_that_fails_does_not_end_it() -> None:
    """When there is room again, what comes then is stored."""
    world = FeedWorld.made()
    keeper = CandleKeeper(world.loader(), world.time.sleep)
    world.store.broken = True
    keeper.keep(SERIES, candle_at(START_MS))
    await run(world, keeper, 1.1)
    world.store.broken = False
    keeper.keep(SERIES, candle_at(START_MS + MINUTE_MS))
    await run(world, keeper, 1.1)

    assert [candle.time for candle in world.store.load_candles(KEY)] == [START_MS + MINUTE_MS]


async def test_disk_that_never_answers_does_not_fill_the_memory() -> None:
    """What is dropped can be fetched again; a bot without memory cannot trade."""
    world = FeedWorld.made()
    keeper = CandleKeeper(world.loader(), world.time.sleep, most=3)
    for number in range(10):
        keeper.keep(SERIES, candle_at(START_MS + number * MINUTE_MS))
    await run(world, keeper, 1.1)

    assert len(world.store.load_candles(KEY)) == 3

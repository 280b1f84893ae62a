"""Candles of the past: only what is missing is asked for, and what never was is noted."""

import asyncio

import pytest
from tests.support.feeds import START_MS, FeedWorld, candle_at

from milobot.domain.market import CandleSeries
from milobot.domain.spans import CandleSpan, count_candles, first_open_from, last_closed, step_open
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.errors import ExchangeUnavailableError
from milobot.marketdata.history import HistoryLoader
from milobot.ports import CandleKey

M1 = Timeframe.M1
KEY = CandleKey("binance", "BTCUSDT", M1)
SPAN = CandleSpan(START_MS - 100 * MINUTE_MS, START_MS - MINUTE_MS)


def at(number: int) -> int:
    """Return the open time of a candle of ``SPAN``, counted from 0."""
    return SPAN.first_ms + number * MINUTE_MS


def series(*numbers: int) -> CandleSeries:
    return CandleSeries.from_candles([candle_at(at(number)) for number in numbers])


async def run(world: FeedWorld, span: CandleSpan = SPAN, batch: int = 1000) -> list[int]:
    """Load a span; return the open times that came."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(world.loader(batch).load("BTCUSDT", M1, span))
        while not task.done():
            await world.time.run_for(10)
    return [int(t) for t in task.result().candles.time]


async def test_only_what_is_missing_is_asked_for() -> None:
    """A second start costs the exchange nothing."""
    world = FeedWorld.made()
    world.store.save_candles(KEY, series(*range(10, 40), *range(50, 90)))

    assert await run(world) == [at(n) for n in range(100)]
    assert [(first, limit) for _, first, limit in world.market.asked] == [
        (at(0), 11), (at(40), 11), (at(90), 11),
    ]  # fmt: skip

    world.market.asked.clear()
    assert await run(world) == [at(n) for n in range(100)]
    assert world.market.asked == []


@pytest.mark.parametrize("is_windowed", [False, True])
async def test_pages_join_without_seam(is_windowed: bool) -> None:  # noqa: FBT001 - a test's case
    """Long histories come in pieces, whichever way an exchange ends them."""
    world = FeedWorld.made()
    world.market.is_windowed = is_windowed

    assert await run(world, batch=7) == [at(n) for n in range(100)]


@pytest.mark.parametrize("is_windowed", [False, True])
@pytest.mark.parametrize("batch", [5, 1000])
async def test_what_the_exchange_lacks_is_noted_once(
    is_windowed: bool,  # noqa: FBT001 - a test's case
    batch: int,
) -> None:
    """A gap of the exchange is not a fault to be repaired for ever."""
    world = FeedWorld.made()
    world.market.is_windowed = is_windowed
    world.market.never = {at(n) for n in (3, 20, 21, 22, 23, 24, 25, 26, 27, 28, 60)}

    found = await run(world, batch=batch)

    assert len(found) == 89
    lost = [
        n
        for gap in world.store.load_gaps(KEY)
        for n in range(_index(gap.first_ms), _index(gap.last_ms) + 1)
    ]
    assert lost == [3, *range(20, 29), 60]
    world.market.asked.clear()
    assert await run(world) == found
    assert world.market.asked == []


def _index(open_ms: int) -> int:
    return (open_ms - SPAN.first_ms) // MINUTE_MS


@pytest.mark.parametrize("is_windowed", [False, True])
async def test_young_symbol_has_a_known_beginning(is_windowed: bool) -> None:  # noqa: FBT001 - a test's case
    """Nothing before its listing is asked for again."""
    world = FeedWorld.made()
    world.market.is_windowed = is_windowed
    world.market.listed_ms = at(70)

    assert await run(world, batch=20) == [at(n) for n in range(70, 100)]
    assert [_index(g.last_ms) for g in world.store.load_gaps(KEY)][-1] == 69


async def test_empty_answer_is_no_proof_of_a_gap() -> None:
    """An exchange in trouble answers with nothing; noted as a gap, candles would lack for good."""
    world = FeedWorld.made()
    world.market.empty = 100

    assert await run(world, batch=10) == []
    assert world.store.load_gaps(KEY) == ()

    world.market.empty = 0
    assert await run(world) == [at(n) for n in range(100)]


async def test_one_empty_answer_between_good_ones_is_asked_again() -> None:
    """The page after it would prove a gap that is none."""
    world = FeedWorld.made()
    world.market.empty = 1

    assert await run(world, batch=10) == [at(n) for n in range(100)]


async def test_candle_that_is_not_listed_yet_is_no_gap() -> None:
    """The newest candle shows up some seconds late."""
    world = FeedWorld.made()
    world.market.never = {at(99)}

    assert await run(world) == [at(n) for n in range(99)]
    assert world.store.load_gaps(KEY) == ()


async def test_what_came_before_a_failure_is_kept() -> None:
    """Whoever is interrupted goes on where they were."""
    world = FeedWorld.made()
    loader = world.loader(10)
    seen: list[int] = []

    def progress(count: int) -> None:
        seen.append(count)
        if len(seen) == 4:
            world.market.outages = 1

    with pytest.raises(ExchangeUnavailableError):
        await loader.fetch("BTCUSDT", M1, [SPAN], progress=progress)

    assert sum(seen) == 40
    assert len(world.store.load_candles(KEY)) == 40
    assert await loader.missing("BTCUSDT", M1, SPAN) == (CandleSpan(at(40), at(99)),)


async def test_progress_adds_up_to_what_was_missing() -> None:
    """A bar that ends at 97 % looks like a fault."""
    world = FeedWorld.made()
    world.market.listed_ms = at(33)
    world.market.is_windowed = True
    seen: list[int] = []
    async with asyncio.TaskGroup() as group:
        loader = world.loader(8)
        task = group.create_task(loader.fetch("BTCUSDT", M1, [SPAN], progress=seen.append))
        while not task.done():
            await world.time.run_for(10)

    assert sum(seen) == 100


async def test_loader_without_store_fetches_all() -> None:
    """A paper run on a read-only disk still has its history."""
    world = FeedWorld.made()
    loaded = await HistoryLoader("binance", world.market).load("BTCUSDT", M1, SPAN)

    assert len(loaded.candles) == 100


async def test_months_are_counted_as_they_are() -> None:
    """No two neighbouring months need be equally long."""
    world = FeedWorld.made()
    month = Timeframe.MONTH
    newest = last_closed(START_MS, month)
    span = CandleSpan(step_open(newest, -29, month), newest)
    loaded = await world.loader(7).load("BTCUSDT", month, span)

    assert len(loaded.candles) == count_candles(span, month) == 30
    assert step_open(span.first_ms, 29, month) == newest


def test_first_candle_does_not_open_before_the_time_named() -> None:
    """Nothing before 2019 means not even the week that began in 2018."""
    assert first_open_from(1_546_300_800_000, Timeframe.W1) == 1_546_819_200_000
    assert first_open_from(1_546_300_800_000, Timeframe.D1) == 1_546_300_800_000

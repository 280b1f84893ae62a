"""Feeds on one stream: history, then live; slow readers lose time, never a candle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.support.feeds import START_MS, FakeStream, FeedWorld, candle_at
from tests.support.virtual_time import VirtualTime

from milobot.domain.market import CandleSeries
from milobot.domain.spans import CandleSpan
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.errors import RequestRefusedError
from milobot.marketdata.feed import LiveFeed, Series
from milobot.marketdata.history import EARLIEST_MS
from milobot.marketdata.hub import FeedHub
from milobot.ports import CandleKey

M1, H1 = Timeframe.M1, Timeframe.H1
BTC, ETH = ("BTCUSDT", M1), ("ETHUSDT", M1)


def key_of(series: Series) -> CandleKey:
    return CandleKey("binance", *series)


class Reader:
    """Takes what a feed hands out; ``pause`` makes it slow."""

    def __init__(self, feed: LiveFeed) -> None:
        """Read nothing yet."""
        self.feed = feed
        self.turns: list[CandleSeries] = []
        self.free = asyncio.Event()
        self.free.set()

    async def run(self) -> None:
        """Read until cancelled."""
        async for candles in self.feed.candles():
            self.turns.append(candles)
            await self.free.wait()

    @property
    def times(self) -> list[int]:
        """Return the open times of all that came."""
        return [int(t) for turn in self.turns for t in turn.time]


@asynccontextmanager
async def reading(world: FeedWorld, *feeds: LiveFeed, hub: FeedHub) -> AsyncIterator[list[Reader]]:
    readers = [Reader(feed) for feed in feeds]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hub.run()), *(group.create_task(r.run()) for r in readers)]
        await world.time.run_for(1)
        yield readers
        for task in tasks:
            task.cancel()


async def close(world: FeedWorld, stream: FakeStream, *series: Series) -> None:
    """Let a minute pass and its candles close."""
    open_ms = M1.open_of(world.time.now_ms())
    await world.time.run_for((M1.next_open(open_ms) - world.time.now_ms()) / 1000)
    for one in series:
        stream.close(one, open_ms)
    await world.time.run_for(2)


def minutes(first: int, last: int) -> list[int]:
    """Return open times counted from ``START_MS``, the last included."""
    return [START_MS + n * MINUTE_MS for n in range(first, last + 1)]


async def test_history_comes_first_and_live_joins_without_seam() -> None:
    """The candle between both is the one that gets lost."""
    world = FeedWorld.made()
    hub = FeedHub(world.source())
    feed = hub.feed(*BTC, first_ms=START_MS - 5 * MINUTE_MS)
    async with reading(world, feed, hub=hub) as (reader,):
        assert world.streams[0].since == {BTC: START_MS}
        await close(world, world.streams[0], BTC)
        await close(world, world.streams[0], BTC)

    assert reader.times == minutes(-5, 1)
    assert [len(turn) for turn in reader.turns] == [5, 1, 1]
    assert feed.gaps == []


async def test_history_is_handed_over_once() -> None:
    """A trader evaluates it in one go and trades what follows."""
    world = FeedWorld.made()
    hub = FeedHub(world.source())
    feed = hub.feed(*BTC, first_ms=START_MS - 5 * MINUTE_MS)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(hub.run())
        asked = group.create_task(feed.history())
        await world.time.run_for(1)
        running.cancel()

    assert [int(t) for t in asked.result().time] == minutes(-5, -1)
    async with reading(world, feed, hub=hub) as (reader,):
        world.streams[0].close(BTC, START_MS)
        assert reader.times == []


async def test_feed_that_begins_in_the_future_has_no_history() -> None:
    """The finer feed of a paper run begins where its script's next candle does."""
    world = FeedWorld.made()
    hub = FeedHub(world.source())
    begins = START_MS + 2 * MINUTE_MS
    feed = hub.feed(*BTC, first_ms=begins - 1)
    async with reading(world, feed, hub=hub) as (reader,):
        assert world.streams[0].since == {BTC: begins}
        assert world.market.asked == []
        for _ in range(3):
            await close(world, world.streams[0], BTC)

    assert reader.times == minutes(2, 2)


async def test_symbol_without_any_candle_begins_with_the_first() -> None:
    """A listing of today has no past."""
    world = FeedWorld.made()
    world.market.listed_ms = START_MS
    hub = FeedHub(world.source())
    feed = hub.feed(*BTC, first_ms=START_MS - 5 * MINUTE_MS)
    async with reading(world, feed, hub=hub) as (reader,):
        await close(world, world.streams[0], BTC)

    assert reader.times == minutes(0, 0)


async def test_clock_that_runs_ahead_at_the_start_loses_no_candle() -> None:
    """By our clock the first candle had closed; the exchange closes it a second later."""
    world = FeedWorld.made(START_MS + MINUTE_MS - 1000)
    ahead = replace(world.source(), clock=VirtualTime(START_MS + MINUTE_MS + 1000))
    hub = FeedHub(ahead)
    feed = hub.feed(*BTC, first_ms=START_MS)
    async with reading(world, feed, hub=hub) as (reader,):
        world.streams[0].close(BTC, START_MS)
        await world.time.run_for(2)

        assert world.streams[0].since == {BTC: START_MS}
        assert reader.times == [START_MS]
        assert feed.gaps == []


async def test_one_stream_serves_all_that_were_there_at_the_start() -> None:
    """Hundreds of series need few connections."""
    world = FeedWorld.made()
    hub = FeedHub(world.source())
    feeds = [hub.feed(f"S{n}USDT", M1, first_ms=START_MS) for n in range(300)]
    series = [feed.series for feed in feeds]
    async with reading(world, *feeds, hub=hub) as readers:
        await close(world, world.streams[0], *series)

        assert len(world.streams) == 1
        assert all(reader.times == [START_MS] for reader in readers)


async def test_later_feed_of_a_running_series_shares_its_stream() -> None:
    """A second script on the same candles costs no second subscription."""
    world = FeedWorld.made()
    hub = FeedHub(world.source())
    first = hub.feed(*BTC, first_ms=START_MS)
    async with reading(world, first, hub=hub):
        await close(world, world.streams[0], BTC)
        late = Reader(hub.feed(*BTC, first_ms=START_MS - 3 * MINUTE_MS))
        other = Reader(hub.feed(*ETH, first_ms=START_MS))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(late.run()), group.create_task(other.run())]
            await world.time.run_for(1)
            await close(world, world.streams[0], BTC)
            assert late.times == minutes(-3, 1)
            assert [stream.since.keys() for stream in world.streams] == [{BTC}, {ETH}]
            for task in tasks:
                task.cancel()


async def test_slow_reader_holds_little_and_loses_nothing() -> None:
    """One script that hangs for an hour must neither fill the memory nor miss a candle."""
    world = FeedWorld.made()
    hub = FeedHub(world.source(), most_waiting=4)
    slow, quick = hub.feed(*BTC, first_ms=START_MS), hub.feed(*BTC, first_ms=START_MS)
    async with reading(world, slow, quick, hub=hub) as (reader, other):
        await close(world, world.streams[0], BTC)
        reader.free.clear()
        for _ in range(20):
            await close(world, world.streams[0], BTC)
        assert other.times == minutes(0, 20)
        world.market.asked.clear()
        reader.free.set()
        await world.time.run_for(1)
        await close(world, world.streams[0], BTC)

    assert reader.times == minutes(0, 21)
    assert max(len(turn) for turn in reader.turns) == 4
    assert world.market.asked == []  # what the stream brought was stored meanwhile


async def test_slow_reader_is_served_by_the_exchange_when_nothing_could_be_stored() -> None:
    """A full disk must not cost a candle either."""
    world = FeedWorld.made()
    hub = FeedHub(world.source(), most_waiting=4)
    async with reading(world, hub.feed(*BTC, first_ms=START_MS), hub=hub) as (reader,):
        world.store.broken = True
        await close(world, world.streams[0], BTC)
        reader.free.clear()
        for _ in range(20):
            await close(world, world.streams[0], BTC)
        world.market.outages = 20
        reader.free.set()
        await world.time.run_for(1200)

    assert reader.times == minutes(0, 20)


async def test_what_no_listing_brings_is_given_up_and_reported() -> None:
    """A reader that waits for ever for one candle is a bot that stops without a word."""
    world = FeedWorld.made()
    world.market.never = set(minutes(4, 5))
    world.store.broken = True
    hub = FeedHub(world.source(), most_waiting=2)
    feed = hub.feed(*BTC, first_ms=START_MS)
    async with reading(world, feed, hub=hub) as (reader,):
        await close(world, world.streams[0], BTC)
        reader.free.clear()
        for _ in range(5):
            await close(world, world.streams[0], BTC)
        reader.free.set()
        await world.time.run_for(400)
        await close(world, world.streams[0], BTC)

    assert reader.times[:-1] == minutes(0, 3)
    assert feed.gaps[0] == CandleSpan(START_MS + 4 * MINUTE_MS, START_MS + 5 * MINUTE_MS)


async def test_gap_of_the_exchange_is_reported_and_recorded() -> None:
    """The stream leaves out only what does not exist; nobody needs to ask for it again."""
    world = FeedWorld.made()
    hub = FeedHub(world.source())
    feed = hub.feed(*BTC, first_ms=START_MS)
    async with reading(world, feed, hub=hub) as (reader,):
        await world.time.run_for(120)
        await close(world, world.streams[0], BTC)

    gap = CandleSpan(START_MS, START_MS + MINUTE_MS)
    assert reader.times == minutes(2, 2)
    assert feed.gaps == [gap]
    assert world.store.load_gaps(key_of(BTC)) == (gap,)


async def test_live_candles_are_stored() -> None:
    """The next start reads them instead of asking."""
    world = FeedWorld.made()
    hub = FeedHub(world.source())
    async with reading(world, hub.feed(*BTC, first_ms=START_MS), hub=hub):
        for _ in range(3):
            await close(world, world.streams[0], BTC)

    stored = world.store.load_candles(key_of(BTC))
    assert list(stored) == [candle_at(t) for t in minutes(0, 2)]


async def test_start_in_an_outage_waits_for_its_end() -> None:
    """A bot that is restarted while the exchange is away must come up by itself."""
    world = FeedWorld.made()
    world.market.outages = 3
    hub = FeedHub(world.source())
    async with reading(world, hub.feed(*BTC, first_ms=START_MS - MINUTE_MS), hub=hub) as (reader,):
        assert reader.times == []
        await world.time.run_for(60)

    assert reader.times == minutes(-1, -1)


async def test_refusal_ends_the_hub() -> None:
    """A symbol that does not exist will not come to exist by asking again."""
    world = FeedWorld.made()

    async def refuse() -> int:
        raise RequestRefusedError("Invalid symbol.")

    world.market.fetch_server_time = refuse  # type: ignore[method-assign]  # a fake that answers otherwise
    hub = FeedHub(world.source())
    hub.feed(*BTC, first_ms=START_MS)
    with pytest.raises(ExceptionGroup) as caught:
        await hub.run()

    assert caught.group_contains(RequestRefusedError)


async def test_nothing_before_2019_is_asked_for() -> None:
    """The exchanges have none, and asking costs budget."""
    world = FeedWorld.made()
    assert FeedHub(world.source()).feed("BTCUSDT", H1, first_ms=0).first_ms == EARLIEST_MS

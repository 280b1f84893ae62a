"""Laws of backlogs and histories, whatever the order of things."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.feeds import START_MS, FeedWorld, candle_at

from milobot.domain.market import CandleSeries
from milobot.domain.spans import CandleSpan, count_candles, step_open, without
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.marketdata.backlog import Backlog
from milobot.marketdata.history import History, missing_of
from milobot.ports import CandleKey

M1 = Timeframe.M1
TIMEFRAMES = st.sampled_from([M1, Timeframe.H4, Timeframe.W1, Timeframe.MONTH])
NUMBERS = st.integers(0, 40)


def opens(number: int, timeframe: Timeframe = M1) -> int:
    return step_open(timeframe.open_of(START_MS), number, timeframe)


@given(
    steps=st.lists(st.sampled_from(["offer", "again", "take", "fill", "skip"]), max_size=120),
    most=st.integers(1, 6),
    lead=st.integers(0, 5),
)
def test_reader_gets_every_candle_once_and_in_order(steps: list[str], most: int, lead: int) -> None:
    """However slow it is, and whatever comes twice, before the beginning or by listing."""
    backlog = Backlog(M1, most)
    came = 0
    taken: list[int] = []
    for _ in range(lead):  # the stream is faster than the history
        backlog.offer(candle_at(opens(came)))
        came += 1
    backlog.begin(opens(0))
    for step in steps:
        if step == "offer":
            backlog.offer(candle_at(opens(came)))
            came += 1
        elif step == "again" and came:
            backlog.offer(candle_at(opens(came // 2)))
        elif step == "take":
            taken += [int(t) for t in backlog.take().time]
        elif step == "fill" and (span := backlog.unlisted) is not None:
            first = (span.first_ms - opens(0)) // MINUTE_MS
            backlog.fill(candle_at(opens(n)) for n in range(max(first - 2, 0), came))
        assert len(backlog) <= most
    while len(backlog) or backlog.unlisted is not None:
        taken += [int(t) for t in backlog.take().time]
        backlog.fill(candle_at(opens(n)) for n in range(came))

    assert taken == [opens(n) for n in range(came)]


@given(
    timeframe=TIMEFRAMES,
    span=st.tuples(NUMBERS, NUMBERS).map(sorted),
    known=st.lists(st.tuples(NUMBERS, NUMBERS).map(sorted), max_size=6),
    have=st.sets(NUMBERS),
)
def test_missing_is_what_is_neither_there_nor_known_to_lack(
    timeframe: Timeframe, span: list[int], known: list[list[int]], have: set[int]
) -> None:
    """Asked for twice is a waste, never asked for is a hole in a back-test."""
    first, last = span
    there = sorted(n for n in have if first <= n <= last)
    candles = CandleSeries.from_candles([candle_at(opens(n, timeframe)) for n in there])
    gaps = tuple(CandleSpan(opens(a, timeframe), opens(b, timeframe)) for a, b in known)
    whole = CandleSpan(opens(first, timeframe), opens(last, timeframe))

    found = missing_of(History(candles, gaps), timeframe, whole)

    lacking = {n for a, b in known for n in range(a, b + 1)}
    expected = [n for n in range(first, last + 1) if n not in there and n not in lacking]
    assert _numbers(found, timeframe) == expected
    assert _numbers(without(whole, gaps, timeframe), timeframe) == [
        n for n in range(first, last + 1) if n not in lacking
    ]


@settings(max_examples=60, deadline=None)
@given(
    timeframe=TIMEFRAMES,
    stored=st.sets(NUMBERS),
    never=st.sets(NUMBERS),
    listed=NUMBERS,
    batch=st.integers(1, 12),
    is_windowed=st.booleans(),
    empty=st.integers(0, 1),
)
def test_history_is_all_that_exists_and_settles(  # noqa: PLR0913, PLR0917 - one draw each
    timeframe: Timeframe,
    stored: set[int],
    never: set[int],
    listed: int,
    batch: int,
    is_windowed: bool,  # noqa: FBT001 - drawn
    empty: int,
) -> None:
    """Whatever is stored or lacking: the result is what the exchange has, and a second load asks for no more than the end."""
    exists = [n for n in range(41) if n >= listed and n not in never]
    world = FeedWorld.made(opens(41, timeframe) + 1)
    world.market.never = {opens(n, timeframe) for n in never}
    world.market.listed_ms = opens(listed, timeframe)
    world.market.is_windowed = is_windowed
    world.market.empty = empty
    key = CandleKey("binance", "BTCUSDT", timeframe)
    kept = [candle_at(opens(n, timeframe)) for n in exists if n in stored]
    world.store.save_candles(key, CandleSeries.from_candles(kept))
    span = CandleSpan(opens(0, timeframe), opens(40, timeframe))

    async def load() -> History:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(world.loader(batch).load("BTCUSDT", timeframe, span))
            while not task.done():
                await world.time.run_for(10)
        return task.result()

    first = asyncio.run(load())
    second = asyncio.run(load())

    expected = [candle_at(opens(n, timeframe)) for n in exists]
    assert list(first.candles) == list(second.candles) == expected
    open_end = max(exists, default=-1) + 1
    left = missing_of(second, timeframe, span)
    assert all(gap.first_ms >= opens(open_end, timeframe) for gap in left)


def _numbers(spans: tuple[CandleSpan, ...], timeframe: Timeframe) -> list[int]:
    found: list[int] = []
    for span in spans:
        first = count_candles(CandleSpan(opens(0, timeframe), span.first_ms), timeframe) - 1
        found += range(first, first + count_candles(span, timeframe))
    return found

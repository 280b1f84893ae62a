"""The replay may skip candles, and candles may arrive in any portions: nothing changes."""

import asyncio
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from milobot.backtest.core import Funding, Session
from milobot.backtest.runner import Played, Terms, collect, open_account, play
from milobot.backtest.timeline import (
    ActionPair,
    Decisions,
    Timeline,
    TimelineBuilder,
    align,
    decide,
)
from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.execution.gates import Limits
from milobot.scripting.actions import parse_action

MINUTE_MS = 60_000
START_MS = 1_704_067_200_000
SESSION = Session("test", "BTCUSDT")
LONGS = (
    "long(1%risk@10x,sl=2%,rr=3)",
    "long(50%equity@5x,sl=1%,trail=1%)",
    "long(1%risk@20x,sl=1%,be=0.5,tp=4%)",
    "long(20%equity@50x,sl=none)",
    "long(200usdt,sl=3atr,tp=2atr)",
)
OTHERS = (
    "donothing",
    "close",
    "short(1%risk@10x,sl=0.8%,rr=1)",
    "short(30%equity@10x,sl=1.5%,trail=0.5%,be=1)",
)


@st.composite
def markets(draw: st.DrawFn) -> CandleSeries:
    """Return minutes of a rough walk: ties, flat stretches, jumps, sometimes a hole."""
    count = draw(st.integers(3, 400))
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = chance.choice(
        [0, 0, 1, -1, 3, -3, 40, -40], size=count, p=[0.2] * 2 + [0.14] * 4 + [0.02] * 2
    )
    close = np.maximum(1000 + np.cumsum(steps), 50).astype(float)
    gap = chance.choice([0, 0, 0, 5, -5], size=count)
    opened = np.maximum(np.concatenate([[1000.0], close[:-1]]) + gap, 50)
    high = np.maximum(opened, close) + chance.integers(0, 12, count)
    low = np.maximum(np.minimum(opened, close) - chance.integers(0, 12, count), 1)
    time = START_MS + MINUTE_MS * np.arange(count, dtype=np.int64)
    series = CandleSeries(time, opened, high, low, close, np.ones(count))
    if draw(st.booleans()) and count > 20:
        hole = draw(st.integers(5, count - 10))
        width = draw(st.integers(1, 8))
        series = series.part(0, hole).joined(series.part(hole + width, count))
    return series


@st.composite
def runs(draw: st.DrawFn) -> tuple[CandleSeries, Timeframe, ActionPair, Terms, int]:
    """Return a market, a script's timeframe, its actions, terms, and a seed for conditions."""
    fine = draw(markets())
    target = draw(st.sampled_from([Timeframe.M1, Timeframe.M3, Timeframe.M5]))
    actions = [draw(st.sampled_from(LONGS)), draw(st.sampled_from(OTHERS))]
    if draw(st.booleans()):
        actions.reverse()
    pair = ActionPair(*(parse_action(text) for text in actions))
    rates = np.arange(START_MS, START_MS + 400 * MINUTE_MS, 37 * MINUTE_MS)
    funding = (
        Funding(rates, np.full(len(rates), 0.0003))
        if draw(st.booleans())
        else Funding(np.empty(0, dtype=np.int64), np.empty(0))
    )
    terms = Terms(
        fee=Decimal("0.0005"),
        slippage=draw(st.sampled_from([Decimal(0), Decimal("0.0007")])),
        funding=funding,
        limits=Limits(allow_unprotected=True),
    )
    return fine, target, pair, terms, draw(st.integers(0, 2**32 - 1))


def decisions_for(candles: CandleSeries, pair: ActionPair, seed: int) -> Decisions:
    """Return conditions that hold for some candles in a row, with a few failures."""
    chance = np.random.default_rng(seed)
    is_true = np.repeat(chance.random(len(candles) // 5 + 1) < 0.5, 5)[: len(candles)]
    is_valid = chance.random(len(candles)) < 0.9
    return decide(candles, is_true, is_valid, pair)


def facts(played: Played, timeline: Timeline) -> tuple[object, ...]:
    """Return all that must agree between two ways of playing."""
    return (
        played.round_trips,
        played.executions,
        played.decisions,
        played.repeated,
        played.end_equity,
        played.equity.exact(timeline.candles.close, Decimal(10000)),
    )


@settings(max_examples=60, deadline=None)
@given(runs())
def test_skipping_candles_changes_nothing(
    run: tuple[CandleSeries, Timeframe, ActionPair, Terms, int],
) -> None:
    """A back-test that skips must equal one that plays all: else speed would buy a lie."""
    fine, target, pair, terms, seed = run
    whole = TimelineBuilder(Timeframe.M1, target).extend(fine).without_forming()
    decisions = decisions_for(whole.candles, pair, seed)

    skipped = play(SESSION, whole, decisions, terms, skips=True)
    played = play(SESSION, whole, decisions, terms, skips=False)

    assert facts(skipped, whole) == facts(played, whole)


@settings(max_examples=40, deadline=None)
@given(runs(), st.integers(1, 40))
def test_portions_change_nothing(
    run: tuple[CandleSeries, Timeframe, ActionPair, Terms, int], portion: int
) -> None:
    """A demo takes candles as they come: its trades are those of the back-test."""
    fine, target, pair, terms, seed = run
    whole = TimelineBuilder(Timeframe.M1, target).extend(fine).without_forming()
    decisions = decisions_for(whole.candles, pair, seed)
    at_once = play(SESSION, whole, decisions, terms)

    account = open_account(SESSION, terms, skips=False)
    builder = TimelineBuilder(Timeframe.M1, target)

    async def in_portions() -> None:
        timeline = builder.extend(CandleSeries.empty())
        for first in range(0, len(whole.fine), portion):
            timeline = builder.extend(whole.fine.part(first, first + portion))
            done = len(timeline.candles)
            await account.replay.play(timeline, decisions.part(0, done))
        await account.replay.finish(timeline)

    asyncio.run(in_portions())

    assert facts(collect(account, decisions), whole) == facts(at_once, whole)


@settings(max_examples=60, deadline=None)
@given(runs())
def test_books_balance(run: tuple[CandleSeries, Timeframe, ActionPair, Terms, int]) -> None:
    """What the account gained is what its round trips say they earned, to the last digit."""
    fine, target, pair, terms, seed = run
    timeline = TimelineBuilder(Timeframe.M1, target).extend(fine).without_forming()
    decisions = decisions_for(timeline.candles, pair, seed)

    played = play(SESSION, timeline, decisions, terms)

    assert played.end_equity - terms.equity == sum((t.pnl for t in played.round_trips), Decimal(0))


@settings(max_examples=60, deadline=None)
@given(markets(), st.sampled_from([Timeframe.M3, Timeframe.M5, Timeframe.M15]), st.integers(1, 50))
def test_timeline_is_the_same_in_portions(
    fine: CandleSeries, target: Timeframe, portion: int
) -> None:
    """Which minute belongs to which script candle cannot depend on how minutes arrived."""
    whole = TimelineBuilder(Timeframe.M1, target).extend(fine)
    builder = TimelineBuilder(Timeframe.M1, target)
    parts = builder.extend(CandleSeries.empty())
    for first in range(0, len(fine), portion):
        parts = builder.extend(fine.part(first, first + portion))

    assert parts.candles.equals(whole.candles)
    assert parts.fine.equals(whole.fine)
    assert np.array_equal(parts.starts, whole.starts)


def test_align_is_the_builder_without_the_forming_candle() -> None:
    """A back-test takes complete script candles only."""
    count = 10
    time = START_MS + MINUTE_MS * np.arange(count, dtype=np.int64)
    flat = np.full(count, 100.0)
    fine = CandleSeries(time, flat, flat, flat, flat, flat)

    timeline = align(fine, Timeframe.M1, Timeframe.M3)

    assert timeline.starts.tolist() == [0, 3, 6, 9]
    assert len(timeline.fine) == 9

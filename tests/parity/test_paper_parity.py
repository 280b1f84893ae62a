"""Paper trading on live candles: the trades of a back-test, however the two feeds interleave."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from milobot.app.backtests import decisions_of
from milobot.app.paper import PaperDesk, PaperRun
from milobot.backtest.core import Session
from milobot.backtest.runner import Played, Terms, collect, play
from milobot.backtest.timeline import align
from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.marketdata.generated import generate_candles
from milobot.scripting.client import ScriptWorker

SCRIPT = """
timeframe = "5m"
coin = "BTCUSDT"
action_if_true = "long(1%risk@10x,sl=0.3%,rr=2,trail=0.4%,be=1)"
action_if_false = "short(1%risk@10x,sl=0.3%,rr=1)"

fast = await calculate_ema(data, 5)
slow = await calculate_ema(data, 20)
condition_true = fast[-1] > slow[-1]
"""
HISTORY = 100


class NoFeed:
    """A feed that is never asked: the test hands candles over itself."""

    async def candles(self) -> AsyncIterator[CandleSeries]:
        """Yield nothing."""
        return
        yield


def backtested(candles: CandleSeries, fine: CandleSeries, worker: ScriptWorker) -> Played:
    """Return the back-test that begins after the history."""
    info = worker.load(SCRIPT)
    codes = worker.evaluate(candles).codes
    decisions = decisions_of(info, candles, codes).part(HISTORY, len(candles))
    timeline = align(fine, Timeframe.M1, Timeframe.M5).part(HISTORY)
    return play(Session("t", "BTCUSDT"), timeline, decisions, Terms())


async def paper(
    candles: CandleSeries, fine: CandleSeries | None, worker: ScriptWorker, seed: int
) -> PaperRun:
    """Run the same candles as two feeds, each in order, interleaved at random within reason."""
    info = worker.load(SCRIPT)
    feed = NoFeed()
    history, live = candles.part(0, HISTORY), candles.part(HISTORY, len(candles))
    desk = PaperDesk(worker, info, history, feed, feed if fine else None, Terms(), "x.script")
    run = PaperRun(desk)
    await run.begin()
    begins = int(live.time[0])
    minutes = fine.between(begins, None) if fine else CandleSeries.empty()
    chance, script_at, fine_at = random.Random(seed), 0, 0  # noqa: S311 - a test's own chance
    while script_at < len(live) or fine_at < len(minutes):
        lead = fine_at - 5 * script_at
        wants_fine = fine_at < len(minutes) and (lead < 3 or (lead < 14 and chance.random() < 0.8))
        if wants_fine:
            count = chance.randint(1, 4)
            await run.take(minutes.part(fine_at, fine_at + count), is_fine=True)
            fine_at = min(len(minutes), fine_at + count)
        elif script_at < len(live):
            await run.take(live.part(script_at, script_at + 1), is_fine=False)
            script_at += 1
    return run


@pytest.mark.parametrize("seed", range(4))
def test_paper_trades_as_the_backtest_does(seed: int) -> None:
    """Minutes may come before or after the script candle they belong to: the trades are the same."""
    fine = generate_candles(minutes=5 * 700, seed=seed)
    candles = align(fine, Timeframe.M1, Timeframe.M5).candles
    with ScriptWorker() as worker:
        wanted = backtested(candles, fine, worker)
        run = asyncio.run(paper(candles, fine, worker, seed))
    asyncio.run(run.account.engine.close_position("BTCUSDT", "end_of_data"))

    found = run.account.journal.round_trips
    assert len(wanted.round_trips) > 10
    assert tuple(found) == wanted.round_trips
    assert run.account.venue.wallet == wanted.end_equity


def test_paper_without_finer_candles_trades_on_the_script_s_own() -> None:
    """A one-minute script has nothing finer to fill on."""
    candles = generate_candles(minutes=700, seed=9)
    with ScriptWorker() as worker:
        info = worker.load(SCRIPT, timeframe="1m")
        codes = worker.evaluate(candles).codes
        decisions = decisions_of(info, candles, codes).part(HISTORY, len(candles))
        timeline = align(candles, Timeframe.M1, Timeframe.M1).part(HISTORY)
        wanted = play(Session("t", "BTCUSDT"), timeline, decisions, Terms())

        async def go() -> PaperRun:
            info = worker.load(SCRIPT, timeframe="1m")
            desk = PaperDesk(
                worker, info, candles.part(0, HISTORY), NoFeed(), None, Terms(), "x.script"
            )
            run = PaperRun(desk)
            await run.begin()
            for at in range(HISTORY, len(candles)):
                await run.take(candles.part(at, at + 1), is_fine=False)
            await run.account.engine.close_position("BTCUSDT", "end_of_data")
            return run

        run = asyncio.run(go())

    assert tuple(run.account.journal.round_trips) == wanted.round_trips
    assert collect(run.account, decisions).end_equity == wanted.end_equity

"""Back-test and live run of the same candles over the wire: the same round trips.

The third leg: what is traded at an exchange, through signed requests, resting stops and
streams, is what the back-test said. In lock-step the market waits for the bot, so that only
what is decided and how it is carried out can differ.
"""

import asyncio
from pathlib import Path

import pytest
from tests.support.wire_parity import Scene, backtested, over_the_wire, told

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.resample import resample

SAMPLES = Path(__file__).parents[2] / "samples"
HISTORY = 250
BUSY = """
timeframe = "1h"
coin = "BTCUSDT"
action_if_true = "long(1%risk@10x,sl=0.8%,rr=2,trail=1%,be=1)"
action_if_false = "short(1%risk@10x,sl=0.8%,rr=1)"

fast = await calculate_ema(data, 5)
slow = await calculate_ema(data, 20)
condition_true = fast[-1] > slow[-1]
"""


def hours(count: int, seed: int) -> CandleSeries:
    """Return made-up candles of one hour."""
    minutes = generate_candles("BTCUSDT", minutes=60 * count, seed=seed)
    return resample(minutes, Timeframe.M1, Timeframe.H1)


@pytest.mark.parametrize(("dialect", "count"), [("binance", 90), ("bingx", 40)])
async def test_a_busy_script_trades_over_the_wire_as_in_the_back_test(
    dialect: str, count: int, tmp_path: Path
) -> None:
    """Stops that move, targets, reversals: what a script can do, at both exchanges."""
    script = tmp_path / "busy.script"
    script.write_text(BUSY, encoding="utf-8")
    scene = Scene(script, hours(HISTORY + count, seed=11), HISTORY)

    traded, rules = await over_the_wire(scene, dialect, tmp_path)

    wanted = await asyncio.to_thread(backtested, scene, rules)
    assert len(wanted) > count // 8
    assert len({trip.exit_reason for trip in wanted}) >= 3  # several ways out, or it shows little
    assert [told(trip) for trip in traded] == [told(trip) for trip in wanted]


@pytest.mark.parametrize(
    "name", ["breakout_exits", "macd_crossover", "short_downtrend", "stochastic_rsi"]
)
async def test_samples_trade_over_the_wire_as_in_the_back_test(name: str, tmp_path: Path) -> None:
    """A trader begins with a sample: what its back-test shows is what it does."""
    scene = Scene(SAMPLES / f"{name}.script", hours(HISTORY + 100, seed=5), HISTORY)

    traded, rules = await over_the_wire(scene, "binance", tmp_path)

    wanted = await asyncio.to_thread(backtested, scene, rules)
    assert wanted
    assert [told(trip) for trip in traded] == [told(trip) for trip in wanted]

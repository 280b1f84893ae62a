"""Back-test and live run of the same candles over the wire: the same round trips.

The third leg: what is traded at an exchange, through signed requests, resting stops and
streams, is what the back-test said. In lock-step the market waits for the bot, so that only
what is decided and how it is carried out can differ.
"""

import asyncio
from functools import cache
from pathlib import Path

import pytest
from tests.support.wire_parity import Scene, backtested, over_the_wire, told

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.resample import resample

SAMPLES = Path(__file__).parents[2] / "samples"
HISTORY = 300
BUSY = """
timeframe = "1h"
coin = "BTCUSDT"
action_if_true = "long(1%risk@10x,sl=0.8%,rr=2,trail=1%,be=1)"
action_if_false = "short(1%risk@10x,sl=0.8%,rr=1)"

fast = await calculate_ema(data, 5)
slow = await calculate_ema(data, 20)
condition_true = fast[-1] > slow[-1]
"""
WAYS_OUT = {"stop", "target", "break_even", "trailing_stop", "reversal", "end_of_data"}
STRETCHES = {
    "breakout_exits": (850, 62, {"stop", "target", "trailing_stop"}),
    "hidden_bullish_divergence": (388, 33, {"target"}),
    "macd_crossover": (736, 61, {"stop", "target"}),
    "short_downtrend": (817, 34, {"close"}),
    "stochastic_rsi": (755, 37, {"stop", "target"}),
    "trend_pullback": (365, 54, {"stop", "target"}),
}
"""Where each sample trades in the made-up market: first candle played, how many, the ways out."""


@cache
def market() -> CandleSeries:
    """Return made-up candles of one hour."""
    minutes = generate_candles("BTCUSDT", minutes=60 * 960, seed=1)
    return resample(minutes, Timeframe.M1, Timeframe.H1)


def scene_of(script: Path, first: int, count: int) -> Scene:
    """Return some candles of the market with the history before them, which nobody plays."""
    return Scene(script, market().part(first - HISTORY, first + count), HISTORY)


def test_every_sample_has_its_stretch() -> None:
    """A sample that nobody put here would be held to nothing."""
    assert {path.stem for path in SAMPLES.glob("*.script")} == STRETCHES.keys()


@pytest.mark.parametrize("dialect", ["binance", "bingx"])
async def test_a_busy_script_trades_over_the_wire_as_in_the_back_test(
    dialect: str, tmp_path: Path
) -> None:
    """Stops that move, targets, reversals: every way out of a position, at both exchanges."""
    script = tmp_path / "busy.script"
    script.write_text(BUSY, encoding="utf-8")

    ways_out = await assert_same(scene_of(script, 500, 36), dialect, tmp_path)

    assert len(ways_out) == 10
    assert set(ways_out) == WAYS_OUT


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        *((name, "binance") for name in STRETCHES),
        ("hidden_bullish_divergence", "bingx"),
        ("short_downtrend", "bingx"),
    ],
)
async def test_samples_trade_over_the_wire_as_in_the_back_test(
    name: str, dialect: str, tmp_path: Path
) -> None:
    """A trader begins with a sample: what its back-test shows is what it does."""
    first, count, wanted = STRETCHES[name]

    ways_out = await assert_same(
        scene_of(SAMPLES / f"{name}.script", first, count), dialect, tmp_path
    )

    assert set(ways_out) == wanted


async def assert_same(scene: Scene, dialect: str, folder: Path) -> list[str]:
    """Trade both ways, compare all round trips, and return how each of them ended."""
    traded, rules = await over_the_wire(scene, dialect, folder)

    wanted = await asyncio.to_thread(backtested, scene, rules)
    assert wanted
    assert [told(trip) for trip in traded] == [told(trip) for trip in wanted]
    return [trip.exit_reason for trip in wanted]

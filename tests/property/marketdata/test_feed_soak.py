"""Hours of a dozen symbols on a bad network; ``benchmarks/stream_soak.py`` plays whole days."""

import pytest
from tests.support.soak import Soak, SoakPlan
from tests.support.soak_world import Badness

BAD = Badness(
    lost=0.02,
    late=0.02,
    twice=0.03,
    drops=1 / 15,
    silences=1 / 40,
    failures=0.1,
    outages=1 / 30,
    jumps=1 / 2,
    key_ends=1 / 12,
    quiet=0.4,
)


@pytest.mark.parametrize("dialect", ["binance", "bingx"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_every_candle_comes_once_and_final_whatever_the_network_does(
    dialect: str, seed: int
) -> None:
    """Real days have drops, silence, outages, clocks that jump, keys that end; scripts see none."""
    result = await Soak(SoakPlan(dialect, minutes=120, symbols=12, seed=seed, bad=BAD)).run()

    assert result.met.dropped
    assert result.met.jumps_at_close > 10
    assert result.met.most_skew_ms > 4000
    assert result.met.keys_ended > 1
    assert result.reconnects
    assert result.met.listings > 20
    assert result.delivered == result.expected
    assert result.is_clean, result

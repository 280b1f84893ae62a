"""Two hours of twelve symbols on a bad network; ``benchmarks/stream_soak.py`` plays a whole day."""

import pytest
from tests.support.soak import Soak, SoakPlan


@pytest.mark.parametrize("dialect", ["binance", "bingx"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_every_candle_comes_once_and_final_whatever_the_network_does(
    dialect: str, seed: int
) -> None:
    """A day of trading has drops, silence, drifting clocks and failing listings; scripts see none."""
    plan = SoakPlan(
        dialect,
        minutes=120,
        symbols=12,
        seed=seed,
        lost=0.02,
        late=0.02,
        twice=0.03,
        drops=1 / 15,
        silences=1 / 40,
        key_ends=1 / 30,
        outages=0.1,
    )

    result = await Soak(plan).run()

    assert result.dropped
    assert result.most_skew_ms > 4000
    assert result.keys_ended
    assert result.listings > 20
    assert result.is_clean, result

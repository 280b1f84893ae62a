"""Random candles for properties: trends, ties, flat stretches, wicks, at any price level."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

Column = npt.NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """Columns of candles."""

    high: Column
    low: Column
    close: Column
    volume: Column

    @property
    def length(self) -> int:
        """Number of candles."""
        return self.close.size

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """Open times, one hour apart."""
        return np.arange(self.length, dtype=np.int64) * 3_600_000

    def until(self, t: int) -> "History":
        """Return the candles up to and including ``t``."""
        end = t + 1
        return History(self.high[:end], self.low[:end], self.close[:end], self.volume[:end])


@st.composite
def histories(draw: st.DrawFn, max_candles: int = 60) -> History:
    """Draw candles on a coarse grid of prices, so that ties are the rule.

    Whole numbers of ticks come one by one from Hypothesis, which shrinks them
    well; the price level is drawn apart, as rounding differs with it.
    """
    tick = np.float64(draw(st.sampled_from([1e-8, 0.1, 1.0, 250.0])))
    steps = st.tuples(
        st.sampled_from([0, 0, 0, 1, -1, 2, -2, 5, -5]),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 3),
    )
    rows = np.array(draw(st.lists(steps, max_size=max_candles)), dtype=np.int64).reshape(-1, 4)
    close = 100 + np.cumsum(rows[:, 0])
    close = np.maximum(close, 3)
    return History(
        high=(close + rows[:, 1]) * tick,
        low=(close - rows[:, 2]) * tick,
        close=close * tick,
        volume=rows[:, 3] * np.float64(1.7),
    )


@st.composite
def long_histories(draw: st.DrawFn, max_candles: int = 400) -> History:
    """Draw a seeded random walk, long enough for many swings."""
    source = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    length = draw(st.integers(1, max_candles))
    decimals = draw(st.integers(0, 3))
    moves = source.normal(0, draw(st.sampled_from([0.1, 0.7, 3.0])), length)
    walk = np.maximum(100 + np.cumsum(moves, dtype=np.float64), 1)
    close: Column = np.round(walk, decimals).astype(np.float64)
    wicks = np.round(np.abs(source.normal(0, 0.5, (2, length))), decimals)
    return History(
        high=close + wicks[0],
        low=np.maximum(close - wicks[1], 0.001),
        close=close,
        volume=np.round(source.exponential(10, length), decimals),
    )


def same_bits(left: Column, right: Column) -> bool:
    """Return whether two series are equal to the last bit, any NaN being equal to any other."""
    return bool(
        np.array_equal(np.isnan(left), np.isnan(right))
        and np.where(np.isnan(left), 0, left).tobytes()
        == np.where(np.isnan(right), 0, right).tobytes()
    )

"""Figures about few numbers that say how little they say: intervals, streaks, drawdown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milobot.domain.market import Floats

# Half-width of a 95 % interval in standard deviations of a normal distribution.
_Z = 1.959963984540054
_RESAMPLES = 10_000
_BLOCK = 2_000_000
_SEED = 20_240_101
_TAILS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


def wilson(hits: int, count: int) -> Interval | None:
    """Return the Wilson score interval of a proportion (Wilson 1927); None for no observation.

    >>> interval = wilson(7, 10)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.3968, 0.8922)
    """
    if not count:
        return None
    share, z2 = hits / count, _Z * _Z
    centre = share + z2 / (2 * count)
    half = _Z * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    scale = 1 + z2 / count
    return Interval(max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale))


def bootstrap_mean(values: Sequence[float]) -> Interval | None:
    """Return the percentile bootstrap interval of a mean (Efron 1979); None below two values.

    10,000 resamples with a fixed seed: the same values give the same interval.
    """
    if len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return None
    data = np.asarray(values, dtype=np.float64)
    chance = np.random.default_rng(_SEED)
    rows = max(1, _BLOCK // len(data))
    means: list[Floats] = []
    left = _RESAMPLES
    while left > 0:
        taken = min(rows, left)
        picks = chance.integers(0, len(data), size=(taken, len(data)))
        means.append(data[picks].mean(axis=1))
        left -= taken
    low, high = np.percentile(np.concatenate(means), _TAILS)
    return Interval(float(low), float(high))


def trades_needed(values: Sequence[float]) -> int | None:
    """Return how many trades like these it takes for their mean to stand out from zero.

    ``(1.96 * deviation / mean) ** 2``; None where the mean or the deviation is zero.
    """
    if len(values) < 2:  # noqa: PLR2004 - as above
        return None
    data = np.asarray(values, dtype=np.float64)
    mean, deviation = float(data.mean()), float(data.std(ddof=1))
    if not mean or not deviation:
        return None
    return math.ceil((_Z * deviation / mean) ** 2)


def longest_losing_streak(values: Sequence[float]) -> int:
    """Return how many losses came in a row at the most."""
    longest = current = 0
    for value in values:
        current = current + 1 if value < 0 else 0
        longest = max(longest, current)
    return longest


def drawdown(steps: Sequence[float]) -> float:
    """Return the largest fall of a running sum from its highest point, the start included."""
    if not steps:
        return 0.0
    path = np.concatenate([[0.0], np.cumsum(np.asarray(steps, dtype=np.float64))])
    return float(np.max(np.maximum.accumulate(path) - path))


def profit_factor(values: Sequence[float]) -> float | None:
    """Return the sum of the wins over that of the losses; None without a loss."""
    lost = -sum(v for v in values if v < 0)
    return sum(v for v in values if v > 0) / lost if lost else None


def mean(values: Sequence[float]) -> float | None:
    """Return the mean; None of nothing."""
    return sum(values) / len(values) if values else None


def median(values: Sequence[float]) -> float | None:
    """Return the median; None of nothing."""
    return float(np.median(np.asarray(values))) if values else None

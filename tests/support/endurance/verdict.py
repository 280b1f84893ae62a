"""Whether memory is flat: a line through the second half of the samples, and its limits."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.endurance.samples import Sample
from tests.support.endurance.world import TIMES_MARKET

MOST_SHARE, MOST_MB_A_DAY = 0.05, 6.0
"""Growth over the second half: 5 % of the memory, and so much in a day of the market.

What is kept on purpose has bounds that half an hour does not reach, such as the page's 20,000
candles and 5,000 marks and the databases' caches: some 3 MiB in a market day. A kilobyte lost with each
candle of four scripts would be 5.6 MiB more.
"""
MOST_FILES, MOST_THREADS = 8, 4
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through samples.

    Attributes:
        level: Its value in the middle.
        per_s: Its slope, in a second of the soak.
        span_s: From the first sample to the last.
    """

    level: float
    per_s: float
    span_s: float

    @property
    def share(self) -> float:
        """Return by which part of its level it grows over its span."""
        return self.per_s * self.span_s / self.level if self.level else 0.0

    @property
    def per_market_day(self) -> float:
        """Return its growth in a day of the market, which goes faster than ours."""
        return self.per_s * _DAY_S / TIMES_MARKET


def trend_of(times: Sequence[float], values: Sequence[float]) -> Trend:
    """Return the line of least squares; flat when there are fewer than two moments."""
    count = len(times)
    mean_t, mean_v = sum(times) / count, sum(values) / count
    spread = sum((t - mean_t) ** 2 for t in times)
    slope = sum((t - mean_t) * (v - mean_v) for t, v in zip(times, values, strict=True))
    return Trend(mean_v, slope / spread if spread else 0.0, times[-1] - times[0])


def second_half(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples of the second half of the time."""
    middle_s = (samples[0].at_s + samples[-1].at_s) / 2
    return [sample for sample in samples if sample.at_s >= middle_s]


def memory_trends(samples: Sequence[Sample]) -> dict[str, Trend]:
    """Return the trends of the second half, of the bot and of its workers."""
    half = second_half(samples)
    times = [s.at_s for s in half]
    return {
        "bot": trend_of(times, [s.bot_mb for s in half]),
        "script workers": trend_of(times, [s.workers_mb for s in half]),
    }


def growths(samples: Sequence[Sample]) -> list[str]:
    """Return a sentence for all that is not flat."""
    found = [
        f"memory of the {name} grows by {trend.share:.2%} over the second half, which is"
        f" {trend.per_market_day:.2f} MiB in a day of the market (limits {MOST_SHARE:.0%} and"
        f" {MOST_MB_A_DAY:g} MiB)"
        for name, trend in memory_trends(samples).items()
        if trend.share > MOST_SHARE or trend.per_market_day > MOST_MB_A_DAY
    ]
    half = second_half(samples)
    for name, most in (("files", MOST_FILES), ("threads", MOST_THREADS)):
        grown = getattr(half[-1], name) - getattr(half[0], name)
        if grown > most:
            found.append(f"{grown} more {name} are open than half-way, {most} are allowed")
    return found

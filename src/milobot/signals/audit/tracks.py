"""Tracks: for each symbol the finest candles there are at each time, in unbroken stretches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from milobot.backtest.performance import close_times
from milobot.domain.market import CandleSeries, SymbolRules, Times
from milobot.domain.timeframes import Timeframe

# So many candles may be missing in a row before a stretch counts as ended: an exchange that
# halts for minutes, a lost row.
_MISSING = 5


@dataclass(frozen=True, slots=True)
class CandleSource:
    """Candles of one symbol as they were found.

    Attributes:
        origin: File name, or database and source, for people.
        rank: Of two sources with the same timeframe the lower rank counts.
    """

    symbol: str
    candles: CandleSeries
    timeframe: Timeframe
    origin: str
    rank: int = 0
    rules: SymbolRules | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Candles of one symbol in order of time, of several timeframes, none overlapping.

    Attributes:
        ends: When each candle ends.
        stretches: Index of the first candle of each stretch without a gap, then the number
            of candles.
        rules: What is known of the symbol.
        origins: Where the candles come from.
    """

    symbol: str
    candles: CandleSeries
    ends: Times
    stretches: NDArray[np.intp]
    rules: SymbolRules
    origins: tuple[str, ...]

    def find(self, time_ms: int) -> int | None:
        """Return the first candle that opens at a time or later; None when that is too late.

        Too late is what no candle, ending in time, leads up to: nobody knows what the market
        did in between.
        """
        index = int(np.searchsorted(self.candles.time, time_ms))
        if index == len(self.candles):
            return None
        is_led_to = index > 0 and self.end_of(index - 1) > index
        waits_ms = int(self.candles.time[index]) - time_ms
        return index if is_led_to or waits_ms < self.length_ms(index) else None

    def end_of(self, index: int) -> int:
        """Return the candle after the last one of a candle's stretch."""
        place = int(np.searchsorted(self.stretches, index, side="right"))
        return int(self.stretches[place])

    def length_ms(self, index: int) -> int:
        """Return how long a candle lasts."""
        return int(self.ends[index] - self.candles.time[index])


def build_tracks(sources: Iterable[CandleSource], coarsest: Timeframe) -> dict[str, Track]:
    """Return a track for each symbol that has candles of ``coarsest`` or finer."""
    by_symbol: dict[str, list[CandleSource]] = {}
    for source in sources:
        if source.timeframe.milliseconds <= coarsest.milliseconds and len(source.candles):
            by_symbol.setdefault(source.symbol, []).append(source)
    return {symbol: _track(symbol, found) for symbol, found in sorted(by_symbol.items())}


def too_coarse(sources: Iterable[CandleSource], coarsest: Timeframe) -> tuple[str, ...]:
    """Return a sentence for each source that is left out for its long candles."""
    return tuple(
        f"{s.origin} is left out: its {s.timeframe.value} candles are longer than"
        f" {coarsest.value} (--coarsest), and hide what comes first"
        for s in sources
        if s.timeframe.milliseconds > coarsest.milliseconds
    )


def _track(symbol: str, sources: Sequence[CandleSource]) -> Track:
    ordered = sorted(sources, key=lambda s: (s.timeframe.milliseconds, s.rank, s.origin))
    candles, ends = CandleSeries.empty(), np.empty(0, dtype=np.int64)
    used = []
    for source in ordered:
        own_ends = close_times(source.candles.time, source.timeframe)
        kept = _uncovered(source.candles.time, own_ends, candles.time, ends)
        if not kept.any():
            continue
        used.append(source.origin)
        candles, ends = _merged(candles, ends, _only(source.candles, kept), own_ends[kept])
    rules = next((s.rules for s in ordered if s.rules is not None), SymbolRules(symbol))
    return Track(symbol, candles, ends, _stretches(candles.time, ends), rules, tuple(used))


def _uncovered(starts: Times, ends: Times, taken: Times, taken_ends: Times) -> NDArray[np.bool_]:
    """Return which candles overlap none of those that were taken already."""
    if not len(taken):
        return np.ones(len(starts), dtype=np.bool_)
    after = np.searchsorted(taken_ends, starts, side="right")  # first taken one that ends later
    nearest = np.append(taken, np.iinfo(np.int64).max)[after]
    return np.asarray(nearest >= ends, dtype=np.bool_)


def _only(candles: CandleSeries, kept: NDArray[np.bool_]) -> CandleSeries:
    names = ("time", "open", "high", "low", "close", "volume")
    return CandleSeries(*(getattr(candles, name)[kept] for name in names))


def _merged(
    first: CandleSeries, first_ends: Times, second: CandleSeries, second_ends: Times
) -> tuple[CandleSeries, Times]:
    joined = first.joined(second)
    order = np.argsort(joined.time, kind="stable")
    ends = np.concatenate([first_ends, second_ends])[order]
    names = ("time", "open", "high", "low", "close", "volume")
    return CandleSeries(*(getattr(joined, name)[order] for name in names)), ends


def _stretches(starts: Times, ends: Times) -> NDArray[np.intp]:
    lengths = ends - starts
    missing = starts[1:] - ends[:-1]
    breaks = np.flatnonzero(missing > _MISSING * np.maximum(lengths[1:], lengths[:-1])) + 1
    return np.concatenate([[0], breaks, [len(starts)]]).astype(np.intp)

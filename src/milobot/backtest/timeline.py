"""Two views of one market: the candles a script sees and the finer ones that fills need."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from milobot.domain.intents import Action, Close, DoNothing, Enter, PositionSide
from milobot.domain.market import CandleSeries, Floats
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.indicators.series import ATR_PERIOD, atr
from milobot.marketdata.resample import resample

ENTRIES = (PositionSide.LONG.value, PositionSide.SHORT.value)
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Script candles and the finer candles inside them.

    Attributes:
        candles: Candles of the script's timeframe, only complete ones.
        fine: What fills are tested on; the same object when no finer candles exist. What
            lies beyond ``starts[-1]`` belongs to a script candle that is still forming.
        starts: For each script candle the index of its first fine candle, then the index
            of the first one after them.
    """

    candles: CandleSeries
    fine: CandleSeries
    starts: Indices

    def next_end(self, index: int) -> int:
        """Return the first fine candle from ``index`` on that ends a script candle."""
        place = int(np.searchsorted(self.starts, index, side="right"))
        return int(self.starts[place]) - 1 if place < len(self.starts) else len(self.fine)

    def part(self, start: int) -> "Timeline":
        """Return the timeline from script candle ``start`` on."""
        first = int(self.starts[start])
        return Timeline(
            self.candles.part(start, len(self.candles)),
            self.fine.part(first, len(self.fine)),
            self.starts[start:] - first,
        )

    def without_forming(self) -> "Timeline":
        """Return the timeline without the fine candles after the last complete script candle."""
        stop = int(self.starts[-1])
        if stop == len(self.fine):
            return self
        return Timeline(self.candles, self.fine.part(0, stop), self.starts)


class TimelineBuilder:
    """Lines up script candles with finer ones, as these arrive.

    Fine candles before the first complete script candle are left out: nobody knows what
    that candle would have been. A script candle is complete when its last fine candle is
    there, or, after a gap, when one of a later script candle is.
    """

    def __init__(self, source: Timeframe, target: Timeframe) -> None:
        """Prepare for ``target`` candles out of ``source`` candles.

        Raises:
            DataError: The candles are coarser than the script's, or do not add up to them.
        """
        resample(CandleSeries.empty(), source, target)
        self._source = source
        self._target = target
        self._fine = CandleSeries.empty()
        self._candles = CandleSeries.empty()
        self._starts = np.zeros(1, dtype=np.intp)

    def extend(self, later: CandleSeries) -> Timeline:
        """Return the timeline with candles added that follow those before."""
        if not len(self._fine):
            later = self._from_first_open(later)
        self._fine = self._fine.joined(later)
        if self._source is self._target:
            self._candles = self._fine
            self._starts = np.arange(len(self._fine) + 1)
        elif len(later):
            self._complete()
        return Timeline(self._candles, self._fine, self._starts)

    def _complete(self) -> None:
        done = int(self._starts[-1])
        rest = self._fine.part(done, len(self._fine))
        made = resample(rest, self._source, self._target, keep_partial=True)
        if self._source.next_open(int(rest.time[-1])) < self._target.next_open(int(made.time[-1])):
            made = made.part(0, len(made) - 1)
        if not len(made):
            return
        end = self._target.next_open(int(made.time[-1]))
        starts = np.searchsorted(rest.time, np.append(made.time, end)) + done
        self._candles = self._candles.joined(made)
        self._starts = np.append(self._starts[:-1], starts)

    def _from_first_open(self, candles: CandleSeries) -> CandleSeries:
        if not len(candles):
            return candles
        first = int(candles.time[0])
        opens = self._target.open_of(first)
        return candles if opens == first else candles.between(self._target.next_open(opens), None)


def align(fine: CandleSeries, source: Timeframe, target: Timeframe) -> Timeline:
    """Return the timeline of a script on ``target`` candles over ``source`` candles.

    Raises:
        DataError: The candles are coarser than the script's, do not add up to them, or
            hold no complete one.
    """
    timeline = TimelineBuilder(source, target).extend(fine).without_forming()
    if not len(timeline.candles):
        raise DataError(
            f"{len(fine)} candles of {source} hold no complete {target} candle: load more"
        )
    return timeline


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a script wanted at the close of each candle.

    Attributes:
        actions: The distinct actions.
        choice: For each script candle an index into ``actions``.
        atr: ATR(14) at each script candle, NaN before its first value.
    """

    actions: tuple[Action, ...]
    choice: NDArray[np.uint8]
    atr: Floats
    _wanted: dict[str, Indices] = field(default_factory=dict, repr=False, compare=False)

    def at(self, index: int) -> Action:
        """Return the action decided at the close of a script candle."""
        return self.actions[int(self.choice[index])]

    def next_of(self, kinds: Sequence[str], first: int) -> int:
        """Return the first candle from ``first`` on that decided one of ``kinds``; -1 if none."""
        found = -1
        for kind in kinds:
            indices = self._indices(kind)
            place = int(np.searchsorted(indices, first))
            if place < len(indices) and (found < 0 or indices[place] < found):
                found = int(indices[place])
        return found

    def wanted(self) -> int:
        """Return how many candles decided to do something that a later candle can carry out."""
        nothing = [n for n, action in enumerate(self.actions) if isinstance(action, DoNothing)]
        return int(np.count_nonzero(~np.isin(self.choice[:-1], nothing)))

    def part(self, start: int, stop: int) -> "Decisions":
        """Return the decisions of candles ``start`` up to, not including, ``stop``."""
        return Decisions(self.actions, self.choice[start:stop], self.atr[start:stop])

    def _indices(self, kind: str) -> Indices:
        if kind not in self._wanted:
            numbers = [n for n, action in enumerate(self.actions) if kind_of(action) == kind]
            self._wanted[kind] = np.flatnonzero(np.isin(self.choice, numbers))
        return self._wanted[kind]


@dataclass(frozen=True, slots=True)
class ActionPair:
    """The two actions of a script."""

    if_true: Action
    if_false: Action


def decide(
    candles: CandleSeries, is_true: NDArray[np.bool_], is_valid: NDArray[np.bool_], pair: ActionPair
) -> Decisions:
    """Return the decisions of a script from its conditions.

    Args:
        candles: The script's candles.
        is_true: Value of ``condition_true`` at each.
        is_valid: False where the script said nothing: warm-up or failure.
        pair: ``action_if_true`` and ``action_if_false``.
    """
    choice = np.where(is_valid, np.where(is_true, 1, 2), 0).astype(np.uint8)
    return Decisions(
        actions=(DoNothing(), pair.if_true, pair.if_false),
        choice=choice,
        atr=atr(candles.high, candles.low, candles.close, ATR_PERIOD),
    )


def kind_of(action: Action) -> str:
    """Return ``nothing``, ``close``, ``LONG`` or ``SHORT``."""
    match action:
        case DoNothing():
            return "nothing"
        case Close():
            return "close"
        case Enter(side=side):
            return side.value

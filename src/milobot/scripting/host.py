"""Answers the calls that a script makes: indicators, higher candles, symbol constraints.

An indicator is computed once per (function, source, settings) over the whole
history at hand and then only viewed as of each candle. All of them are causal,
so the view equals what the prefix alone would have given, to the last bit.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from milobot.domain.market import Times
from milobot.domain.timeframes import Timeframe, parse_timeframe
from milobot.errors import DataError
from milobot.indicators import api, series
from milobot.indicators.divergences import (
    check_windows,
    detect_divergences,
    divergence_series,
    divergences_at,
)
from milobot.indicators.swings import SwingHistory
from milobot.indicators.warmup import stable_after, warm_up
from milobot.scripting.compiler import DATA, DYNAMIC, Site
from milobot.scripting.memory import Memory
from milobot.scripting.results import IndicatorUse
from milobot.scripting.views import Candles, Column, Frame, Points, Record, Series

_Answer = Callable[..., object]
_WORTH_A_MASK = 256

_ON_CLOSES = {
    "calculate_sma": series.sma,
    "calculate_ema": series.ema,
    "calculate_rsi": series.rsi,
    "calculate_macd": series.macd,
}
_ON_CANDLES: dict[str, tuple[Callable[..., object], tuple[str, ...]]] = {
    "calculate_atr": (series.atr, ("high", "low", "close")),
    "calculate_obv": (series.obv, ("close", "volume")),
    "calculate_stochastic": (series.stochastic, ("high", "low", "close")),
}
_ON_LISTS: dict[str, Callable[..., object]] = {
    "calculate_sma": api.calculate_sma_sync,
    "calculate_ema": api.calculate_ema_sync,
    "calculate_rsi": api.calculate_rsi_sync,
    "calculate_macd": api.calculate_macd_sync,
    "calculate_atr": api.calculate_atr_sync,
    "calculate_obv": api.calculate_obv_sync,
    "calculate_stochastic": api.calculate_stochastic_sync,
    "calculate_zigzag": api.calculate_zigzag_sync,
}


@dataclass(frozen=True, slots=True)
class _Bound:
    """A computed result and from how many candles of its frame on it has values."""

    result: object
    frame: Frame | None
    need: float = 0


def check_settings(site: Site, own: Timeframe) -> None:
    """Refuse settings of a call that are wrong whatever the candles are.

    Raises:
        ValueError: A period, window or percentage is out of range.
        DataError: A timeframe is unknown or cannot be made.
    """
    name, settings = site.function.name, site.settings
    if DYNAMIC in settings or DATA in settings:
        return
    if name == "candles":
        _higher_timeframe(settings[0], own)
    elif name == "detect_divergences":
        check_windows(*settings)
    elif name == "calculate_zigzag":
        SwingHistory(*settings)  # type: ignore[arg-type]  # it checks them itself
    elif name != "get_symbol_constraints":
        warm_up(site.function.indicator, settings)


class _Higher:
    """Candles of a higher timeframe in one evaluation, moved along with the own ones."""

    def __init__(self, frame: Frame, counts: Times) -> None:
        self.frame = frame
        self.candles = Candles(frame)
        self.counts = counts
        self._begin = 0
        self._listed: list[int] = []

    def open_stretch(self, begin: int, end: int) -> None:
        self._begin = begin
        self._listed = self.counts[begin:end].tolist()
        self.frame.open_stretch(self._listed[0], self._listed[-1])

    def move(self, index: int) -> None:
        self.frame.move(self._listed[index - self._begin])


class Host:
    """Answers the calls of one script over one history.

    Attributes:
        is_cold: Set when an indicator was asked for a value it does not have yet.
        uses: Indicators asked for, in order.
    """

    def __init__(
        self,
        columns: dict[str, Column],
        timeframe: Timeframe,
        limit: int,
        constraints: Mapping[str, object] | None,
        memory: Memory,
    ) -> None:
        """Begin with nothing computed."""
        self.frame = Frame(columns, limit)
        self.data = Candles(self.frame)
        self.is_cold = False
        self.uses: dict[tuple[object, ...], IndicatorUse] = {}
        self.higher: dict[Timeframe, _Higher] = {}
        self._timeframe = timeframe
        self._limit = limit
        self._constraints = constraints
        self._memory = memory
        self._bound: dict[tuple[object, ...], _Bound] = {}
        self._stretch = (0, 0)

    def close(self) -> None:
        """Let go of all values, so that none waits for the garbage collector."""
        self._bound.clear()
        for higher in self.higher.values():
            higher.frame.close()
        self.frame.close()

    def open_stretch(self, begin: int, end: int) -> None:
        """Make all views ready for candles ``begin`` up to, not including, ``end``."""
        self._stretch = (begin, end)
        self.frame.open_stretch(begin, end)
        for higher in self.higher.values():
            higher.open_stretch(begin, end)

    def move_higher(self, index: int) -> None:
        """Show the higher candles that have ended by the end of own candle ``index``."""
        for higher in self.higher.values():
            higher.move(index)

    def answer(self, site: Site) -> _Answer:
        """Return the function that answers a site."""
        if site.function.name == "detect_divergences":
            return self._divergence_answer(site)
        if site.is_fixed:
            return self._fixed_answer(site)
        return self._general_answer(site)

    def _fixed_answer(self, site: Site) -> Callable[[], object]:
        bound = _Bound(None, None, math.inf)
        frame, need, result = self.frame, math.inf, None

        def answer() -> object:
            nonlocal bound, frame, need, result
            if frame.count < need:
                if bound.frame is None:
                    bound = self._bind(site, self._with_data(site.arguments))
                    frame, need, result = bound.frame or self.frame, bound.need, bound.result
                if frame.count < need:
                    self.is_cold = True
            return result

        return answer

    def _general_answer(self, site: Site) -> _Answer:
        names = site.function.arguments
        dynamic = [n for n, value in enumerate(site.arguments) if value is DYNAMIC]
        template = list(self._with_data(site.arguments))
        last_values: tuple[object, ...] = ()
        last = _Bound(None, None)

        def answer(*values: object, **named: object) -> object:
            nonlocal last_values, last
            if named:
                values = tuple(named[names[n]] for n in dynamic)
            if len(last_values) != len(values) or any(
                new is not old for new, old in zip(values, last_values, strict=True)
            ):
                last_values = ()
                arguments = template.copy()
                for n, value in zip(dynamic, values, strict=True):
                    arguments[n] = value
                last = self._bind(site, tuple(arguments))
                if last.frame is not None:
                    last_values = values
            if last.frame is not None and last.frame.count < last.need:
                self.is_cold = True
            return last.result

        return answer

    def _divergence_answer(self, site: Site) -> _Answer:
        names = site.function.arguments
        dynamic = [n for n, value in enumerate(site.arguments) if value is DYNAMIC]
        template = list(self._with_data(site.arguments))
        seen: tuple[object, ...] = ()
        mask = b""

        def answer(*values: object, **named: object) -> object:
            nonlocal seen, mask
            if named:
                values = tuple(named[names[n]] for n in dynamic)
            arguments = template.copy()
            for n, value in zip(dynamic, values, strict=True):
                arguments[n] = value
            rsi, points, data, left, right = arguments
            if not (
                isinstance(rsi, Series)
                and isinstance(points, Points)
                and isinstance(data, Candles)
                and rsi.frame is points.frame is data.frame
            ):
                return detect_divergences(rsi, points, len(data), left, right)  # type: ignore[arg-type]  # it checks them itself
            if not (len(seen) and all(a is b for a, b in zip(seen, arguments, strict=True))):
                mask = self._divergence_mask(rsi, points, left, right)
                seen = tuple(arguments)
            frame = data.frame
            if not frame.count or (mask and not mask[frame.count - 1]):
                return []
            windows = check_windows(left, right)
            return divergences_at(
                points.history, rsi.values, frame.count - 1, *windows, frame.start
            )

        return answer

    def _divergence_mask(self, rsi: Series, points: Points, left: object, right: object) -> bytes:
        """Return for each candle whether any divergence is in force, as 0 or 1.

        For a few candles it does not pay: then it is empty, and says nothing.
        """
        windows = check_windows(left, right)
        self._note("detect_divergences", windows, rsi.frame, 0, 0)
        if self._stretch[1] - self._stretch[0] < _WORTH_A_MASK:
            return b""
        in_force = divergence_series(points.history, rsi.values, *windows, data_limit=self._limit)
        return bytes(np.logical_or.reduce(list(in_force.values())).astype(np.uint8))

    def _with_data(self, arguments: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(self.data if value is DATA else value for value in arguments)

    def _bind(self, site: Site, arguments: tuple[object, ...]) -> _Bound:
        """Return the result of a call, computed once for equal arguments."""
        key = (site.function.name, *(_identity(value) for value in arguments))
        try:
            known = self._bound.get(key)
        except TypeError:  # a list where a number belongs: let the function say so
            return self._compute(site, arguments)
        if known is None:
            known = self._compute(site, arguments)
            if known.frame is not None:
                self._bound[key] = known
        return known

    def _compute(self, site: Site, arguments: tuple[object, ...]) -> _Bound:
        name = site.function.name
        if name == "candles":
            return self._candles(arguments[0])
        if name == "get_symbol_constraints":
            return self._symbol_constraints()
        source, *settings = arguments
        if isinstance(source, Candles):
            return self._on_frame(site, source.frame, source.frame.columns["close"], settings)
        if isinstance(source, Series) and name in _ON_CLOSES:
            return self._on_frame(site, source.frame, source.values, settings, is_chained=True)
        if isinstance(source, Series | Points):
            raise TypeError(f"{name} needs candles, such as data, not a series")
        return _Bound(_plain(_ON_LISTS[name](source, *settings)), None)

    def _on_frame(
        self,
        site: Site,
        frame: Frame,
        values: Column,
        settings: list[object],
        *,
        is_chained: bool = False,
    ) -> _Bound:
        name = site.function.name
        if name == "calculate_zigzag":
            points = Points(frame, self._memory.swings(self._timeframe_of(frame), frame, settings))
            self._note(name, settings, frame, 0, 0)
            return _Bound(points, frame)
        if name in _ON_CLOSES:
            computed = _ON_CLOSES[name](values, *settings)  # type: ignore[operator]  # it checks them itself
        else:
            function, needed = _ON_CANDLES[name]
            computed = function(*(frame.columns[column] for column in needed), *settings)
        arrays = computed if isinstance(computed, tuple) else (computed,)
        views = tuple(frame.series(array) for array in arrays)
        first = _first_value(arrays[0])
        indicator = site.function.indicator
        expected = warm_up(indicator, settings) if first is None else first
        self._note(
            name,
            settings,
            frame,
            expected,
            stable_after(indicator, settings),
            is_chained=is_chained,
        )
        result = views if isinstance(computed, tuple) else views[0]
        return _Bound(result, frame, math.inf if first is None else first + 1)

    def _note(
        self,
        name: str,
        settings: Sequence[object],
        frame: Frame,
        first: int,
        settled: int,
        *,
        is_chained: bool = False,
    ) -> None:
        numbers = tuple(float(value) for value in settings if isinstance(value, int | float))
        is_direct = frame is self.frame and not is_chained
        if frame is not self.frame:
            counts = self.higher[self._timeframe_of(frame)].counts
            first = int(np.searchsorted(counts, first, side="right"))
        use = IndicatorUse(name, numbers, is_direct, first, settled, frame.length)
        self.uses.setdefault((name, numbers, is_direct, id(frame)), use)

    def _candles(self, text: object) -> _Bound:
        timeframe = _higher_timeframe(text, self._timeframe)
        if timeframe is self._timeframe:
            return _Bound(self.data, self.frame)
        if timeframe not in self.higher:
            candles = self._memory.higher(timeframe, self.frame.columns)
            higher = _Higher(Frame(candles.columns(), self._limit), candles.counts())
            higher.open_stretch(*self._stretch)
            higher.move(self.frame.count - 1)
            self.higher[timeframe] = higher
        found = self.higher[timeframe]
        return _Bound(found.candles, found.frame)

    def _symbol_constraints(self) -> _Bound:
        if self._constraints is None:
            raise DataError("the constraints of this symbol are not known in this run")
        return _Bound(Record(self._constraints), self.frame)

    def _timeframe_of(self, frame: Frame) -> Timeframe:
        if frame is self.frame:
            return self._timeframe
        return next(key for key, known in self.higher.items() if known.frame is frame)


def _identity(value: object) -> object:
    """Return what makes two arguments the same: views by themselves, numbers with their type."""
    if isinstance(value, Candles):
        return id(value.frame)
    if isinstance(value, Series | Points):
        return id(value)
    return (type(value), value)


def _plain(result: object) -> object:
    """Return arrays as lists of plain numbers."""
    if isinstance(result, tuple):
        return tuple(_plain(part) for part in result)
    return result.tolist() if isinstance(result, np.ndarray) else result


def _first_value(values: Column) -> int | None:
    finite = np.isfinite(values)
    return int(finite.argmax()) if finite.any() else None


def _higher_timeframe(text: object, own: Timeframe) -> Timeframe:
    if not isinstance(text, str):
        raise DataError('candles takes a timeframe in quotes, such as candles("4h")')
    timeframe = parse_timeframe(text)
    if not timeframe.is_multiple_of(own):
        raise DataError(f"candles of {timeframe} cannot be made from candles of {own}")
    return timeframe

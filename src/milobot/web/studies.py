"""Indicators as the page draws them, computed from calls such as a script makes.

Values come from :mod:`milobot.indicators` over the whole history, so they are
equal to the last bit to what a script sees.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from milobot.domain.market import CandleSeries, Floats
from milobot.errors import ConfigurationError
from milobot.indicators.divergences import divergence_type
from milobot.indicators.series import atr, ema, macd, obv, rsi, sma, stochastic
from milobot.indicators.swings import SwingHistory, SwingPoint

IndicatorCall = tuple[str, tuple[Any, ...]]
"""Name and positional arguments after ``data``, such as ``("calculate_rsi", (14,))``."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One curve, a value per candle, NaN where there is none."""

    name: str
    values: Floats
    style: Literal["line", "histogram"] = "line"


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """The curves of one indicator.

    Attributes:
        where: Over the candles, or in a pane of its own.
        levels: Values marked in that pane.
    """

    id: str
    title: str
    lines: tuple[Line, ...]
    where: Literal["overlays", "panes"]
    levels: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StudySet:
    """All studies of a history of candles.

    Attributes:
        points: Confirmed ZigZag points as JSON rows, oldest first; only ever grows.
        candidate: The unconfirmed point.
        divergences: JSON rows in the order of their confirmation; only ever grows.
        swing_settings: What points and divergences were computed with.
    """

    studies: tuple[Study, ...]
    points: list[dict[str, Any]] = field(default_factory=list)
    candidate: dict[str, Any] | None = None
    divergences: list[dict[str, Any]] = field(default_factory=list)
    swing_settings: object = None

    @property
    def shape(self) -> tuple[object, ...]:
        """What must stay equal for values to be appended to those already shown."""
        studies = ((s.id, s.where, tuple(line.name for line in s.lines)) for s in self.studies)
        return (self.swing_settings, *studies)

    def definitions(self, start: int) -> dict[str, list[dict[str, Any]]]:
        """Return the JSON form of all studies, with values from candle ``start`` on."""
        rows: dict[str, list[dict[str, Any]]] = {"overlays": [], "panes": []}
        for study in self.studies:
            lines = [
                {
                    "name": line.name,
                    "style": line.style,
                    "values": json_values(line.values, start, len(line.values)),
                }
                for line in study.lines
            ]
            row: dict[str, Any] = {"id": study.id, "title": study.title, "lines": lines}
            if study.where == "panes":
                row["levels"] = list(study.levels)
            rows[study.where].append(row)
        return rows

    def values(self, start: int, stop: int) -> dict[str, list[dict[str, Any]]]:
        """Return only the values of candles ``start`` to ``stop``, null past the end."""
        rows: dict[str, list[dict[str, Any]]] = {"overlays": [], "panes": []}
        for study in self.studies:
            lines = [{"values": json_values(line.values, start, stop)} for line in study.lines]
            rows[study.where].append({"id": study.id, "lines": lines})
        return rows


class Studies:
    """Computes the studies of a growing history; the ZigZag only for what is new."""

    def __init__(self, calls: Iterable[IndicatorCall]) -> None:
        """Take the calls, each once, in order.

        Of several ``calculate_zigzag`` the first is drawn; divergences use it
        and the first ``calculate_rsi``, or the defaults of both.

        Raises:
            ConfigurationError: There is no such indicator.
        """
        unique = list(dict.fromkeys(_complete(name, args) for name, args in calls))
        self._calls = [call for call in unique if call[0] in _KINDS]
        self._swings: _Swings | None = None
        if any(name in _SWING_CALLS for name, _ in unique):
            self._swings = _Swings(
                _first_args(unique, "calculate_zigzag"),
                _first_args(unique, "calculate_rsi"),
                with_divergences=any(name == "detect_divergences" for name, _ in unique),
            )

    def update(self, history: CandleSeries) -> StudySet:
        """Return the studies of all candles since the anchor; ``history`` only ever grows.

        Raises:
            ValueError: An argument is out of the indicator's range.
        """
        studies = tuple(_study(name, args, history) for name, args in self._calls)
        if self._swings is None:
            return StudySet(studies)
        self._swings.extend(history)
        swings = self._swings
        return StudySet(
            studies, swings.points, swings.candidate, swings.divergences, swings.settings
        )


class _Swings:
    """ZigZag points and divergences as JSON rows, found once each."""

    def __init__(
        self, zigzag: tuple[Any, ...], rsi_args: tuple[Any, ...], *, with_divergences: bool
    ) -> None:
        self.settings = (zigzag, rsi_args, with_divergences)
        self._history = SwingHistory(*zigzag)
        self._rsi_args = rsi_args
        self._with_divergences = with_divergences
        self.points: list[dict[str, Any]] = []
        self.candidate: dict[str, Any] | None = None
        self.divergences: list[dict[str, Any]] = []

    def extend(self, candles: CandleSeries) -> None:
        swings = self._history
        new = candles.part(len(swings), len(candles))
        if not len(new):
            return
        swings.extend(new.high, new.low, new.close, new.time)
        known = len(self.points)
        confirmed = [swings.pivot(at) for at in range(known, len(swings.pivots.index))]
        if confirmed and self._with_divergences:
            self._find_divergences(rsi(candles.close, *self._rsi_args), known)
        self.points.extend(_point_row(point) for point in confirmed)
        newest = swings.candidate_at(len(swings) - 1)
        self.candidate = None if newest < 0 else _point_row(swings.candidate(newest))

    def _find_divergences(self, rsi_values: Floats, first: int) -> None:
        """Compare each new pivot with the one before of its kind; kinds take turns."""
        pivots = self._history.pivots
        for at in range(max(first, 2), len(pivots.index)):
            older, newer = self._history.pivot(at - 2), self._history.pivot(at)
            kind = divergence_type(
                (older["price"], newer["price"]),
                (float(rsi_values[older["index"]]), float(rsi_values[newer["index"]])),
                is_high=newer["kind"] == "high",
            )
            if kind:
                ends = ({"time": p["time"], "price": p["price"]} for p in (older, newer))
                row = dict(zip(("from", "to"), ends, strict=True))
                self.divergences.append({"type": kind, **row})


def json_values(values: Floats, start: int, stop: int) -> list[float | None]:
    """Return values as JSON numbers: null for NaN and past the end."""
    part = values[start:stop]
    cells: list[float | None] = part.tolist()
    for position in np.flatnonzero(np.isnan(part)).tolist():
        cells[position] = None
    return cells + [None] * (stop - start - len(cells))


def _point_row(point: SwingPoint) -> dict[str, Any]:
    return {
        "time": point["time"],
        "price": point["price"],
        "kind": point["kind"],
        "confirmed": point["confirmed_index"] is not None,
    }


def _complete(name: str, args: Sequence[Any]) -> IndicatorCall:
    """Return the call with the arguments that it leaves to their defaults."""
    if name in _SWING_CALLS:
        return name, tuple(args)
    if name not in _KINDS:
        known = ", ".join([*_KINDS, *_SWING_CALLS])
        raise ConfigurationError(f"{name} cannot be drawn: the page knows {known}")
    return name, (*args, *_KINDS[name].defaults[len(args) :])


def _first_args(calls: Sequence[IndicatorCall], name: str) -> tuple[Any, ...]:
    return next((args for called, args in calls if called == name), ())


def _study(name: str, args: tuple[Any, ...], candles: CandleSeries) -> Study:
    kind = _KINDS[name]
    title = " ".join([kind.title, *map(str, args)])
    lines = kind.lines(candles, args)
    return Study(title.lower().replace(" ", "-"), title, lines, kind.where, kind.levels)


def _macd_lines(candles: CandleSeries, args: tuple[Any, ...]) -> tuple[Line, ...]:
    line, signal = macd(candles.close, *args)
    histogram = Line("Histogram", line - signal, "histogram")
    return histogram, Line("MACD", line), Line("Signal", signal)


def _stochastic_lines(candles: CandleSeries, args: tuple[Any, ...]) -> tuple[Line, ...]:
    k, d = stochastic(candles.high, candles.low, candles.close, *args)
    return Line("%K", k), Line("%D", d)


def _atr_lines(candles: CandleSeries, args: tuple[Any, ...]) -> tuple[Line, ...]:
    return (Line("ATR", atr(candles.high, candles.low, candles.close, *args)),)


@dataclass(frozen=True, slots=True)
class _Kind:
    title: str
    lines: Callable[[CandleSeries, tuple[Any, ...]], tuple[Line, ...]]
    where: Literal["overlays", "panes"] = "panes"
    defaults: tuple[int, ...] = ()
    levels: tuple[float, ...] = ()


_KINDS = {
    "calculate_sma": _Kind("SMA", lambda c, a: (Line("SMA", sma(c.close, *a)),), "overlays"),
    "calculate_ema": _Kind("EMA", lambda c, a: (Line("EMA", ema(c.close, *a)),), "overlays"),
    "calculate_rsi": _Kind(
        "RSI", lambda c, a: (Line("RSI", rsi(c.close, *a)),), defaults=(14,), levels=(30.0, 70.0)
    ),
    "calculate_macd": _Kind("MACD", _macd_lines, defaults=(12, 26, 9), levels=(0.0,)),
    "calculate_atr": _Kind("ATR", _atr_lines, defaults=(14,)),
    "calculate_obv": _Kind("OBV", lambda c, _: (Line("OBV", obv(c.close, c.volume)),)),
    "calculate_stochastic": _Kind(
        "Stochastic", _stochastic_lines, defaults=(14, 3, 3), levels=(20.0, 80.0)
    ),
}
_SWING_CALLS = ("calculate_zigzag", "detect_divergences")

"""Divergences: price and RSI disagree between the last two confirmed swing points of a kind.

Lows: ``bullish`` is a lower price with a higher RSI, ``hidden_bullish`` a higher
price with a lower RSI. Highs: ``bearish`` is a higher price with a lower RSI,
``hidden_bearish`` a lower price with a higher RSI. All inequalities are strict,
so equal prices, equal RSI and an RSI of NaN never make a divergence. The RSI is
taken at the candles of the points.

A divergence is reported while ``right_window <= t - confirmed_index <=
left_window``, counted at its second point, so ``any(...)`` over the result is a
statement about now. A point is not known before its confirmation, and the
unconfirmed one never decides anything.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal, TypedDict

import numpy as np
import numpy.typing as npt

from milobot.errors import DataError
from milobot.indicators.arguments import Numbers, whole_number
from milobot.indicators.swings import SwingHistory, SwingPoint

DivergenceType = Literal["bullish", "hidden_bullish", "bearish", "hidden_bearish"]
DIVERGENCE_TYPES: tuple[DivergenceType, ...] = (
    "bullish",
    "hidden_bullish",
    "bearish",
    "hidden_bearish",
)


class Divergence(TypedDict):
    """A divergence as scripts see it, a plain dict with its two swing points, older first."""

    type: DivergenceType
    first: SwingPoint
    second: SwingPoint


def detect_divergences(
    rsi: Numbers,
    zigzag_points: Sequence[SwingPoint],
    data_length: int,
    left_window: int,
    right_window: int,
) -> list[Divergence]:
    """Return the divergences in force at the last candle: that of the lows, then of the highs.

    Args:
        rsi: One value per candle.
        zigzag_points: Points with indices into the same candles, oldest first.
        data_length: Number of candles; the last one is now.
        left_window: Most candles since the confirmation of the second point.
        right_window: Fewest candles since then; 0 reports from the confirmation on.

    Raises:
        DataError: ``rsi`` has another length, or a point does not belong to these candles.
        ValueError: A window is no whole number from 0 to 100000, or they are swapped.
    """
    left_window, right_window = check_windows(left_window, right_window)
    if len(rsi) != data_length:
        raise DataError(
            f"detect_divergences: rsi has {len(rsi)} values but data has {data_length} candles"
        )
    now = data_length - 1
    known: dict[str, list[SwingPoint]] = {"low": [], "high": []}
    for position, point in enumerate(zigzag_points):
        if _is_known(point, position, now):
            known[point["kind"]].append(point)
    found: list[Divergence] = []
    for points in known.values():
        if len(points) > 1 and _is_in_force(points[-1], now, left_window, right_window):
            found += _between(points[-2], points[-1], rsi, 0)
    return found


def divergences_at(
    history: SwingHistory,
    rsi: npt.NDArray[np.float64],
    t: int,
    left_window: int,
    right_window: int,
    start: int = 0,
) -> list[Divergence]:
    """Return what :func:`detect_divergences` says about the candles from ``start`` to ``t``.

    Args:
        history: Swing points of all candles, also of those after ``t``.
        rsi: RSI of all candles, counted from 0.
        t: The candle that is now.
        left_window: As in :func:`detect_divergences`.
        right_window: As in :func:`detect_divergences`.
        start: First candle that counts; the result's indices begin there.

    Raises:
        ValueError: A window is no whole number from 0 to 100000, or they are swapped.
    """
    left_window, right_window = check_windows(left_window, right_window)
    oldest = bisect_left(history.pivots.index, start)
    latest = history.pivots_at(t) - 1
    # Highs and lows take turns, so the last two of each kind are among the last four.
    seconds = [position for position in (latest, latest - 1) if position - 2 >= oldest]
    seconds.sort(key=lambda position: history.pivots.is_high[position])
    found: list[Divergence] = []
    for position in seconds:
        if right_window <= t - history.pivots.since[position] <= left_window:
            first, second = history.pivot(position - 2, start), history.pivot(position, start)
            found += _between(first, second, rsi, start)
    return found


def divergence_series(
    history: SwingHistory,
    rsi: npt.NDArray[np.float64],
    left_window: int,
    right_window: int,
    data_limit: int | None = None,
) -> dict[DivergenceType, npt.NDArray[np.bool_]]:
    """Return for each type at which candles of the history it is in force.

    Args:
        history: Swing points of all candles.
        rsi: RSI of all candles.
        left_window: As in :func:`detect_divergences`.
        right_window: As in :func:`detect_divergences`.
        data_limit: Only the last so many candles count at each candle, as in a
            script whose ``data`` is that long; None for all.

    Raises:
        ValueError: A window is no whole number from 0 to 100000, or they are swapped.
    """
    left_window, right_window = check_windows(left_window, right_window)
    length, pivots = len(history), history.pivots
    series = {kind: np.zeros(length, dtype=np.bool_) for kind in DIVERGENCE_TYPES}
    for position in range(2, len(pivots.index)):
        older = pivots.index[position - 2]
        divergence = divergence_type(
            (pivots.price[position - 2], pivots.price[position]),
            (float(rsi[older]), float(rsi[pivots.index[position]])),
            is_high=pivots.is_high[position],
        )
        if divergence is None:
            continue
        begin, end = pivots.since[position] + right_window, pivots.since[position] + left_window + 1
        if position + 2 < len(pivots.index):
            end = min(end, pivots.since[position + 2])
        if data_limit is not None:
            end = min(end, older + data_limit)
        series[divergence][begin:end] = True
    return series


def divergence_type(
    prices: tuple[float, float], rsi: tuple[float, float], *, is_high: bool
) -> DivergenceType | None:
    """Return how price and RSI disagree between two points of a kind, None if they do not."""
    if prices[1] < prices[0] and rsi[1] > rsi[0]:
        return "hidden_bearish" if is_high else "bullish"
    if prices[1] > prices[0] and rsi[1] < rsi[0]:
        return "bearish" if is_high else "hidden_bullish"
    return None


def check_windows(left_window: object, right_window: object) -> tuple[int, int]:
    """Return the window of candles since the confirmation, checked.

    Raises:
        ValueError: One is no whole number from 0 to 100000, or left is below right.
    """
    left = whole_number("detect_divergences", "left_window", left_window, lowest=0)
    right = whole_number("detect_divergences", "right_window", right_window, lowest=0)
    if left < right:
        raise ValueError(
            f"detect_divergences: left_window must not be below right_window, not {left} and {right}"
        )
    return left, right


def _is_known(point: SwingPoint, position: int, now: int) -> bool:
    """Return whether a point is confirmed as of now; refuse what is no point of these candles."""
    try:
        index, confirmed_index = point["index"], point["confirmed_index"]
        is_point = point["kind"] in ("low", "high") and index >= 0 and "price" in point
        if is_point and confirmed_index is None:
            return False
        if is_point and confirmed_index is not None and confirmed_index >= index:
            return confirmed_index <= now
    except (KeyError, TypeError):
        pass
    raise DataError(
        f"detect_divergences: zigzag_points[{position}] is not a point of calculate_zigzag over "
        "the same data"
    )


def _is_in_force(second: SwingPoint, now: int, left_window: int, right_window: int) -> bool:
    confirmed_index = second["confirmed_index"]
    return confirmed_index is not None and right_window <= now - confirmed_index <= left_window


def _between(
    first: SwingPoint,
    second: SwingPoint,
    rsi: Numbers,
    start: int,
) -> list[Divergence]:
    divergence = divergence_type(
        (first["price"], second["price"]),
        (float(rsi[first["index"] + start]), float(rsi[second["index"] + start])),
        is_high=second["kind"] == "high",
    )
    if divergence is None:
        return []
    return [{"type": divergence, "first": first, "second": second}]

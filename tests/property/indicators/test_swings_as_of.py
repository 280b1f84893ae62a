"""ZigZag and divergences as of each candle, against their definitions written down literally."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.property.indicators.histories import History, histories, long_histories
from tests.property.indicators.naive_swings import NaiveZigZag, Point

from milobot.indicators import series
from milobot.indicators.divergences import (
    detect_divergences,
    divergence_series,
    divergences_at,
)
from milobot.indicators.swings import SwingHistory, SwingPoint, zigzag, zigzag_points

deviations = st.sampled_from([0, 0.5, 1.0, 2, 5.0])
depths = st.integers(1, 6)


def swings_of(candles: History, deviation: float, depth: int) -> SwingHistory:
    return zigzag(candles.high, candles.low, candles.close, candles.times, deviation, depth)


def by_definition(candles: History, deviation: float, depth: int) -> list[Point]:
    columns = (candles.high.tolist(), candles.low.tolist(), candles.close.tolist())
    return NaiveZigZag(*columns, deviation, depth).points()


def bare(points: list[SwingPoint]) -> list[Point]:
    return [
        (point["index"], point["price"], point["kind"], point["confirmed_index"])
        for point in points
    ]


@given(candles=histories(45), deviation=deviations, depth=depths)
def test_view_as_of_each_candle_equals_the_definition_on_the_prefix(
    candles: History, deviation: float, depth: int
) -> None:
    """One pass over the whole history knows at each candle just what was knowable there."""
    swings = swings_of(candles, deviation, depth)

    for t in range(candles.length):
        expected = by_definition(candles.until(t), deviation, depth)
        assert bare(zigzag_points(swings, t)) == expected


@given(candles=long_histories(), deviation=deviations, depth=st.integers(1, 12))
def test_last_view_of_a_long_walk_equals_the_definition(
    candles: History, deviation: float, depth: int
) -> None:
    """Many swings in a row: a fault that needs a history to show itself shows here."""
    swings = swings_of(candles, deviation, depth)

    expected = by_definition(candles, deviation, depth)
    assert bare(zigzag_points(swings, candles.length - 1)) == expected


@given(
    candles=long_histories(150),
    deviation=deviations,
    depth=depths,
    cuts=st.lists(st.integers(0, 150), max_size=8),
)
def test_growing_history_equals_the_whole_one(
    candles: History, deviation: float, depth: int, cuts: list[int]
) -> None:
    """Live, candles come one by one or in bundles after an outage; the swings stay the same."""
    whole = swings_of(candles, deviation, depth)
    growing = SwingHistory(deviation, depth)

    edges = sorted({0, candles.length, *(min(cut, candles.length) for cut in cuts)})
    for begin, end in pairwise(edges):
        part = slice(begin, end)
        growing.extend(
            candles.high[part], candles.low[part], candles.close[part], candles.times[part]
        )

    assert len(growing) == len(whole)
    for t in range(candles.length):
        assert zigzag_points(growing, t) == zigzag_points(whole, t)


@given(candles=long_histories(150), deviation=deviations, depth=depths, start=st.integers(0, 150))
def test_start_shifts_indices_and_drops_older_points(
    candles: History, deviation: float, depth: int, start: int
) -> None:
    """A script's ``data`` begins later than the history; its points count from there."""
    last = candles.length - 1
    start = min(start, last)
    swings = swings_of(candles, deviation, depth)

    seen = zigzag_points(swings, last, start)

    everything = zigzag_points(swings, last)
    expected = [
        (index - start, price, kind, None if confirmed is None else confirmed - start)
        for index, price, kind, confirmed in bare(everything)
        if index >= start
    ]
    assert bare(seen) == expected
    assert [point["time"] for point in seen] == [
        int(candles.times[point["index"] + start]) for point in seen
    ]


@given(
    candles=long_histories(150),
    depth=depths,
    right=st.integers(0, 6),
    width=st.integers(0, 20),
    limit=st.none() | st.integers(1, 150),
)
def test_divergences_from_a_history_equal_the_generic_ones_on_the_prefix(
    candles: History, depth: int, right: int, width: int, limit: int | None
) -> None:
    """Three ways to the same answer: the plain one, the one per candle, the one for all candles."""
    left = right + width
    swings = swings_of(candles, 0.5, depth)
    rsi = series.rsi(candles.close, 3)

    in_force = divergence_series(swings, rsi, left, right, limit)

    for t in range(candles.length):
        start = 0 if limit is None else max(0, t + 1 - limit)
        known = candles.until(t)
        points = zigzag_points(swings_of(known, 0.5, depth), t, start)
        rsi_until = series.rsi(known.close, 3)[start:]
        expected = detect_divergences(rsi_until, points, t + 1 - start, left, right)
        assert divergences_at(swings, rsi, t, left, right, start) == expected
        assert {kind for kind, flags in in_force.items() if flags[t]} == {
            divergence["type"] for divergence in expected
        }


@given(candles=long_histories(150), depth=depths)
def test_hindsight_points_decide_nothing_early(candles: History, depth: int) -> None:
    """Points confirmed after the last candle of ``data`` are treated as not there."""
    swings = swings_of(candles, 0.5, depth)
    hindsight = zigzag_points(swings, candles.length - 1)[:-1]
    rsi = np.nan_to_num(series.rsi(candles.close, 3))

    for t in range(candles.length):
        known = detect_divergences(rsi[: t + 1], zigzag_points(swings, t), t + 1, 20, 0)
        assert detect_divergences(rsi[: t + 1], hindsight, t + 1, 20, 0) == known

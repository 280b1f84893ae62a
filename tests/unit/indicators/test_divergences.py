"""When price and RSI disagree, and for how long it is said."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from tests.golden.indicators.reference_files import columns_of
from tests.support.shared_data import shared_file

from milobot.errors import DataError
from milobot.indicators import series
from milobot.indicators.divergences import (
    DIVERGENCE_TYPES,
    detect_divergences,
    divergence_series,
    divergences_at,
)
from milobot.indicators.swings import SwingPoint, zigzag, zigzag_points


def point(index: int, price: float, kind: Any, confirmed_index: int | None) -> SwingPoint:
    """Build a swing point by hand."""
    return {
        "index": index,
        "time": 60_000 * index,
        "price": price,
        "kind": kind,
        "confirmed_index": confirmed_index,
    }


def rsi_with(values: dict[int, float], length: int = 30) -> list[float]:
    """Build an RSI of 50 with some other values."""
    return [values.get(index, 50.0) for index in range(length)]


@pytest.mark.parametrize(
    ("kind", "prices", "rsi", "expected"),
    [
        ("low", (100, 90), (30, 40), ["bullish"]),
        ("low", (90, 100), (40, 30), ["hidden_bullish"]),
        ("high", (90, 100), (70, 60), ["bearish"]),
        ("high", (100, 90), (60, 70), ["hidden_bearish"]),
        ("low", (100, 90), (40, 30), []),
        ("low", (90, 100), (30, 40), []),
        ("low", (90, 90), (30, 40), []),
        ("low", (100, 90), (30, 30), []),
        ("high", (90, 90), (70, 60), []),
        ("high", (90, 100), (60, 60), []),
        ("low", (100, 90), (math.nan, 40), []),
        ("low", (100, 90), (30, math.nan), []),
    ],
)
def test_types_follow_from_strict_inequalities(
    kind: str, prices: tuple[float, float], rsi: tuple[float, float], expected: list[str]
) -> None:
    """Agreement, a tie, or an RSI that is not there yet is no divergence."""
    points = [point(5, prices[0], kind, 8), point(20, prices[1], kind, 25)]

    found = detect_divergences(rsi_with({5: rsi[0], 20: rsi[1]}), points, 30, 20, 0)

    assert [divergence["type"] for divergence in found] == expected


def test_result_carries_both_points() -> None:
    """The page draws a line between them."""
    points = [point(5, 100, "low", 8), point(20, 90, "low", 25)]

    found = detect_divergences(rsi_with({5: 30, 20: 40}), points, 30, 20, 0)

    assert found == [{"type": "bullish", "first": points[0], "second": points[1]}]


@pytest.mark.parametrize(
    ("confirmed_index", "is_reported"), [(29, False), (27, True), (24, True), (23, False)]
)
def test_window_counts_from_the_confirmation(confirmed_index: int, *, is_reported: bool) -> None:
    """With windows 5 and 2, now being candle 29: both edges belong to the window."""
    points = [point(5, 100, "low", 8), point(15, 90, "low", confirmed_index)]

    found = detect_divergences(rsi_with({5: 30, 15: 40}), points, 30, 5, 2)

    assert bool(found) is is_reported


def test_only_the_last_two_of_a_kind_count() -> None:
    """An older pair's statement is superseded by the newer one, even by silence."""
    points = [
        point(2, 100, "low", 4),
        point(8, 90, "low", 10),
        point(14, 80, "low", 16),
    ]

    found = detect_divergences(rsi_with({2: 30, 8: 40, 14: 40}), points, 30, 29, 0)

    assert found == []


def test_lows_and_highs_are_told_apart_and_lows_come_first() -> None:
    """Points take turns; each is compared with the one before of its kind."""
    points = [
        point(2, 110, "high", 4),
        point(6, 100, "low", 8),
        point(12, 115, "high", 14),
        point(18, 90, "low", 20),
    ]

    found = detect_divergences(rsi_with({2: 70, 12: 65, 6: 30, 18: 35}), points, 30, 29, 0)

    assert [divergence["type"] for divergence in found] == ["bullish", "bearish"]


def test_unconfirmed_point_decides_nothing() -> None:
    """It may still move."""
    points = [point(5, 100, "low", 8), point(20, 90, "low", None)]

    assert detect_divergences(rsi_with({5: 30, 20: 40}), points, 30, 20, 0) == []


def test_rsi_of_another_length_is_refused() -> None:
    """Its values would belong to other candles."""
    with pytest.raises(DataError, match="rsi has 29 values but data has 30 candles"):
        detect_divergences(rsi_with({}, 29), [], 30, 20, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        7,
        {"index": 3, "price": 1.0, "kind": "top", "confirmed_index": 5},
        {"index": 3, "kind": "low", "confirmed_index": 5},
        {"index": -3, "price": 1.0, "kind": "low", "confirmed_index": 5},
        {"index": 9, "price": 1.0, "kind": "low", "confirmed_index": 5},
        {"index": "3", "price": 1.0, "kind": "low", "confirmed_index": 5},
        {"price": 1.0, "kind": "low", "confirmed_index": None},
    ],
)
def test_what_is_no_point_is_refused(wrong: Any) -> None:
    """Scripts can build points of their own; a wrong one is named by its place."""
    points = [point(2, 100, "low", 4), wrong]

    with pytest.raises(DataError, match=r"zigzag_points\[1\] is not a point of calculate_zigzag"):
        detect_divergences(rsi_with({}), points, 30, 20, 0)


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (-1, 0, "left_window must be a whole number from 0"),
        (20, -1, "right_window must be a whole number from 0"),
        (20, 1.5, "right_window must be a whole number from 0"),
        (3, 5, "left_window must not be below right_window, not 3 and 5"),
    ],
)
def test_wrong_windows_are_refused(left: Any, right: Any, message: str) -> None:
    """A window that can never be met would be a strategy that never trades, silently."""
    swings = zigzag([], [], [], [])

    with pytest.raises(ValueError, match=message):
        detect_divergences([], [], 0, left, right)
    with pytest.raises(ValueError, match=message):
        divergences_at(swings, np.empty(0), 0, left, right)
    with pytest.raises(ValueError, match=message):
        divergence_series(swings, np.empty(0), left, right)


def test_no_candles_no_divergences() -> None:
    """A young market."""
    assert detect_divergences([], [], 0, 20, 0) == []


def test_real_market_shows_all_types_and_every_way_agrees() -> None:
    """1,000 recorded hours: enough swings that agreement is not agreement on nothing."""
    column = columns_of(shared_file("indicators/talib_BTCUSDT_1h_2024_first1000.csv"))
    high, low, close = column("high"), column("low"), column("close")
    swings = zigzag(high, low, close, column("open_time").astype(np.int64), 1.0, 5)
    rsi = series.rsi(close)

    in_force = divergence_series(swings, rsi, 20, 0)

    assert all(in_force[kind].any() for kind in DIVERGENCE_TYPES)
    for t in range(0, close.size, 7):
        expected = detect_divergences(rsi[: t + 1], zigzag_points(swings, t), t + 1, 20, 0)
        assert divergences_at(swings, rsi, t, 20, 0) == expected
        for divergence in expected:
            # It lasts as long as its older point is within the candles that count.
            start = divergence["first"]["index"]
            types = [found["type"] for found in divergences_at(swings, rsi, t, 20, 0, start)]
            later = [found["type"] for found in divergences_at(swings, rsi, t, 20, 0, start + 1)]
            assert divergence["type"] in types
            assert divergence["type"] not in later
    assert all(
        newer["kind"] != older["kind"] and newer["index"] >= older["index"] + 5
        for older, newer in itertools.pairwise(zigzag_points(swings, close.size - 1))
    )

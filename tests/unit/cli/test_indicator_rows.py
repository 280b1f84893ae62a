"""The table of indicators: all nine, and honest about thin history."""

import math

import numpy as np
import pytest

from milobot.cli.indicator_rows import IndicatorRow, indicator_rows
from milobot.domain.market import Candle, CandleSeries
from milobot.indicators import series

HOUR_MS = 3_600_000
START_MS = 1704067200000


def waves(length: int) -> CandleSeries:
    """Return a market that swings widely enough for ZigZag and divergences."""
    closes = [100 + 12 * math.sin(i / 9) + 4 * math.sin(i / 31) for i in range(length)]
    return CandleSeries.from_candles(
        [
            Candle(START_MS + i * HOUR_MS, close, close + 1, close - 1, close, 10.0 + i % 7)
            for i, close in enumerate(closes)
        ]
    )


def by_name(candles: CandleSeries) -> dict[str, IndicatorRow]:
    """Return the rows by the name of their indicator."""
    return {row.indicator: row for row in indicator_rows(candles)}


def test_all_nine_indicators_are_shown() -> None:
    """The classic flag promises all nine."""
    names = " ".join(by_name(waves(400)))

    for name in ("SMA", "EMA", "RSI", "MACD", "ATR", "OBV", "Stochastic", "ZigZag", "Divergences"):
        assert name in names


def test_values_are_those_of_the_indicators() -> None:
    """The table must show what scripts see."""
    candles = waves(700)

    rows = by_name(candles)

    assert rows["RSI"].value == f"{series.rsi(candles.close, 14)[-1]:,.4f}"
    assert rows["SMA"].value == f"{np.mean(candles.close[-20:]):,.4f}"
    assert rows["OBV"].history == "since 2024-01-01 00:00"


@pytest.mark.parametrize(
    ("length", "history"),
    [
        (1, "first value in 14 candles"),
        (14, "first value in 1 candles"),
        (15, "settles in 545 candles"),
        (559, "settles in 1 candles"),
        (560, "settled"),
    ],
)
def test_rsi_says_how_much_history_is_missing(length: int, history: str) -> None:
    """Wilder's average carries its start for 40 periods; a value before that is provisional."""
    row = by_name(waves(length))["RSI"]

    assert row.history == history
    assert (row.value == "-") == history.startswith("first")


def test_zigzag_shows_confirmed_and_open_leg_apart() -> None:
    """An unconfirmed turning point never decides anything and must not look like one that does."""
    rows = by_name(waves(400))

    assert rows["ZigZag"].history.endswith("candles ago")
    assert rows["ZigZag, open leg"].history == "not confirmed"
    assert by_name(waves(3))["ZigZag"] == IndicatorRow(
        "ZigZag", "1 %, 10", "-", "none confirmed yet"
    )


def test_divergence_in_force_is_named() -> None:
    """Somewhere on a waving market a divergence is in force; the row names it then."""
    shown = {by_name(waves(length))["Divergences"].value for length in range(60, 400, 5)}

    assert "none" in shown
    assert len(shown) > 1

"""Against a second, independent library's full-precision values for 502 days of SPY.

It agrees with TA-Lib except where it defines things otherwise: its OBV starts
at zero, its MACD begins each average as early as it can. Those differences are
tested to be exactly that and nothing else.
"""

import csv

import numpy as np
import numpy.typing as npt
import pytest
from tests.golden.indicators.reference_files import Column, columns_of
from tests.support.shared_data import shared_file

from milobot.indicators import series
from milobot.indicators.swings import zigzag, zigzag_points

EXPECTED = "indicators/skender/expected_default_SPY_502d.csv"
QUOTES = "indicators/skender/quotes_default_SPY_502d.csv"


@pytest.fixture
def quotes() -> Column:
    return columns_of(shared_file(QUOTES))


@pytest.fixture
def expected() -> Column:
    return columns_of(shared_file(EXPECTED))


def computed(name: str, quotes: Column) -> npt.NDArray[np.float64]:
    high, low, close = quotes("high"), quotes("low"), quotes("close")
    calculations = {
        "sma20": lambda: series.sma(close, 20),
        "ema20": lambda: series.ema(close, 20),
        "rsi14": lambda: series.rsi(close),
        "atr14": lambda: series.atr(high, low, close),
        "stoch_k_14_3_3": lambda: series.stochastic(high, low, close)[0],
        "stoch_d_14_3_3": lambda: series.stochastic(high, low, close)[1],
    }
    return calculations[name]()


@pytest.mark.parametrize(
    ("column", "first"),
    [
        ("sma20", 19),
        ("ema20", 19),
        ("rsi14", 14),
        ("atr14", 14),
        ("stoch_k_14_3_3", 17),
        ("stoch_d_14_3_3", 17),
    ],
)
def test_agrees_to_nine_decimals(column: str, first: int, quotes: Column, expected: Column) -> None:
    """Two libraries that never saw each other's code give the same numbers."""
    values, reference = computed(column, quotes), expected(column)

    assert np.isnan(values[:first]).all()
    np.testing.assert_allclose(values[first:], reference[first:], rtol=0, atol=1e-9)


def test_obv_differs_by_the_first_volume_only(quotes: Column, expected: Column) -> None:
    """Ours starts from the first volume, theirs from zero: a constant, on every day."""
    volume = quotes("volume")

    difference = series.obv(quotes("close"), volume) - expected("obv")

    np.testing.assert_array_equal(difference, np.full(volume.size, volume[0]))


def test_macd_differs_by_the_start_of_its_fast_average_only(
    quotes: Column, expected: Column
) -> None:
    """The difference fades by the fast average's own factor, 11/13 a day, until nothing is left."""
    line, signal = series.macd(quotes("close"))

    difference = line - expected("macd")
    days = np.arange(line.size - 33)

    faded = difference[33] * (11 / 13) ** days
    assert abs(difference[33]) > 0.01
    np.testing.assert_allclose(difference[33:], faded, rtol=0, atol=1e-9)
    np.testing.assert_allclose(signal[250:], expected("macd_signal")[250:], rtol=0, atol=1e-9)


def test_zigzag_on_closes_finds_the_same_swings(quotes: Column) -> None:
    """With closes as highs and lows and no waiting time the definitions coincide."""
    close = quotes("close")
    with shared_file(EXPECTED).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    reference = [
        (index, float(row["zigzag_close5pct"]), {"H": "high", "L": "low"}[row["zigzag_point"]])
        for index, row in enumerate(rows)
        if row["zigzag_point"]
    ]

    history = zigzag(close, close, close, np.arange(close.size), deviation=5.0, depth=1)
    points = zigzag_points(history, close.size - 1)

    # Theirs does not name the start of the first leg, nor the still open end.
    found = [(point["index"], point["price"], point["kind"]) for point in points]
    assert found[0] == (0, 212.8, "low")
    assert points[-1]["confirmed_index"] is None
    assert found[1:-1] == reference
    assert len(reference) == 10

"""Against values that TA-Lib gave for the first 1,000 hours of BTCUSDT in 2024."""

import numpy as np
import numpy.typing as npt
import pytest
from tests.golden.indicators.reference_files import columns_of, index_of_first_value
from tests.support.shared_data import shared_file

from milobot.indicators import series
from milobot.indicators.warmup import warm_up

FILE = "indicators/talib_BTCUSDT_1h_2024_first1000.csv"


def computed(name: str) -> npt.NDArray[np.float64]:
    column = columns_of(shared_file(FILE))
    high, low, close = column("high"), column("low"), column("close")
    calculations = {
        "sma20": lambda: series.sma(close, 20),
        "ema20": lambda: series.ema(close, 20),
        "rsi14": lambda: series.rsi(close),
        "macd": lambda: series.macd(close)[0],
        "macd_signal": lambda: series.macd(close)[1],
        "atr14": lambda: series.atr(high, low, close),
        "obv": lambda: series.obv(close, column("volume")),
        "stoch_k": lambda: series.stochastic(high, low, close)[0],
        "stoch_d": lambda: series.stochastic(high, low, close)[1],
    }
    return calculations[name]()


@pytest.mark.parametrize(
    ("column", "first"),
    [
        ("sma20", warm_up("sma", [20])),
        ("ema20", warm_up("ema", [20])),
        ("rsi14", warm_up("rsi")),
        ("macd", warm_up("macd")),
        ("macd_signal", warm_up("macd")),
        ("atr14", warm_up("atr")),
        ("obv", warm_up("obv")),
        ("stoch_k", warm_up("stochastic")),
        ("stoch_d", warm_up("stochastic")),
    ],
)
def test_every_recorded_digit_is_met(column: str, first: int) -> None:
    """The file holds ten significant digits; a value off by one in the last would be another."""
    expected = columns_of(shared_file(FILE))(column)

    values = computed(column)

    assert index_of_first_value(expected) == first
    np.testing.assert_array_equal(np.isnan(values), np.isnan(expected))
    rounded = np.array([float(f"{value:.10g}") for value in values])
    np.testing.assert_array_equal(rounded[first:], expected[first:])
    np.testing.assert_allclose(values[first:], expected[first:], rtol=1e-9, atol=1e-9)


def test_macd_histogram_follows_from_line_and_signal() -> None:
    """Line and signal belong to the same candles: a shift of one would show here."""
    expected = columns_of(shared_file(FILE))("macd_hist")

    histogram = computed("macd") - computed("macd_signal")

    np.testing.assert_allclose(histogram[33:], expected[33:], rtol=1e-9, atol=1e-9)

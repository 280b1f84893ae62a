"""What the series do at their edges: short, empty, broken and odd input."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
import talib

from milobot.errors import ConfigurationError
from milobot.indicators import series

Column = npt.NDArray[np.float64]

EVERY: dict[str, Callable[[Column], tuple[Column, ...]]] = {
    "sma": lambda close: (series.sma(close, 3),),
    "ema": lambda close: (series.ema(close, 3),),
    "rsi": lambda close: (series.rsi(close, 3),),
    "macd": lambda close: series.macd(close, 2, 3, 2),
    "atr": lambda close: (series.atr(close + 1, close - 1, close, 3),),
    "obv": lambda close: (series.obv(close, np.ones(close.size)),),
    "stochastic": lambda close: series.stochastic(close + 1, close - 1, close, 2, 2, 2),
}


def climbing(length: int) -> Column:
    return np.arange(length, dtype=np.float64) + 100.0


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("length", [0, 1, 2])
def test_too_short_a_history_gives_no_values_and_no_error(name: str, length: int) -> None:
    """A bot starts on a young market, too; scripts then compare with NaN and do nothing."""
    for column in EVERY[name](climbing(length)):
        assert column.size == length
        assert name == "obv" or np.isnan(column).all()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_gap_ends_a_series(name: str, broken: float) -> None:
    """After a gap a recursive value would be wrong for ever; TA-Lib's RSI would say 0."""
    close = climbing(30)
    close[12] = broken

    before = EVERY[name](climbing(12))
    for column, column_before in zip(EVERY[name](close), before, strict=True):
        np.testing.assert_array_equal(column[:12], column_before)
        assert np.isfinite(column[11])
        assert np.isnan(column[12:]).all()


@pytest.mark.parametrize("name", EVERY)
def test_input_without_any_value_gives_none(name: str) -> None:
    """A series on a series that never started has not started either."""
    for column in EVERY[name](np.full(20, np.nan)):
        assert np.isnan(column).all()
        assert column.size == 20


@pytest.mark.parametrize("name", EVERY)
def test_input_is_left_as_it_was(name: str) -> None:
    """Several indicators share one window of candles."""
    close = climbing(30)
    close.flags.writeable = False

    EVERY[name](close)

    np.testing.assert_array_equal(close, climbing(30))


def test_series_on_a_series_equals_talib_chained() -> None:
    """``calculate_sma(calculate_rsi(data), 3)`` starts where the RSI does."""
    close = np.sin(np.arange(60.0)) + 10

    smoothed = series.sma(series.rsi(close, 14), 3)

    np.testing.assert_array_equal(smoothed, talib.SMA(talib.RSI(close, 14), 3))
    assert int(np.isfinite(smoothed).argmax()) == 16


def test_strided_and_integer_columns_are_taken() -> None:
    """A column of a table of candles is a strided view."""
    table = np.arange(60, dtype=np.int64).reshape(20, 3)

    result = series.sma(table[:, 1], 2)  # type: ignore[arg-type]  # integers on purpose

    np.testing.assert_array_equal(result[1:], np.arange(1, 20) * 3 + 1 - 1.5)


def test_flat_market_has_rsi_zero() -> None:
    """Neither gains nor losses: TA-Lib says 0, not 50 or NaN, and so do we."""
    rsi = series.rsi(np.full(30, 42.0), 14)

    assert rsi[14:].tolist() == [0.0] * 16


def test_rising_market_has_rsi_hundred() -> None:
    """Gains only."""
    assert series.rsi(climbing(30), 14)[14:].tolist() == [100.0] * 16


def test_rsi_does_not_depend_on_the_price_level() -> None:
    """A coin at 1e-8 moves by less than an old TA-Lib took for nothing."""
    close = np.round(np.random.default_rng(7).normal(100, 2, 200), 2)

    small = series.rsi(close * 2.0**-33, 14)

    np.testing.assert_allclose(small[14:], series.rsi(close, 14)[14:], rtol=1e-12)


def test_known_values_by_hand() -> None:
    """Small enough to check on paper."""
    close = np.array([1.0, 2.0, 4.0, 3.0, 3.0])

    assert series.sma(close, 2)[1:].tolist() == [1.5, 3.0, 3.5, 3.0]
    # Seed (1 + 2) / 2, then weight 2/3 on the newest.
    np.testing.assert_allclose(series.ema(close, 2)[1:], [1.5, 19 / 6, 55 / 18, 163 / 54])
    # Seed: mean gain (1 + 2) / 2, loss 0; then one half of the old mean each.
    np.testing.assert_allclose(series.rsi(close, 2)[2:], [100.0, 60.0, 60.0])
    assert series.obv(close, np.array([5.0, 1.0, 2.0, 4.0, 8.0])).tolist() == [5, 6, 8, 4, 4]


def test_true_range_reaches_to_the_close_before() -> None:
    """A candle that gaps away has a larger range than its own."""
    high, low = np.array([10.0, 20.0, 20.0]), np.array([9.0, 19.0, 18.0])
    close = np.array([9.5, 19.5, 19.0])

    assert series.atr(high, low, close, 1)[1:].tolist() == [10.5, 2.0]
    assert series.atr(high, low, close, 2)[2:].tolist() == [6.25]


def test_stochastic_without_smoothing_is_the_place_in_the_range() -> None:
    """Periods of 1 switch the smoothing off."""
    high, low = np.array([4.0, 6.0, 5.0]), np.array([2.0, 3.0, 3.0])
    close = np.array([3.0, 5.0, 4.0])

    k, d = series.stochastic(high, low, close, 2, 1, 1)

    np.testing.assert_allclose(k[1:], [75.0, 100 / 3])
    np.testing.assert_array_equal(k, d)


def test_columns_of_different_length_are_refused() -> None:
    """Columns out of step would pair one candle's high with another's low."""
    with pytest.raises(ValueError, match="of the same length"):
        series.obv(np.ones(3), np.ones(4))


def test_tables_are_refused() -> None:
    """A table is no series."""
    with pytest.raises(ValueError, match="one-dimensional"):
        series.sma(np.ones((3, 3)), 2)


@pytest.fixture
def altered_talib() -> Iterator[None]:
    """Another user of TA-Lib in the same process has changed a setting of the RSI."""
    talib.set_unstable_period("RSI", 5)  # type: ignore[attr-defined]  # missing in its stubs
    yield
    talib.set_unstable_period("RSI", 0)  # type: ignore[attr-defined]  # missing in its stubs


@pytest.mark.usefixtures("altered_talib")
def test_altered_talib_settings_are_refused() -> None:
    """They are global to the process and would shift values without a word."""
    with pytest.raises(ConfigurationError, match="TA-Lib's settings for RSI"):
        series.rsi(climbing(30))

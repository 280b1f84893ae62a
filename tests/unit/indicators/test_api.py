"""The functions for Python users: what they take, what they refuse, what comes out."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from milobot.errors import DataError
from milobot.indicators import api, series

LENGTH = 80


def candles(length: int = LENGTH) -> list[dict[str, float]]:
    """Build candles with swings of a few percent."""
    closes = [100.0 + (index * 7 % 23) * 0.5 for index in range(length)]
    return [
        {
            "time": 3_600_000 * index,
            "open": close,
            "high": close + 1.0,
            "low": close - 1.0,
            "close": close,
            "volume": 5.0 + index % 3,
        }
        for index, close in enumerate(closes)
    ]


def column(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([candle[name] for candle in candles()])


def test_results_equal_the_series_functions() -> None:
    """Candles in, the same numbers out."""
    data, high, low, close = candles(), column("high"), column("low"), column("close")

    same = np.testing.assert_array_equal
    same(api.calculate_sma_sync(data, 5), series.sma(close, 5))
    same(api.calculate_ema_sync(data, 5), series.ema(close, 5))
    same(api.calculate_rsi_sync(data), series.rsi(close, 14))
    same(api.calculate_macd_sync(data), series.macd(close))
    same(api.calculate_atr_sync(data), series.atr(high, low, close))
    same(api.calculate_obv_sync(data), series.obv(close, column("volume")))
    same(api.calculate_stochastic_sync(data), series.stochastic(high, low, close))


async def test_awaitable_twins_give_the_same() -> None:
    """Existing asynchronous code awaits them."""
    data = candles()
    points = api.calculate_zigzag_sync(data, 1.0, 3)
    rsi = api.calculate_rsi_sync(data)

    same = np.testing.assert_array_equal
    same(await api.calculate_sma(data, 5), api.calculate_sma_sync(data, 5))
    same(await api.calculate_ema(data, 5), api.calculate_ema_sync(data, 5))
    same(await api.calculate_rsi(data, 9), api.calculate_rsi_sync(data, 9))
    same(await api.calculate_macd(data, 5, 9, 4), api.calculate_macd_sync(data, 5, 9, 4))
    same(await api.calculate_atr(data, 7), api.calculate_atr_sync(data, 7))
    same(await api.calculate_obv(data), api.calculate_obv_sync(data))
    same(
        await api.calculate_stochastic(data, 5, 2, 2), api.calculate_stochastic_sync(data, 5, 2, 2)
    )
    assert await api.calculate_zigzag(data, 1.0, 3) == points
    assert await api.detect_divergences(rsi, points, data, 20, 0) == api.detect_divergences_sync(
        rsi, points, data, 20, 0
    )


def test_zigzag_and_divergences_work_together() -> None:
    """As in the first sample script."""
    data = candles()

    points = api.calculate_zigzag_sync(data, 1.0, 3)
    found = api.detect_divergences_sync(api.calculate_rsi_sync(data), points, data, 80, 0)

    assert len(points) > 4
    assert points[0]["time"] == data[points[0]["index"]]["time"]
    assert [point["confirmed_index"] for point in points][-1] is None
    assert {divergence["type"] for divergence in found} <= {
        "bullish",
        "hidden_bullish",
        "bearish",
        "hidden_bearish",
    }


def test_no_candles_give_empty_results() -> None:
    """Nothing is no error."""
    assert api.calculate_sma_sync([], 5).size == 0
    assert api.calculate_atr_sync([]).size == 0
    assert api.calculate_zigzag_sync([]) == []
    assert api.detect_divergences_sync([], [], [], 20, 0) == []


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 2.0, 4],
        (1.0, 2.0, 4.0),
        np.array([1, 2, 4]),
        np.array([1, 2, 4], dtype=np.float32),
        [Decimal(1), np.float64(2), np.int64(4)],
    ],
)
def test_any_row_of_numbers_serves(numbers: Any) -> None:
    """A series on a series, a tuple, exact decimals."""
    assert api.calculate_sma_sync(numbers, 2)[1:].tolist() == [1.5, 3.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("1h", "data must be a list of candles or of numbers, not str"),
        (None, "not NoneType"),
        ({"close": [1.0]}, "not dict"),
        ([1.0, None], r"data\[1\] must be a number, not None"),
        ([1.0, "2.0"], r"data\[1\] must be a number, not '2.0'"),
        ([1.0, True], r"data\[1\] must be a number, not True"),
        ([{"close": 1.0}, {"open": 1.0}], r"data\[1\] must be a candle with 'close'"),
        ([{"close": 1.0}, 2.0], r"data\[1\] must be a candle with 'close'"),
        ([{"close": "1.0"}], r"data\[0\]\['close'\] must be a number, not '1.0'"),
        (np.ones((2, 2)), r"one row of numbers, not float64 of shape \(2, 2\)"),
        (np.array(["1"]), "one row of numbers, not <U1"),
    ],
)
def test_wrong_data_is_named_with_its_place(data: Any, message: str) -> None:
    """An error from deep inside NumPy helps nobody."""
    with pytest.raises(DataError, match=f"^calculate_rsi: .*{message}"):
        api.calculate_rsi_sync(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1.0, 2.0], r"data\[0\] must be a candle with 'high'"),
        (np.ones(3), "data must be a list of candles with 'high', not ndarray"),
        ("1h", "not str"),
        ([{"high": 2.0, "close": 1.0}], r"data\[0\] must be a candle with 'low'"),
    ],
)
def test_indicators_of_candles_refuse_bare_numbers(data: Any, message: str) -> None:
    """An ATR needs highs and lows."""
    with pytest.raises(DataError, match=f"^calculate_atr: .*{message}"):
        api.calculate_atr_sync(data)


@pytest.mark.parametrize("time", [1.5, "0", None, True])
def test_times_are_whole_milliseconds(time: Any) -> None:
    """Points carry the time on; half a millisecond is a sign of a wrong unit."""
    data: list[dict[str, Any]] = [{**candles(1)[0], "time": time}]

    with pytest.raises(DataError, match=r"data\[0\]\['time'\] must be whole milliseconds"):
        api.calculate_zigzag_sync(data)

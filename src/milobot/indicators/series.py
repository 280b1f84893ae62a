"""Indicators over whole series, equal to TA-Lib.

Every function takes one-dimensional float64 arrays and returns arrays of the
same length. All of them are causal: the value at a candle depends on nothing
after it, so computing a prefix gives the same bits as cutting the result.

Where values are missing:

- Inputs may begin with NaN (a series computed on a series); the calculation
  starts at the first candle at which every input is finite.
- Before its first value a result is NaN; an input shorter than the period
  gives nothing but NaN, an empty one an empty result.
- From the first gap on (NaN or infinity after the start) a result is NaN to its
  end. The recursive indicators cannot know what they missed, and a comparison
  with NaN is false, so a broken history never triggers a trade.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import talib

from milobot.errors import ConfigurationError
from milobot.indicators.arguments import macd_periods, stochastic_periods, whole_number

Series = npt.NDArray[np.float64]
"""One float64 value per candle, oldest first."""
ATR_PERIOD = 14
"""Of the average true range that distances such as ``2atr`` are measured in."""


def sma(values: Series, period: int) -> Series:
    """Return the simple moving average, the mean of the last ``period`` values (2 to 100000)."""
    period = whole_number("calculate_sma", "period", period, lowest=2)
    return _over_finite_run(lambda run: (talib.SMA(run, period),), values)[0]


def ema(values: Series, period: int) -> Series:
    """Return the exponential moving average, weight ``2 / (period + 1)`` (period 2 to 100000).

    Its first value is the mean of the first ``period`` values, as in TA-Lib.
    """
    period = whole_number("calculate_ema", "period", period, lowest=2)
    _require_plain_talib("EMA")
    return _over_finite_run(lambda run: (talib.EMA(run, period),), values)[0]


def rsi(values: Series, period: int = 14) -> Series:
    """Return Wilder's relative strength index, 0 to 100 (period 2 to 100000).

    A market that never moved has neither gains nor losses; its value is 0, as in TA-Lib.
    """
    period = whole_number("calculate_rsi", "period", period, lowest=2)
    _require_plain_talib("RSI")
    return _over_finite_run(lambda run: (talib.RSI(run, period),), values)[0]


def macd(values: Series, fast: int = 12, slow: int = 26, signal: int = 9) -> tuple[Series, Series]:
    """Return the MACD line (fast EMA less slow EMA) and its signal line (EMA of the line).

    Both begin at the same candle, where the signal line has its first value.
    Both EMAs begin at the candle where the slow one can, as in TA-Lib. ``fast``
    and ``slow`` go from 2 to 100000, ``signal`` from 1.

    Raises:
        ValueError: A period is out of range, or ``fast`` is not below ``slow``
            (TA-Lib would silently swap them).
    """
    fast, slow, signal = macd_periods(fast, slow, signal)
    _require_plain_talib("EMA")
    line, smoothed = _over_finite_run(lambda run: talib.MACD(run, fast, slow, signal)[:2], values)
    return line, smoothed


def atr(high: Series, low: Series, close: Series, period: int = 14) -> Series:
    """Return Wilder's average true range, in price units (period 1 to 100000).

    The first candle has no close before it and so no true range.
    """
    period = whole_number("calculate_atr", "period", period, lowest=1)
    _require_plain_talib("ATR")
    return _over_finite_run(
        lambda highs, lows, closes: (talib.ATR(highs, lows, closes, period),), high, low, close
    )[0]


def obv(close: Series, volume: Series) -> Series:
    """Return the on-balance volume, starting from the first candle's volume.

    Its level depends on where the series begins; its changes do not.
    """
    return _over_finite_run(lambda c, v: (talib.OBV(c, v),), close, volume)[0]


def stochastic(
    high: Series,
    low: Series,
    close: Series,
    k_period: int = 14,
    k_smooth: int = 3,
    d_period: int = 3,
) -> tuple[Series, Series]:
    """Return the slow stochastic oscillator (%K, %D), 0 to 100, periods from 1 to 100000.

    %K is the SMA over ``k_smooth`` candles of the close's place within the
    range of the last ``k_period`` candles, %D the SMA of %K over ``d_period``.
    Both begin at the same candle. A range of zero counts as place 0, as in TA-Lib.
    """
    k_period, k_smooth, d_period = stochastic_periods(k_period, k_smooth, d_period)

    def slow_stochastic(highs: Series, lows: Series, closes: Series) -> tuple[Series, ...]:
        average = talib.MA_Type.SMA  # type: ignore[attr-defined]  # missing in its stubs
        return talib.STOCH(highs, lows, closes, k_period, k_smooth, average, d_period, average)

    k, d = _over_finite_run(slow_stochastic, high, low, close)
    return k, d


def _over_finite_run(
    calculate: Callable[..., tuple[Series, ...]], *inputs: Series
) -> tuple[Series, ...]:
    """Calculate on the first stretch where all inputs are finite; NaN before and after it."""
    columns = [np.ascontiguousarray(values, dtype=np.float64) for values in inputs]
    length = columns[0].size
    if any(column.shape != (length,) for column in columns):
        raise ValueError("an indicator's inputs must be one-dimensional and of the same length")
    begin, end = _finite_run(columns)
    results = calculate(*(column[begin:end] for column in columns))
    if (begin, end) == (0, length):
        return results
    return tuple(_placed(result, begin, length) for result in results)


def _finite_run(columns: list[Series]) -> tuple[int, int]:
    """Return where all columns are finite for the first time, and where that ends."""
    finite = np.isfinite(columns[0])
    for column in columns[1:]:
        finite &= np.isfinite(column)
    if finite.all():
        return 0, finite.size
    begin = int(finite.argmax())
    if not finite[begin]:
        return 0, 0
    broken = ~finite[begin:]
    end = begin + int(broken.argmax()) if broken.any() else finite.size
    return begin, end


def _placed(result: Series, begin: int, length: int) -> Series:
    whole = np.full(length, np.nan)
    whole[begin : begin + result.size] = result
    return whole


def _require_plain_talib(function: str) -> None:
    """Refuse TA-Lib's process-wide settings that would silently change every value."""
    unstable = talib.get_unstable_period(function)  # type: ignore[attr-defined]  # missing in its stubs
    compatibility = talib.get_compatibility()  # type: ignore[attr-defined]  # missing in its stubs
    if unstable or compatibility:
        raise ConfigurationError(
            f"TA-Lib's settings for {function} were changed in this process: set its unstable "
            "period and its compatibility back to 0 before calculating indicators"
        )

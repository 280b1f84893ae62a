"""The indicators for Python users of the package, under the names that scripts know.

``data`` is a list of candle dicts ``{'time', 'open', 'high', 'low', 'close',
'volume'}``, oldest first; where one series suffices (SMA, EMA, RSI, MACD) any
list or array of numbers does, too. Results are NumPy arrays as long as
``data``, NaN where there is no value yet, or lists of dicts.

Each function comes twice: ``calculate_rsi_sync`` to call and ``calculate_rsi``
to await. The awaitable one calculates at once, in the caller's thread: handing
5,000 candles to another thread costs more than the 20 microseconds of work.

Every function raises ``DataError`` when ``data`` has the wrong shape, saying
what and where, and ``ValueError`` when a period is out of range.
"""

from collections.abc import Sequence

from milobot.indicators import divergences, series, swings
from milobot.indicators.arguments import Numbers
from milobot.indicators.columns import (
    Candles,
    candle_column,
    candle_times,
    closes_or_numbers,
)
from milobot.indicators.divergences import Divergence
from milobot.indicators.series import Series
from milobot.indicators.swings import SwingPoint


def calculate_sma_sync(data: Candles | Numbers, period: int) -> Series:
    """Return the simple moving average; see :func:`milobot.indicators.series.sma`.

    >>> calculate_sma_sync([1.0, 2.0, 4.0], 2).tolist()
    [nan, 1.5, 3.0]
    """
    return series.sma(closes_or_numbers("calculate_sma", data), period)


async def calculate_sma(data: Candles | Numbers, period: int) -> Series:
    """Return what :func:`calculate_sma_sync` returns."""
    return calculate_sma_sync(data, period)


def calculate_ema_sync(data: Candles | Numbers, period: int) -> Series:
    """Return the exponential moving average; see :func:`milobot.indicators.series.ema`."""
    return series.ema(closes_or_numbers("calculate_ema", data), period)


async def calculate_ema(data: Candles | Numbers, period: int) -> Series:
    """Return what :func:`calculate_ema_sync` returns."""
    return calculate_ema_sync(data, period)


def calculate_rsi_sync(data: Candles | Numbers, period: int = 14) -> Series:
    """Return Wilder's RSI; see :func:`milobot.indicators.series.rsi`."""
    return series.rsi(closes_or_numbers("calculate_rsi", data), period)


async def calculate_rsi(data: Candles | Numbers, period: int = 14) -> Series:
    """Return what :func:`calculate_rsi_sync` returns."""
    return calculate_rsi_sync(data, period)


def calculate_macd_sync(
    data: Candles | Numbers, fast: int = 12, slow: int = 26, signal: int = 9
) -> tuple[Series, Series]:
    """Return MACD line and signal line; see :func:`milobot.indicators.series.macd`."""
    return series.macd(closes_or_numbers("calculate_macd", data), fast, slow, signal)


async def calculate_macd(
    data: Candles | Numbers, fast: int = 12, slow: int = 26, signal: int = 9
) -> tuple[Series, Series]:
    """Return what :func:`calculate_macd_sync` returns."""
    return calculate_macd_sync(data, fast, slow, signal)


def calculate_atr_sync(data: Candles, period: int = 14) -> Series:
    """Return Wilder's average true range; see :func:`milobot.indicators.series.atr`."""
    return series.atr(*_high_low_close("calculate_atr", data), period)


async def calculate_atr(data: Candles, period: int = 14) -> Series:
    """Return what :func:`calculate_atr_sync` returns."""
    return calculate_atr_sync(data, period)


def calculate_obv_sync(data: Candles) -> Series:
    """Return the on-balance volume; see :func:`milobot.indicators.series.obv`."""
    close = candle_column("calculate_obv", data, "close")
    return series.obv(close, candle_column("calculate_obv", data, "volume"))


async def calculate_obv(data: Candles) -> Series:
    """Return what :func:`calculate_obv_sync` returns."""
    return calculate_obv_sync(data)


def calculate_stochastic_sync(
    data: Candles, k_period: int = 14, k_smooth: int = 3, d_period: int = 3
) -> tuple[Series, Series]:
    """Return slow %K and %D; see :func:`milobot.indicators.series.stochastic`."""
    columns = _high_low_close("calculate_stochastic", data)
    return series.stochastic(*columns, k_period, k_smooth, d_period)


async def calculate_stochastic(
    data: Candles, k_period: int = 14, k_smooth: int = 3, d_period: int = 3
) -> tuple[Series, Series]:
    """Return what :func:`calculate_stochastic_sync` returns."""
    return calculate_stochastic_sync(data, k_period, k_smooth, d_period)


def calculate_zigzag_sync(
    data: Candles, deviation: float = 1.0, depth: int = 10
) -> list[SwingPoint]:
    """Return the swing points known at the last candle.

    See :func:`milobot.indicators.swings.zigzag_points` for what they hold and
    :mod:`milobot.indicators.zigzag` for when there is one.
    """
    columns = _high_low_close("calculate_zigzag", data)
    times = candle_times("calculate_zigzag", data)
    history = swings.zigzag(*columns, times, deviation, depth)
    return swings.zigzag_points(history, len(history) - 1) if len(history) else []


async def calculate_zigzag(
    data: Candles, deviation: float = 1.0, depth: int = 10
) -> list[SwingPoint]:
    """Return what :func:`calculate_zigzag_sync` returns."""
    return calculate_zigzag_sync(data, deviation, depth)


def detect_divergences_sync(
    rsi: Numbers,
    zigzag_points: Sequence[SwingPoint],
    data: Candles,
    left_window: int,
    right_window: int,
) -> list[Divergence]:
    """Return the divergences in force at the last candle of ``data``.

    See :func:`milobot.indicators.divergences.detect_divergences`.
    """
    return divergences.detect_divergences(rsi, zigzag_points, len(data), left_window, right_window)


async def detect_divergences(
    rsi: Numbers,
    zigzag_points: Sequence[SwingPoint],
    data: Candles,
    left_window: int,
    right_window: int,
) -> list[Divergence]:
    """Return what :func:`detect_divergences_sync` returns."""
    return detect_divergences_sync(rsi, zigzag_points, data, left_window, right_window)


def _high_low_close(function: str, data: Candles) -> tuple[Series, Series, Series]:
    return (
        candle_column(function, data, "high"),
        candle_column(function, data, "low"),
        candle_column(function, data, "close"),
    )

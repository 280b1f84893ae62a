"""The last value of every indicator, with how far its history can be trusted."""

from collections.abc import Sequence
from typing import NamedTuple

from milobot.domain.market import CandleSeries
from milobot.domain.times import format_time
from milobot.indicators import series
from milobot.indicators.divergences import divergences_at
from milobot.indicators.swings import SwingHistory, SwingPoint, zigzag, zigzag_points
from milobot.indicators.warmup import stable_after, warm_up

_AVERAGE_PERIOD = 20
_RSI_PERIOD = 14
_MACD_PERIODS = (12, 26, 9)
_ATR_PERIOD = 14
_STOCHASTIC_PERIODS = (14, 3, 3)
_LEFT_WINDOW, _RIGHT_WINDOW = 20, 0


class IndicatorRow(NamedTuple):
    """One line of the table.

    Attributes:
        value: At the last candle; ``-`` where there is none yet.
        history: Whether more candles would change it.
    """

    indicator: str
    periods: str
    value: str
    history: str


def indicator_rows(candles: CandleSeries) -> list[IndicatorRow]:
    """Return all nine indicators at the last of ``candles``, of which there is at least one."""
    swings = zigzag(candles.high, candles.low, candles.close, candles.time)
    return [
        *_series_rows(candles),
        *_zigzag_rows(candles, swings),
        _divergence_row(candles, swings),
    ]


def _series_rows(candles: CandleSeries) -> list[IndicatorRow]:
    high, low, close = candles.high, candles.low, candles.close
    line, signal = series.macd(close, *_MACD_PERIODS)
    k, d = series.stochastic(high, low, close, *_STOCHASTIC_PERIODS)
    table = (
        ("SMA", "sma", (_AVERAGE_PERIOD,), series.sma(close, _AVERAGE_PERIOD)),
        ("EMA", "ema", (_AVERAGE_PERIOD,), series.ema(close, _AVERAGE_PERIOD)),
        ("RSI", "rsi", (_RSI_PERIOD,), series.rsi(close, _RSI_PERIOD)),
        ("MACD line", "macd", _MACD_PERIODS, line),
        ("MACD signal", "macd", _MACD_PERIODS, signal),
        ("ATR", "atr", (_ATR_PERIOD,), series.atr(high, low, close, _ATR_PERIOD)),
        ("Stochastic %K", "stochastic", _STOCHASTIC_PERIODS, k),
        ("Stochastic %D", "stochastic", _STOCHASTIC_PERIODS, d),
    )
    rows = [
        IndicatorRow(
            label,
            ", ".join(map(str, periods)),
            _number(float(values[-1])),
            _history(name, periods, len(candles)),
        )
        for label, name, periods, values in table
    ]
    volume = float(series.obv(close, candles.volume)[-1])
    origin = f"since {format_time(int(candles.time[0]))}"
    rows.insert(6, IndicatorRow("OBV", "", _number(volume), origin))
    return rows


def _history(name: str, periods: Sequence[int], length: int) -> str:
    """Say how many candles are missing, until the first value or until values have settled."""
    first, settled = warm_up(name, periods) + 1, stable_after(name, periods)
    if length < first:
        return f"first value in {first - length} candles"
    if length < settled:
        return f"settles in {settled - length} candles"
    return "settled"


def _zigzag_rows(candles: CandleSeries, swings: SwingHistory) -> list[IndicatorRow]:
    last = len(candles) - 1
    points = zigzag_points(swings, last)
    confirmed = [point for point in points if point["confirmed_index"] is not None]
    shown = f"{swings.deviation:g} %, {swings.depth}"
    rows = []
    if confirmed:
        ago = last - (confirmed[-1]["confirmed_index"] or 0)
        history = f"{len(confirmed)} points, {ago} candles ago"
        rows.append(IndicatorRow("ZigZag", shown, _point(confirmed[-1]), history))
    else:
        rows.append(IndicatorRow("ZigZag", shown, "-", "none confirmed yet"))
    rows.append(IndicatorRow("ZigZag, open leg", shown, _point(points[-1]), "not confirmed"))
    return rows


def _divergence_row(candles: CandleSeries, swings: SwingHistory) -> IndicatorRow:
    last = len(candles) - 1
    rsi = series.rsi(candles.close, _RSI_PERIOD)
    found = divergences_at(swings, rsi, last, _LEFT_WINDOW, _RIGHT_WINDOW)
    return IndicatorRow(
        "Divergences",
        f"{_RSI_PERIOD}, {_LEFT_WINDOW}, {_RIGHT_WINDOW}",
        ", ".join(divergence["type"] for divergence in found) or "none",
        "in force now",
    )


def _point(point: SwingPoint) -> str:
    return f"{point['kind']} {point['price']:,}, {format_time(point['time'])}"


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124 - the test for NaN: no value yet
        return "-"
    return f"{value:,.4f}" if abs(value) >= 1 else f"{value:.8g}"

"""Figures of the last day that tickers show."""

from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.money import ZERO, decimal_from_float
from milobot.domain.timeframes import DAY_MS
from milobot.local_exchange.core.market import Tape


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Open, high, low and volume of the last 24 hours of candles."""

    open: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal


def day_figures(tape: Tape) -> DayFigures:
    """Return the figures of the last 24 hours, as far as there are candles."""
    count = max(1, DAY_MS // tape.timeframe.milliseconds)
    candles = tape.select(tape.timeframe, None, None, count)
    if not len(candles):
        return DayFigures(tape.last_price, tape.last_price, tape.last_price, ZERO)
    return DayFigures(
        decimal_from_float(float(candles.open[0])),
        decimal_from_float(float(candles.high.max())),
        decimal_from_float(float(candles.low.min())),
        decimal_from_float(round(float(candles.volume.sum()), 8)),
    )

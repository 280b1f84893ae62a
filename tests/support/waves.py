"""Candles and the head of a script, for tests that care for neither."""

import numpy as np

from milobot.domain.market import CandleSeries

HEAD = 'timeframe = "1h"\ncoin = "BTCUSDT"\naction_if_true = "long(1%risk@10x,sl=2%,rr=3)"\n'
HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000


def wave(stop: int, start: int = 0) -> CandleSeries:
    """Return hourly candles ``start`` up to, not including, ``stop`` of one endless wave."""
    numbers = np.arange(stop)
    close = 100 + 10 * np.sin(numbers / 17) + 5 * np.sin(numbers / 5)
    opened = np.concatenate([[100.0], close[:-1]])[:stop]
    series = CandleSeries(
        START_MS + HOUR_MS * numbers,
        opened,
        np.maximum(opened, close) + 1,
        np.minimum(opened, close) - 1,
        close,
        (100 + numbers % 7).astype(np.float64),
    )
    return series.part(start, stop)

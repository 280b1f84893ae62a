"""A made-up market for demos and tests: the same candles on every machine.

Everything up to the last line is integer arithmetic on the raw 64-bit output of PCG64, whose
stream numpy guarantees; no function of the C library takes part. Only then are the integers
divided by 10 or 1,000, a division that IEEE 754 rounds the same way everywhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import MINUTE_MS
from milobot.errors import ConfigurationError

DEFAULT_SEED = 25
DEFAULT_START_MS = 1_704_067_200_000  # 2024-01-01 00:00 UTC
DEFAULT_MINUTES = 30 * 1440

TICKS_PER_UNIT = 10
_FIRST_PRICE = 42_000 * TICKS_PER_UNIT
_VOLUME_UNITS = 1000
_MILLION = 1_000_000

# Moves are in millionths of the price per minute; 450 is a usual minute of Bitcoin.
_USUAL_VARIANCE = 450**2
_LEAST_VARIANCE = _USUAL_VARIANCE // 9
_MOST_VARIANCE = _USUAL_VARIANCE * 36
_LARGEST_MOVE = 30_000
_SHOCK_DEVIATION = 75_674  # of twice the sum of four centred 16-bit numbers


@dataclass(frozen=True, slots=True)
class _Wave:
    """Trends that follow each other: how long they last and how steep they can be."""

    shortest: int
    longest: int
    steepest: int


_SWINGS = _Wave(shortest=60, longest=600, steepest=70)
_TIDES = _Wave(shortest=1440, longest=8640, steepest=18)


@dataclass(slots=True)
class _Trend:
    """The running trend of a wave; ``drift`` is in millionths per minute."""

    wave: _Wave
    drift: int = 0
    minutes_left: int = 0

    def step(self, bits: int, price: int) -> int:
        """Return the drift of this minute; ``bits`` decide about the next trend when one begins."""
        if not self.minutes_left:
            wave = self.wave
            self.minutes_left = wave.shortest + bits % (wave.longest - wave.shortest)
            steepness = wave.steepest // 3 + (bits >> 16) % wave.steepest
            rises = self.drift < 0 if (bits >> 28) & 3 else self.drift >= 0
            if price > 2 * _FIRST_PRICE or 2 * price < _FIRST_PRICE:
                rises = price < _FIRST_PRICE  # a market that has run away comes back
            self.drift = steepness if rises else -steepness
        self.minutes_left -= 1
        return self.drift


def generate_candles(
    symbol: str = "BTCUSDT",
    *,
    minutes: int = DEFAULT_MINUTES,
    seed: int = DEFAULT_SEED,
    start_ms: int = DEFAULT_START_MS,
) -> CandleSeries:
    """Return ``minutes`` one-minute candles that look like a market and are none.

    Volatility comes in clusters (GARCH(1,1), Bollerslev 1986), short swings ride on longer
    trends, so that simple strategies trade. Prices lie on a tick of 0.1 and begin at 42,000,
    volumes on 0.001. More minutes with the same other arguments begin with the same candles.

    Args:
        symbol: Another symbol gives another market.
        minutes: Number of candles.
        seed: Another seed gives another market.
        start_ms: Open time of the first candle, UTC milliseconds, on a full minute.

    Raises:
        ConfigurationError: A number is negative, or the start is not on a full minute.
    """
    if minutes < 0 or seed < 0 or start_ms < 0 or start_ms % MINUTE_MS:
        raise ConfigurationError(
            f"a generated market needs minutes >= 0, a seed >= 0 and a start on a full minute, "
            f"not minutes={minutes}, seed={seed}, start={start_ms}"
        )
    bits = np.random.PCG64([seed, *symbol.encode()]).random_raw(3 * minutes)
    rows = _walk(bits.reshape(minutes, 3).tolist())
    columns = np.array(rows, dtype=np.int64).reshape(minutes, 5).T
    open_, high, low, close = columns[:4] / TICKS_PER_UNIT
    times = start_ms + MINUTE_MS * np.arange(minutes, dtype=np.int64)
    return CandleSeries(times, open_, high, low, close, columns[4] / _VOLUME_UNITS)


def _walk(bits: Sequence[Sequence[int]]) -> list[tuple[int, int, int, int, int]]:
    """Return open, high, low, close in ticks and volume in thousandths for each row of bits."""
    swing, tide = _Trend(_SWINGS), _Trend(_TIDES)
    close, variance = _FIRST_PRICE, _USUAL_VARIANCE
    rows = []
    for shock, shape, turn in bits:
        deviation = math.isqrt(variance)
        noise = deviation * _centred(shock) // _SHOCK_DEVIATION
        drift = swing.step(turn & 0xFFFFFFFF, close) + tide.step(turn >> 32, close)
        move = max(-_LARGEST_MOVE, min(_LARGEST_MOVE, drift + noise))
        open_ = close + shape % 3 - 1
        close += (close * move + _MILLION // 2) // _MILLION
        above, below = (close * deviation * _wick(part) // _MILLION >> 16 for part in _parts(shape))
        # Busy minutes are the volatile ones.
        volume = (4_000 + (shape >> 40)) * (deviation + abs(move)) // 1_000
        rows.append((open_, max(open_, close) + above, min(open_, close) - below, close, volume))
        variance = (2 * _USUAL_VARIANCE + 8 * noise * noise + 90 * variance) // 100
        variance = max(_LEAST_VARIANCE, min(_MOST_VARIANCE, variance))
    return rows


def _centred(bits: int) -> int:
    """Return a number around 0 that is close to normal: the sum of four uniform ones."""
    total = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
    return 2 * total - 4 * 0xFFFF


def _parts(bits: int) -> tuple[int, int]:
    return bits >> 4 & 0xFFFF, bits >> 20 & 0xFFFF


def _wick(part: int) -> int:
    return part * part >> 16  # mostly short, now and then long

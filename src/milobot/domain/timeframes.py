"""Timeframes: the period a candle covers, on the exchange's UTC grid."""

from datetime import UTC, datetime
from enum import StrEnum

from milobot.errors import DataError

MINUTE_MS = 60_000
DAY_MS = 86_400_000
# The epoch was a Thursday; the exchanges' weeks begin on Monday, 1970-01-05.
_FIRST_MONDAY_MS = 4 * DAY_MS


class Timeframe(StrEnum):
    """The fifteen timeframes that both exchanges know."""

    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H4 = "4h"
    H6 = "6h"
    H8 = "8h"
    H12 = "12h"
    D1 = "1d"
    D3 = "3d"
    W1 = "1w"
    MONTH = "1M"

    @property
    def milliseconds(self) -> int:
        """Length in milliseconds; for ``1M`` the shortest month, 28 days, as a lower bound."""
        return _LENGTH_MS[self]

    @property
    def is_calendar(self) -> bool:
        """Whether the length varies, so that only ``next_open`` is exact."""
        return self is Timeframe.MONTH

    def open_of(self, time_ms: int) -> int:
        """Return the open time of the candle that holds ``time_ms`` (UTC milliseconds)."""
        if self is Timeframe.MONTH:
            moment = datetime.fromtimestamp(time_ms / 1000, UTC)
            return _month_start_ms(moment.year, moment.month)
        origin = _FIRST_MONDAY_MS if self is Timeframe.W1 else 0
        return time_ms - (time_ms - origin) % self.milliseconds

    def next_open(self, open_time_ms: int) -> int:
        """Return the open time of the candle after the one that opens at ``open_time_ms``."""
        if self is Timeframe.MONTH:
            moment = datetime.fromtimestamp(open_time_ms / 1000, UTC)
            months = moment.year * 12 + moment.month  # month is 1-based, so this is the next one
            return _month_start_ms(months // 12, months % 12 + 1)
        return open_time_ms + self.milliseconds

    def is_multiple_of(self, finer: "Timeframe") -> bool:
        """Return whether candles of ``finer`` add up to candles of this timeframe exactly."""
        if self is finer:
            return True
        if finer in {Timeframe.MONTH, Timeframe.W1, Timeframe.D3}:
            return False
        if self is Timeframe.MONTH:
            return True
        return self.milliseconds > finer.milliseconds and (
            self.milliseconds % finer.milliseconds == 0
        )


def parse_timeframe(text: str) -> Timeframe:
    """Return the timeframe written as ``text``.

    Raises:
        DataError: The text names none; the message lists those that exist.
    """
    try:
        return Timeframe(text)
    except ValueError:
        known = " ".join(Timeframe)
        raise DataError(f"unknown timeframe {text[:20]!r}: use one of {known}") from None


def _month_start_ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000


_LENGTH_MS = {
    Timeframe.M1: MINUTE_MS,
    Timeframe.M3: 3 * MINUTE_MS,
    Timeframe.M5: 5 * MINUTE_MS,
    Timeframe.M15: 15 * MINUTE_MS,
    Timeframe.M30: 30 * MINUTE_MS,
    Timeframe.H1: 60 * MINUTE_MS,
    Timeframe.H2: 120 * MINUTE_MS,
    Timeframe.H4: 240 * MINUTE_MS,
    Timeframe.H6: 360 * MINUTE_MS,
    Timeframe.H8: 480 * MINUTE_MS,
    Timeframe.H12: 720 * MINUTE_MS,
    Timeframe.D1: DAY_MS,
    Timeframe.D3: 3 * DAY_MS,
    Timeframe.W1: 7 * DAY_MS,
    Timeframe.MONTH: 28 * DAY_MS,
}

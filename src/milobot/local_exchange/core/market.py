"""Candles as a running market: history, one candle in the making, prices, funding."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np

from milobot.domain.market import Candle, CandleSeries, Floats, Times
from milobot.domain.money import ZERO, decimal_from_float
from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError, DataError
from milobot.marketdata.resample import resample

FUNDING_INTERVAL_MS = 8 * 3_600_000


class Step(StrEnum):
    """The two parts in which a candle is played."""

    OPEN = "open"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class FundingRates:
    """Funding rates by time, or one rate every eight hours.

    Attributes:
        constant: Used where ``time`` is empty.
    """

    time: Times
    rate: Floats
    constant: Decimal = ZERO

    @classmethod
    def fixed(cls, rate: Decimal) -> "FundingRates":
        """Return one rate for every eight hours of the UTC day."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0), rate)

    def between(self, after_ms: int, until_ms: int) -> list[tuple[int, Decimal]]:
        """Return (time, rate) of every funding in (after_ms, until_ms]."""
        if len(self.time):
            first, stop = np.searchsorted(self.time, [after_ms, until_ms], side="right")
            return [
                (int(self.time[i]), decimal_from_float(float(self.rate[i])))
                for i in range(int(first), int(stop))
            ]
        if not self.constant:
            return []
        step = FUNDING_INTERVAL_MS
        return [
            (t, self.constant) for t in range((after_ms // step + 1) * step, until_ms + 1, step)
        ]

    def last(self, time_ms: int) -> Decimal:
        """Return the rate that is shown at a time."""
        if not len(self.time):
            return self.constant
        index = int(np.searchsorted(self.time, time_ms, side="right")) - 1
        return decimal_from_float(float(self.rate[max(0, index)]))


class Tape:
    """One symbol: its candles so far and the one in the making.

    Attributes:
        symbol: Such as BTCUSDT.
        last_price: Price of the latest trade; mark and index price are the same here.
        forming: The candle in the making; None before the first one opens.
        book: Best bid and ask as they were told from outside; None where the spread makes them.
    """

    def __init__(
        self,
        symbol: str,
        candles: CandleSeries,
        timeframe: Timeframe,
        *,
        history: int,
        funding: FundingRates,
    ) -> None:
        """Stand at the end of the history.

        Raises:
            ConfigurationError: There is no candle left to play after the history.
        """
        if not 0 <= history < len(candles):
            raise ConfigurationError(
                f"{symbol}: {len(candles)} candles leave none to play after a history of"
                f" {history}: use a shorter history or more candles"
            )
        self.symbol = symbol
        self.timeframe = timeframe
        self.funding = funding
        self.forming: Candle | None = None
        self.book: tuple[Decimal, Decimal] | None = None
        self._candles = candles
        self._closed = history
        first = candles[history - 1].close if history else candles[0].open
        self.last_price = decimal_from_float(first)

    @property
    def closed(self) -> CandleSeries:
        """Return the candles that have closed."""
        return self._candles.part(0, self._closed)

    @property
    def next_open_ms(self) -> int:
        """Return when the candle that is not yet open opens; 0 when the data have ended."""
        index = self._closed + (self.forming is not None)
        return int(self._candles.time[index]) if index < len(self._candles) else 0

    @property
    def edge_ms(self) -> int:
        """Return the end of the last closed candle, or the first open when none has closed."""
        if not self._closed:
            return int(self._candles.time[0])
        return self.timeframe.next_open(int(self._candles.time[self._closed - 1]))

    def open_next(self) -> Candle | None:
        """Close the candle in the making, open the next at its price; return the closed one."""
        closed = self.forming
        if closed is not None:
            self._closed += 1
        following = self._candles[self._closed]
        self.forming = Candle(
            following.time, following.open, following.open, following.open, following.open, 0.0
        )
        self.last_price = decimal_from_float(following.open)
        return closed

    def play_rest(self) -> Candle:
        """Complete the candle in the making; it closes when the next one opens."""
        self.forming = self._candles[self._closed]
        self.last_price = decimal_from_float(self.forming.close)
        return self.forming

    def move(self, price: Decimal) -> None:
        """Trade at a price that is not in the data; the candle in the making shows it."""
        self.last_price = price
        if self.forming is not None:
            f, value = self.forming, float(price)
            self.forming = Candle(
                f.time, f.open, max(f.high, value), min(f.low, value), value, f.volume
            )

    def candle(self, timeframe: Timeframe, time_ms: int) -> Candle | None:
        """Return the candle of any timeframe that holds ``time_ms``, as far as it is known."""
        if timeframe is self.timeframe and self.forming and self.forming.time == time_ms:
            return self.forming  # the usual question, without a look at history
        found = self.select(timeframe, timeframe.open_of(time_ms), time_ms, 1)
        return found[-1] if len(found) else None

    def select(
        self, timeframe: Timeframe, first_ms: int | None, last_ms: int | None, limit: int
    ) -> CandleSeries:
        """Return candles with open time in [first_ms, last_ms], the one in the making included.

        With ``first_ms`` the first ``limit`` of them, else the last.

        Raises:
            DataError: The timeframe is finer than the data, or does not divide it.
        """
        if not timeframe.is_multiple_of(self.timeframe):
            raise DataError(f"{self.symbol} has {self.timeframe} candles, none of {timeframe}")
        series = self._known(timeframe, first_ms, last_ms, limit)
        coarse = resample(series, self.timeframe, timeframe, keep_partial=True)
        found = coarse.between(first_ms, last_ms)
        if first_ms is not None:
            return found.part(0, min(limit, len(found)))
        return found.part(max(0, len(found) - limit), len(found))

    def _known(
        self, timeframe: Timeframe, first_ms: int | None, last_ms: int | None, limit: int
    ) -> CandleSeries:
        series = self.closed
        if self.forming is not None:
            series = series.joined(CandleSeries.from_candles([self.forming]))
        if timeframe is self.timeframe:
            return series
        # Only what can matter is merged: a coarse candle needs all of its finer ones.
        span = (limit + 2) * timeframe.next_open(0) if not timeframe.is_calendar else 0
        if first_ms is not None:
            until = first_ms + span if span else None
            return series.between(timeframe.open_of(first_ms), until)
        end = last_ms if last_ms is not None else int(series.time[-1]) if len(series) else 0
        return series.between(timeframe.open_of(max(0, end - span)) if span else None, None)


class Market:
    """All symbols of the exchange, on one timeline.

    Attributes:
        tapes: By symbol.
        next_step: What ``advance`` plays next.
    """

    def __init__(self, tapes: Mapping[str, Tape], *, is_followed: bool = False) -> None:
        """Check that the symbols share a timeline.

        Args:
            tapes: By symbol.
            is_followed: Prices come from outside, and symbols with them.

        Raises:
            ConfigurationError: There is no symbol, or they differ in time.
        """
        if not tapes and not is_followed:
            raise ConfigurationError("an exchange needs the candles of at least one symbol")
        if len({(t.next_open_ms, t.timeframe) for t in tapes.values()}) > 1:
            raise ConfigurationError(
                "the symbols of one exchange must share timeframe and first candle"
            )
        self.tapes = dict(tapes)
        self.next_step = Step.OPEN

    @property
    def first(self) -> Tape:
        """Return the first symbol, whose candles set the time."""
        return next(iter(self.tapes.values()))

    @property
    def timeframe(self) -> Timeframe:
        """Return the timeframe of the data."""
        return self.first.timeframe

    @property
    def is_over(self) -> bool:
        """Return whether no candle is left."""
        return self.next_step is Step.OPEN and not all(t.next_open_ms for t in self.tapes.values())

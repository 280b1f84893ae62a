"""Lanes: which candle of a symbol has to be played next, and which can be passed over."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from milobot.domain.intents import PositionSide
from milobot.domain.orders import OrderType
from milobot.signals.audit.attempts import Attempt
from milobot.signals.audit.tracks import Track
from milobot.simulation.book import Book
from milobot.simulation.matching import Bar

# Levels are compared as floats when looking for a candle; the margin keeps one in doubt in.
_DOUBT = 1e-12
_FIRST_LOOK = 256


@dataclass(slots=True)
class Lane:
    """One symbol while it is played.

    Attributes:
        attempts: Those that have begun and are not over.
        coming: Those that have not begun, the first last.
        index: Next candle.
        holder: Whose position is open.
    """

    track: Track
    coming: list[Attempt]
    attempts: list[Attempt] = field(default_factory=list)
    index: int = 0
    holder: Attempt | None = None

    @property
    def symbol(self) -> str:
        """Return its symbol."""
        return self.track.symbol

    def bar(self, index: int) -> Bar:
        """Return the prices of a candle."""
        return Bar.from_candle(self.track.candles[index])

    def bar_now(self, time_ms: int) -> Bar:
        """Return the prices of the candle that opens at a time."""
        return self.bar(int(np.searchsorted(self.track.candles.time, time_ms)))

    def last_ended(self, time_ms: int) -> int:
        """Return the last candle that has ended at a time; -1 for none."""
        return int(np.searchsorted(self.track.ends, time_ms, side="right")) - 1

    def next_index(self, book: Book, *, skips: bool = True) -> int | None:
        """Return the next candle on which something may happen; None when all is over."""
        self.attempts = [a for a in self.attempts if a.is_live]
        starts = [self.coming[-1].start] if self.coming else []
        if not self.attempts:
            return max(self.index, starts[0]) if starts else None
        first = self.index
        end = self.track.end_of(min(first, len(self.track.candles) - 1)) - 1
        if skips and (book.orders or book.position.is_flat):
            times = (time for a in self.attempts for time in a.times())
            fixed = np.searchsorted(self.track.candles.time, list(times)).tolist()
            stop = min([end, *starts, *fixed])
            if stop > first:
                return self._touched(first, stop, *_bounds(self.attempts, book))
        return first

    def _touched(self, first: int, stop: int, below: float, above: float) -> int:
        candles, look = self.track.candles, _FIRST_LOOK
        while first < stop:
            end = min(first + look, stop)
            touched = (candles.low[first:end] <= below) | (candles.high[first:end] >= above)
            place = int(np.argmax(touched))
            if touched[place]:
                return first + place
            first, look = end, look * 2
        return stop


def _bounds(attempts: Iterable[Attempt], book: Book) -> tuple[float, float]:
    """Return prices between which no leg enters, no set-up lapses and no order triggers."""
    below: list[Decimal] = []
    above: list[Decimal] = []
    for attempt in attempts:
        for price, falls in attempt.levels():
            (below if falls else above).append(price)
    _add_orders(book, below, above)
    return (
        float(max(below)) * (1 + _DOUBT) if below else -np.inf,
        float(min(above)) * (1 - _DOUBT) if above else np.inf,
    )


def _add_orders(book: Book, below: list[Decimal], above: list[Decimal]) -> None:
    if book.position.is_flat:
        return
    is_long = book.position.side is PositionSide.LONG
    for order in book.orders.values():
        if order.trigger_price is not None:
            falls = (order.type is OrderType.STOP_MARKET) == is_long
            (below if falls else above).append(order.trigger_price)
    if book.liquidation is not None:
        (below if is_long else above).append(book.liquidation)

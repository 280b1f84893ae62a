"""What a reader of candles has yet to take: in order, each once, and never too much. Pure.

A reader may be slow, and a stream may bring candles before the history ahead of them is
loaded. Neither may cost memory without end, nor a candle: beyond its measure a backlog
only remembers how far the market has come, and asks for a listing of the rest.
"""

from collections import deque
from collections.abc import Iterable

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.spans import CandleSpan
from milobot.domain.timeframes import Timeframe


class Backlog:
    """Candles of one series that wait for one reader."""

    def __init__(self, timeframe: Timeframe, most: int) -> None:
        """Hold nothing; ``begin`` says where it starts.

        Args:
            timeframe: Of the candles.
            most: Candles that may wait.
        """
        self._timeframe = timeframe
        self._most = most
        self._waiting: deque[Candle] = deque()
        self._next_ms: int | None = None
        self._newest_ms: int | None = None

    def __len__(self) -> int:
        """Return how many candles wait."""
        return len(self._waiting)

    @property
    def unlisted(self) -> CandleSpan | None:
        """Return what a listing has to bring behind what waits; None when nothing is left out."""
        if self._next_ms is None or self._newest_ms is None or self._newest_ms < self._next_ms:
            return None
        return CandleSpan(self._next_ms, self._newest_ms)

    def begin(self, next_ms: int) -> None:
        """Expect the candle that opens at ``next_ms``."""
        self._next_ms = next_ms

    def offer(self, candle: Candle) -> None:
        """Take a candle from the stream; one that was there before changes nothing."""
        is_behind = self._next_ms is None or self.unlisted is not None
        self._newest_ms = max(self._newest_ms or candle.time, candle.time)
        if not is_behind and len(self._waiting) < self._most:
            self._append(candle)

    def fill(self, candles: Iterable[Candle]) -> None:
        """Take a listing, oldest first, as far as there is room."""
        for candle in candles:
            if len(self._waiting) >= self._most:
                return
            self._append(candle)

    def give_up(self) -> CandleSpan | None:
        """Do without what no listing brings; return what that was."""
        lost = self.unlisted
        if lost is not None:
            self._next_ms = self._timeframe.next_open(lost.last_ms)
        return lost

    def take(self) -> CandleSeries:
        """Hand on all that waits, oldest first."""
        taken = CandleSeries.from_candles(self._waiting)
        self._waiting.clear()
        return taken

    def _append(self, candle: Candle) -> None:
        if self._next_ms is not None and candle.time >= self._next_ms:
            self._waiting.append(candle)
            self._next_ms = self._timeframe.next_open(candle.time)

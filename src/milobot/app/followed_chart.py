"""The chart of a run without scripts: it follows what was entered last, minute by minute."""

from collections.abc import Iterable

from milobot.app.shown_account import ShownAccount
from milobot.domain.market import CandleSeries
from milobot.domain.slots import Slot
from milobot.domain.timeframes import Timeframe

TIMEFRAME = Timeframe.M1
CANDLES = 500
"""Candles fetched at first, and the most that are fetched at once."""
APART_MS = 10_000
"""The exchange is asked no more often than this."""
_KEPT = 2_000


class FollowedChart:
    """One symbol and its candles.

    Attributes:
        symbol: What is followed; empty before anything was entered.
        candles: The last of them, oldest first.
    """

    def __init__(self) -> None:
        """Follow nothing yet."""
        self.symbol = ""
        self.candles = CandleSeries.empty()
        self._entered_ms = -1
        self._waiting: list[CandleSeries] = []
        self._tried_ms: int | None = None

    def choose(self, held: Iterable[Slot], wish: str = "") -> bool:
        """Follow what was entered last, or what a reader wishes for; return whether that is new.

        A wish holds until something else is entered.
        """
        slots = [slot for slot in held if slot.tally is not None and slot.held]
        newest = max(slots, key=_entered_ms, default=None)
        if newest is not None and _entered_ms(newest) > self._entered_ms:
            self._entered_ms = _entered_ms(newest)
            return self._follow(newest.symbol)
        is_held = any(slot.symbol == wish for slot in slots)
        return self._follow(wish) if is_held else False

    async def fetch(self, live: ShownAccount) -> bool:
        """Fetch candles that have closed since the last time; return whether it begins anew.

        Raises:
            ExchangeError: They cannot be had now.
            DataError: What came is no series of candles.
        """
        symbol, now_ms = self.symbol, live.clock.local_ms()
        if not symbol or (self._tried_ms is not None and now_ms - self._tried_ms < APART_MS):
            return False
        self._tried_ms = now_ms
        first_ms = self._next_ms(live.clock.now_ms())
        found = await live.market.fetch_candles(symbol, TIMEFRAME, first_ms=first_ms, limit=CANDLES)
        if symbol != self.symbol:
            return False  # another one is followed since
        return self._take(found, is_new=first_ms is None)

    def take_fresh(self) -> CandleSeries:
        """Return the candles that came since the last call."""
        fresh = CandleSeries.empty()
        for part in self._waiting:
            fresh = fresh.joined(part)
        self._waiting.clear()
        return fresh

    def _follow(self, symbol: str) -> bool:
        if symbol == self.symbol:
            return False
        self.symbol = symbol
        self._forget()
        self._tried_ms = None
        return True

    def _forget(self) -> None:
        self.candles = CandleSeries.empty()
        self._waiting.clear()

    def _next_ms(self, now_ms: int) -> int | None:
        """Return the candle to go on with; None when the gap is too long to be filled."""
        if not len(self.candles):
            return None
        next_ms = TIMEFRAME.next_open(int(self.candles.time[-1]))
        return next_ms if now_ms - next_ms < CANDLES * TIMEFRAME.milliseconds else None

    def _take(self, found: CandleSeries, *, is_new: bool) -> bool:
        begins_anew = is_new and bool(len(self.candles))
        if begins_anew:
            self._forget()
        last_ms = int(self.candles.time[-1]) if len(self.candles) else -1
        fresh = found.between(last_ms + 1, None)
        if len(fresh):
            joined = self.candles.joined(fresh)
            self.candles = joined.part(max(0, len(joined) - _KEPT), len(joined))
            self._waiting.append(fresh)
        return begins_anew


def _entered_ms(slot: Slot) -> int:
    return slot.tally.entry_time_ms if slot.tally is not None else -1

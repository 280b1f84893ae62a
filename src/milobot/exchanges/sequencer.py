"""Closed candles in order: each once, without a gap, from two sources that overlap. Pure.

A stream delivers candles as they close and may miss, repeat or reorder them; a listing
fills in. ``CandleSequencer`` holds back what comes too early and names what is missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from milobot.domain.market import Candle
from milobot.domain.spans import CandleSpan, count_candles
from milobot.domain.timeframes import Timeframe

_MOST_HELD = 1000
# An active symbol is told every second; ten may be missed without a word on a busy line.
_MOST_QUIET_MS = 10_000


@dataclass(frozen=True, slots=True)
class Missing:
    """Open times of the first and the last candle that are missing."""

    first_ms: int
    last_ms: int

    def count(self, timeframe: Timeframe) -> int:
        """Return how many candles that is."""
        return count_candles(CandleSpan(self.first_ms, self.last_ms), timeframe)


class CandleSequencer:
    """The order of one series.

    Attributes:
        known_gaps: What the exchange itself does not have, as far as it was skipped.
    """

    def __init__(self, timeframe: Timeframe, next_open_ms: int | None = None) -> None:
        """Expect the candle that opens at ``next_open_ms``; None: begin with the first offered."""
        self.known_gaps: list[Missing] = []
        self._timeframe = timeframe
        self._next_ms = next_open_ms
        self._held: dict[int, Candle] = {}

    @property
    def next_open_ms(self) -> int | None:
        """Return the open time of the candle that comes next; None before the first."""
        return self._next_ms

    def begin(self, open_ms: int) -> int:
        """Expect the candle that opens at ``open_ms`` if none is yet; return when the next opens."""
        if self._next_ms is None:
            self._next_ms = open_ms
        return self._next_ms

    def offer(self, candle: Candle) -> tuple[Candle, ...]:
        """Take a closed candle; return what can be handed on because of it, oldest first.

        A candle that was handed on before, or that is not on the timeframe's grid, is dropped.
        """
        if self._timeframe.open_of(candle.time) != candle.time:
            return ()
        next_ms = self.begin(candle.time)
        if candle.time < next_ms:
            return ()
        self._held.setdefault(candle.time, candle)
        if len(self._held) > _MOST_HELD:
            del self._held[max(self._held)]  # a listing will bring it again
        return self._release()

    def missing(self) -> Missing | None:
        """Return the first hole before what is held back; None without one."""
        if not self._held or self._next_ms is None:
            return None
        return Missing(self._next_ms, self._before(min(self._held)))

    def overdue(self, now_ms: int, grace_ms: int) -> Missing | None:
        """Return what should have come by now; ``grace_ms`` after its close it should have."""
        if self._next_ms is None:
            return None
        newest = self._timeframe.open_of(now_ms - grace_ms)
        return Missing(self._next_ms, self._before(newest)) if newest > self._next_ms else None

    def fill(self, candles: Iterable[Candle], asked: Missing) -> tuple[Candle, ...]:
        """Take what a listing holds of a hole; return what can be handed on, oldest first.

        Candles of the hole that the listing lacks, although it holds later ones, do not
        exist: they are noted as a known gap and skipped. What the listing lacks at its end
        may only not be there yet.
        """
        listed = sorted((c for c in candles if c.time >= asked.first_ms), key=lambda c: c.time)
        released: list[Candle] = []
        for candle in listed:
            if self._next_ms is not None and candle.time > self._next_ms:
                released += self._skip_to(candle.time)
            released += self.offer(candle)
        return tuple(released)

    def give_up(self) -> tuple[Candle, ...]:
        """Skip to what is held back, for a hole that no listing fills; return what follows."""
        return tuple(self._skip_to(min(self._held) + 1)) if self._held else ()

    def _skip_to(self, time_ms: int) -> list[Candle]:
        """Give up what lies before ``time_ms``, handing on what is held of it."""
        released: list[Candle] = []
        while self._next_ms is not None and self._next_ms < time_ms:
            nearest = min([*self._held, time_ms])
            stop = min(nearest, time_ms)
            if stop > self._next_ms:
                self.known_gaps.append(Missing(self._next_ms, self._before(stop)))
                self._next_ms = stop
            released += self._release()
        return released

    def _release(self) -> tuple[Candle, ...]:
        released = []
        while self._next_ms in self._held:
            candle = self._held.pop(self._next_ms)
            released.append(candle)
            self._next_ms = self._timeframe.next_open(candle.time)
        return tuple(released)

    def _before(self, open_ms: int) -> int:
        """Return the open time of the candle before the one that opens at ``open_ms``."""
        return self._timeframe.open_of(open_ms - 1)


class Ended(NamedTuple):
    """A candle whose successor has begun.

    Attributes:
        candle: As it stood when it was last heard of.
        is_final: Whether that was just now. What was quiet before may be what was missed,
            since nothing on the wire tells the one from the other.
    """

    candle: Candle
    is_final: bool


class CandleCloser:
    """Tells when a candle is final where the stream does not: when the next one begins."""

    def __init__(self) -> None:
        """Know of no candle yet."""
        self._forming: Candle | None = None
        self._heard_ms = 0

    def update(self, candle: Candle, now_ms: int) -> Ended | None:
        """Take a candle as it stands; return the one before it when that has ended.

        News of an older candle is dropped.
        """
        known, quiet_ms = self._forming, now_ms - self._heard_ms
        if known is not None and candle.time < known.time:
            return None
        self._forming, self._heard_ms = candle, now_ms
        if known is None or known.time == candle.time:
            return None
        return Ended(known, is_final=quiet_ms <= _MOST_QUIET_MS)

    def forget(self) -> None:
        """Forget the forming candle: after a break its last state may have been missed."""
        self._forming = None

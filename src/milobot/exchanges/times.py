"""Clocks: one that never jumps, and one that shows the exchange's time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from milobot.ports import Clock

_FRESH_MS = 600_000
Sleep = Callable[[float], Awaitable[None]]


async def real_sleep(seconds: float) -> None:
    """Sleep; at least let others run."""
    await asyncio.sleep(max(seconds, 0.0))


class SteadyClock:
    """UTC milliseconds that pass evenly: set once, then counted by the monotonic clock.

    A wall clock that is set while the bot runs would move deadlines and timestamps.
    """

    def __init__(self) -> None:
        """Take the wall clock's word for what time it is now."""
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return (time.monotonic_ns() + self._offset_ns) // 1_000_000


class ExchangeClock:
    """The exchange's time, from its answers: requests are stamped with it.

    Attributes:
        offset_ms: What is added to our clock; 0 until measured.
        uncertainty_ms: Half of the round trip of the measurement: the most it may be off by.
    """

    def __init__(self, clock: Clock) -> None:
        """Show our own time until the exchange was asked for its."""
        self._clock = clock
        self.offset_ms = 0
        self.uncertainty_ms = 0
        self._measured_ms: int | None = None

    @property
    def is_measured(self) -> bool:
        """Return whether the exchange was asked."""
        return self._measured_ms is not None

    @property
    def is_stale(self) -> bool:
        """Return whether the last measurement is so old that clocks may have drifted apart."""
        measured_ms = self._measured_ms
        return measured_ms is None or self._clock.now_ms() - measured_ms > _FRESH_MS

    def now_ms(self) -> int:
        """Return the exchange's time, UTC milliseconds."""
        return self._clock.now_ms() + self.offset_ms

    def local_ms(self) -> int:
        """Return our own time, UTC milliseconds."""
        return self._clock.now_ms()

    def learn(self, *, asked_ms: int, told_ms: int, received_ms: int) -> None:
        """Take over one measurement: when it was asked and received by us, and what was told.

        The middle of the round trip is taken for the moment of telling (as NTP does).
        """
        self.offset_ms = told_ms - (asked_ms + received_ms) // 2
        self.uncertainty_ms = (received_ms - asked_ms + 1) // 2
        self._measured_ms = received_ms

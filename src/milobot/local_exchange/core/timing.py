"""Time of the server: what it says it is, how long things last, and what is due later."""

import heapq
import itertools
import time
from collections.abc import Callable
from enum import StrEnum


class ClockMode(StrEnum):
    """Where the server takes its time from."""

    MARKET = "market"
    WALL = "wall"


class ServerTime:
    """The server's clock, and a timer for durations that never goes back.

    With the market's clock the server says what time it is in its candles, so that a run
    can be repeated; durations (listen keys, rate windows, delays) are those of the machine.

    Attributes:
        skew_ms: Added to what the server says; a fault that clients must survive.
        held_ms: While it is set the server says this: what has happened since is made up for.
    """

    def __init__(
        self,
        mode: ClockMode,
        *,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        """Start; the market's clock stands at 0 until it is set."""
        self.mode = mode
        self.skew_ms = 0
        self.held_ms: int | None = None
        self._wall_ms = wall_ms
        self._monotonic_ms = monotonic_ms
        self._elapsed_ms = 0
        self._market_ms = 0
        self._first_ms = 0
        self._started_ms = monotonic_ms()

    def now_ms(self) -> int:
        """Return what the server says the time is, UTC milliseconds."""
        if self.held_ms is not None:
            return self.held_ms
        if self.mode is ClockMode.MARKET:
            return self._market_ms + self.skew_ms
        return self._wall_ms() + self._elapsed_ms + self.skew_ms

    def timer_ms(self) -> int:
        """Return milliseconds of a timer that never goes back."""
        return self._monotonic_ms() + self._elapsed_ms

    def move_market(self, market_ms: int) -> None:
        """Set the market's clock; it never goes back."""
        self._first_ms = self._first_ms or market_ms
        self._market_ms = max(self._market_ms, market_ms)

    def elapse(self, ms: int) -> None:
        """Let time pass without waiting: the clock and every duration."""
        self._elapsed_ms += ms
        self._market_ms += ms

    def is_in_time(self, timestamp_ms: int, window_ms: int, *, lead_ms: int = 1000) -> bool | None:
        """Return whether a request's time is acceptable; None when it is ahead of the server.

        The market's clock jumps from candle to candle, so no client can be exact about it:
        there every time counts that a client may have reached since it asked the server, and
        the wall clock's time as well.
        """
        exact = self._is_within(timestamp_ms, self.now_ms(), window_ms, lead_ms)
        if self.mode is ClockMode.WALL or exact:
            return exact
        if self._is_within(timestamp_ms, self._wall_ms() + self._elapsed_ms, window_ms, lead_ms):
            return True
        ran_ms = self.timer_ms() - self._started_ms
        latest_ms = self.now_ms() + max(0, -self.skew_ms) + ran_ms + lead_ms
        if timestamp_ms > latest_ms:
            return None
        return timestamp_ms >= self._first_ms + min(0, self.skew_ms)

    @staticmethod
    def _is_within(timestamp_ms: int, now_ms: int, window_ms: int, lead_ms: int) -> bool | None:
        if timestamp_ms >= now_ms + lead_ms:
            return None
        return now_ms - timestamp_ms <= window_ms


class Agenda:
    """What is due later, by the server's timer; the owner of the event loop wakes it.

    Attributes:
        on_change: Called when something was added, so that a wake-up can be planned.
    """

    def __init__(self, clock: ServerTime) -> None:
        """Start with nothing to do."""
        self.on_change: Callable[[], None] | None = None
        self._clock = clock
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def schedule(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Run ``action`` once ``delay_ms`` have passed."""
        due_ms = self._clock.timer_ms() + delay_ms
        heapq.heappush(self._due, (due_ms, next(self._count), action))
        if self.on_change is not None:
            self.on_change()

    def next_delay_ms(self) -> int | None:
        """Return how long until the next action is due; None when there is none."""
        if not self._due:
            return None
        return max(0, self._due[0][0] - self._clock.timer_ms())

    def run_due(self) -> None:
        """Run what is due, in order."""
        while self._due and self._due[0][0] <= self._clock.timer_ms():
            heapq.heappop(self._due)[2]()

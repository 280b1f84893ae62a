"""Request budgets: fixed windows, as the exchanges count them, counted from the server's start."""

from collections import defaultdict
from dataclasses import dataclass

from milobot.local_exchange.core.timing import ServerTime


@dataclass(frozen=True, slots=True)
class Window:
    """A budget.

    Attributes:
        limit: What may be used in one window.
    """

    seconds: int
    limit: int


class Budget:
    """What each owner has used of one window."""

    def __init__(self, window: Window, clock: ServerTime) -> None:
        """Start unused."""
        self.window = window
        self._clock = clock
        self._start_ms = clock.timer_ms()
        self._used: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))

    def use(self, owner: str, amount: int) -> int:
        """Add to what is used in the present window; return the sum."""
        number = self._elapsed_ms() // (self.window.seconds * 1000)
        last, used = self._used[owner]
        used = (used if last == number else 0) + amount
        self._used[owner] = (number, used)
        return used

    def used(self, owner: str) -> int:
        """Return what is used in the present window."""
        return self.use(owner, 0)

    def reset_s(self) -> int:
        """Return the seconds until the window ends, at least 1."""
        span = self.window.seconds * 1000
        return max(1, -(-(span - self._elapsed_ms() % span) // 1000))

    def _elapsed_ms(self) -> int:
        return self._clock.timer_ms() - self._start_ms

"""A circuit breaker: when an exchange keeps failing, ask it seldom instead of always.

CLOSED lets everything pass. After ``most_failures`` failures in a row it is OPEN and
refuses, first for ``pause_s``, twice as long each time up to ``most_pause_s``. Then it is
HALF-OPEN: one call per ``probe_every_s`` may try, and the first success closes it.

Exits always pass, in every state: a position that cannot be left does more harm than
one request too many, and each of them probes as well. Vital questions probe during the
pause too, one per ``probe_every_s``: what is waited for is noticed as soon as it is back. A
probe is counted by when it left, not by its end, so that one that never ends blocks nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from milobot.errors import CircuitOpenError
from milobot.exchanges.wire import Priority
from milobot.ports import Clock


@dataclass(frozen=True, slots=True)
class BreakerPlan:
    """When a breaker opens and how long it stays so."""

    most_failures: int = 5
    pause_s: float = 5.0
    most_pause_s: float = 60.0
    probe_every_s: float = 1.0


class CircuitBreaker:
    """Counts failures of one exchange."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        plan: BreakerPlan | None = None,
        *,
        on_closed: Callable[[], None] | None = None,
    ) -> None:
        """Start closed.

        Args:
            name: The exchange, for messages.
            clock: Our own time.
            plan: When to open; None for the defaults.
            on_closed: Called when the exchange answers again after it was given a rest.
        """
        self._name = name
        self._clock = clock
        self._plan = plan or BreakerPlan()
        self._on_closed = on_closed
        self._failures = 0
        self._cause = ""
        self._pause_s = 0.0
        self._opens_at_ms = 0
        self._next_probe_ms = 0

    @property
    def is_open(self) -> bool:
        """Return whether calls are refused or only probes pass."""
        return self._pause_s > 0

    @property
    def reason(self) -> str:
        """Return in words why calls are refused; empty while they pass."""
        if not self.is_open:
            return ""
        return f"{self._name} failed {self._failures} times in a row{self._cause}"

    def admit(self, priority: Priority) -> None:
        """Let a call pass or refuse it.

        Raises:
            CircuitOpenError: The exchange is given a rest; nothing was sent.
        """
        if not self.is_open or priority is Priority.EXIT:
            return
        now_ms = self._clock.now_ms()
        rests = priority is not Priority.VITAL and now_ms < self._opens_at_ms
        if not rests and now_ms >= self._next_probe_ms:
            self._next_probe_ms = now_ms + int(self._plan.probe_every_s * 1000)
            return
        raise CircuitOpenError(
            f"{self._name} failed {self._failures} times in a row{self._cause}:"
            f" nothing but exits is sent for {max(self._opens_at_ms - now_ms, 0) / 1000:.1f} s, then it is tried again"
        )

    def succeeded(self) -> None:
        """Note that the exchange answered in earnest, be it with a refusal."""
        was_open = self.is_open
        self._failures = 0
        self._pause_s = 0.0
        if was_open and self._on_closed is not None:
            self._on_closed()

    def failed(self, cause: str = "") -> None:
        """Note that the exchange could not be reached or could not answer.

        Args:
            cause: What came instead of an answer; refusals repeat it. Empty for no word.
        """
        self._failures += 1
        self._cause = f", last with {cause}" if cause else ""
        now_ms = self._clock.now_ms()
        if self.is_open:
            if now_ms < self._opens_at_ms:
                return  # an exit that tried, or a call that had left before
            self._pause_s = min(self._pause_s * 2, self._plan.most_pause_s)
        elif self._failures >= self._plan.most_failures:
            self._pause_s = self._plan.pause_s
        else:
            return
        self._opens_at_ms = now_ms + int(self._pause_s * 1000)

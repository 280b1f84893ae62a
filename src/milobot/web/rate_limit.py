"""How often somebody may ask: a token bucket for each name, and a bound on how many are kept."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_NAMES = 4096


class RateLimit:
    """Allows each name so many requests a second, and a burst after some silence.

    Of many names only those that asked last are remembered; who is forgotten begins anew
    with a full burst, as somebody who was silent for long does.
    """

    def __init__(
        self,
        rate: float,
        *,
        burst: float | None = None,
        most_names: int = MOST_NAMES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nobody known.

        Args:
            rate: Requests a second, above zero.
            burst: Requests at once after silence; None is what two seconds allow, at least one.
            most_names: How many names are remembered.
            monotonic: Seconds of a clock that never goes back.
        """
        self._rate = rate
        self._burst = max(1.0, 2 * rate if burst is None else burst)
        self._most = most_names
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many names are remembered."""
        return len(self._buckets)

    def take(self, name: str) -> float:
        """Count one request; return 0 when it is allowed, else the seconds until one is."""
        now = self._monotonic()
        level, then = self._buckets.pop(name, (self._burst, now))
        level = min(self._burst, level + (now - then) * self._rate)
        wait_s = 0.0 if level >= 1 else (1 - level) / self._rate
        self._buckets[name] = (level - 1 if wait_s == 0 else level, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return wait_s

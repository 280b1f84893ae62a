"""How the streams of one connection live: what runs now, and what happened to all so far."""

from collections import Counter
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from milobot.exchanges.breaker import CircuitBreaker
from milobot.exchanges.limits import PriorityLimiter
from milobot.exchanges.streams import StreamHealth, SupervisedStream
from milobot.ports import Clock

# An exchange that answers our pings, each 1.5 s, is heard of that often. BingX sends a ping of
# its own every 5 s; one that answers none of ours may be silent for long and well.
_LEAST_MS = 3_500
_SILENT_MS = 45_000
EVENTS = ("reconnected", "failed", "stale", "garbage")


@dataclass(frozen=True, slots=True)
class Pulse:
    """A stream as it is now.

    Attributes:
        age_ms: Since it was last heard of, a ping's answer included; None while it is not
            connected.
        limit_ms: From which age on it counts as dead.
        silent_ms: Since it said anything, or since it was first tried: a connection that opens
            and stays silent, or cannot be had at all, is silent all the while.
    """

    name: str
    age_ms: int | None
    limit_ms: int
    silent_ms: int = 0

    @property
    def is_fresh(self) -> bool:
        """Return whether it is connected and was heard of lately."""
        return self.age_ms is not None and self.age_ms <= self.limit_ms


class Pulses:
    """Knows the streams of one connection; those that have ended are only counted."""

    def __init__(self, clock: Clock) -> None:
        """Know none yet; ``clock`` is the one that the streams go by."""
        self._clock = clock
        self._streams: list[SupervisedStream] = []
        self._before: Counter[str] = Counter()

    def add(self, stream: SupervisedStream) -> None:
        """Follow a stream from now on."""
        self._forget_ended()
        self._streams.append(stream)

    def hurry(self) -> None:
        """Tell every stream that the exchange answers again."""
        for stream in self._streams:
            stream.hurry()

    def now(self) -> list[Pulse]:
        """Return each stream that runs, by name."""
        self._forget_ended()
        now_ms = self._clock.now_ms()
        running = [stream for stream in self._streams if stream.health.is_running]
        return sorted((_pulse(stream, now_ms) for stream in running), key=lambda p: p.name)

    def totals(self) -> Counter[str]:
        """Return how often each of ``EVENTS`` happened, over all streams since the start."""
        self._forget_ended()
        return self._before + sum((_events(s.health) for s in self._streams), Counter())

    def _forget_ended(self) -> None:
        ended = [stream for stream in self._streams if stream.health.has_ended]
        for stream in ended:
            self._before += _events(stream.health)
            self._streams.remove(stream)


@runtime_checkable
class TellsPulses(Protocol):
    """A client that shows how its connection is."""

    pulses: Pulses
    breaker: CircuitBreaker
    limiter: PriorityLimiter


def _pulse(stream: SupervisedStream, now_ms: int) -> Pulse:
    health = stream.health
    age_ms = max(0, now_ms - health.heard_ms) if health.is_connected else None
    # One answer may be lost, and the next be late.
    answering_ms = max(_LEAST_MS, 2 * round(stream.plan.ping_every_s * 1000) + 500)
    limit_ms = answering_ms if health.answers_pings else _SILENT_MS
    return Pulse(stream.name, age_ms, limit_ms, max(0, now_ms - health.told_ms))


def _events(health: StreamHealth) -> Counter[str]:
    again = max(0, health.connections - 1)
    return Counter(
        dict(zip(EVENTS, (again, health.failures, health.stale, health.garbage), strict=True))
    )

"""Who sent what while two processes shared an account, and whether that was right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

WITHIN_MS = 5_000
TAKEN_WITHIN_S = 15.0
TRADES = ("place", "cancel", "set_")


@dataclass(slots=True)
class Takeover:
    """One change of the leader.

    Attributes:
        is_freeze: Whether the leader was frozen, not killed.
        possible_ms: When the lease of the one before ended.
        traded_ms: When the new leader's first order was executed; 0 for never.
    """

    is_freeze: bool
    possible_ms: int
    traded_ms: int = 0

    @property
    def delay_ms(self) -> int:
        """Return how long after it was possible the new leader traded."""
        return self.traded_ms - self.possible_ms


def judge_senders(
    requests: Iterable[Mapping[str, Any]], takeovers: Sequence[Takeover]
) -> list[str]:
    """Return what is wrong with who sent: the sender changes with each takeover and only then."""
    sent = [r for r in requests if r["call"].startswith(TRADES) and r["executed"]]
    changes = [(a, b) for a, b in pairwise(sent) if a["key"] != b["key"]]
    wrong = [
        f"takeover {number}: nothing was traded within {TAKEN_WITHIN_S:.0f} s"
        for number, takeover in enumerate(takeovers, 1)
        if not takeover.traded_ms
    ]
    if len(changes) != len(takeovers):
        wrong.append(f"the sender changed {len(changes)} times in {len(takeovers)} takeovers")
    for (_, first), takeover in zip(changes, takeovers, strict=False):
        if first["time_ms"] < takeover.possible_ms:
            wrong.append(f"{first['key']} sent before the lease of the other had ended")
    return wrong + [
        f"takeover {number}: traded {takeover.delay_ms} ms after it was possible"
        for number, takeover in enumerate(takeovers, 1)
        if takeover.delay_ms > WITHIN_MS
    ]

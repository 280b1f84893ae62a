"""Codes that confirm: each for one person and one plan, for a minute, once."""

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from secrets import randbelow

from milobot.signals.talk.errands import Plan

VALID_MS = 60_000
MOST_TRIES = 3
_DIGITS = 4


def draw_code() -> str:
    """Return a code of four digits that nobody can guess."""
    return f"{randbelow(10**_DIGITS):0{_DIGITS}d}"


@dataclass(slots=True)
class _Pending:
    plan: Plan
    code: str
    until_ms: int
    tries: int = 0


class Codes:
    """What waits for confirmation; in memory alone, so that a restart voids it."""

    def __init__(self, draw: Callable[[], str] = draw_code) -> None:
        """Begin with nothing pending."""
        self._draw = draw
        self._pending: dict[int, _Pending] = {}

    def issue(self, person: int, plan: Plan, now_ms: int) -> str:
        """Return the code that confirms a plan; what the person was asked before is void."""
        code = self._draw()
        self._pending[person] = _Pending(plan, code, now_ms + VALID_MS)
        return code

    def redeem(self, person: int, code: str, now_ms: int) -> Plan | None:
        """Return the plan that a code confirms; None when it confirms nothing (any more).

        A code is gone once it was used, and after three wrong ones.
        """
        pending = self._pending.get(person)
        if pending is None:
            return None
        if now_ms >= pending.until_ms:
            del self._pending[person]
            return None
        if not compare_digest(code.encode(), pending.code.encode()):
            pending.tries += 1
            if pending.tries >= MOST_TRIES:
                del self._pending[person]
            return None
        del self._pending[person]
        return pending.plan

    def void(self, person: int) -> None:
        """Forget what a person was asked to confirm."""
        self._pending.pop(person, None)

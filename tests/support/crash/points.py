"""Where a process dies: at the start or the end of the n-th call of a port, or at an instant."""

import os
import signal
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")

START, END = "start", "end"
INSTANT = "instant"
JOURNAL_CALLS = ("commit", "load", "find_order", "find_decision", "booked_fills")
ACCOUNT_CALLS = (
    "place_order",
    "cancel_order",
    "fetch_update",
    "fetch_open_orders",
    "fetch_positions",
    "fetch_fills",
    "fetch_order",
    "fetch_stranger",
    "prepare_symbol",
    "fetch_account",
    "fetch_rules",
    "fetch_last_price",
)


@dataclass(frozen=True, slots=True)
class KillPoint:
    """A place or an instant.

    Attributes:
        call: Name of the call, or ``INSTANT``.
        number: Which call of that name since the process began, from 1; for an instant the
            milliseconds since the account was led.
        moment: ``START`` or ``END`` of the call.
    """

    call: str
    number: int
    moment: str = ""

    def __str__(self) -> str:
        """Return what ``parse_point`` takes."""
        return ":".join(filter(None, (self.call, str(self.number), self.moment)))


def parse_point(text: str) -> KillPoint:
    """Return the point of a text such as ``commit:3:end`` or ``instant:250``."""
    call, number, *moment = text.split(":")
    return KillPoint(call, int(number), *moment)


class KillSwitch:
    """Counts calls and ends the process, as if its power were cut, when the chosen one comes."""

    def __init__(self, point: KillPoint | None) -> None:
        """Arm; None never strikes."""
        self._point = point
        self._calls: Counter[str] = Counter()

    async def passing(self, call: str, work: Awaitable[_T]) -> _T:
        """Carry out a call between its two moments."""
        self._calls[call] += 1
        number = self._calls[call]
        self._strike(call, number, START)
        done = await work
        self._strike(call, number, END)
        return done

    def _strike(self, call: str, number: int, moment: str) -> None:
        if self._point == KillPoint(call, number, moment):
            os.kill(os.getpid(), signal.SIGKILL)

"""Decisions: one row for every intent, with each gate it passed or failed."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of an intent."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Gate:
    """One check with what it saw and what it demanded, as text a user reads."""

    name: str
    value: str
    threshold: str
    is_passed: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to "why was this traded, or not?".

    Attributes:
        intent_key: The intent it is about.
        action: The action as the user wrote it, or the side and size of a signal.
        code: Stable reason code: ``accepted``, ``slot_owned``, ``below_min_quantity`` …
        reason: The same as a sentence.
        gates: The checks in the order they were made.
    """

    intent_key: str
    owner: str
    symbol: str
    time_ms: int
    action: str
    outcome: Outcome
    code: str
    reason: str
    gates: tuple[Gate, ...] = ()

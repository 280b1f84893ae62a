"""What an answer, or none, means: one table per dialect, read from the top, first match counts.

Every row names its source. What no row covers is UNKNOWN for a write: that is right
whenever the exchange may have acted, and costs one query when it has not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from milobot.domain.orders import Refusal
from milobot.errors import (
    CircuitOpenError,
    ExchangeError,
    ExchangeUnavailableError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
)
from milobot.exchanges.wire import Answer, Facts, Failure, FailureKind, Moment

_MOST_TEXT = 200
_LONGEST_WAIT_S = 4 * 86_400.0


class Outcome(StrEnum):
    """What became of a request that changes something."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    NOT_EXECUTED = "NOT_EXECUTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as its dialect reads it.

    Attributes:
        code: The exchange's code; empty when it gave none.
        message: The exchange's words.
        data: The decoded payload; None when the body is empty, cut or no JSON.
        is_success: Whether the dialect's own rules call it a success.
    """

    status: int
    code: str
    message: str
    data: Any
    is_success: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what it matches and what that means.

    Attributes:
        source: Where it is stated.
        codes: Codes of the exchange; empty matches every code, and none.
        statuses: HTTP statuses; an empty range matches all.
        text: Part of the message, in any case; empty matches all.
        refusal: The same in our words, for orders.
        error: What a read raises.
        advice: What the user can do about it; empty where there is nothing to do.
    """

    outcome: Outcome
    source: str
    codes: frozenset[str] = frozenset()
    statuses: range = range(0)
    text: str = ""
    refusal: Refusal = Refusal.OTHER
    error: type[ExchangeError] = RequestRefusedError
    advice: str = ""

    def matches(self, reply: Reply) -> bool:
        """Return whether an answer is meant."""
        return (
            (not self.codes or reply.code in self.codes)
            and (not self.statuses or reply.status in self.statuses)
            and self.text.lower() in reply.message.lower()
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """What facts mean.

    Attributes:
        refusal: None when accepted.
        error: What a read raises; None when the read has its data.
        code: The exchange's code; empty when it gave none.
        reason: A sentence; empty when accepted.
        wait_s: How long nothing can be sent; 0 when not told.
        source: The table row's source, or the rule's.
        data: The decoded payload, whatever it means; None when there is none.
    """

    outcome: Outcome
    refusal: Refusal | None
    error: type[ExchangeError] | None
    code: str = ""
    reason: str = ""
    wait_s: float = 0.0
    source: str = ""
    data: Any = None

    def as_error(self, *, is_read: bool = True) -> ExchangeError:
        """Return what a caller that cannot go on raises; a write may have been carried out."""
        kind = self.error or ProtocolError
        if not is_read and self.outcome is Outcome.UNKNOWN:
            kind = OutcomeUnknownError
        if issubclass(kind, RateLimitedError):
            return kind(self.reason, retry_after_s=self.wait_s, code=self.code)
        return kind(self.reason, code=self.code)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one exchange words its answers.

    Attributes:
        read: Decodes an answer; never raises.
        table: What refusals mean; the first row that matches counts.
    """

    name: str
    read: Callable[[Answer], Reply]
    table: tuple[Row, ...]
    _rows: dict[str | None, tuple[Row, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the table by code, so that no answer is held against all its rows."""
        known = {code for row in self.table for code in row.codes}
        rows: dict[str | None, tuple[Row, ...]] = {
            code: tuple(row for row in self.table if not row.codes or code in row.codes)
            for code in known
        }
        rows[None] = tuple(row for row in self.table if not row.codes)
        object.__setattr__(self, "_rows", rows)

    def row_for(self, reply: Reply) -> Row | None:
        """Return the first row of the table that matches; None where none does."""
        rows = self._rows.get(reply.code, self._rows[None])
        return next((row for row in rows if row.matches(reply)), None)


_FAILURE_REFUSALS = {
    FailureKind.RATE_LIMITED: Refusal.RATE_LIMITED,
    FailureKind.TOO_LATE: Refusal.TOO_LATE,
}
_FAILURE_ERRORS: dict[FailureKind, type[ExchangeError]] = {
    FailureKind.RATE_LIMITED: RateLimitedError,
    FailureKind.CIRCUIT_OPEN: CircuitOpenError,
    FailureKind.TOO_LARGE: ProtocolError,
}


def judge(facts: Facts, dialect: Dialect, *, is_complete: Callable[[Any], bool]) -> Judgement:
    """Return what an answer or a failure means.

    Args:
        facts: What came back.
        dialect: The table to look in.
        is_complete: Whether a payload holds what a success promises, such as an order's id.
    """
    if isinstance(facts, Failure):
        return _judge_failure(facts, dialect.name)
    reply = dialect.read(facts)
    if reply.is_success and is_complete(reply.data):
        return Judgement(Outcome.ACCEPTED, None, None, code=reply.code, data=reply.data)
    if reply.is_success:
        # 3f: "200 empty or truncated JSON" and orders without an id.
        return Judgement(
            Outcome.UNKNOWN,
            Refusal.OTHER,
            ProtocolError,
            code=reply.code,
            reason=f"{dialect.name} answered {reply.status}, but {_described(facts, reply)}",
            source="3f: 200 empty, truncated or without id",
            data=reply.data,
        )
    return _judge_refusal(facts, reply, dialect)


def _judge_failure(failure: Failure, name: str) -> Judgement:
    before = failure.moment is Moment.BEFORE_SENDING
    error = _FAILURE_ERRORS.get(failure.kind, ExchangeUnavailableError)
    is_named = failure.reason.startswith(name)  # by the limiter or the breaker
    reason = failure.reason if is_named else f"{name}: {failure.reason}"
    return Judgement(
        Outcome.NOT_EXECUTED if before else Outcome.UNKNOWN,
        _FAILURE_REFUSALS.get(failure.kind, Refusal.UNAVAILABLE),
        error,
        reason=reason,
        wait_s=failure.wait_s,
        source="3f: timeout, connection dropped, body cut"
        if not before
        else "never left this machine",
    )


def _judge_refusal(answer: Answer, reply: Reply, dialect: Dialect) -> Judgement:
    row = dialect.row_for(reply)
    said = _described(answer, reply)
    if row is None:
        return Judgement(
            Outcome.UNKNOWN,
            Refusal.OTHER,
            RequestRefusedError if reply.code else ProtocolError,
            code=reply.code,
            reason=f"{dialect.name} answered {reply.status}, {said}",
            source="no row: unknown is never wrong",
            data=reply.data,
        )
    advice = f"; {row.advice}" if row.advice else ""
    return Judgement(
        row.outcome,
        row.refusal,
        row.error,
        code=reply.code,
        reason=f"{dialect.name} answered {reply.status}, {said}{advice}",
        wait_s=retry_after_s(answer) if issubclass(row.error, RateLimitedError) else 0.0,
        source=row.source,
        data=reply.data,
    )


def retry_after_s(answer: Answer) -> float:
    """Return what the answer's Retry-After says, in seconds; 0 when it says nothing usable."""
    try:
        seconds = float(answer.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_WAIT_S)


def is_present(data: Any) -> bool:
    """Return whether there is any payload: all that most reads ask for."""
    return data is not None


def codes(*numbers: int) -> frozenset[str]:
    """Return codes as a row holds them."""
    return frozenset(str(number) for number in numbers)


def _described(answer: Answer, reply: Reply) -> str:
    if reply.code:
        return f"code {reply.code}: {_clean(reply.message)}"
    if reply.message and not reply.is_success:
        return _clean(reply.message)
    if not answer.body.strip():
        return "with an empty body"
    if answer.body.lstrip()[:1] == b"<":
        return "with a web page instead of data: check the address, or wait out a maintenance"
    return "with a body that is cut off or no data" if reply.data is None else "with parts missing"


def _clean(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text[:_MOST_TEXT])
    return " ".join(shown.split())

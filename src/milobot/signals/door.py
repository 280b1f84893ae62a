"""The door: what sources hand in, and what they are told of it.

Telegram, HTTP and webhooks know nothing of what becomes of a message; they hand it in here
and get a receipt. Whatever was given one is on record: it survives a crash and is acted on
exactly once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class SignalState(StrEnum):
    """Where a signal stands. The table in ``docs/signals.md`` says what leads where."""

    NOT_A_SIGNAL = "not_a_signal"
    REFUSED = "refused"
    """Read, and not certain, or not allowed by the channel's profile."""
    DUPLICATE = "duplicate"
    """The same set-up was taken lately, from here or from where it was forwarded."""
    LATE = "late"
    """Too old, or the price has left."""
    WAITING = "waiting"
    """Its entry is not reached."""
    ENTERING = "entering"
    """An order was asked for; what became of it is not known yet."""
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    """Taken back before anything filled."""
    EXPIRED = "expired"
    """Its entry was not reached in time."""
    DENIED = "denied"
    """A gate of the engine refused it."""
    APPLIED = "applied"
    """A reply or a command that was carried out on the signal it refers to."""

    @property
    def is_final(self) -> bool:
        """Return whether nothing can become of it any more."""
        return self not in {SignalState.WAITING, SignalState.ENTERING, SignalState.OPEN}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message, or a new version of one, as a source hands it in.

    Attributes:
        source: Who says it: ``telegram:-1001234``, ``http:default``, ``tradingview``. It owns
            the slots that its signals take.
        message_id: Identity within the source: the same id is the same message, however often
            it arrives.
        text: As it came.
        posted_ms: When it was posted, by the source's clock.
        version: 0 as posted; later versions have higher numbers, such as the time of the edit.
        reply_to: Id of the message of the same source that it answers.
        origin: ``source|message_id`` of the message it was forwarded from, when that is told.
        metadata: What else the source tells; kept, not acted on.
    """

    source: str
    message_id: str
    text: str
    posted_ms: int
    version: int = 0
    reply_to: str | None = None
    origin: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is on record of a message.

    Attributes:
        signal_id: Number under which its history is kept.
        code: Reason code of a state that needs one; empty otherwise.
        reason: The same as a sentence.
        is_known: Whether just this message and version was on record before.
    """

    signal_id: int
    state: SignalState
    code: str = ""
    reason: str = ""
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class SignalEvent:
    """One line of a signal's history.

    Attributes:
        kind: What happened, as the table in ``docs/signals.md`` calls it: ``received``,
            ``decided``, ``filled``, ``closed`` ...
        code: Reason code, where there is one.
        sentence: The same for people.
    """

    time_ms: int
    kind: str
    state: SignalState
    code: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class SignalHistory:
    """A signal with everything that has happened to it.

    Attributes:
        account: Account it is traded on.
        reading: Its latest version as it was read: fields in words, for people.
        intent_keys: Keys of the intents it has led to; decisions and orders carry them.
        events: Oldest first.
    """

    receipt: Receipt
    account: str
    source: str
    message_id: str
    text: str
    received_ms: int
    reading: Mapping[str, str]
    intent_keys: tuple[str, ...]
    events: tuple[SignalEvent, ...]


class SignalDoor(Protocol):
    """Takes messages in."""

    async def receive(self, incoming: Incoming) -> Receipt:
        """Put a message or a new version of it on record, and have it acted on.

        The receipt is given once it is on record; what it asks for is carried out afterwards.

        Raises:
            StorageError: It is not on record: hand it in again.
        """
        ...

    async def delete(self, source: str, message_id: str) -> Receipt | None:
        """Take in that a message was deleted; None when it was never handed in.

        Raises:
            StorageError: It is not on record: hand it in again.
        """
        ...

    async def history(self, signal_id: int) -> SignalHistory | None:
        """Return everything about a signal; None when there is none of that number."""
        ...

    async def latest(self, limit: int) -> tuple[SignalHistory, ...]:
        """Return the signals that came last, newest first, each without its events.

        Args:
            limit: How many at most; at least 1.
        """
        ...

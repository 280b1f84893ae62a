"""Signals as rows of the ledger, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from milobot.errors import LedgerError
from milobot.signals.door import Incoming, Receipt, SignalEvent, SignalHistory, SignalState
from milobot.signals.life.happenings import Note
from milobot.signals.life.record import Signal
from milobot.signals.reading import SignalReading
from milobot.signals.words import fields_of
from milobot.storage.codec import codec_of
from milobot.storage.remembered import RememberedCodec
from milobot.storage.signal_records import EventRow, SignalRow


@dataclass(frozen=True, slots=True)
class Details:
    """What a row keeps beside its columns.

    Attributes:
        words: Fields of the latest reading, in words.
        metadata: What the source told beside the message.
    """

    signal: Signal
    words: tuple[tuple[str, ...], ...] = ()
    metadata: tuple[tuple[str, ...], ...] = ()


_DETAILS = RememberedCodec(codec_of(Details))


def details_of(row: SignalRow) -> Details:
    """Return what a row keeps of its signal.

    Raises:
        LedgerError: It was changed by hand, or a newer milobot wrote it.
    """
    return _DETAILS.decode(row.details)


def signal_of(row: SignalRow) -> Signal:
    """Return the signal of a row.

    Raises:
        LedgerError: It was changed by hand, or a newer milobot wrote it.
    """
    return details_of(row).signal


def new_row(account: str, incoming: Incoming, now_ms: int) -> SignalRow:
    """Return the row of a message that has just come, before anything is made of it."""
    return SignalRow(
        account=account,
        source=incoming.source,
        message_id=incoming.message_id,
        version=incoming.version,
        content=incoming.text,
        posted_ms=incoming.posted_ms,
        received_ms=now_ms,
        updated_ms=now_ms,
        reply_to=incoming.reply_to,
        origin=incoming.origin or f"{incoming.source}|{incoming.message_id}",
        fingerprint="",
        symbol="",
        state="",
        code="",
        reason="",
        is_live=False,
        details="",
    )


def with_details(row: SignalRow, details: Details, now_ms: int) -> SignalRow:
    """Return a row with its signal as it stands now."""
    signal = details.signal
    return replace(
        row,
        updated_ms=now_ms,
        version=max(row.version, signal.version),
        symbol=signal.symbol or row.symbol,
        state=signal.state.value,
        code=signal.code,
        reason=signal.reason,
        is_live=not signal.state.is_final,
        details=_DETAILS.encode(details),
    )


def words_of(reading: SignalReading) -> tuple[tuple[str, ...], ...]:
    """Return the fields of a reading in words, its kind first."""
    return (("kind", reading.kind.value), *fields_of(reading))


def pairs_of(metadata: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Return what a source told beside its message, as it is kept."""
    return tuple(metadata.items())


def events_of(notes: Sequence[Note], now_ms: int) -> tuple[EventRow, ...]:
    """Return lines of history as rows."""
    return tuple(
        EventRow(now_ms, note.kind, note.state.value, note.code, note.sentence) for note in notes
    )


def receipt_of(row: SignalRow, *, is_known: bool) -> Receipt:
    """Return what is on record of a message."""
    return Receipt(row.signal_id, SignalState(row.state), row.code, row.reason, is_known)


def history_of(row: SignalRow, events: Sequence[EventRow]) -> SignalHistory:
    """Return a signal with what has happened to it.

    Of one that was changed by hand, or that a newer milobot wrote, everything but its reading:
    it must not hide the others.
    """
    reading, keys = _told_of(row)
    return SignalHistory(
        receipt=receipt_of(row, is_known=True),
        account=row.account,
        source=row.source,
        message_id=row.message_id,
        text=row.content,
        received_ms=row.received_ms,
        reading=reading,
        intent_keys=keys,
        events=tuple(
            SignalEvent(e.time_ms, e.kind, SignalState(e.state), e.code, e.sentence) for e in events
        ),
    )


def _told_of(row: SignalRow) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what a message was read as, and the intents that it led to."""
    try:
        details = details_of(row)
    except LedgerError as error:
        return {"unreadable": str(error)}, ()
    return {pair[0]: pair[1] for pair in details.words}, details.signal.keys

"""Units of work: a message, a new version or a deletion, each one transaction."""

from dataclasses import replace

from sqlalchemy import Connection

from milobot.errors import LedgerUnavailableError
from milobot.signals.door import SignalState
from milobot.signals.inbox.commanding import carry_out
from milobot.signals.inbox.messages import Message, Taken, bare, happen, save_step
from milobot.signals.inbox.rows import (
    Details,
    details_of,
    events_of,
    new_row,
    receipt_of,
    with_details,
    words_of,
)
from milobot.signals.life.happenings import Note
from milobot.signals.life.opening import Arrival, begin, begin_again
from milobot.signals.life.plans import SignalTerms, fingerprint, plan_of
from milobot.signals.life.record import Change, ChangeKind
from milobot.signals.life.steps import step
from milobot.signals.reading import ReadingKind
from milobot.storage.signal_records import (
    SignalRow,
    find_message,
    find_twins,
    insert_signal,
    save_signal,
)

_COMMANDS = frozenset(
    {ReadingKind.CLOSE, ReadingKind.MOVE_STOP, ReadingKind.CANCEL, ReadingKind.CHANGE}
)
# What was taken, and not turned away: only that makes the same set-up a duplicate.
_TRADED = frozenset(
    {
        SignalState.WAITING.value,
        SignalState.ENTERING.value,
        SignalState.OPEN.value,
        SignalState.CLOSED.value,
        SignalState.APPLIED.value,
    }
)
_MAY_BEGIN_AGAIN = frozenset({SignalState.REFUSED, SignalState.NOT_A_SIGNAL})


def take(connection: Connection, message: Message) -> Taken:
    """Put a message or a new version of it on record, with all that follows from it.

    Raises:
        LedgerError: What is on record of it cannot be read.
    """
    taken = _taken_first(connection, message)
    if taken is not None:
        return taken
    incoming = message.incoming
    known = find_message(connection, message.account, incoming.source, incoming.message_id)
    if known is None:
        raise LedgerUnavailableError("a message was kept and forgotten at the same moment")
    if incoming.version <= known.version:
        return Taken(receipt_of(known, is_known=True), ())
    return _new_version(connection, message, known)


def delete(
    connection: Connection,
    account: str,
    source: str,
    message_id: str,
    *,
    terms: SignalTerms,
    now_ms: int,
) -> Taken | None:
    """Take in that a message was deleted; None when it never came."""
    known = find_message(connection, account, source, message_id)
    if known is None:
        return None
    change = Change(ChangeKind.DELETE, message_id)
    done = happen(connection, known.signal_id, change, terms, now_ms)
    row = known if done is None else done[0]
    return Taken(receipt_of(row, is_known=True), (row,))


def _taken_first(connection: Connection, message: Message) -> Taken | None:
    """Keep a message that has not come before; None when it has."""
    row = new_row(message.account, message.incoming, message.now_ms)
    if message.reading.kind in _COMMANDS:
        # Kept before it is carried out: of two processes only one comes past this line.
        kept = insert_signal(connection, replace(row, state=SignalState.APPLIED.value), ())
        return None if kept is None else carry_out(connection, message, kept)
    stepped = begin(_arrival(connection, message, 0), message.terms, message.now_ms)
    row = replace(row, fingerprint=fingerprint(message.reading))
    row = with_details(row, message.details(stepped.signal), message.now_ms)
    kept = insert_signal(connection, row, events_of(stepped.notes, message.now_ms))
    return None if kept is None else Taken(receipt_of(kept, is_known=False), (kept,))


def _arrival(connection: Connection, message: Message, own_id: int) -> Arrival:
    incoming = message.incoming
    return Arrival(
        source=incoming.source,
        message_id=incoming.message_id,
        posted_ms=incoming.posted_ms,
        version=incoming.version,
        reading=message.reading,
        profile=message.profile,
        twin=_twin(connection, message, own_id),
    )


def _twin(connection: Connection, message: Message, own_id: int) -> int:
    """Return the number of the signal with the same set-up that was taken lately; 0 for none.

    The same set-up of the same source counts, and the same message wherever it is forwarded
    to. An order in the strict form means what it says each time.
    """
    incoming, terms = message.incoming, message.terms
    window_ms = terms.window_of(incoming.source, message.profile)
    mark = fingerprint(message.reading)
    if not mark or (not window_ms and incoming.origin is None):
        return 0
    since_ms = message.now_ms - max(window_ms, terms.duplicate_window_ms)
    origin = incoming.origin or f"{incoming.source}|{incoming.message_id}"
    is_setup = message.reading.kind is ReadingKind.SETUP
    for row in find_twins(connection, message.account, mark, since_ms=since_ms):
        is_repeated = is_setup and row.source == incoming.source
        is_in_window = row.received_ms >= message.now_ms - window_ms
        is_same = row.origin == origin or (is_repeated and is_in_window and window_ms > 0)
        if is_same and row.signal_id != own_id and row.state in _TRADED:
            return row.signal_id
    return 0


def _new_version(connection: Connection, message: Message, known: SignalRow) -> Taken:
    details, incoming = details_of(known), message.incoming
    row = replace(known, version=incoming.version, content=incoming.text)
    if incoming.text == known.content:
        saved = save_signal(connection, replace(row, updated_ms=message.now_ms), ())
        return Taken(receipt_of(saved, is_known=True), (saved,))
    fresh = replace(details, words=words_of(message.reading))
    if details.signal.state in _MAY_BEGIN_AGAIN and not details.signal.keys:
        return _begun_again(connection, message, row, fresh)
    stepped = step(details.signal, _edit(message), message.terms, message.now_ms)
    signal = replace(stepped.signal, version=incoming.version)
    saved = save_step(connection, row, fresh, replace(stepped, signal=signal), message.now_ms)
    return Taken(receipt_of(saved, is_known=False), (saved,))


def _begun_again(
    connection: Connection, message: Message, row: SignalRow, details: Details
) -> Taken:
    """Take a message that was no signal, and may be one now."""
    if message.reading.kind in _COMMANDS:
        edited = Note("edited", details.signal.state)
        return carry_out(connection, message, row, (edited,))
    arrival = _arrival(connection, message, row.signal_id)
    stepped = begin_again(details.signal, arrival, message.terms, message.now_ms)
    row = replace(row, fingerprint=fingerprint(message.reading))
    saved = save_step(connection, row, details, stepped, message.now_ms)
    return Taken(receipt_of(saved, is_known=False), (saved,))


def _edit(message: Message) -> Change:
    incoming = message.incoming
    plan = plan_of(
        message.reading,
        message.profile,
        message.terms,
        posted_ms=incoming.posted_ms,
        version=incoming.version,
    )
    return Change(
        ChangeKind.EDIT, incoming.message_id, incoming.version, bare(message.reading), plan
    )

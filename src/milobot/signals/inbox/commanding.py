"""Which signals a reply or a command is about, and carrying it out on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from milobot.errors import LedgerError
from milobot.signals.door import SignalState
from milobot.signals.inbox.messages import Message, Taken, bare, happen
from milobot.signals.inbox.rows import events_of, receipt_of, signal_of, with_details
from milobot.signals.life.happenings import Note
from milobot.signals.life.opening import RECEIVED
from milobot.signals.life.record import Change, ChangeKind, Signal, intent_key
from milobot.signals.reading import ReadingKind
from milobot.storage.signal_records import SignalRow, find_message, list_live, save_signal

_MOST_HOPS = 5
_HELD = frozenset({SignalState.ENTERING.value, SignalState.OPEN.value})
_CONCERNS_ALL = frozenset({ReadingKind.CLOSE, ReadingKind.CANCEL})


@dataclass(frozen=True, slots=True)
class _Refusal:
    code: str
    sentence: str


def carry_out(
    connection: Connection, message: Message, row: SignalRow, before: tuple[Note, ...] = ()
) -> Taken:
    """Carry out a command whose own row is kept already; it ends APPLIED or REFUSED.

    Args:
        connection: Of the transaction.
        message: The command.
        row: Its own row.
        before: What goes into its history first.
    """
    found = _targets(connection, message)
    if isinstance(found, _Refusal):
        return _answered(connection, message, row, (), found, before)
    change = Change(
        ChangeKind.COMMAND,
        message.incoming.message_id,
        message.incoming.version,
        bare(message.reading),
    )
    changed: list[SignalRow] = []
    refusal: _Refusal | None = None
    is_applied = False
    for target in found:
        try:
            done = happen(connection, target.signal_id, change, message.terms, message.now_ms)
        except LedgerError as error:
            refusal = _Refusal("unreadable", f"Signal {target.signal_id} cannot be read: {error}.")
            continue
        if done is None:
            continue
        changed.append(done[0])
        if done[1] is None:
            is_applied = True
        else:
            refusal = _Refusal(done[1].code, done[1].sentence)
    return _answered(connection, message, row, changed, None if is_applied else refusal, before)


def _answered(
    connection: Connection,
    message: Message,
    row: SignalRow,
    changed: Sequence[SignalRow],
    refusal: _Refusal | None,
    before: tuple[Note, ...],
) -> Taken:
    state = SignalState.REFUSED if refusal else SignalState.APPLIED
    code = refusal.code if refusal else ""
    numbers = ", ".join(str(target.signal_id) for target in changed)
    sentence = refusal.sentence if refusal else f"It concerns signal {numbers}."
    own = Signal(
        source=row.source,
        message_id=row.message_id,
        posted_ms=row.posted_ms,
        version=message.incoming.version,
        state=state,
        code=code,
        reason=sentence,
        keys=_keys_of(changed, message),
    )
    fresh = with_details(row, message.details(own), message.now_ms)
    notes = (*before, Note(RECEIVED, state, code, sentence))
    saved = save_signal(connection, fresh, events_of(notes, message.now_ms))
    return Taken(receipt_of(saved, is_known=False), (*changed, saved))


def _keys_of(changed: Sequence[SignalRow], message: Message) -> tuple[str, ...]:
    """Return the keys of the intents that a command has led to."""
    name = message.incoming.message_id
    return tuple(
        key
        for row in changed
        for key in signal_of(row).keys
        if key.startswith(intent_key(row.source, name) + "|")
    )


def _targets(connection: Connection, message: Message) -> Sequence[SignalRow] | _Refusal:
    """Return the signals that a command is about, or why that is not certain."""
    incoming, reading = message.incoming, message.reading
    if incoming.reply_to is not None and not reading.is_everything:
        answered = _answered_signal(connection, message, incoming.reply_to)
        if answered is not None:
            return _checked(answered, reading.symbol)
        if reading.symbol is None:
            sentence = "It answers a message that is no signal on record, and names no symbol."
            return _Refusal("which_signal", sentence)
    live = list_live(connection, message.account, source=incoming.source)
    if reading.symbol is not None:
        live = [row for row in live if row.symbol == reading.symbol]
    if not live:
        where = f" in {reading.symbol}" if reading.symbol else ""
        return _Refusal("nothing_open", f"No signal of this source waits or is open{where}.")
    is_for_all = reading.is_everything or (
        reading.symbol is not None and reading.kind in _CONCERNS_ALL and reading.share is None
    )
    return live if is_for_all else _only(live)


def _only(live: Sequence[SignalRow]) -> Sequence[SignalRow] | _Refusal:
    held = [row for row in live if row.state in _HELD]
    for rows in (live, held):
        if len(rows) == 1:
            return rows
    sentence = f"{len(live)} signals of this source wait or are open: answer one, or name a symbol."
    return _Refusal("which_signal", sentence)


def _checked(answered: SignalRow, symbol: str | None) -> Sequence[SignalRow] | _Refusal:
    if symbol is not None and symbol != answered.symbol:
        sentence = f"It names {symbol} and answers a signal about {answered.symbol}."
        return _Refusal("other_symbol", sentence)
    if not answered.is_live:
        sentence = f"It answers signal {answered.signal_id}, which is over ({answered.state})."
        return _Refusal("over", sentence)
    return (answered,)


def _answered_signal(connection: Connection, message: Message, reply_to: str) -> SignalRow | None:
    """Return the signal that a reply answers, also through replies to replies."""
    name: str | None = reply_to
    for _ in range(_MOST_HOPS):
        if name is None:
            return None
        row = find_message(connection, message.account, message.incoming.source, name)
        if row is None or row.symbol:
            return row
        name = row.reply_to
    return None

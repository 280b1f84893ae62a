"""What is kept of signals: each message with its state, and everything that happened to it.

Units of work and queries; ``ledger.write`` and ``ledger.read`` run them. What a signal plans
and wishes for is text here (``details``): the signals' own code writes and reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, bindparam, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert

from milobot.errors import LedgerUnavailableError
from milobot.storage import tables
from milobot.storage.batches import Write, write_numbered, write_rows
from milobot.storage.prepared import change_rows, fetch_rows
from milobot.storage.upserts import insert_or_keep

_signals, _events = tables.signals, tables.signal_events
# Made once: each is asked for several times a signal, and making it anew took half of its time.
_INSERT_EVENT = insert(_events)
_SAVE = update(_signals).where(
    _signals.c.id == bindparam("of_id"), _signals.c.revision == bindparam("of_revision")
)
_FIND = select(_signals).where(_signals.c.id == bindparam("of_id"))
_FIND_TO_CHANGE = _FIND.with_for_update()
_FIND_MESSAGE = (
    select(_signals)
    .where(
        _signals.c.account == bindparam("of_account"),
        _signals.c.source == bindparam("of_source"),
        _signals.c.message_id == bindparam("of_message"),
    )
    .with_for_update()
)
_FIND_TWINS = (
    select(_signals.c.id, _signals.c.source, _signals.c.origin, _signals.c.state)
    .add_columns(_signals.c.received_ms)
    .where(
        _signals.c.account == bindparam("of_account"),
        _signals.c.fingerprint == bindparam("of_fingerprint"),
        _signals.c.received_ms >= bindparam("since_ms"),
    )
    .order_by(_signals.c.received_ms.desc(), _signals.c.id.desc())
)
_LIVE_REVISIONS = select(_signals.c.id, _signals.c.revision).where(
    _signals.c.account == bindparam("of_account"), _signals.c.is_live.is_(True)
)


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A message and what has become of it.

    Attributes:
        version: Of the text; see ``Incoming``.
        reply_to: Id of the message of its source that it answers.
        origin: ``source|message_id`` of the message it was forwarded from, or its own.
        fingerprint: The same for the same set-up; empty for what is none.
        symbol: What it trades; empty for what trades nothing.
        is_live: Whether anything can become of it.
        details: Plan and wishes, as the signals' own code writes them.
        signal_id: Number of the row; 0 before it has one.
        revision: Grows with every change, so that two processes never both make one.
    """

    account: str
    source: str
    message_id: str
    version: int
    content: str
    posted_ms: int
    received_ms: int
    updated_ms: int
    reply_to: str | None
    origin: str
    fingerprint: str
    symbol: str
    state: str
    code: str
    reason: str
    is_live: bool
    details: str
    signal_id: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the history of a signal."""

    time_ms: int
    kind: str
    state: str
    code: str
    sentence: str


class TwinRow(NamedTuple):
    """What is asked of a signal with the same set-up."""

    signal_id: int
    source: str
    origin: str
    state: str
    received_ms: int


_NAMES = tuple(field.name for field in fields(SignalRow) if field.name != "signal_id")
_COLUMNS = tuple("signal_id" if column.name == "id" else column.name for column in _signals.columns)
_EVENT_NAMES = tuple(field.name for field in fields(EventRow))


@cache
def _insert_message(dialect: str) -> ReturningInsert[Any]:
    return insert_or_keep(_signals, dialect).returning(_signals.c.id)


def insert_signal(
    connection: Connection, row: SignalRow, events: Sequence[EventRow]
) -> SignalRow | None:
    """Keep a message for the first time, with its number; None when it is there already.

    Of several processes that hand in the same message at the same moment, one keeps it; the
    others wait for that and get None.
    """
    values = {name: getattr(row, name) for name in _NAMES}
    number = write_numbered(connection, Write(_insert_message(connection.dialect.name), values))
    if number is None:
        return None
    _insert_events(connection, number, events)
    return SignalRow(signal_id=number, **values)


def save_signal(connection: Connection, row: SignalRow, events: Sequence[EventRow]) -> SignalRow:
    """Keep what has become of a signal, with the lines of its history. Return it as kept.

    Raises:
        LedgerUnavailableError: Another process has changed it since it was read: read it again.
    """
    values = {name: getattr(row, name) for name in _NAMES} | {"revision": row.revision + 1}
    which = {"of_id": row.signal_id, "of_revision": row.revision}
    if change_rows(connection, _SAVE, _NAMES, values | which) != 1:
        raise LedgerUnavailableError(
            f"signal {row.signal_id} was changed by another process: read it again"
        )
    _insert_events(connection, row.signal_id, events)
    return SignalRow(signal_id=row.signal_id, **values)


def find_message(
    connection: Connection, account: str, source: str, message_id: str
) -> SignalRow | None:
    """Return what is kept of a message, locked until the end; None when it never came."""
    which = {"of_account": account, "of_source": source, "of_message": message_id}
    return _one(connection, _FIND_MESSAGE, which)


def find_signal(connection: Connection, signal_id: int) -> SignalRow | None:
    """Return a signal by its number, locked until the end of a write."""
    return _one(connection, _FIND_TO_CHANGE, {"of_id": signal_id})


def read_signal(connection: Connection, signal_id: int) -> SignalRow | None:
    """Return a signal by its number; None when there is none."""
    return _one(connection, _FIND, {"of_id": signal_id})


def find_twins(
    connection: Connection, account: str, fingerprint: str, *, since_ms: int
) -> Sequence[TwinRow]:
    """Return the signals with the same set-up that came since a moment, newest first."""
    values = {"of_account": account, "of_fingerprint": fingerprint, "since_ms": since_ms}
    return [TwinRow(*row) for row in fetch_rows(connection, _FIND_TWINS, values)]


def list_live(
    connection: Connection, account: str, *, source: str | None = None
) -> Sequence[SignalRow]:
    """Return the signals of which something may become, oldest first."""
    found = select(_signals).where(_signals.c.account == account, _signals.c.is_live.is_(True))
    if source is not None:
        found = found.where(_signals.c.source == source)
    return _many(connection, found.order_by(_signals.c.id))


def live_revisions(connection: Connection, account: str) -> dict[int, int]:
    """Return the revision of each live signal, by its number: what changed is seen at a glance."""
    found = connection.execute(_LIVE_REVISIONS, {"of_account": account})
    return {row.id: row.revision for row in found}


def list_signals(connection: Connection, account: str, *, limit: int) -> Sequence[SignalRow]:
    """Return the messages of an account that came last, newest first."""
    found = select(_signals).where(_signals.c.account == account)
    latest = found.order_by(_signals.c.received_ms.desc(), _signals.c.id.desc()).limit(limit)
    return _many(connection, latest)


def list_events(connection: Connection, signal_id: int) -> Sequence[EventRow]:
    """Return what happened to a signal, oldest first."""
    columns = (_events.c[name] for name in _EVENT_NAMES)
    found = select(*columns).where(_events.c.signal_id == signal_id).order_by(_events.c.id)
    return [EventRow(*row) for row in connection.execute(found)]


def _insert_events(connection: Connection, signal_id: int, events: Sequence[EventRow]) -> None:
    rows = (
        {name: getattr(event, name) for name in _EVENT_NAMES} | {"signal_id": signal_id}
        for event in events
    )
    write_rows(connection, [Write(_INSERT_EVENT, row) for row in rows])


def _one(
    connection: Connection, found: Select[Any], which: Mapping[str, object]
) -> SignalRow | None:
    rows = fetch_rows(connection, found, which)
    if not rows:
        return None
    return SignalRow(**dict(zip(_COLUMNS, rows[0], strict=True)))


def _many(connection: Connection, found: Select[tuple[object, ...]]) -> list[SignalRow]:
    return [_row_of(row) for row in connection.execute(found).mappings()]


def _row_of(row: RowMapping) -> SignalRow:
    return SignalRow(signal_id=row["id"], **{name: row[name] for name in _NAMES})

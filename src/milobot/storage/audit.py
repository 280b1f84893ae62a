"""The audit log: who did what to the bot, each entry sealed with the hash of the one before it.

An entry's hash covers its number, its content and the hash before it. So nothing in the middle
can be changed, left out or put in between without every later hash being wrong. Whoever may
write to the database can make a whole new chain; against that keep number and hash of the last
entry elsewhere, as the log of the process does.

Units of work and queries; ``ledger.write`` and ``ledger.read`` run them.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from typing import cast

from sqlalchemy import Connection, func, insert, select

from milobot.domain.times import LAST_MS
from milobot.storage import tables
from milobot.storage.ledger import Ledger
from milobot.storage.plain_text import to_plain_text

GENESIS = "0" * 64
"""What stands before the first entry."""
_PAGE = 2_000
# Any number, as long as all who append use the same: on PostgreSQL two may be at it at once.
_LOCK = 6_423_002
_audit = tables.audit


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log.

    Attributes:
        account: Account concerned; empty for the bot as a whole.
        actor: Who did it, such as ``cli:alice``, ``telegram:12`` or ``milobot``.
        event: What, such as ``halt`` or ``started``.
        previous_hash: Hash of the entry before it.
    """

    number: int
    account: str
    time_ms: int
    actor: str
    event: str
    details: str
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class DamagedEntry:
    """A row of the audit log that no milobot has written.

    Attributes:
        fault: What of it is wrong, such as ``its field details holds no text``.
    """

    number: int
    fault: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of looking through the chain.

    Attributes:
        entries: How many are in order.
        last: The last that is; None in an empty log.
        fault: Where and how it breaks, as a sentence; empty for an unbroken chain.
    """

    entries: int
    last: AuditEntry | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What an entry says; see ``AuditEntry``."""

    account: str
    time_ms: int
    actor: str
    event: str
    details: str


def seal(number: int, content: Content, previous_hash: str) -> str:
    """Return the hash of an entry: SHA-256 over a JSON array of the hash before and its parts."""
    parts = [previous_hash, number, *astuple(content)]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def append_audit(
    connection: Connection, account: str, *, actor: str, event: str, details: str, now_ms: int
) -> AuditEntry:
    """Note who did what and return the entry; nothing ever takes such a note away."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    latest = select(_audit.c.id, _audit.c.hash).order_by(_audit.c.id.desc()).limit(1)
    found = connection.execute(latest).one_or_none()
    # The hash of a row that somebody changed need not be text; that must not stop the bot.
    number, before = (1, GENESIS) if found is None else (found.id + 1, str(found.hash))
    account, actor, event, details = map(to_plain_text, (account, actor, event, details))
    content = Content(account, now_ms, actor, event, details)
    own = seal(number, content, before)
    entry = AuditEntry(
        number=number,
        account=account,
        time_ms=now_ms,
        actor=actor,
        event=event,
        details=details,
        previous_hash=before,
        hash=own,
    )
    connection.execute(insert(_audit), _row(entry))
    return entry


def list_audit(
    connection: Connection, *, after: int = 0, limit: int = _PAGE
) -> list[AuditEntry | DamagedEntry]:
    """Return the entries whose number is above ``after``, oldest first."""
    found = select(_audit).where(_audit.c.id > after).order_by(_audit.c.id).limit(limit)
    return [_entry(dict(row)) for row in connection.execute(found).mappings()]


def latest_of(connection: Connection, account: str, event: str) -> AuditEntry | None:
    """Return the last entry of a kind about an account; None without one that can be read."""
    found = select(_audit).where(_audit.c.account == account, _audit.c.event == event)
    row = connection.execute(found.order_by(_audit.c.id.desc()).limit(1)).mappings().one_or_none()
    entry = None if row is None else _entry(dict(row))
    return entry if isinstance(entry, AuditEntry) else None


async def read_audit(ledger: Ledger, take: Callable[[AuditEntry | DamagedEntry], None]) -> None:
    """Hand over every entry, oldest first, a page at a time."""
    after = 0
    while entries := await ledger.read(_page_after(after)):
        for entry in entries:
            take(entry)
        after = entries[-1].number


class ChainCheck:
    """Looks through a chain, entry by entry.

    Attributes:
        verdict: What came of it so far.
    """

    def __init__(self, *, known: tuple[int, str] | None = None) -> None:
        """Begin before the first entry; ``known`` is a number and hash that were kept elsewhere."""
        self.verdict = Verdict(0, None)
        self._known = known

    def take(self, entry: AuditEntry | DamagedEntry) -> None:
        """Look at the next entry; after a fault nothing is looked at any more."""
        if self.verdict.fault:
            return
        fault = self._gap(entry.number) or self._fault(entry)
        if fault or isinstance(entry, DamagedEntry):
            self.verdict = Verdict(self.verdict.entries, self.verdict.last, fault)
        else:
            self.verdict = Verdict(self.verdict.entries + 1, entry)

    def end(self) -> Verdict:
        """Return the verdict about the whole chain."""
        if self.verdict.fault or self._known is None:
            return self.verdict
        number, last = self._known[0], self.verdict.last
        if last is None or last.number < number:
            ends = "the log is empty" if last is None else f"the log ends with entry {last.number}"
            fault = f"entry {number} is known, and {ends}: later ones were taken away"
            return Verdict(self.verdict.entries, last, fault)
        return self.verdict

    def _gap(self, number: int) -> str:
        due = 1 if self.verdict.last is None else self.verdict.last.number + 1
        return "" if number == due else f"entry {due} is missing: entry {number} comes in its place"

    def _fault(self, entry: AuditEntry | DamagedEntry) -> str:
        if isinstance(entry, DamagedEntry):
            return f"entry {entry.number} was changed: {entry.fault}"
        last = self.verdict.last
        if entry.previous_hash != (GENESIS if last is None else last.hash):
            return f"entry {entry.number} does not follow on the one before it"
        if entry.hash != _seal_of(entry):
            return f"entry {entry.number} was changed: its hash does not fit what it says"
        if self._known is not None and self._known[0] == entry.number:
            return "" if self._known[1] == entry.hash else _other(entry.number)
        return ""


def check_chain(
    entries: Iterable[AuditEntry | DamagedEntry], *, known: tuple[int, str] | None = None
) -> Verdict:
    """Return where a chain breaks, if it does."""
    check = ChainCheck(known=known)
    for entry in entries:
        check.take(entry)
    return check.end()


def _other(number: int) -> str:
    return f"entry {number} has another hash than the one that is known: the log was written anew"


def _seal_of(entry: AuditEntry) -> str:
    content = Content(entry.account, entry.time_ms, entry.actor, entry.event, entry.details)
    return seal(entry.number, content, entry.previous_hash)


def _page_after(after: int) -> Callable[[Connection], list[AuditEntry | DamagedEntry]]:
    return lambda connection: list_audit(connection, after=after)


def _row(entry: AuditEntry) -> dict[str, object]:
    return {
        "id": entry.number,
        "account": entry.account,
        "time_ms": entry.time_ms,
        "actor": entry.actor,
        "event": entry.event,
        "details": entry.details,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def _entry(row: dict[str, object]) -> AuditEntry | DamagedEntry:
    """Return what a row says; SQLite keeps anything in any column, whatever its type."""
    number, fault = cast("int", row.pop("id")), _fault_of(row)
    if fault:
        return DamagedEntry(number, fault)
    return AuditEntry(number=number, **row)  # type: ignore[arg-type]  # looked at just now


def _fault_of(row: dict[str, object]) -> str:
    time_ms = row["time_ms"]
    if not isinstance(time_ms, int) or not 0 <= time_ms <= LAST_MS:
        return "its field time_ms holds no time"
    for name, value in row.items():
        if name != "time_ms" and not isinstance(value, str):
            return f"its field {name} holds no text"
    return ""

"""What users ask of the process that leads an account: rows it carries out, oldest first.

Units of work and queries; ``ledger.write`` and ``ledger.read`` run them.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from milobot.storage import tables

SHELF_LIFE_MS = 60_000
"""How long a command waits for somebody to carry it out; a halt waits forever."""

_commands = tables.commands
_TOO_LATE = "nobody was there in time, so it was not carried out: look at the state, then ask again"


class CommandKind(StrEnum):
    """What can be asked."""

    HALT = "halt"
    RESUME = "resume"
    CLOSE = "close"
    FLATTEN = "flatten"


@dataclass(frozen=True, slots=True)
class Command:
    """One request.

    Attributes:
        symbol: What to close; empty for the other kinds.
        asked_by: Who asked, such as ``cli:alice``.
        taken_ms: When somebody began with it; None before.
        done_ms: When it was over; None before.
        is_carried_out: Whether it was done as asked; None before.
        answer: What came of it, as a sentence.
    """

    command_id: int
    account: str
    kind: CommandKind
    symbol: str
    asked_by: str
    asked_ms: int
    taken_ms: int | None = None
    done_ms: int | None = None
    is_carried_out: bool | None = None
    answer: str = ""


def enqueue(
    connection: Connection,
    account: str,
    kind: CommandKind,
    *,
    asked_by: str,
    now_ms: int,
    symbol: str = "",
) -> int:
    """Ask for something. Return the number of the command, to look for its answer."""
    values = {
        "account": account,
        "kind": kind.value,
        "symbol": symbol,
        "asked_by": asked_by,
        "asked_ms": now_ms,
        "answer": "",
    }
    number: int = connection.execute(
        insert(_commands).returning(_commands.c.id), values
    ).scalar_one()
    return number


def is_any_waiting(connection: Connection, account: str) -> bool:
    """Return whether a command is not done: a look that holds nobody up who writes."""
    waiting = select(_commands.c.id).where(
        _commands.c.account == account, _commands.c.done_ms.is_(None)
    )
    return connection.execute(waiting.limit(1)).first() is not None


def take_next(connection: Connection, account: str, *, now_ms: int) -> Command | None:
    """Return the oldest command that is not done, marked as taken; None when there is none.

    One that a process took and did not finish comes again: each may be carried out twice.
    What waited too long is answered and passed over.
    """
    _answer_late_ones(connection, account, now_ms)
    waiting = (
        select(_commands)
        .where(_commands.c.account == account, _commands.c.done_ms.is_(None))
        .order_by(_commands.c.id)
        .limit(1)
    )
    row = connection.execute(waiting).mappings().one_or_none()
    if row is None:
        return None
    connection.execute(update(_commands).where(_commands.c.id == row["id"]).values(taken_ms=now_ms))
    return _command_of(dict(row) | {"taken_ms": now_ms})


def finish(
    connection: Connection, command_id: int, *, answer: str, is_carried_out: bool, now_ms: int
) -> None:
    """Answer a command."""
    connection.execute(
        update(_commands)
        .where(_commands.c.id == command_id)
        .values(done_ms=now_ms, answer=answer, is_carried_out=is_carried_out)
    )


def withdraw(connection: Connection, command_id: int) -> bool:
    """Take back a command that nobody has taken yet. Return whether that was so."""
    gone = connection.execute(
        delete(_commands).where(_commands.c.id == command_id, _commands.c.taken_ms.is_(None))
    )
    return gone.rowcount > 0


def read_command(connection: Connection, command_id: int) -> Command | None:
    """Return a command with its answer, if there is one yet."""
    found = select(_commands).where(_commands.c.id == command_id)
    row = connection.execute(found).mappings().one_or_none()
    return None if row is None else _command_of(row)


def _answer_late_ones(connection: Connection, account: str, now_ms: int) -> None:
    connection.execute(
        update(_commands)
        .where(
            _commands.c.account == account,
            _commands.c.done_ms.is_(None),
            _commands.c.taken_ms.is_(None),
            _commands.c.kind != CommandKind.HALT.value,
            _commands.c.asked_ms < now_ms - SHELF_LIFE_MS,
        )
        .values(done_ms=now_ms, answer=_TOO_LATE, is_carried_out=False)
    )


def _command_of(row: RowMapping | dict[str, object]) -> Command:
    values = dict(row)
    return Command(command_id=values.pop("id"), kind=CommandKind(values.pop("kind")), **values)

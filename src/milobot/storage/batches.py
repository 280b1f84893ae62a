"""Rows of one transaction, in as few and as cheap statements as the database allows.

What a trade puts on record is waited for before its order leaves. Half of that time went into
SQLAlchemy's preparing the same few INSERTs anew, and on a server into one journey per row:
here each statement is compiled once, and a server gets what comes together as one statement.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.sql.dml import ReturningInsert

from milobot.storage.prepared import Prepared, execute, prepare

Row = Mapping[str, Any]

# More in one statement would make ever new statements, and the server plans each of them.
_LARGEST = 12
_PARAMETER = re.compile(r"\$(\d+)")


class Write(NamedTuple):
    """A row and the statement that puts it into its table.

    Attributes:
        statement: Made once: it is recognised by being the same object.
    """

    statement: Insert | ReturningInsert[Any]
    row: Row


def write_rows(connection: Connection, writes: Sequence[Write]) -> None:
    """Put rows into their tables, in order where one replaces another.

    Raises:
        sqlalchemy.exc.DBAPIError: The database takes one of them not (sqlite3.Error: it takes
            nothing); the transaction has to be undone.
    """
    if connection.dialect.name == "sqlite":
        _write_to_file(connection, writes)
        return
    for group in _groups(writes):
        prepared = [prepare(w.statement, connection.dialect, tuple(w.row)) for w in group]
        values = tuple(
            value
            for one, write in zip(prepared, group, strict=True)
            for value in one.parameters(write.row)
        )
        connection.exec_driver_sql(_joined(tuple(prepared)), values)


def write_numbered(connection: Connection, write: Write) -> int | None:
    """Put a row into its table; return the number it got, None when the statement kept another.

    Its statement returns that number.

    Raises:
        sqlalchemy.exc.DBAPIError: As ``write_rows``.
    """
    number: int | None
    if connection.dialect.name != "sqlite":
        number = connection.execute(write.statement, write.row).scalar()
        return number
    found = _execute(connection, write).fetchall()  # to its end: it has to be over at the commit
    number = found[0][0] if found else None
    return number


def _write_to_file(connection: Connection, writes: Sequence[Write]) -> None:
    """Put rows into tables of SQLite by its own driver: nothing is left to be done between."""
    for write in writes:
        _execute(connection, write)


def _execute(connection: Connection, write: Write) -> sqlite3.Cursor:
    prepared = prepare(write.statement, connection.dialect, tuple(write.row))
    return execute(connection, prepared, write.row)


def _groups(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Yield rows that may come in one statement: it does not matter which comes first."""
    group: list[Write] = []
    known: set[tuple[Any, ...]] = set()
    for write in writes:
        identity = _identity(write)
        if len(group) == _LARGEST or identity in known:
            yield group
            group, known = [], set()
        group.append(write)
        known.add(identity)
    if group:
        yield group


def _identity(write: Write) -> tuple[Any, ...]:
    """Return what tells a row from others; all are alike that the database numbers in turn.

    In one statement the order is the server's: of two decisions the first could be the latest.
    """
    table: Table = write.statement.table  # type: ignore[assignment]  # ours are all tables
    keys = [column.name for column in table.primary_key]
    if any(key not in write.row for key in keys):
        return (table.name,)
    return (table.name, *(write.row[key] for key in keys))


@lru_cache(maxsize=256)
def _joined(parts: tuple[Prepared, ...]) -> str:
    """Return one statement that does what several do, which must not depend on each other."""
    if len(parts) == 1:
        return parts[0].sql
    shifted, before = [], 0
    for part in parts:
        shifted.append(_shifted(part.sql, before))
        before += len(part.marked)
    *others, last = shifted
    named = ", ".join(f"w{number} AS ({sql})" for number, sql in enumerate(others))
    return f"WITH {named} {last}"


def _shifted(sql: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)

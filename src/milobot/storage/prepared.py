"""Statements that are compiled once, and run on a SQLite file by its own driver.

Preparing the same few statements anew took half of the time of a short transaction.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Dialect, Select, Update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.compiler import SQLCompiler

from milobot.storage.sqlite_ledger import driver_of

Values = Mapping[str, Any]
_Convert = Callable[[Any], Any] | None


class Compilable(Protocol):
    """A statement of SQLAlchemy, made once: it is recognised by being the same object."""

    def compile(self, **how: Any) -> Any:
        """Return its text for a database, with what its parameters are."""
        ...


class Parameter(NamedTuple):
    """What stands for a mark in a statement."""

    name: str
    convert: _Convert


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled statement.

    Attributes:
        sql: With the driver's own marks for parameters.
        marked: What they stand for, each with what makes a value fit for the driver.
        results: Makes a value of each column of an answer; empty for what answers nothing.
    """

    sql: str
    marked: tuple[Parameter, ...]
    results: tuple[_Convert, ...]

    def parameters(self, values: Values) -> Iterator[Any]:
        """Yield what stands for the marks, in their order."""
        for name, convert in self.marked:
            yield values[name] if convert is None else convert(values[name])

    def row(self, answered: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return a row of an answer as values."""
        pairs = zip(self.results, answered, strict=True)
        return tuple(one if convert is None else convert(one) for convert, one in pairs)


def fetch_rows(
    connection: Connection, statement: Select[Any], values: Values
) -> list[tuple[Any, ...]]:
    """Return the rows that a query finds.

    Raises:
        sqlalchemy.exc.DBAPIError: It could not be read (sqlite3.Error on a file).
    """
    if connection.dialect.name != "sqlite":
        return [tuple(row) for row in connection.execute(statement, values)]
    prepared = prepare(statement, connection.dialect, ())
    found = driver_of(connection).execute(prepared.sql, tuple(prepared.parameters(values)))
    return [prepared.row(row) for row in found.fetchall()]


def change_rows(
    connection: Connection, statement: Update, columns: tuple[str, ...], values: Values
) -> int:
    """Return how many rows a change has changed.

    Args:
        connection: Whose transaction it belongs to.
        statement: Names what it changes by parameters.
        columns: What it sets.
        values: Of columns and parameters.

    Raises:
        sqlalchemy.exc.DBAPIError: The database takes it not (sqlite3.Error on a file).
    """
    if connection.dialect.name != "sqlite":
        return connection.execute(statement, values).rowcount
    prepared = prepare(statement, connection.dialect, columns)
    return execute(connection, prepared, values).rowcount


def execute(connection: Connection, prepared: Prepared, values: Values) -> sqlite3.Cursor:
    """Run a statement by SQLite's own driver.

    Raises:
        sqlalchemy.exc.IntegrityError: A constraint of the tables is against it.
        sqlite3.Error: Something else is.
    """
    marked = tuple(prepared.parameters(values))
    try:
        return driver_of(connection).execute(prepared.sql, marked)
    except sqlite3.IntegrityError as error:
        raise IntegrityError(prepared.sql, marked, error) from error


@lru_cache(maxsize=256)
def prepare(statement: Compilable, dialect: Dialect, columns: tuple[str, ...]) -> Prepared:
    """Return a statement that sets these columns, compiled for a database."""
    compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=list(columns) or None)
    names = getattr(compiled, "positiontup", None) or columns
    marked = (Parameter(name, _bound(compiled, name, dialect)) for name in names)
    selected = statement.selected_columns if isinstance(statement, Select) else ()
    results = (c.type.dialect_impl(dialect).result_processor(dialect, None) for c in selected)
    return Prepared(str(compiled), tuple(marked), tuple(results))


def _bound(compiled: SQLCompiler, name: str, dialect: Dialect) -> _Convert:
    convert: _Convert = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
    return convert

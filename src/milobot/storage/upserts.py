"""INSERT statements that say what to do when the row is there already, for both databases.

Both understand ``ON CONFLICT`` in the same words; SQLAlchemy keeps it in a module each, of
which a process needs one.
"""

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Insert, Table

_Condition = Callable[[Any], ColumnElement[bool]]


@cache
def insert_or_replace(table: Table, dialect: str, condition: _Condition | None = None) -> Insert:
    """Return an INSERT that overwrites the row with the same primary key.

    Args:
        table: Where the row goes.
        dialect: Name of the database's dialect.
        condition: Given the new row, whether the old one may be overwritten.
    """
    new = _insert(table, dialect)
    keys = [column.name for column in table.primary_key]
    values = {c.name: new.excluded[c.name] for c in table.columns if c.name not in keys}
    where = None if condition is None else condition(new.excluded)
    changed: Insert = new.on_conflict_do_update(index_elements=keys, set_=values, where=where)
    return changed


@cache
def insert_or_keep(table: Table, dialect: str) -> Insert:
    """Return an INSERT that leaves a row with the same primary key as it is."""
    kept: Insert = _insert(table, dialect).on_conflict_do_nothing()
    return kept


def _insert(table: Table, dialect: str) -> Any:
    dialects = importlib.import_module(f"sqlalchemy.dialects.{dialect}")
    return dialects.insert(table)

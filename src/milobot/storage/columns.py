"""Column types of the ledger: the same values come back from SQLite and PostgreSQL."""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from milobot.storage.plain_text import to_plain_text

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Millis = sa.BigInteger
"""A moment, UTC milliseconds."""

# SQLite counts rows by itself only in a column that is exactly INTEGER PRIMARY KEY.
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class PlainText(sa.types.TypeDecorator[str]):
    """Text of any length, without the characters that PostgreSQL refuses."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what cannot be stored."""
        return None if value is None else to_plain_text(value)


class Money(sa.types.TypeDecorator[Decimal]):
    """A decimal number that keeps every digit: NUMERIC on PostgreSQL, text on SQLite.

    SQLite would turn a number into a float. Text does not sort or add up there as numbers
    do: sums are made by the program.
    """

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database really uses."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.Numeric())
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        """Write a number plainly; what is not a number never reaches the books."""
        if value is None:
            return None
        if not value.is_finite():
            raise ValueError(f"{value} is not an amount")
        return value if dialect.name == "postgresql" else f"{value:f}"

    def process_result_value(self, value: object | None, dialect: Dialect) -> Decimal | None:
        """Read it back exactly."""
        if value is None or isinstance(value, Decimal):
            return value
        return Decimal(str(value))

"""Chain the audit log by hashes; what is in it already becomes the beginning of the chain."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from milobot.storage.audit import GENESIS, Content, seal
from milobot.storage.columns import Millis, RowId

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ADDED = ("previous_hash", "hash")
_BEFORE = ("id", "account", "time_ms", "actor", "event", "details")


def upgrade() -> None:
    """Make the change."""
    if op.get_context().dialect.name == "sqlite":
        rows = list(_chained(op.get_bind()))
        _make_anew(*(sa.Column(name, sa.Text(), nullable=False) for name in _ADDED))
        _put_back(rows, (*_BEFORE, *_ADDED))
        return
    for name in _ADDED:
        op.add_column("audit", sa.Column(name, sa.Text(), nullable=True))
    if not context.is_offline_mode():  # printed for an administrator: no rows can be looked at
        _seal_in_place(op.get_bind())
    for name in _ADDED:
        op.alter_column("audit", name, existing_type=sa.Text(), nullable=False)


def downgrade() -> None:
    """Undo the change; the hashes are lost, and an upgrade makes them anew."""
    if op.get_context().dialect.name == "sqlite":
        rows = [dict(row) for row in _rows(op.get_bind())]
        _make_anew()
        _put_back(rows, _BEFORE)
        return
    for name in reversed(_ADDED):
        op.drop_column("audit", name)


def _rows(connection: sa.Connection) -> list[sa.RowMapping]:
    return list(connection.execute(sa.text("SELECT * FROM audit ORDER BY id")).mappings())


def _chained(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """Yield the entries numbered without gaps, each sealed; ``was`` is the number it had."""
    before = GENESIS
    for number, row in enumerate(_rows(connection), 1):
        content = Content(*(row[name] for name in _BEFORE[1:]))
        own = seal(number, content, before)
        yield {**row, "was": row["id"], "id": number, "previous_hash": before, "hash": own}
        before = own


def _seal_in_place(connection: sa.Connection) -> None:
    change = sa.text(
        "UPDATE audit SET id = :id, previous_hash = :previous_hash, hash = :hash WHERE id = :was"
    )
    for row in _chained(connection):
        connection.execute(change, row)


def _make_anew(*added: sa.Column[str]) -> None:
    """Make the table again: SQLite cannot demand a value of a column that it adds."""
    op.drop_table("audit")
    op.create_table(
        "audit",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("time_ms", Millis, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        *added,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_account_id"), "audit", ["account", "id"])


def _put_back(rows: list[dict[str, Any]], names: tuple[str, ...]) -> None:
    table = sa.table("audit", *(sa.column(name) for name in names))
    op.bulk_insert(table, [{name: row[name] for name in names} for row in rows])

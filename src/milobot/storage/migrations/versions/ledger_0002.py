"""Keep signals with their state and history.

No version before this one wrote a signal: the empty table is made anew.
"""

import sqlalchemy as sa
from alembic import op

from milobot.storage.columns import Millis, RowId

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.drop_table("signals")
    op.create_table(
        "signals",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("version", Millis, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("posted_ms", Millis, nullable=False),
        sa.Column("received_ms", Millis, nullable=False),
        sa.Column("updated_ms", Millis, nullable=False),
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
        sa.UniqueConstraint(
            "account", "source", "message_id", name=op.f("uq_signals_account_source_message_id")
        ),
    )
    op.create_index(op.f("ix_signals_account_is_live"), "signals", ["account", "is_live"])
    op.create_index(
        op.f("ix_signals_account_fingerprint_received_ms"),
        "signals",
        ["account", "fingerprint", "received_ms"],
    )
    op.create_index(op.f("ix_signals_account_received_ms"), "signals", ["account", "received_ms"])
    op.create_index(op.f("ix_signals_received_ms"), "signals", ["received_ms"])
    op.create_table(
        "signal_events",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("signal_id", RowId, nullable=False),
        sa.Column("time_ms", Millis, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_events")),
    )
    op.create_index(op.f("ix_signal_events_signal_id_id"), "signal_events", ["signal_id", "id"])


def downgrade() -> None:
    """Undo the change; signals on record are lost."""
    op.drop_table("signal_events")
    op.drop_table("signals")
    op.create_table(
        "signals",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("received_ms", Millis, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("intent_key", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
        sa.UniqueConstraint("source", "message_id", name=op.f("uq_signals_source_message_id")),
    )
    op.create_index(op.f("ix_signals_account_received_ms"), "signals", ["account", "received_ms"])
    op.create_index(op.f("ix_signals_received_ms"), "signals", ["received_ms"])

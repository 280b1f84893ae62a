"""Make the tables of the ledger."""

import sqlalchemy as sa
from alembic import op

from milobot.storage.columns import Millis, Money, RowId

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "audit",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("time_ms", Millis, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_account_id"), "audit", ["account", "id"])
    op.create_table(
        "commands",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_ms", Millis, nullable=False),
        sa.Column("taken_ms", Millis, nullable=True),
        sa.Column("done_ms", Millis, nullable=True),
        sa.Column("is_carried_out", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
    )
    op.create_index(
        op.f("ix_commands_account_done_ms_id"), "commands", ["account", "done_ms", "id"]
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("updated_ms", Millis, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("intent_key", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("time_ms", Millis, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("gates", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_account_id"), "decisions", ["account", "id"])
    op.create_index(
        op.f("ix_decisions_account_intent_key_id"), "decisions", ["account", "intent_key", "id"]
    )
    op.create_index(
        op.f("ix_decisions_account_symbol_id"), "decisions", ["account", "symbol", "id"]
    )
    op.create_index(op.f("ix_decisions_time_ms"), "decisions", ["time_ms"])
    op.create_table(
        "equity_snapshots",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("time_ms", Millis, nullable=False),
        sa.Column("wallet", Money(), nullable=False),
        sa.Column("available", Money(), nullable=False),
        sa.Column("unrealized_pnl", Money(), nullable=False),
        sa.PrimaryKeyConstraint("account", "time_ms", name=op.f("pk_equity_snapshots")),
    )
    op.create_index(op.f("ix_equity_snapshots_time_ms"), "equity_snapshots", ["time_ms"])
    op.create_table(
        "fills",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("fill_id", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", Money(), nullable=False),
        sa.Column("price", Money(), nullable=False),
        sa.Column("fee", Money(), nullable=False),
        sa.Column("time_ms", Millis, nullable=False),
        sa.PrimaryKeyConstraint("account", "symbol", "fill_id", name=op.f("pk_fills")),
    )
    op.create_index(
        op.f("ix_fills_account_client_order_id"), "fills", ["account", "client_order_id"]
    )
    op.create_index(
        op.f("ix_fills_account_symbol_time_ms"), "fills", ["account", "symbol", "time_ms"]
    )
    op.create_index(op.f("ix_fills_account_time_ms"), "fills", ["account", "time_ms"])
    op.create_index(op.f("ix_fills_time_ms"), "fills", ["time_ms"])
    op.create_table(
        "funding",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("funding_id", sa.Text(), nullable=False),
        sa.Column("amount", Money(), nullable=False),
        sa.Column("time_ms", Millis, nullable=False),
        sa.PrimaryKeyConstraint("account", "symbol", "funding_id", name=op.f("pk_funding")),
    )
    op.create_index(op.f("ix_funding_time_ms"), "funding", ["time_ms"])
    op.create_table(
        "governor",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("updated_ms", Millis, nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_governor")),
    )
    op.create_table(
        "intents",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("time_ms", Millis, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "key", name=op.f("pk_intents")),
    )
    op.create_index(op.f("ix_intents_time_ms"), "intents", ["time_ms"])
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", Millis, nullable=False),
        sa.Column("until_ms", Millis, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "orders",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("exchange_order_id", sa.Text(), nullable=False),
        sa.Column("intent_key", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("quantity", Money(), nullable=False),
        sa.Column("filled_quantity", Money(), nullable=False),
        sa.Column("price", Money(), nullable=True),
        sa.Column("trigger_price", Money(), nullable=True),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("close_position", sa.Boolean(), nullable=False),
        sa.Column("leverage", sa.Integer(), nullable=False),
        sa.Column("created_ms", Millis, nullable=False),
        sa.Column("send_before_ms", Millis, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account", "client_order_id", name=op.f("pk_orders")),
    )
    op.create_index(op.f("ix_orders_account_created_ms"), "orders", ["account", "created_ms"])
    op.create_index(op.f("ix_orders_account_intent_key"), "orders", ["account", "intent_key"])
    op.create_index(op.f("ix_orders_account_status"), "orders", ["account", "status"])
    op.create_index(
        op.f("ix_orders_account_symbol_created_ms"), "orders", ["account", "symbol", "created_ms"]
    )
    op.create_index(op.f("ix_orders_created_ms"), "orders", ["created_ms"])
    op.create_table(
        "positions",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", Money(), nullable=False),
        sa.Column("cost", Money(), nullable=False),
        sa.Column("realized_pnl", Money(), nullable=False),
        sa.Column("fees", Money(), nullable=False),
        sa.Column("funding", Money(), nullable=False),
        sa.PrimaryKeyConstraint("account", "symbol", name=op.f("pk_positions")),
    )
    op.create_table(
        "round_trips",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", Money(), nullable=False),
        sa.Column("signal_time_ms", Millis, nullable=False),
        sa.Column("entry_time_ms", Millis, nullable=False),
        sa.Column("entry_price", Money(), nullable=False),
        sa.Column("stop", Money(), nullable=True),
        sa.Column("target", Money(), nullable=True),
        sa.Column("exit_time_ms", Millis, nullable=False),
        sa.Column("exit_price", Money(), nullable=False),
        sa.Column("exit_reason", sa.Text(), nullable=False),
        sa.Column("fees", Money(), nullable=False),
        sa.Column("funding", Money(), nullable=False),
        sa.Column("pnl", Money(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_trips")),
    )
    op.create_index(
        op.f("ix_round_trips_account_exit_time_ms"), "round_trips", ["account", "exit_time_ms"]
    )
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("anchor_ms", Millis, nullable=True),
        sa.Column("started_ms", Millis, nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_account_started_ms"), "sessions", ["account", "started_ms"])
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
    op.create_table(
        "slots",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("closing", sa.Text(), nullable=False),
        sa.Column("blocked", sa.Text(), nullable=False),
        sa.Column("stop", Money(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "symbol", name=op.f("pk_slots")),
    )


def downgrade() -> None:
    """Undo the change."""
    op.drop_table("slots")
    op.drop_table("signals")
    op.drop_table("sessions")
    op.drop_table("round_trips")
    op.drop_table("positions")
    op.drop_table("orders")
    op.drop_table("leases")
    op.drop_table("intents")
    op.drop_table("governor")
    op.drop_table("funding")
    op.drop_table("fills")
    op.drop_table("equity_snapshots")
    op.drop_table("decisions")
    op.drop_table("cursors")
    op.drop_table("commands")
    op.drop_table("audit")

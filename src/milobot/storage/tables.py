"""Tables of the ledger, one schema for SQLite and PostgreSQL.

Every row names its account (``exchange:name``), so that one database serves many. Nested
values (a plan, the gates of a decision) are JSON that ``storage.codec`` writes and reads.
Each index stands beside the query it serves; what is looked up by primary key needs none.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from milobot.storage.columns import NAMING, Millis, Money, PlainText, RowId

metadata = MetaData(naming_convention=NAMING)


def _text(name: str) -> Column[str]:
    return Column(name, PlainText, nullable=False)


def _integer(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _time(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Millis, nullable=nullable)


def _row_id() -> Column[int]:
    return Column("id", RowId, primary_key=True, autoincrement=True)


# Every message that came in from outside, and what has become of it.
signals = Table(
    "signals",
    metadata,
    _row_id(),
    _text("account"),
    _text("source"),
    _text("message_id"),
    Column("version", Millis, nullable=False),
    _text("content"),
    _time("posted_ms"),
    _time("received_ms"),
    _time("updated_ms"),
    Column("reply_to", PlainText),
    _text("origin"),
    _text("fingerprint"),
    _text("symbol"),
    _text("state"),
    _text("code"),
    _text("reason"),
    _flag("is_live"),
    _integer("revision"),
    _text("details"),
    UniqueConstraint("account", "source", "message_id"),  # the same message is taken once
    Index(None, "account", "is_live"),  # start: the signals of which something may become
    Index(None, "account", "fingerprint", "received_ms"),  # the same set-up, lately
    Index(None, "account", "received_ms"),  # latest signals of an account
    Index(None, "received_ms"),  # pruning by age
)

# What happened to each, oldest first.
signal_events = Table(
    "signal_events",
    metadata,
    _row_id(),
    Column("signal_id", RowId, nullable=False),
    _time("time_ms"),
    _text("kind"),
    _text("state"),
    _text("code"),
    _text("sentence"),
    Index(None, "signal_id", "id"),  # the history of a signal
)

# Who took which wish: the primary key lets only one process take it.
intents = Table(
    "intents",
    metadata,
    _text("account"),
    _text("key"),
    _text("owner"),
    _text("symbol"),
    _time("time_ms"),
    _text("content"),
    PrimaryKeyConstraint("account", "key"),
    Index(None, "time_ms"),  # pruning by age
)

# What the engine knows of a symbol, but for its position and its orders.
slots = Table(
    "slots",
    metadata,
    _text("account"),
    _text("symbol"),
    _text("owner"),
    _integer("revision"),
    _text("closing"),
    _text("blocked"),
    Column("stop", Money),
    _text("content"),
    PrimaryKeyConstraint("account", "symbol"),
)

positions = Table(
    "positions",
    metadata,
    _text("account"),
    _text("symbol"),
    _text("side"),
    Column("quantity", Money, nullable=False),
    Column("cost", Money, nullable=False),
    Column("realized_pnl", Money, nullable=False),
    Column("fees", Money, nullable=False),
    Column("funding", Money, nullable=False),
    PrimaryKeyConstraint("account", "symbol"),
)

orders = Table(
    "orders",
    metadata,
    _text("account"),
    _text("client_order_id"),
    _text("exchange_order_id"),
    _text("intent_key"),
    _text("symbol"),
    _text("side"),
    _text("type"),
    _text("purpose"),
    _text("status"),
    Column("quantity", Money, nullable=False),
    Column("filled_quantity", Money, nullable=False),
    Column("price", Money),
    Column("trigger_price", Money),
    _flag("reduce_only"),
    _flag("close_position"),
    _integer("leverage"),
    _time("created_ms"),
    _time("send_before_ms"),
    _text("reason"),
    Column("refusal", Text),
    PrimaryKeyConstraint("account", "client_order_id"),
    Index(None, "account", "status"),  # start: the orders that have not ended
    Index(None, "account", "symbol", "created_ms"),  # orders of a symbol, latest first
    Index(None, "account", "created_ms"),  # latest orders of an account
    Index(None, "account", "intent_key"),  # --why: the orders of an intent
    Index(None, "created_ms"),  # pruning by age
)

fills = Table(
    "fills",
    metadata,
    _text("account"),
    _text("symbol"),
    _text("fill_id"),
    _text("client_order_id"),
    _text("side"),
    Column("quantity", Money, nullable=False),
    Column("price", Money, nullable=False),
    Column("fee", Money, nullable=False),
    _time("time_ms"),
    PrimaryKeyConstraint("account", "symbol", "fill_id"),  # each is booked once
    Index(None, "account", "client_order_id"),  # the fills of an order
    Index(None, "account", "symbol", "time_ms"),  # what was booked lately of a symbol
    Index(None, "account", "time_ms"),  # latest fills of an account
    Index(None, "time_ms"),  # pruning by age
)

funding = Table(
    "funding",
    metadata,
    _text("account"),
    _text("symbol"),
    _text("funding_id"),
    Column("amount", Money, nullable=False),
    _time("time_ms"),
    PrimaryKeyConstraint("account", "symbol", "funding_id"),  # each is booked once
    Index(None, "time_ms"),  # pruning by age
)

round_trips = Table(
    "round_trips",
    metadata,
    _row_id(),
    _text("account"),
    _text("symbol"),
    _text("side"),
    Column("quantity", Money, nullable=False),
    _time("signal_time_ms"),
    _time("entry_time_ms"),
    Column("entry_price", Money, nullable=False),
    Column("stop", Money),
    Column("target", Money),
    _time("exit_time_ms"),
    Column("exit_price", Money, nullable=False),
    _text("exit_reason"),
    Column("fees", Money, nullable=False),
    Column("funding", Money, nullable=False),
    Column("pnl", Money, nullable=False),
    Index(None, "account", "exit_time_ms"),  # latest round trips of an account
)

equity_snapshots = Table(
    "equity_snapshots",
    metadata,
    _text("account"),
    _time("time_ms"),
    Column("wallet", Money, nullable=False),
    Column("available", Money, nullable=False),
    Column("unrealized_pnl", Money, nullable=False),
    PrimaryKeyConstraint("account", "time_ms"),  # also: the curve of an account
    Index(None, "time_ms"),  # pruning by age
)

decisions = Table(
    "decisions",
    metadata,
    _row_id(),
    _text("account"),
    _text("intent_key"),
    _text("owner"),
    _text("symbol"),
    _time("time_ms"),
    _text("action"),
    _text("outcome"),
    _text("code"),
    _text("reason"),
    _text("gates"),
    Index(None, "account", "id"),  # latest decisions of an account
    Index(None, "account", "symbol", "id"),  # the same of a symbol
    Index(None, "account", "intent_key", "id"),  # the latest about an intent
    Index(None, "time_ms"),  # pruning by age
)

# What a user asks of the process that leads an account.
commands = Table(
    "commands",
    metadata,
    _row_id(),
    _text("account"),
    _text("kind"),
    _text("symbol"),
    _text("asked_by"),
    _time("asked_ms"),
    _time("taken_ms", nullable=True),
    _time("done_ms", nullable=True),
    Column("is_carried_out", Boolean),
    _text("answer"),
    Index(None, "account", "done_ms", "id"),  # the oldest that waits
)

# Who did what to the bot: a chain of hashes, numbered without gaps. Never pruned.
audit = Table(
    "audit",
    metadata,
    _row_id(),
    _text("account"),
    _time("time_ms"),
    _text("actor"),
    _text("event"),
    _text("details"),
    _text("previous_hash"),
    _text("hash"),
    Index(None, "account", "id"),  # latest entries of an account
)

# Who leads what. The epoch grows whenever the holder changes and never falls.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    _text("holder"),
    Column("epoch", Millis, nullable=False),
    _time("until_ms"),
)

# How far a source was read, such as a Telegram chat.
cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    _text("position"),
    _time("updated_ms"),
)

# What an account may still lose; one row each, so that a restart forgets nothing.
governor = Table(
    "governor",
    metadata,
    Column("account", Text, primary_key=True),
    _text("content"),
    _time("updated_ms"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    _text("account"),
    _text("owner"),
    _text("script"),
    _text("mode"),
    _time("anchor_ms", nullable=True),
    _time("started_ms"),
    _text("details"),
    Index(None, "account", "started_ms"),  # the sessions of an account
)

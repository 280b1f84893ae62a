"""Forgets by age what nobody needs any more; never the audit log, never what still trades.

What the plans of slots and the orders that have not ended refer to stays whatever its age,
as do signals of which something may become, and round trips: the record of results is small.
"""

from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, or_, select, tuple_

from milobot.domain.orders import FINAL
from milobot.domain.timeframes import DAY_MS
from milobot.errors import ConfigurationError
from milobot.storage import journal_rows as rows
from milobot.storage import tables
from milobot.storage.database import Database

SHORTEST_DAYS = 7
_ROWS_AT_ONCE = 1_000
_FINAL = [status.value for status in FINAL]
_orders, _fills = tables.orders, tables.fills


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows went, by table."""

    rows: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Return how many rows went."""
        return sum(self.rows.values())


async def prune(database: Database, *, now_ms: int, days: int) -> Pruned:
    """Delete what is older than ``days``, in small pieces that hold up no order.

    Raises:
        ConfigurationError: Less than a week is to be kept: a late message or fill could then
            be taken for a new one.
        LedgerError: The ledger did not answer; what is gone stays gone, the rest stays.
    """
    if days < SHORTEST_DAYS:
        raise ConfigurationError(f"{days} days are too few to keep: name {SHORTEST_DAYS} or more")
    before_ms = now_ms - days * DAY_MS
    gone: dict[str, int] = {}
    for table in _pruned_tables():
        gone[table.name] = 0
        some = partial(_delete_some, table=table, before_ms=before_ms)
        while count := await database.write(some):
            gone[table.name] += count
    return Pruned(gone)


def _delete_some(connection: Connection, table: Table, before_ms: int) -> int:
    keys = tuple_(*table.primary_key.columns)
    old = (
        select(*table.primary_key.columns)
        .where(_is_old(connection, table, before_ms))
        .limit(_ROWS_AT_ONCE)
    )
    return connection.execute(delete(table).where(keys.in_(old))).rowcount


def _pruned_tables() -> tuple[Table, ...]:
    """Return the tables in an order in which what is referred to goes last."""
    return (
        _orders,
        _fills,
        tables.funding,
        tables.decisions,
        tables.intents,
        tables.signal_events,
        tables.signals,
        tables.equity_snapshots,
    )


def _is_old(connection: Connection, table: Table, before_ms: int) -> ColumnElement[bool]:
    if table is _orders:
        return and_(
            _orders.c.created_ms < before_ms,
            _orders.c.status.in_(_FINAL),
            _orders.c.intent_key.not_in(_keys_in_use(connection)),
        )
    if table is _fills:
        theirs = select(_orders.c.client_order_id).where(
            _orders.c.account == _fills.c.account,
            _orders.c.client_order_id == _fills.c.client_order_id,
        )
        return and_(_fills.c.time_ms < before_ms, ~theirs.exists())
    signals = tables.signals
    is_done = and_(signals.c.received_ms < before_ms, signals.c.is_live.is_(False))
    if table is signals:
        return is_done
    if table is tables.signal_events:
        return table.c.signal_id.in_(select(signals.c.id).where(is_done))
    is_old: ColumnElement[bool] = table.c.time_ms < before_ms
    if table in (tables.decisions, tables.intents):
        key = table.c.intent_key if table is tables.decisions else table.c.key
        is_old = and_(is_old, key.not_in(_keys_in_use(connection)))
    return is_old


def _keys_in_use(connection: Connection) -> list[str]:
    """Return the intents that something which still trades refers to."""
    live = select(_orders.c.intent_key).where(_orders.c.status.not_in(_FINAL))
    keys = set(connection.execute(live).scalars())
    busy = select(tables.slots.c.content).where(
        or_(tables.slots.c.owner != "", tables.slots.c.blocked != "")
    )
    for content in connection.execute(busy).scalars():
        keys |= rows.intents_in(content)
    return sorted(keys)

"""What the command line and the page ask of the ledger; ``ledger.read`` runs it.

Lists come latest first unless they say otherwise; ``account=None`` means every account.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, select

from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.orders import FINAL, Fill, Order, OrderStatus
from milobot.domain.positions import Position
from milobot.domain.round_trips import RoundTrip
from milobot.storage import journal_rows as rows
from milobot.storage import tables
from milobot.storage.account_records import EquitySnapshot

_orders, _fills, _decisions = tables.orders, tables.fills, tables.decisions
_LIVE = [status.value for status in OrderStatus if status not in FINAL]
DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class PositionLine:
    """A position with what its slot says about it.

    Attributes:
        stop: Where the stop has to rest; None without one.
        closing: Why it is being closed; empty when it is not.
        blocked: Why nobody may enter there; empty when somebody may.
    """

    account: str
    position: Position
    owner: str
    stop: Decimal | None
    closing: str
    blocked: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order and whose it is."""

    account: str
    order: Order


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision with its number, by which a user asks for more."""

    number: int
    account: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one intent: what came in, what was decided, what was done.

    Attributes:
        decisions: Oldest first.
        intent: None when it was pruned or never got as far.
        orders: Oldest first.
        fills: Of those orders, oldest first.
    """

    account: str
    decisions: tuple[DecisionLine, ...]
    intent: TradeIntent | None
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]


def list_positions(connection: Connection, account: str | None = None) -> list[PositionLine]:
    """Return what is open, by symbol."""
    slots, positions = tables.slots, tables.positions
    same = (slots.c.account == positions.c.account) & (slots.c.symbol == positions.c.symbol)
    others = [slots.c.owner, slots.c.stop, slots.c.closing, slots.c.blocked]
    found = select(positions, *others).join_from(positions, slots, same)
    found = _of_account(found, positions, account).order_by(positions.c.account, positions.c.symbol)
    lines = (
        PositionLine(
            account=row["account"],
            position=rows.position_of(row),
            owner=row["owner"],
            stop=row["stop"],
            closing=row["closing"],
            blocked=row["blocked"],
        )
        for row in connection.execute(found).mappings()
    )
    return [line for line in lines if not line.position.is_flat]


def list_orders(
    connection: Connection,
    account: str | None = None,
    *,
    symbol: str | None = None,
    live_only: bool = False,
    limit: int = DEFAULT_LIMIT,
) -> list[OrderLine]:
    """Return orders with the ids of their fills."""
    found = _of_account(select(_orders), _orders, account)
    if symbol is not None:
        found = found.where(_orders.c.symbol == symbol)
    if live_only:
        found = found.where(_orders.c.status.in_(_LIVE))
    latest = found.order_by(_orders.c.created_ms.desc()).limit(limit)
    return _with_fills(connection, connection.execute(latest).mappings().all())


def list_fills(connection: Connection, account: str, *, limit: int = DEFAULT_LIMIT) -> list[Fill]:
    """Return the latest executions of an account."""
    found = select(_fills).where(_fills.c.account == account)
    latest = found.order_by(_fills.c.time_ms.desc()).limit(limit)
    return [rows.fill_of(row) for row in connection.execute(latest).mappings()]


def list_decisions(
    connection: Connection,
    account: str | None = None,
    *,
    symbol: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> list[DecisionLine]:
    """Return the latest decisions with their gates."""
    found = _of_account(select(_decisions), _decisions, account)
    if symbol is not None:
        found = found.where(_decisions.c.symbol == symbol)
    return _lines(connection, found.order_by(_decisions.c.id.desc()).limit(limit))


def explain(connection: Connection, number: int) -> Explanation | None:
    """Return everything about the intent of a decision; None when there is no such decision."""
    asked = _lines(connection, select(_decisions).where(_decisions.c.id == number))
    if not asked:
        return None
    account, key = asked[0].account, asked[0].decision.intent_key
    about = select(_decisions).where(
        _decisions.c.account == account, _decisions.c.intent_key == key
    )
    intents = tables.intents
    wish = select(intents).where(intents.c.account == account, intents.c.key == key)
    content = connection.execute(wish).mappings().one_or_none()
    orders = _orders_of(connection, account, key)
    return Explanation(
        account=account,
        decisions=tuple(_lines(connection, about.order_by(_decisions.c.id))),
        intent=None if content is None else rows.intent_of(content),
        orders=tuple(orders),
        fills=tuple(_fills_of(connection, account, [o.client_order_id for o in orders])),
    )


def list_round_trips(
    connection: Connection,
    account: str | None = None,
    *,
    first_ms: int | None = None,
    limit: int = DEFAULT_LIMIT,
) -> list[RoundTrip]:
    """Return the latest round trips; with ``first_ms`` those that ended since then."""
    trips = tables.round_trips
    found = _of_account(select(trips), trips, account)
    if first_ms is not None:
        found = found.where(trips.c.exit_time_ms >= first_ms)
    latest = found.order_by(trips.c.exit_time_ms.desc(), trips.c.id.desc()).limit(limit)
    return [rows.trip_of(row) for row in connection.execute(latest).mappings()]


def list_equity(
    connection: Connection, account: str, *, first_ms: int = 0, limit: int = 10_000
) -> list[EquitySnapshot]:
    """Return the last snapshots since ``first_ms``, oldest first."""
    snapshots = tables.equity_snapshots
    found = select(snapshots).where(snapshots.c.account == account, snapshots.c.time_ms >= first_ms)
    latest = found.order_by(snapshots.c.time_ms.desc()).limit(limit)
    kept = [EquitySnapshot(**dict(row)) for row in connection.execute(latest).mappings()]
    return kept[::-1]


def list_accounts(connection: Connection) -> list[str]:
    """Return every account that was ever led or traded, by name."""
    names: set[str] = set()
    for table in (tables.slots, tables.equity_snapshots, tables.governor, tables.sessions):
        names |= set(connection.execute(select(table.c.account).distinct()).scalars())
    return sorted(names)


def _of_account(found: Select[Any], table: Table, account: str | None) -> Select[Any]:
    return found if account is None else found.where(table.c.account == account)


def _lines(connection: Connection, found: Select[Any]) -> list[DecisionLine]:
    return [
        DecisionLine(row["id"], row["account"], rows.decision_of(row))
        for row in connection.execute(found).mappings()
    ]


def _orders_of(connection: Connection, account: str, intent_key: str) -> list[Order]:
    found = select(_orders).where(_orders.c.account == account, _orders.c.intent_key == intent_key)
    oldest = found.order_by(_orders.c.created_ms)
    lines = _with_fills(connection, connection.execute(oldest).mappings().all())
    return [line.order for line in lines]


def _fills_of(connection: Connection, account: str, order_ids: list[str]) -> list[Fill]:
    found = select(_fills).where(
        _fills.c.account == account, _fills.c.client_order_id.in_(order_ids)
    )
    oldest = found.order_by(_fills.c.time_ms)
    return [rows.fill_of(row) for row in connection.execute(oldest).mappings()]


def _with_fills(connection: Connection, found: Sequence[RowMapping]) -> list[OrderLine]:
    ids = [row["client_order_id"] for row in found]
    columns = (_fills.c.account, _fills.c.client_order_id, _fills.c.fill_id)
    booked: dict[tuple[str, str], set[str]] = defaultdict(set)
    if ids:
        of_these = select(*columns).where(
            _fills.c.account.in_({row["account"] for row in found}),
            _fills.c.client_order_id.in_(ids),
        )
        for account, order_id, fill_id in connection.execute(of_these):
            booked[account, order_id].add(fill_id)
    return [
        OrderLine(
            row["account"],
            rows.order_of(row, frozenset(booked[row["account"], row["client_order_id"]])),
        )
        for row in found
    ]

"""What an account has traded since somebody looked last, whichever process has put it on record.

Queries; ``ledger.read`` runs them.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from milobot.domain.decisions import Decision
from milobot.domain.orders import Fill, OrderPurpose
from milobot.domain.round_trips import RoundTrip
from milobot.storage import journal_rows as rows
from milobot.storage import tables

_decisions, _trips = tables.decisions, tables.round_trips
_fills, _orders = tables.fills, tables.orders
_MOST = 500
# A fill may be booked some time after it was made.
_BOOKED_LATE_MS = 120_000


@dataclass(frozen=True, slots=True)
class Marks:
    """How far an account was read: numbers of rows, and the time of a fill."""

    decision: int = 0
    trip: int = 0
    fill_ms: int = 0


@dataclass(frozen=True, slots=True)
class TradingNews:
    """What is new, each kind oldest first.

    Attributes:
        fills: With what their orders were for. Those of the last two minutes come again.
        governor: State of the governor as it is kept; None before there is one.
        marks: How far this reaches.
    """

    decisions: tuple[Decision, ...]
    fills: tuple[tuple[Fill, OrderPurpose], ...]
    trips: tuple[RoundTrip, ...]
    governor: str | None
    marks: Marks


def latest_marks(connection: Connection, account: str) -> Marks:
    """Return marks behind everything that is there."""
    of_decision = select(func.max(_decisions.c.id)).where(_decisions.c.account == account)
    of_trip = select(func.max(_trips.c.id)).where(_trips.c.account == account)
    of_fill = select(func.max(_fills.c.time_ms)).where(_fills.c.account == account)
    found = [connection.execute(one).scalar_one() or 0 for one in (of_decision, of_trip, of_fill)]
    return Marks(*found)


def trading_after(connection: Connection, account: str, marks: Marks) -> TradingNews:
    """Return what an account has traded since the marks."""
    decided = (
        select(_decisions)
        .where(_decisions.c.account == account, _decisions.c.id > marks.decision)
        .order_by(_decisions.c.id)
        .limit(_MOST)
    )
    closed = (
        select(_trips)
        .where(_trips.c.account == account, _trips.c.id > marks.trip)
        .order_by(_trips.c.id)
        .limit(_MOST)
    )
    decisions = connection.execute(decided).mappings().all()
    trips = connection.execute(closed).mappings().all()
    fills = _fills_since(connection, account, marks.fill_ms - _BOOKED_LATE_MS)
    kept = select(tables.governor.c.content).where(tables.governor.c.account == account)
    return TradingNews(
        decisions=tuple(rows.decision_of(row) for row in decisions),
        fills=fills,
        trips=tuple(rows.trip_of(row) for row in trips),
        governor=connection.execute(kept).scalar_one_or_none(),
        marks=Marks(
            decisions[-1]["id"] if decisions else marks.decision,
            trips[-1]["id"] if trips else marks.trip,
            max((fill.time_ms for fill, _ in fills), default=marks.fill_ms),
        ),
    )


def _fills_since(
    connection: Connection, account: str, first_ms: int
) -> tuple[tuple[Fill, OrderPurpose], ...]:
    is_of_order = (_orders.c.account == _fills.c.account) & (
        _orders.c.client_order_id == _fills.c.client_order_id
    )
    found = (
        select(_fills, _orders.c.purpose)
        .outerjoin_from(_fills, _orders, is_of_order)
        .where(_fills.c.account == account, _fills.c.time_ms >= first_ms)
        .order_by(_fills.c.time_ms)
    )
    return tuple(
        # One without an order of ours is the exchange's own doing, or its owner's by hand.
        (rows.fill_of(row), OrderPurpose(row["purpose"] or OrderPurpose.EXTERNAL))
        for row in connection.execute(found).mappings()
    )

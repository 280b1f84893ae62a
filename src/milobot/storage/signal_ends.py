"""How intents ended of which nothing is open any more; ``ledger.read`` runs the query."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, RowMapping, select

from milobot.domain.decisions import Decision, Outcome
from milobot.domain.orders import FINAL, Order, OrderPurpose
from milobot.domain.round_trips import RoundTrip
from milobot.storage import journal_rows as rows
from milobot.storage import tables

_orders, _trips, _decisions = tables.orders, tables.round_trips, tables.decisions
# A fill is stamped by the exchange, an order by us with the exchange's time.
_CLOCK_SLACK_MS = 1_000


@dataclass(frozen=True, slots=True)
class IntentEnd:
    """What is on record of intents.

    Attributes:
        entered: What their entries have filled, in the base asset.
        has_live_order: Whether one of their orders may still fill.
        decision: The latest about any of them.
        last_order: The latest entry; None where none was made.
        trip: The round trip that they began; None where it is not over, or not on record yet.
    """

    entered: Decimal
    has_live_order: bool
    decision: Decision | None
    last_order: Order | None
    trip: RoundTrip | None

    @property
    def is_taken_back(self) -> bool:
        """Return whether the latest decision denies what an earlier one accepted."""
        return self.decision is not None and self.decision.outcome is not Outcome.ACCEPTED


def end_of(connection: Connection, account: str, symbol: str, keys: Sequence[str]) -> IntentEnd:
    """Return what is on record of intents in a symbol.

    Args:
        connection: Of a read.
        account: Whose they are.
        symbol: Where they traded.
        keys: Their keys.
    """
    found = select(_orders).where(_orders.c.account == account, _orders.c.intent_key.in_(keys))
    orders = [
        rows.order_of(row, frozenset())
        for row in connection.execute(found.order_by(_orders.c.created_ms)).mappings()
    ]
    entries = [order for order in orders if order.purpose is OrderPurpose.ENTRY]
    once = [order for order in orders if order.purpose.is_sent_once]
    filled = [order for order in entries if order.filled_quantity]
    return IntentEnd(
        entered=sum((order.filled_quantity for order in entries), Decimal(0)),
        has_live_order=any(order.status not in FINAL for order in once),
        decision=_decision(connection, account, keys),
        last_order=entries[-1] if entries else None,
        trip=_trip(connection, account, symbol, filled[0].created_ms) if filled else None,
    )


def _decision(connection: Connection, account: str, keys: Sequence[str]) -> Decision | None:
    found = select(_decisions).where(
        _decisions.c.account == account, _decisions.c.intent_key.in_(keys)
    )
    latest = found.order_by(_decisions.c.id.desc()).limit(1)
    row: RowMapping | None = connection.execute(latest).mappings().one_or_none()
    return None if row is None else rows.decision_of(row)


def _trip(connection: Connection, account: str, symbol: str, entered_ms: int) -> RoundTrip | None:
    """Return the first round trip that began with an order of that moment or later."""
    since_ms = entered_ms - _CLOCK_SLACK_MS
    found = select(_trips).where(
        _trips.c.account == account,
        _trips.c.exit_time_ms >= since_ms,
        _trips.c.symbol == symbol,
        _trips.c.entry_time_ms >= since_ms,
    )
    first = found.order_by(_trips.c.entry_time_ms, _trips.c.id).limit(1)
    row = connection.execute(first).mappings().one_or_none()
    return None if row is None else rows.trip_of(row)

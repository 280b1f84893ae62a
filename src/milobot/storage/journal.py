"""The journal of one account in the ledger (port ``Journal``)."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Numeric, bindparam, cast, insert, select
from sqlalchemy.exc import IntegrityError

from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.orders import FINAL, FundingUpdate, Order, OrderStatus, OrderUpdate
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import Slot
from milobot.errors import DuplicateIntentError
from milobot.ports import Books, Record
from milobot.storage import journal_rows as rows
from milobot.storage import tables
from milobot.storage.batches import Write, write_rows
from milobot.storage.database import Database
from milobot.storage.leases import Lease, require_lease
from milobot.storage.upserts import insert_or_keep, insert_or_replace

_LIVE = [status.value for status in OrderStatus if status not in FINAL]
_orders, _fills, _slots = tables.orders, tables.fills, tables.slots
_positions, _decisions = tables.positions, tables.decisions

_INSERT_INTENT = insert(tables.intents)
_INSERT_DECISION = insert(tables.decisions)
_INSERT_TRIP = insert(tables.round_trips)
_SELECT_SLOTS = (
    select(_slots.c.content, *_positions.c)
    .join_from(
        _slots,
        _positions,
        (_slots.c.account == _positions.c.account) & (_slots.c.symbol == _positions.c.symbol),
    )
    .where(_slots.c.account == bindparam("of_account"))
    .order_by(_slots.c.symbol)
)
_SELECT_LIVE = (
    select(_orders)
    .where(_orders.c.account == bindparam("of_account"), _orders.c.status.in_(_LIVE))
    .order_by(_orders.c.created_ms, _orders.c.client_order_id)
)
_SELECT_LIVE_FILLS = (
    select(_fills.c.client_order_id, _fills.c.fill_id)
    .join_from(
        _orders,
        _fills,
        (_orders.c.account == _fills.c.account)
        & (_orders.c.client_order_id == _fills.c.client_order_id),
    )
    .where(_orders.c.account == bindparam("of_account"), _orders.c.status.in_(_LIVE))
)
_SELECT_ORDER = select(_orders).where(
    _orders.c.account == bindparam("of_account"), _orders.c.client_order_id == bindparam("of_order")
)
# By the index of a symbol's orders; the newest comes first where an id was used twice.
_SELECT_NAMELESS = (
    select(_orders.c.client_order_id)
    .where(
        _orders.c.account == bindparam("of_account"),
        _orders.c.symbol == bindparam("of_symbol"),
        _orders.c.exchange_order_id == bindparam("their_id"),
    )
    .order_by(_orders.c.created_ms.desc())
    .limit(1)
)
_SELECT_FILLS = select(_fills.c.fill_id).where(
    _fills.c.account == bindparam("of_account"), _fills.c.client_order_id == bindparam("of_order")
)
_SELECT_BOOKED = select(tables.fills.c.fill_id).where(
    tables.fills.c.account == bindparam("of_account"),
    tables.fills.c.symbol == bindparam("of_symbol"),
    tables.fills.c.time_ms >= bindparam("first_ms"),
)
_SELECT_DECISION = (
    select(_decisions)
    .where(
        _decisions.c.account == bindparam("of_account"),
        _decisions.c.intent_key == bindparam("of_intent"),
    )
    .order_by(_decisions.c.id.desc())
    .limit(1)
)


class LedgerJournal:
    """Keeps the records of one account, for as long as the lease on it is ours."""

    def __init__(self, database: Database, account: str, lease: Lease | None = None) -> None:
        """Write for ``account``.

        Args:
            database: Where the tables are.
            account: ``exchange:name``.
            lease: What every commit has to hold; None where nobody else can write.
        """
        self._database = database
        self._account = account
        self._lease = lease

    async def commit(self, *records: Record) -> None:
        """Store the records as one transaction, on disk when this returns.

        Raises:
            LeaseLostError: Another process leads the account now.
            DuplicateIntentError: An intent with this key is there already.
            LedgerError: They could not be stored; nothing of them was.
        """
        if records:
            await self._database.write(lambda connection: self._write(connection, records))

    async def load(self) -> Books:
        """Return every slot and every order that has not ended."""
        return await self._database.read(self._load)

    async def find_order(self, client_order_id: str) -> Order | None:
        """Return an order with the ids of its fills, however long ago it ended."""
        return await self._database.read(lambda c: find_order(c, self._account, client_order_id))

    async def find_nameless(self, symbol: str, exchange_order_id: str) -> Order | None:
        """Return the order of a symbol that the exchange knows by this id of its own."""
        keys = {
            "of_account": self._account,
            "of_symbol": symbol,
            "their_id": exchange_order_id,
        }

        def find(connection: Connection) -> Order | None:
            name = connection.execute(_SELECT_NAMELESS, keys).scalar()
            return None if name is None else find_order(connection, self._account, name)

        return await self._database.read(find)

    async def find_decision(self, intent_key: str) -> Decision | None:
        """Return the latest decision about an intent."""
        keys = {"of_account": self._account, "of_intent": intent_key}

        def find(connection: Connection) -> Decision | None:
            row = connection.execute(_SELECT_DECISION, keys).mappings().one_or_none()
            return None if row is None else rows.decision_of(row)

        return await self._database.read(find)

    async def booked_fills(self, symbol: str, *, first_ms: int) -> frozenset[str]:
        """Return the ids of the fills on record with a time from ``first_ms`` on."""
        keys = {"of_account": self._account, "of_symbol": symbol, "first_ms": first_ms}
        return await self._database.read(
            lambda c: frozenset(c.execute(_SELECT_BOOKED, keys).scalars())
        )

    def _write(self, connection: Connection, records: Sequence[Record]) -> None:
        if self._lease is not None:
            require_lease(connection, self._lease)
        dialect = connection.dialect.name
        try:
            write_rows(
                connection,
                [w for r in records for w in _WRITES[type(r)](dialect, self._account, r)],
            )
        except IntegrityError as error:
            if tables.intents.name not in str(error.orig):
                raise
            keys = " or ".join(r.key for r in records if isinstance(r, TradeIntent))
            raise DuplicateIntentError(
                f"the intent {keys} is on record already: it is not taken twice"
            ) from error

    def _load(self, connection: Connection) -> Books:
        keys = {"of_account": self._account}
        booked: dict[str, set[str]] = defaultdict(set)
        for order_id, fill_id in connection.execute(_SELECT_LIVE_FILLS, keys):
            booked[order_id].add(fill_id)
        slots = [rows.slot_of(row) for row in connection.execute(_SELECT_SLOTS, keys).mappings()]
        orders = [
            rows.order_of(row, frozenset(booked[row["client_order_id"]]))
            for row in connection.execute(_SELECT_LIVE, keys).mappings()
        ]
        return Books(tuple(slots), tuple(orders))


def find_order(connection: Connection, account: str, client_order_id: str) -> Order | None:
    """Return an order with the ids of its fills; None when the ledger has none of that id."""
    keys = {"of_account": account, "of_order": client_order_id}
    row = connection.execute(_SELECT_ORDER, keys).mappings().one_or_none()
    if row is None:
        return None
    return rows.order_of(row, frozenset(connection.execute(_SELECT_FILLS, keys).scalars()))


def _of_intent(dialect: str, account: str, intent: TradeIntent) -> Iterator[Write]:
    del dialect
    yield Write(_INSERT_INTENT, rows.intent_row(account, intent))


def _of_slot(dialect: str, account: str, slot: Slot) -> Iterator[Write]:
    yield Write(insert_or_replace(_slots, dialect), rows.slot_row(account, slot))
    position = rows.position_row(account, slot.position)
    yield Write(insert_or_replace(_positions, dialect), position)


def _does_not_shrink(new: Any) -> Any:
    # Text is compared as a number; rounding the same way on both sides refuses nothing wrongly.
    return cast(new.filled_quantity, Numeric) >= cast(_orders.c.filled_quantity, Numeric)


def _of_order(dialect: str, account: str, order: Order) -> Iterator[Write]:
    # What has filled more on record is newer than what is given: it stays as it is there.
    statement = insert_or_replace(_orders, dialect, _does_not_shrink)
    yield Write(statement, rows.order_row(account, order))


def _of_update(dialect: str, account: str, update: OrderUpdate) -> Iterator[Write]:
    statement = insert_or_keep(_fills, dialect)
    for fill in update.fills:
        yield Write(statement, rows.fill_row(account, update.client_order_id, fill))


def _of_funding(dialect: str, account: str, payment: FundingUpdate) -> Iterator[Write]:
    yield Write(insert_or_keep(tables.funding, dialect), rows.funding_row(account, payment))


def _of_decision(dialect: str, account: str, decision: Decision) -> Iterator[Write]:
    del dialect
    yield Write(_INSERT_DECISION, rows.decision_row(account, decision))


def _of_trip(dialect: str, account: str, trip: RoundTrip) -> Iterator[Write]:
    del dialect
    yield Write(_INSERT_TRIP, rows.trip_row(account, trip))


_WRITES: dict[type, Callable[[str, str, Any], Iterator[Write]]] = {
    TradeIntent: _of_intent,
    Slot: _of_slot,
    Order: _of_order,
    OrderUpdate: _of_update,
    FundingUpdate: _of_funding,
    Decision: _of_decision,
    RoundTrip: _of_trip,
}

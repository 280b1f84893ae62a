"""A journal in memory: for back-tests and demos, whose state ends with the process."""

from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.orders import FundingUpdate, Order, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import Slot
from milobot.errors import DuplicateIntentError
from milobot.ports import Books, Record

_REQUESTS = frozenset({OrderStatus.PENDING, OrderStatus.CANCEL_PENDING})


class MemoryJournal:
    """Keeps every record, in order, by kind.

    Attributes:
        orders: Orders and cancels as they were on record before they left.
        latest: What each order is now, by its client order id.
        slots: What each slot is now, by its symbol.
        purposes: What each order is for, by its client order id.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.orders: list[Order] = []
        self.latest: dict[str, Order] = {}
        self.slots: dict[str, Slot] = {}
        self.intents: dict[str, TradeIntent] = {}
        self.purposes: dict[str, OrderPurpose] = {}
        self.updates: list[OrderUpdate] = []
        self.funding: list[FundingUpdate] = []
        self.decisions: list[Decision] = []
        self.round_trips: list[RoundTrip] = []
        self._decided: dict[str, Decision] = {}

    async def commit(self, *records: Record) -> None:
        """Keep the records.

        Raises:
            DuplicateIntentError: An intent with this key is there already.
        """
        for record in records:
            if isinstance(record, TradeIntent) and record.key in self.intents:
                raise DuplicateIntentError(f"the intent {record.key} is on record already")
        for record in records:
            self._keep(record)

    def _keep(self, record: Record) -> None:
        match record:
            case OrderUpdate():
                self.updates.append(record)
            case Order():
                self._keep_order(record)
            case Slot():
                self.slots[record.symbol] = record
            case TradeIntent():
                self.intents[record.key] = record
            case FundingUpdate():
                self.funding.append(record)
            case Decision():
                self.decisions.append(record)
                self._decided[record.intent_key] = record
            case RoundTrip():
                self.round_trips.append(record)

    def _keep_order(self, order: Order) -> None:
        if order.status in _REQUESTS:
            self.orders.append(order)
        known = self.latest.get(order.client_order_id)
        if known is None or order.filled_quantity >= known.filled_quantity:
            self.latest[order.client_order_id] = order
        self.purposes[order.client_order_id] = order.purpose

    async def load(self) -> Books:
        """Return the slots and the orders that have not ended."""
        live = tuple(order for order in self.latest.values() if order.is_live)
        return Books(tuple(self.slots.values()), live)

    async def find_order(self, client_order_id: str) -> Order | None:
        """Return an order, however long ago it ended."""
        return self.latest.get(client_order_id)

    async def find_nameless(self, symbol: str, exchange_order_id: str) -> Order | None:
        """Return the order of a symbol that the exchange knows by this id of its own."""
        named = (symbol, exchange_order_id)
        found = (o for o in self.latest.values() if (o.symbol, o.exchange_order_id) == named)
        return next(found, None)

    async def booked_fills(self, symbol: str, *, first_ms: int) -> frozenset[str]:
        """Return the ids of the fills on record with a time from ``first_ms`` on."""
        fills = (fill for update in self.updates for fill in update.fills)
        return frozenset(f.fill_id for f in fills if f.symbol == symbol and f.time_ms >= first_ms)

    async def find_decision(self, intent_key: str) -> Decision | None:
        """Return the latest decision about an intent."""
        return self._decided.get(intent_key)

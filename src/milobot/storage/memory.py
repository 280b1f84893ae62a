"""A journal in memory: for back-tests and demos, whose state ends with the process."""

from milobot.domain.decisions import Decision
from milobot.domain.orders import FundingUpdate, Order, OrderPurpose, OrderUpdate
from milobot.domain.round_trips import RoundTrip
from milobot.ports import Record


class MemoryJournal:
    """Keeps every record, in order, by kind.

    Attributes:
        purposes: What each order is for, by its client order id.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.orders: list[Order] = []
        self.purposes: dict[str, OrderPurpose] = {}
        self.updates: list[OrderUpdate] = []
        self.funding: list[FundingUpdate] = []
        self.decisions: list[Decision] = []
        self.round_trips: list[RoundTrip] = []

    async def commit(self, *records: Record) -> None:
        """Keep the records."""
        for record in records:
            match record:
                case OrderUpdate():
                    self.updates.append(record)
                case Order():
                    self.orders.append(record)
                    self.purposes[record.client_order_id] = record.purpose
                case FundingUpdate():
                    self.funding.append(record)
                case Decision():
                    self.decisions.append(record)
                case RoundTrip():
                    self.round_trips.append(record)

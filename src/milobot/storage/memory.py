"""A journal in memory: for back-tests and demos, whose state ends with the process."""

from milobot.domain.decisions import Decision
from milobot.domain.orders import FundingUpdate, Order, OrderUpdate
from milobot.domain.round_trips import RoundTrip
from milobot.ports import Record


class MemoryJournal:
    """Keeps every record, in order, by kind."""

    def __init__(self) -> None:
        """Start empty."""
        self.orders: list[Order] = []
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
                case FundingUpdate():
                    self.funding.append(record)
                case Decision():
                    self.decisions.append(record)
                case RoundTrip():
                    self.round_trips.append(record)

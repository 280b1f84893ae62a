"""What is kept in mind of orders: of those that may still change, and of those that ended lately."""

from typing import Generic, TypeVar

from milobot.domain.orders import Order
from milobot.execution.recent import Recent

ENDED_KNOWN = 1_000
"""Orders that have ended and are kept in mind."""
# An order's end always goes on record, but not always by this process.
_MOST_LIVE = 5_000
_V = TypeVar("_V")


class OrderMemory(Generic[_V]):
    """A value for each order; a stop may rest for weeks while others come and go."""

    def __init__(self, ended: int = ENDED_KNOWN) -> None:
        """Know of no order; of those that have ended, never more than ``ended``."""
        self._live: Recent[str, _V] = Recent(_MOST_LIVE)
        self._ended: Recent[str, _V] = Recent(ended)

    def __len__(self) -> int:
        """Return of how many orders something is kept."""
        return len(self._live) + len(self._ended)

    def get(self, client_order_id: str) -> _V | None:
        """Return what is kept of an order; None when nothing is."""
        found = self._live.get(client_order_id)
        return self._ended.get(client_order_id) if found is None else found

    def keep(self, order: Order, value: _V) -> None:
        """Keep something of an order as it stands on record; what has ended stays ended."""
        name = order.client_order_id
        if order.is_live and name not in self._ended:
            self._live[name] = value
        else:
            self._live.pop(name)
            self._ended[name] = value

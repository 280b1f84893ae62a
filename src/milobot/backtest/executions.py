"""The fills in a journal, each with what its order was for."""

from collections.abc import Iterator
from typing import NamedTuple

from milobot.domain.orders import Fill, OrderPurpose
from milobot.storage.memory import MemoryJournal


class Execution(NamedTuple):
    """A fill and what its order was for."""

    fill: Fill
    purpose: OrderPurpose


def executions(journal: MemoryJournal, first: int = 0) -> Iterator[Execution]:
    """Yield the fills in updates from ``first`` on, each with what its order was for.

    An order that is not ours is the exchange's own: a liquidation.
    """
    for update in journal.updates[first:]:
        purpose = journal.purposes.get(update.client_order_id, OrderPurpose.LIQUIDATION)
        for fill in update.fills:
            yield Execution(fill, purpose)

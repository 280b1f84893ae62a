"""Executions that the user stream has told: with fee and id, so nobody has to ask for them.

A listing of executions costs five of the 2,400 a minute, and with one for each order a busy
account spends most of its budget on what it has been told already.
"""

from collections.abc import Iterable

from milobot.domain.orders import Fill

# More than all that may be asked for of what was executed lately; of others the exchange is asked.
_MOST_ORDERS = 1_000


class ToldFills:
    """What the stream told of each order, the latest orders only.

    Attributes:
        is_live: Whether the stream is open: what was executed just now is about to be told.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self.is_live = False
        self._fills: dict[str, dict[str, Fill]] = {}

    def __len__(self) -> int:
        """Return of how many orders something was told."""
        return len(self._fills)

    def learn(self, exchange_order_id: str, fill: Fill) -> None:
        """Keep an execution; one that is told twice is kept once."""
        known = self._fills.pop(exchange_order_id, {})
        self._fills[exchange_order_id] = {**known, fill.fill_id: fill}
        if len(self._fills) > _MOST_ORDERS:
            del self._fills[next(iter(self._fills))]

    def of(self, exchange_order_id: str) -> tuple[Fill, ...]:
        """Return the executions of an order that were told so far, oldest first."""
        return united(self._fills.get(exchange_order_id, {}).values())


def united(fills: Iterable[Fill]) -> tuple[Fill, ...]:
    """Return executions from several sources, each once and oldest first, as a listing has them."""
    found = {fill.fill_id: fill for fill in fills}.values()
    return tuple(sorted(found, key=lambda fill: (fill.time_ms, len(fill.fill_id), fill.fill_id)))

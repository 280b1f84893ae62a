"""Exits that travel with an entry, known by what BingX's events say of them.

BingX takes no id for them and allows five listings of resting orders a second, fewer than
entries. Its event that an order rests (NEW) tells which order it is, and costs nothing.
"""

from collections.abc import Iterable
from dataclasses import replace

from milobot.domain.orders import Order, OrderStatus, OrderUpdate
from milobot.domain.reports import OrderReport
from milobot.exchanges.bingx.ids import OrderIds
from milobot.exchanges.bingx.twins import place_of, place_of_report
from milobot.exchanges.times import Sleep

_MOST = 500
_STEP_S = 0.02


class AwaitedExits:
    """Exits that were sent with an entry and are not known to rest yet."""

    def __init__(self, ids: OrderIds, sleep: Sleep) -> None:
        """Await nothing yet.

        Args:
            ids: Learns the names of what is told.
            sleep: Waits some seconds.
        """
        self._ids = ids
        self._sleep = sleep
        self._awaited: dict[str, Order] = {}
        self._told: dict[str, OrderUpdate] = {}

    def expect(self, exits: Iterable[Order]) -> None:
        """Know these exits when an event tells of them, from now on; older ones no more.

        Those of an entry that never filled may be awaited still, at the same place.
        """
        for order in exits:
            self.yield_to(order)
            self._awaited[order.client_order_id] = order
            if len(self._awaited) > _MOST:
                del self._awaited[next(iter(self._awaited))]

    def give_up(self, names: Iterable[str]) -> None:
        """Expect these exits no more: who does not rest is placed by itself."""
        for name in names:
            self._awaited.pop(name, None)

    def yield_to(self, order: Order) -> None:
        """Expect none in the place of an exit that is about to be sent: events could mean either."""
        place = place_of(order)
        self.give_up([name for name, one in self._awaited.items() if place_of(one) == place])

    def hear(self, report: OrderReport) -> None:
        """Take what an event says of an order that rests, if it is one of those awaited.

        One over another quantity is left to the listings, which show all that is there.
        """
        if not self._awaited or not self._ids.is_free(report.exchange_order_id):
            return
        place = place_of_report(report)
        for name, order in self._awaited.items():
            if place_of(order) == place and order.quantity == report.quantity:
                del self._awaited[name]
                self._ids.bind(name, report.exchange_order_id)
                self._keep(resting(order, report))
                return

    async def told(self, exits: Iterable[Order], within_s: float) -> dict[str, OrderUpdate]:
        """Return news by name of those exits that events have told of, soon or already."""
        exits = tuple(exits)
        for _ in range(round(within_s / _STEP_S)):
            if all(order.client_order_id not in self._awaited for order in exits):
                break
            await self._sleep(_STEP_S)
        return self.told_so_far(exits)

    def told_so_far(self, exits: Iterable[Order]) -> dict[str, OrderUpdate]:
        """Return news by name of those exits that events have told of."""
        names = (order.client_order_id for order in exits)
        return {name: self._told[name] for name in names if name in self._told}

    def _keep(self, update: OrderUpdate) -> None:
        self._told[update.client_order_id] = update
        if len(self._told) > _MOST:
            del self._told[next(iter(self._told))]


def resting(order: Order, report: OrderReport) -> OrderUpdate:
    """Return news that an exit rests, and over how much where that is not as it was sent."""
    update = OrderUpdate(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        status=OrderStatus.SUBMITTED,
        time_ms=report.time_ms,
        exchange_order_id=report.exchange_order_id,
    )
    return resized(update, order, report)


def resized(update: OrderUpdate, order: Order, report: OrderReport) -> OrderUpdate:
    """Return news that say of an exit by quantity over how much it really is."""
    is_other = not order.close_position and report.quantity not in {order.quantity, 0}
    return replace(update, quantity=report.quantity) if is_other else update

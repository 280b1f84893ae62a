"""What became of the exits that an entry carried: BingX answers for the entry alone."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from milobot.domain.orders import Order, OrderStatus, OrderUpdate, Refusal
from milobot.domain.reports import OrderReport
from milobot.errors import ExchangeError
from milobot.exchanges.bingx.ids import OrderIds
from milobot.exchanges.bingx.twins import earliest_twin, resized_twin
from milobot.exchanges.times import Sleep
from milobot.exchanges.urgency import vital

List = Callable[[str], Awaitable[list[OrderReport]]]

# They are made after the fill; what is not listed by then is placed separately.
_REFUSED = {OrderStatus.REJECTED, OrderStatus.NOT_EXECUTED}
_LOOKS = 2
_LOOK_WAIT_S = 0.15
_ABSENT = "BingX filled the entry and does not show this exit of it: it is placed separately"
_UNSENT = "the entry that would have carried it was not taken"


class AttachedExits:
    """Looks for the exits of entries that were just sent."""

    def __init__(self, listing: List, ids: OrderIds, sleep: Sleep) -> None:
        """Know nothing yet.

        Args:
            listing: Returns what rests in a symbol; may raise ``ExchangeError``.
            ids: Learns the names of what is found.
            sleep: Waits some seconds.
        """
        self._list = listing
        self._ids = ids
        self._sleep = sleep

    async def look(self, entry: Order) -> tuple[OrderUpdate, ...] | None:
        """Return news of the exits that are seen resting; None when BingX could not be asked."""
        found: tuple[OrderUpdate, ...] = ()
        for attempt in range(_LOOKS if entry.attached else 0):
            if attempt:
                await self._sleep(_LOOK_WAIT_S)
            try:
                with vital():  # what is not known to rest does not protect
                    listed = await self._list(entry.symbol)
            except ExchangeError:
                return None
            found = self._among(entry.attached, listed)
            if len(found) == len(entry.attached):
                break
        return found

    def _among(self, exits: Iterable[Order], listed: list[OrderReport]) -> tuple[OrderUpdate, ...]:
        found = []
        for order in exits:
            known = self._ids.exchange_id(order.client_order_id)
            named = (one for one in listed if known and one.exchange_order_id == known)
            report = next(named, None) or twin_of(order, listed, self._ids)
            if report is not None:
                self._ids.bind(order.client_order_id, report.exchange_order_id)
                found.append(_resting(order, report))
        return tuple(found)


def twin_of(order: Order, listed: list[OrderReport], ids: OrderIds) -> OrderReport | None:
    """Return what rests in an order's place: over the same quantity, or over another."""
    return earliest_twin(order, listed, ids) or resized_twin(order, listed, ids)


def resized(update: OrderUpdate, order: Order, report: OrderReport) -> OrderUpdate:
    """Return news that say of an exit by quantity over how much it really is."""
    is_other = not order.close_position and report.quantity not in {order.quantity, 0}
    return replace(update, quantity=report.quantity) if is_other else update


def not_made(
    entry: Order, news: OrderUpdate, told: Iterable[OrderUpdate] = ()
) -> tuple[OrderUpdate, ...]:
    """Return the news that exits of an entry do not rest, but for those that were told of.

    That is certain when the entry was not taken, and as good as certain when it has filled: an
    exit that comes later counts as one more. As long as the entry may fill, nobody knows.
    """
    if news.status not in {*_REFUSED, OrderStatus.FILLED}:
        return ()
    names = {update.client_order_id for update in told}
    return tuple(
        OrderUpdate(
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            status=OrderStatus.NOT_EXECUTED,
            time_ms=news.time_ms,
            reason=_UNSENT if news.status in _REFUSED else _ABSENT,
            refusal=Refusal.UNAVAILABLE,
        )
        for order in entry.attached
        if order.client_order_id not in names
    )


def _resting(order: Order, report: OrderReport) -> OrderUpdate:
    update = OrderUpdate(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        status=OrderStatus.SUBMITTED,
        time_ms=report.time_ms,
        exchange_order_id=report.exchange_order_id,
    )
    return resized(update, order, report)

"""What became of the exits that an entry carried: BingX answers for the entry alone."""

from collections.abc import Awaitable, Callable, Iterable

from milobot.domain.orders import Order, OrderStatus, OrderUpdate, Refusal
from milobot.domain.reports import OrderReport
from milobot.errors import ExchangeError
from milobot.exchanges.bingx.awaited_exits import AwaitedExits, resting
from milobot.exchanges.bingx.ids import OrderIds
from milobot.exchanges.bingx.twins import earliest_twin, resized_twin
from milobot.exchanges.times import Sleep
from milobot.exchanges.urgency import vital

List = Callable[[str], Awaitable[list[OrderReport]]]

# They are made after the fill; what is not listed by then is placed separately.
_REFUSED = {OrderStatus.REJECTED, OrderStatus.NOT_EXECUTED}
_LOOKS = 2
_LOOK_WAIT_S = 0.15
_TOLD_WITHIN_S = 0.2
_ABSENT = "BingX filled the entry and does not show this exit of it: it is placed separately"
_UNSENT = "the entry that would have carried it was not taken"


class AttachedExits:
    """Looks for the exits of entries that were just sent.

    Attributes:
        awaited: Knows them by the events that tell of them.
    """

    def __init__(self, listing: List, ids: OrderIds, sleep: Sleep) -> None:
        """Know nothing yet.

        Args:
            listing: Returns what rests in a symbol; may raise ``ExchangeError``.
            ids: Learns the names of what is found.
            sleep: Waits some seconds.
        """
        self.awaited = AwaitedExits(ids, sleep)
        self._list = listing
        self._ids = ids
        self._sleep = sleep

    async def look(self, entry: Order) -> tuple[OrderUpdate, ...] | None:
        """Return news of the exits that are seen resting; None when BingX could not be asked.

        Events tell of them; what they do not tell in time is looked for in the listing.
        """
        found = await self.awaited.told(entry.attached, _TOLD_WITHIN_S)
        for attempt in range(_LOOKS):
            if len(found) == len(entry.attached):
                break
            if attempt:
                await self._sleep(_LOOK_WAIT_S)
            try:
                with vital():  # what is not known to rest does not protect
                    listed = await self._list(entry.symbol)
            except ExchangeError:
                return None
            seen = self._among(entry.attached, listed)
            self.awaited.give_up(seen)
            # A listing lags: an event may have told meanwhile of what it does not show.
            found = {**found, **self.awaited.told_so_far(entry.attached), **seen}
        return tuple(found.values())

    def expect(self, order: Order) -> None:
        """Prepare for what events will tell of an order that is about to be sent."""
        if order.type.is_conditional:
            self.awaited.yield_to(order)
        self.awaited.expect(order.attached)

    def unless_filled(self, entry: Order, end: OrderUpdate) -> None:
        """Expect nothing more of an entry that has ended without an execution."""
        if end.status.is_final and not end.fills:
            self.awaited.give_up(order.client_order_id for order in entry.attached)

    def not_made(self, entry: Order, news: OrderUpdate) -> tuple[OrderUpdate, ...]:
        """Return the news that exits of an entry do not rest, but for those that were seen.

        That is certain when the entry was not taken, and as good as certain when it has filled:
        an exit that comes later counts as one more. As long as the entry may fill, nobody knows.
        """
        if news.status not in {*_REFUSED, OrderStatus.FILLED}:
            return ()
        missing = [o for o in entry.attached if not self._ids.exchange_id(o.client_order_id)]
        self.awaited.give_up(order.client_order_id for order in missing)
        return tuple(
            OrderUpdate(
                client_order_id=order.client_order_id,
                symbol=order.symbol,
                status=OrderStatus.NOT_EXECUTED,
                time_ms=news.time_ms,
                reason=_UNSENT if news.status in _REFUSED else _ABSENT,
                refusal=Refusal.UNAVAILABLE,
            )
            for order in missing
        )

    def _among(self, exits: Iterable[Order], listed: list[OrderReport]) -> dict[str, OrderUpdate]:
        found = {}
        for order in exits:
            known = self._ids.exchange_id(order.client_order_id)
            named = (one for one in listed if one.exchange_order_id == known)
            report = next(named, None) if known else twin_of(order, listed, self._ids)
            if report is not None:
                self._ids.bind(order.client_order_id, report.exchange_order_id)
                found[order.client_order_id] = resting(order, report)
        return found


def twin_of(order: Order, listed: list[OrderReport], ids: OrderIds) -> OrderReport | None:
    """Return what rests in an order's place: over the same quantity, or over another."""
    return earliest_twin(order, listed, ids) or resized_twin(order, listed, ids)

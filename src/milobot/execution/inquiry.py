"""Asking for orders whose end nobody knows; ``doubt`` says when and what the answers mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from milobot.domain.money import ZERO
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.reports import PositionReport
from milobot.domain.slots import Slot
from milobot.execution.doubt import (
    Doubt,
    Sighting,
    Terms,
    due_ms,
    is_in_doubt,
    judge,
    needs_whole_round,
)
from milobot.execution.findings import booked_quantity, signed
from milobot.ports import Clock, ExchangeAccount, Journal

# A request under way has its answer within this; later it is asked for all the same.
_UNDER_WAY_MS = 1_000
# Where a stop can come with its entry, a stream tells that an order was taken before the answer
# tells what it has executed; with that stop the entry does not lie open meanwhile.
_EXECUTED_WITHIN_MS = 500
# An exchange stamps executions with a clock of its own.
_CLOCK_SLACK_MS = 1_000


def _ignored(_order: Order, _positions: Sequence[PositionReport]) -> None:
    """Take no note of what is shown."""


@dataclass(slots=True)
class Inquiry:
    """Asks for the orders in doubt of one account.

    Attributes:
        shown: Takes every position that is listed when an order is asked for.
    """

    account: ExchangeAccount
    journal: Journal
    clock: Clock
    terms: Terms = field(default_factory=Terms)
    shown: Callable[[Order, Sequence[PositionReport]], object] = _ignored
    _doubts: dict[str, Doubt] = field(default_factory=dict)

    def due(self, slot: Slot) -> tuple[Order, ...]:
        """Return the orders of a slot that have to be asked for now."""
        now_ms = self.clock.now_ms()
        return tuple(order for order in askable(slot) if self._is_due(order, now_ms))

    async def ask(self, slot: Slot, order: Order) -> OrderUpdate | None:
        """Ask for one order once; return news of it, if there is any.

        Raises:
            ExchangeError: The exchange could not be asked.
        """
        doubt = self._doubts.get(order.client_order_id, Doubt())
        asked_ms = self.clock.now_ms()
        update = await self.account.fetch_update(order)
        sighting = Sighting(asked_ms, update)
        if update is None and needs_whole_round(order, asked_ms, self.terms):
            sighting = await self._whole(sighting, slot, order)
        doubt, news = judge(order, sighting, doubt, self.terms)
        if news is not None and news.status.is_final:
            self._doubts.pop(order.client_order_id, None)
        else:
            self._doubts[order.client_order_id] = doubt
        return news

    def forget(self, live: frozenset[str]) -> None:
        """Keep nothing about orders that have ended."""
        for order_id in self._doubts.keys() - live:
            del self._doubts[order_id]

    def _is_due(self, order: Order, now_ms: int) -> bool:
        if not is_in_doubt(order):
            return False
        age_ms = now_ms - order.created_ms
        if order.status is OrderStatus.PENDING and age_ms < _UNDER_WAY_MS:
            return False
        is_taken = order.status is OrderStatus.SUBMITTED and bool(order.attached)
        if is_taken and age_ms < _EXECUTED_WITHIN_MS:
            return False  # whoever sent it is asking for its executions
        return due_ms(order, self._doubts.get(order.client_order_id, Doubt()), self.terms) <= now_ms

    async def _whole(self, sighting: Sighting, slot: Slot, order: Order) -> Sighting:
        symbol, first_ms = order.symbol, order.created_ms - _CLOCK_SLACK_MS
        listed = await self.account.fetch_open_orders(symbol)
        fills = await self.account.fetch_fills(symbol, first_ms=first_ms)
        positions = await self.account.fetch_positions()
        self.shown(order, positions)
        held = [p for p in positions if p.symbol == symbol]
        return replace(
            sighting,
            is_whole=True,
            listed=listed,
            fills=fills,
            booked=await self.journal.booked_fills(symbol, first_ms=first_ms),
            held=sum((signed(p) for p in held), ZERO),
            ours=booked_quantity(slot),
        )


def askable(slot: Slot) -> tuple[Order, ...]:
    """Return the orders of a slot of which "not found" says something.

    What comes with an entry may come to rest as long as the entry may fill.
    """
    later = slot.attached if slot.live(OrderPurpose.ENTRY) else ()
    return tuple(order for order in slot.orders if order.client_order_id not in later)

"""An account's books: what its slots, orders and decisions are now, in memory and on record.

The engine changes them under the turn of a symbol only, so that between looking and
writing nobody else writes.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from milobot.domain.decisions import Decision
from milobot.domain.ids import is_ours
from milobot.domain.orders import Fill, FundingUpdate, Order, OrderStatus, OrderUpdate
from milobot.domain.positions import Position
from milobot.domain.slots import Slot, with_exposure
from milobot.execution.findings import Ours
from milobot.execution.ledger import Applied, apply_funding, apply_update, order_of_exchange
from milobot.execution.recent import Recent
from milobot.execution.recorder import Recorder
from milobot.execution.verdicts import is_calm
from milobot.ports import Books, Clock, Journal, Record

_REMEMBERED = 1_000
_ENDED_PER_SYMBOL = 16
_FILLS_PER_SYMBOL = 256
_NOT_TAKEN = frozenset({OrderStatus.PENDING, OrderStatus.REJECTED, OrderStatus.NOT_EXECUTED})


@dataclass(slots=True)
class _Pulse:
    """What has happened in a symbol, and when; see ``Ours``."""

    changed_ms: int = 0
    filled_ms: int = 0
    requests: list[str] = field(default_factory=list)
    waits: asyncio.Event | None = None
    taken: int = 0
    ended: deque[str] = field(default_factory=lambda: deque(maxlen=_ENDED_PER_SYMBOL))
    fills: deque[str] = field(default_factory=lambda: deque(maxlen=_FILLS_PER_SYMBOL))


class AccountBooks:
    """Slots, orders and decisions of one account.

    Attributes:
        recorder: Puts things on record.
    """

    def __init__(self, journal: Journal, clock: Clock) -> None:
        """Start with nothing known: every slot is flat and free, until ``restore``."""
        self.recorder = Recorder(journal)
        self._journal = journal
        self._clock = clock
        self._slots: dict[str, Slot] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._pulses: dict[str, _Pulse] = {}
        self._orders: dict[str, Order] = {}
        # Ended orders and decisions are on record; those last used are also kept at hand.
        self._ended: Recent[str, Order] = Recent(_REMEMBERED)
        self._decisions: Recent[str, Decision] = Recent(_REMEMBERED)

    def restore(self, known: Books) -> None:
        """Take over what a journal knows; how the exchange sees it is for reconciliation."""
        for slot in known.slots:
            # How long it may lie open is counted from now: nobody could act while we were away.
            self._slots[slot.symbol] = replace(slot, orders=(), exposed_since_ms=None)
        for order in known.orders:
            self.keep(self.slot(order.symbol).with_order(order), order)
        # Nothing has happened yet in this process: any snapshot is newer.
        self._pulses.clear()

    def turn(self, symbol: str) -> asyncio.Lock:
        """Return what is held while a symbol's slot is looked at and changed."""
        found = self._turns.get(symbol)
        if found is None:
            found = self._turns[symbol] = asyncio.Lock()
        return found

    def slot(self, symbol: str) -> Slot:
        """Return the state of one symbol."""
        found = self._slots.get(symbol)
        if found is None:
            found = self._slots[symbol] = Slot(symbol, Position(symbol))
        return found

    def slots(self) -> Iterator[Slot]:
        """Yield every slot that was ever used."""
        yield from tuple(self._slots.values())

    def ours(self) -> tuple[Ours, ...]:
        """Return every slot with when it last changed, for a comparison with the exchange."""
        found = []
        for slot in self.slots():
            pulse = self._pulse(slot.symbol)
            ended = (self._ended.get(order_id) for order_id in pulse.ended)
            found.append(
                Ours(
                    slot,
                    changed_ms=pulse.changed_ms,
                    filled_ms=pulse.filled_ms,
                    is_busy=any(name in self._orders for name in pulse.requests),
                    taken=pulse.taken,
                    ended=tuple(order for order in ended if order is not None),
                    booked=frozenset(pulse.fills),
                )
            )
        return tuple(found)

    @contextmanager
    def busy(self, order: Order) -> Iterator[None]:
        """Count a request about an order as under way, for as long as nobody knows its end.

        One that hangs tells nothing any more once asking has told how its order has ended.
        """
        requests, name = self._pulse(order.symbol).requests, order.client_order_id
        requests.append(name)
        try:
            yield
        finally:
            requests.remove(name)

    async def until_calm(self, symbol: str, seconds: float) -> None:
        """Wait until what is on its way in a symbol has come to its end, for so long at most."""
        pulse = self._pulse(symbol)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    async with self.turn(symbol):  # what is being decided comes before
                        if is_calm(self.slot(symbol)):
                            return
                        calm = pulse.waits = pulse.waits or asyncio.Event()
                    await calm.wait()

    async def order(self, client_order_id: str) -> Order | None:
        """Return an order of ours, however long ago it ended; None for somebody else's."""
        found = self._orders.get(client_order_id) or self._ended.get(client_order_id)
        if found is None and is_ours(client_order_id):
            found = await self._journal.find_order(client_order_id)
        return found

    def recent_decision(self, intent_key: str) -> Decision | None:
        """Return the latest decision about an intent that was decided lately."""
        return self._decisions.get(intent_key)

    async def decision(self, intent_key: str) -> Decision | None:
        """Return the latest decision about an intent, however long ago it was made."""
        found = self._decisions.get(intent_key)
        return found or await self._journal.find_decision(intent_key)

    def keep(self, slot: Slot, order: Order | None = None) -> None:
        """Remember what a slot and an order of it are now, not yet on record."""
        before = self.slot(slot.symbol)
        self._slots[slot.symbol] = slot
        pulse = self._pulse(slot.symbol)
        if _happened(before) != _happened(slot):
            pulse.changed_ms = self._clock.now_ms()
        if pulse.waits is not None and is_calm(slot):
            pulse.waits.set()
            pulse.waits = None
        if order is None:
            return
        if order.status not in _NOT_TAKEN and self._is_pending(order):
            pulse.taken += 1
        if order.is_live:
            self._orders[order.client_order_id] = order
            return
        if self._orders.pop(order.client_order_id, None) is not None:
            pulse.ended.append(order.client_order_id)
        self._ended[order.client_order_id] = order

    async def change(self, slot: Slot, order: Order | None = None) -> None:
        """Remember what a slot and an order of it are now, and put it on record."""
        self.keep(slot, order)
        await self.recorder.note(slot.symbol, slot, *((order,) if order else ()))

    def decide(self, decision: Decision) -> None:
        """Remember a decision, not yet on record."""
        self._decisions[decision.intent_key] = decision

    async def book(self, update: OrderUpdate | FundingUpdate) -> bool:
        """Book news once. Return whether it changed anything.

        Raises:
            OrderTransitionError: The news contradicts what is known for certain; what it proves
                is booked all the same.
        """
        if isinstance(update, FundingUpdate):
            return await self._book_funding(update)
        known = await self.order(update.client_order_id)
        is_of_exchange = update.purpose is not None and update.purpose.is_of_exchange
        if known is None and is_of_exchange:
            known = await self._journal.find_order(update.client_order_id)
        slot, pulse = self.slot(update.symbol), self._pulse(update.symbol)
        if known is None:
            if not is_of_exchange or slot.position.is_flat:
                return False  # somebody else's order: reported by reconciliation, never touched
            known = order_of_exchange(slot, update)
        told = {f.fill_id: f for f in update.fills}
        # One that was found first and is told under its order's own name later counts once too.
        booked = known.booked.union(pulse.fills)
        new = tuple(fill for fill_id, fill in told.items() if fill_id not in booked)
        applied = apply_update(slot, known, update, new)
        is_news = bool(new) or applied.order != known
        if is_news:
            self._keep_applied(applied, update, new)
        if applied.contradiction is not None:
            await self.recorder.flush(update.symbol)  # who is told of it may not look again
            raise applied.contradiction
        return is_news

    def _keep_applied(self, applied: Applied, update: OrderUpdate, new: tuple[Fill, ...]) -> None:
        """Remember what news has come to, and hold it for the record."""
        if new:
            pulse = self._pulse(update.symbol)
            pulse.fills.extend(fill.fill_id for fill in new)
            pulse.filled_ms = max(pulse.filled_ms, *(fill.time_ms for fill in new))
        self.keep(with_exposure(applied.slot, self._clock.now_ms()), applied.order)
        more: list[Record] = [applied.round_trip] if applied.round_trip else []
        self.recorder.hold(update.symbol, update, applied.order, self.slot(update.symbol), *more)

    def _is_pending(self, order: Order) -> bool:
        """Return whether nothing was known of an order so far but that it was sent."""
        known = self._orders.get(order.client_order_id)
        return known is not None and known.status is OrderStatus.PENDING

    def _pulse(self, symbol: str) -> _Pulse:
        found = self._pulses.get(symbol)
        if found is None:
            found = self._pulses[symbol] = _Pulse()
        return found

    async def _book_funding(self, update: FundingUpdate) -> bool:
        slot = self.slot(update.symbol)
        paid = apply_funding(slot, update)
        if paid == slot:
            return False
        self.keep(paid)
        self.recorder.hold(update.symbol, update, paid)
        return True


def _happened(slot: Slot) -> tuple[object, ...]:
    """Return what a look at the exchange from before could not have shown.

    That something is asked for is no event, nor that it is refused: what the exchange showed
    before is still true. Otherwise a close that is refused again and again, because somebody
    else has closed the position, would make every look too old to find that out.
    """
    sent = tuple(
        (order.client_order_id, order.status, order.filled_quantity)
        for order in slot.orders
        if order.status is not OrderStatus.PENDING
    )
    return slot.position, slot.seen, slot.early, sent

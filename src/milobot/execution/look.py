"""One look at one symbol: what our books and the exchange say of it, and what follows so far."""

from dataclasses import dataclass, field, replace

from milobot.domain.intents import Side
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderUpdate
from milobot.domain.reports import OrderReport, PositionReport
from milobot.domain.slots import Slot
from milobot.execution.doubt import Terms, is_in_doubt
from milobot.execution.findings import (
    Code,
    Notice,
    Ours,
    Sightings,
    Snapshot,
    booked_quantity,
    signed,
)
from milobot.execution.ledger import apply_update, order_of_exchange

_DAY_MS = 24 * 3_600_000
# The first fill that we know of may have had others before it.
_FIRST_FILL_MS = 60_000
# A position that is not in the books last changed with the last execution of several.
_UNKNOWN_FILLS_MS = 15 * 60_000
CLOCK_SLACK_MS = 250
"""An exchange stamps positions with a clock of its own."""


@dataclass(slots=True)
class Look:
    """What is known and found of one symbol; the comparisons fill it in.

    News that is found is applied to a copy of the slot at once, by the same functions that
    will book it. So what comes later compares with our books as they are going to be.

    Attributes:
        slot: Our slot as it will be once the updates found so far are applied.
        theirs: What is held at the exchange; None for nothing.
        is_fresh: Whether the snapshot shows the symbol after everything that we know of it, with
            nothing under way that may explain what is held.
        reports: What rests at the exchange in the symbol.
        orders: Our orders at hand, live and ended, as they will be.
        booked: Ids of the executions that are booked, or will be.
        blocked: The reason to block entries with, empty to let them pass; None for no change.
        ask_updates: Orders to be asked for, by our id.
        ask_fills_since_ms: Since when executions have to be listed; None for not at all.
        shown: Our ids of the orders that rest with just the fills that we know.
        has_missing: Whether an order of ours is missing and it is not known yet why.
        is_decided: Whether everything could be judged.
        is_to_repeat: Whether something has to be looked at once more soon.
        is_outrun: Whether nothing but an event since the snapshot hides more than our books say.
        seen: When what was found was first seen, by a key that says what.
    """

    ours: Ours
    snapshot: Snapshot
    before: Sightings
    terms: Terms
    account: str
    slot: Slot = field(init=False)
    theirs: PositionReport | None = field(init=False)
    is_fresh: bool = field(init=False)
    is_outrun: bool = field(init=False)
    reports: list[OrderReport] = field(init=False)
    orders: dict[str, Order] = field(init=False)
    booked: frozenset[str] = field(init=False)
    adopted: list[Order] = field(default_factory=list)
    updates: list[OrderUpdate] = field(default_factory=list)
    withdraw: list[Order] = field(default_factory=list)
    blocked: str | None = None
    ask_updates: dict[str, Order] = field(default_factory=dict)
    ask_records: list[str] = field(default_factory=list)
    ask_strangers: list[str] = field(default_factory=list)
    ask_fills_since_ms: int | None = None
    asks_mark_price: bool = False
    notices: list[Notice] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    has_missing: bool = False
    is_decided: bool = True
    is_to_repeat: bool = False
    seen: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find this symbol's part of the snapshot."""
        self.slot = self.ours.slot
        self.theirs = next((p for p in self.snapshot.positions if p.symbol == self.symbol), None)
        self.reports = [r for r in self.snapshot.open_orders if r.symbol == self.symbol]
        records = [o for o in self.snapshot.records.values() if o and o.symbol == self.symbol]
        known = (*records, *self.ours.ended, *self.slot.orders)
        self.orders = {order.client_order_id: order for order in known}
        told = self.snapshot.booked.get(self.symbol, frozenset())
        self.booked = told.union(self.ours.booked, *(order.booked for order in known))
        # Before anything is found: what is told of it later makes no snapshot older.
        is_unexplained = self._is_unexplained()
        is_busy = self.ours.is_busy and not is_unexplained
        self.is_fresh = not is_busy and self.snapshot.asked_ms > self.ours.changed_ms
        self.is_outrun = is_unexplained and not self.is_fresh

    @property
    def symbol(self) -> str:
        """Return the symbol."""
        return self.slot.symbol

    @property
    def has_excess(self) -> bool:
        """Return whether more is held than our books say, or the other side of it."""
        held = signed(self.theirs)
        return held * (held - booked_quantity(self.slot)) > 0

    @property
    def is_settled(self) -> bool:
        """Return whether what we last did must have become visible by the time of asking."""
        return self.snapshot.asked_ms > self.ours.changed_ms + self.terms.engine_delay_ms

    @property
    def has_open_question(self) -> bool:
        """Return whether an order's fate is open that may explain the difference."""
        doubted = self._doubted()
        is_open = any(order.client_order_id not in self.shown for order in doubted)
        return is_open and not self._predates(doubted)

    def has_to_ask(self) -> bool:
        """Return whether more has to be asked."""
        asked = self.ask_updates or self.ask_records or self.ask_strangers
        return bool(asked) or self.ask_fills_since_ms is not None or self.asks_mark_price

    def note(self, code: Code, sentence: str) -> None:
        """Keep something for the reader."""
        notice = Notice(code, self.symbol, f"{self.symbol}: {sentence}")
        if notice not in self.notices:
            self.notices.append(notice)

    def wait(self) -> None:
        """Leave something open that another look may decide."""
        self.is_decided = False
        self.is_to_repeat = True

    def remember(self, what: str = "") -> None:
        """Keep what was seen before, for a look that cannot see that by itself."""
        for key, first_ms in self.before.first_ms.items():
            if key.startswith(self._key(what)):
                self.seen[key] = first_ms

    def is_seen_twice(self, what: str) -> bool:
        """Return whether something was seen before, long enough ago.

        ``what`` says all that it stands on: whatever event changes any of that makes it
        something else, to be seen twice again. So does every order of ours that is taken; one
        that is refused again and again hides nothing.
        """
        key, asked_ms = self._key(what), self.snapshot.asked_ms
        first_ms = self.before.first_ms.get(key, asked_ms)
        self.seen[key] = first_ms
        if asked_ms - first_ms >= self.terms.apart_ms:
            return True
        self.wait()
        return False

    def is_seen_long(self, what: str) -> bool:
        """Return whether something that is seen twice has been there for all of the delay."""
        if self.is_seen_for(what, self.terms.engine_delay_ms):
            return True
        self.wait()
        return False

    def is_seen_for(self, what: str, time_ms: int) -> bool:
        """Return whether something that is seen twice was there at every look of this time."""
        return self.snapshot.asked_ms - self.seen[self._key(what)] > time_ms

    def answer_about(self, order: Order) -> tuple[bool, OrderUpdate | None]:
        """Return whether an order was asked for, and what was answered; see to it if it was not."""
        name = order.client_order_id
        if name in self.snapshot.updates:
            return True, self.snapshot.updates[name]
        self.ask_updates[name] = order
        self.is_decided = False
        return False, None

    def fills(self) -> tuple[Fill, ...] | None:
        """Return the symbol's executions that matter; None while they have to be asked for."""
        if self.symbol in self.snapshot.fills:
            return self.snapshot.fills[self.symbol]
        self.ask_fills_since_ms = self._first_ms()
        self.is_decided = False
        return None

    def adopt(self, order: Order) -> None:
        """Take over an order of ours that is in no books."""
        self.adopted.append(order)
        self._keep(self.slot.with_order(order), order)

    def tell(self, update: OrderUpdate) -> bool:
        """Apply news to what our books will be. Return whether it changes them.

        An execution that is booked under whatever order is left out: an order whose name was
        told late would book it once more.
        """
        known = self.orders.get(update.client_order_id)
        if known is None:
            known = order_of_exchange(self.slot, update)
        new = {f.fill_id: f for f in update.fills if f.fill_id not in self.booked}
        update = replace(update, fills=tuple(new.values()))
        applied = apply_update(self.slot, known, update, update.fills)
        if applied.contradiction is not None:
            self.note(Code.UNDECIDED, str(applied.contradiction))
            self.wait()
        if not new and applied.order == known:
            return False
        self._keep(applied.slot, applied.order)
        self.booked |= new.keys()
        self.updates.append(update)
        return True

    def _doubted(self) -> list[Order]:
        """Return the orders whose fate is open and which may explain what is held.

        Exits can only take off: that more is held than our books say, or the other side of it,
        an entry of that side explains and nothing else.
        """
        doubted = [order for order in self.slot.orders if is_in_doubt(order)]
        if not self.has_excess:
            return doubted
        side = Side.BUY if signed(self.theirs) > 0 else Side.SELL
        return [o for o in doubted if o.purpose is OrderPurpose.ENTRY and o.side is side]

    def _is_unexplained(self) -> bool:
        """Return whether more is held than anything that is under way may explain."""
        doubted = self._doubted()
        return self.has_excess and (not doubted or self._predates(doubted))

    def _predates(self, orders: list[Order]) -> bool:
        """Return whether what is held last changed before any of these orders was made."""
        theirs = self.theirs
        if theirs is None or not theirs.time_ms:
            return False
        return all(theirs.time_ms + CLOCK_SLACK_MS < order.created_ms for order in orders)

    def _first_ms(self) -> int:
        """Return since when executions matter: since what we know of began, or theirs changed."""
        slot, asked_ms = self.ours.slot, self.snapshot.asked_ms
        moments = [order.created_ms for order in slot.orders]
        if slot.tally is not None:
            moments.append(slot.tally.entry_time_ms - _FIRST_FILL_MS)
        elif self.theirs is not None:
            told_ms = self.theirs.time_ms
            moments.append(told_ms - _UNKNOWN_FILLS_MS if told_ms else asked_ms - _DAY_MS)
        return min(moments, default=asked_ms - _DAY_MS)

    def _key(self, what: str) -> str:
        return f"{self.symbol}|{self.ours.taken}|{what}"

    def _keep(self, slot: Slot, order: Order) -> None:
        self.slot = slot
        self.orders[order.client_order_id] = order

"""What a reconciliation is given and what it finds, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from milobot.domain.intents import PositionSide
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderUpdate
from milobot.domain.positions import Position
from milobot.domain.reports import OrderReport, PositionReport
from milobot.domain.slots import Slot


class Code(StrEnum):
    """What was found, for a program; the sentence beside it is for a reader.

    The first three are also the reasons for which a slot is blocked.
    """

    FOREIGN_POSITION = "foreign_position"
    FOREIGN_ORDERS = "foreign_orders"
    POSITION_LARGER = "position_larger"
    POSITION_REDUCED = "position_reduced"
    POSITION_UNEXPLAINED = "position_unexplained"
    POSITION_UNLISTED = "position_unlisted"
    ORDER_NEWS = "order_news"
    ORDER_VANISHED = "order_vanished"
    ORDER_ORPHANED = "order_orphaned"
    ORDER_ALTERED = "order_altered"
    SETTINGS_CHANGED = "settings_changed"
    UNDECIDED = "undecided"


LASTING = frozenset(
    {
        Code.FOREIGN_POSITION,
        Code.FOREIGN_ORDERS,
        Code.POSITION_LARGER,
        Code.POSITION_UNLISTED,
        Code.SETTINGS_CHANGED,
    }
)
"""What we do not change; all else is over with the look that finds it, or should be."""
BLOCKING = frozenset({Code.FOREIGN_POSITION, Code.FOREIGN_ORDERS, Code.POSITION_LARGER})


@dataclass(frozen=True, slots=True)
class Ours:
    """What our books say of one symbol, and when they last changed.

    Attributes:
        slot: The slot, with its live orders.
        changed_ms: When something last happened to it: news booked, a request taken. By the
            exchange's clock at that moment, not by the news' own time; 0 for not since the start.
        filled_ms: The latest time of a fill that was booked, as the exchange told it; 0 when
            not known.
        is_busy: Whether a request about the symbol is under way.
        taken: How many of our orders an exchange may have taken since the start.
        ended: Orders of the symbol that ended lately, as far as they are at hand.
        booked: Ids of the fills booked lately, under whatever order: a ledger that is away
            does not know of them yet.
    """

    slot: Slot
    changed_ms: int = 0
    filled_ms: int = 0
    is_busy: bool = False
    taken: int = 0
    ended: tuple[Order, ...] = ()
    booked: frozenset[str] = frozenset()


def _nothing() -> Mapping[str, None]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the exchange said. Made of two listings, then completed with what ``Needs`` names.

    Attributes:
        asked_ms: When the first of the listings was asked for, on the exchange's clock.
        positions: What is open, in every symbol.
        open_orders: What rests, in every symbol, conditional orders included.
        updates: Answers about single orders, by our id; None: the exchange knows none.
        fills: Executions by symbol, since the moment that was named or earlier.
        booked: Ids of the fills on record since then, by symbol.
        records: Orders of ours from the journal, by our id, or by the exchange's where it keeps
            none of ours; None: no record.
        strangers: Orders behind executions that are not ours as far as we know, by the
            exchange's id, with the name they go by, their purpose if it was the exchange's own,
            and their fills; None where the exchange cannot be asked or knows none.
        mark_prices: By symbol.
    """

    asked_ms: int
    positions: tuple[PositionReport, ...] = ()
    open_orders: tuple[OrderReport, ...] = ()
    updates: Mapping[str, OrderUpdate | None] = field(default_factory=_nothing)
    fills: Mapping[str, tuple[Fill, ...]] = field(default_factory=dict)
    booked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    records: Mapping[str, Order | None] = field(default_factory=_nothing)
    strangers: Mapping[str, OrderUpdate | None] = field(default_factory=_nothing)
    mark_prices: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be asked before more can be said; empty when nothing has.

    Attributes:
        updates: Orders to ask the exchange for (``fetch_update``), into ``Snapshot.updates``.
        fills: Symbols whose executions are needed and since when (``fetch_fills``), into
            ``Snapshot.fills``, and the ids of those on record into ``Snapshot.booked``.
        records: Symbol and id of orders to look up in the journal, into ``Snapshot.records``.
        strangers: Symbol and exchange's id of orders to ask for, into ``Snapshot.strangers``.
        mark_prices: Symbols whose mark price is needed.
    """

    updates: tuple[Order, ...] = ()
    fills: Mapping[str, int] = field(default_factory=dict)
    records: tuple[tuple[str, str], ...] = ()
    strangers: tuple[tuple[str, str], ...] = ()
    mark_prices: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything has to be asked."""
        return any((self.updates, self.fills, self.records, self.strangers, self.mark_prices))


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a user should read, once: it stands for as long as it is found again."""

    code: Code
    symbol: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Sightings:
    """What the last look saw: what is seen twice counts, and what stands is told once.

    Attributes:
        first_ms: When the snapshot was asked for in which something was first seen, by a key
            that says what.
        notices: What stood at the last look.
    """

    first_ms: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What comparing our books with the exchange came to; carried out in the order of the fields.

    Attributes:
        adopted: Orders that carry an id of ours and are in no books: to be kept as orders of
            their slots that belong to no plan. What fills of them is flattened as a late fill.
        updates: News to apply, in this order.
        withdraw: Orders that rest and should not: to be cancelled at the exchange whatever
            status our books have, and the answer applied.
        blocked: Symbols whose entries are to be blocked, with the reason's code; an empty one
            lets entries pass again.
        needs: What has to be asked; until then nothing is found about the symbols concerned.
        notices: What stands now, for the reader.
        news: Those of the notices that did not stand at the last look.
        again_ms: When to look again, since something is to be seen twice; None for no hurry.
        sightings: What was seen for the first time and when: to be handed in with the next look.
    """

    adopted: tuple[Order, ...] = ()
    updates: tuple[OrderUpdate, ...] = ()
    withdraw: tuple[Order, ...] = ()
    blocked: Mapping[str, str] = field(default_factory=dict)
    needs: Needs = field(default_factory=Needs)
    notices: tuple[Notice, ...] = ()
    news: tuple[Notice, ...] = ()
    again_ms: int | None = None
    sightings: Sightings = field(default_factory=Sightings)

    @property
    def lasting(self) -> tuple[Notice, ...]:
        """Return what does not end by itself: what is not ours to change, or stood before."""
        return tuple(n for n in self.notices if n.code in LASTING or n not in self.news)

    @property
    def is_converged(self) -> bool:
        """Return whether our books agree with the exchange, or differ by what is not ours."""
        pending = self.adopted or self.updates or self.withdraw or self.blocked or self.needs
        return not pending and self.again_ms is None


def booked_quantity(slot: Slot) -> Decimal:
    """Return what our books say is held, negative when short.

    Fills of exits that wait for their entry's fills count: what they closed is closed.
    """
    waiting = sum((early.fill.quantity for early in slot.early), ZERO)
    is_long = slot.held_side is PositionSide.LONG
    return signed(slot.position) - (waiting if is_long else -waiting)


def signed(position: Position | PositionReport | None) -> Decimal:
    """Return what is held, negative when short, zero for nothing."""
    if position is None:
        return ZERO
    is_long = position.side is PositionSide.LONG
    return position.quantity if is_long else -position.quantity

"""A slot: everything the engine knows about one (account, symbol), as one frozen value."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from milobot.domain.intents import Enter, PositionSide, TradeIntent
from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderStatus, Refusal
from milobot.domain.positions import Position
from milobot.domain.risk import Levels


class PositionState(StrEnum):
    """How safe a slot is."""

    FLAT = "FLAT"
    OPENING = "OPENING"
    UNPROTECTED = "UNPROTECTED"
    PROTECTED = "PROTECTED"
    CLOSING = "CLOSING"


@dataclass(frozen=True, slots=True)
class Setup:
    """The plan behind a position, fixed before its entry left.

    Attributes:
        taker_fee: Fee rate at the time of the entry; it sets the break-even level.
        rules: Grid and limits of the symbol at that time, without brackets: exits must not
            wait for an exchange that does not say them again.
    """

    intent: TradeIntent
    action: Enter
    levels: Levels
    quantity: Decimal
    taker_fee: Decimal
    rules: SymbolRules = field(default_factory=lambda: SymbolRules(""))

    @property
    def risk(self) -> Decimal:
        """Return what the planned quantity loses at its stop, in USDT; zero without a stop."""
        if self.levels.stop is None:
            return ZERO
        return self.quantity * abs(self.levels.reference - self.levels.stop)


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums of one round trip, from which its averages are taken.

    Attributes:
        start: The position's bookings when the trip began, to be taken off at its end.
        target_quantity: What targets have taken so far.
        last: Why the last fill was asked for.
    """

    start: Position
    entry_quantity: Decimal = ZERO
    entry_cost: Decimal = ZERO
    exit_quantity: Decimal = ZERO
    exit_cost: Decimal = ZERO
    largest: Decimal = ZERO
    entry_time_ms: int = 0
    target_quantity: Decimal = ZERO
    last: OrderPurpose = OrderPurpose.ENTRY
    last_time_ms: int = 0


@dataclass(frozen=True, slots=True)
class EarlyExit:
    """A fill of an exit that is told before the entry's fills that it closes."""

    purpose: OrderPurpose
    fill: Fill


@dataclass(frozen=True, slots=True)
class Slot:
    """State of one symbol of one account.

    Attributes:
        owner: Who may trade here; empty when released.
        setup: Plan of the position or of the entry on its way.
        orders: Orders that may still do something at the exchange.
        stop: Where the stop has to rest now; None without one.
        stop_reason: What an exit at that stop is called.
        closing: Why the position is being closed; empty when it is not.
        queued: Intent that enters when the slot is flat: the second half of a reversal.
        revision: Counts the orders ever sent for the symbol, so that each has its own id.
        exposed_since_ms: When what is held was first seen without a resting stop, on the
            exchange's clock; None while it has one or nothing is held.
        blocked: Why nobody may enter here, such as a position that is not ours; empty when
            somebody may.
        paid: Ids of the last funding payments, so that each is booked once.
        hindrances: What exits of this position were refused for, where that changes how the
            next ones go.
        seen: What the exchange shows as held and no fill explains yet; an entry in doubt.
        early: Fills of exits that wait for the entry's fills.
        attached: Ids of the exits that entries carried to the exchange, those of the last
            few entries, the latest first.
        legs: Keys of the intents that have added to the position or taken a part off it.
    """

    symbol: str
    position: Position
    owner: str = ""
    setup: Setup | None = None
    orders: tuple[Order, ...] = field(default=())
    stop: Decimal | None = None
    stop_reason: str = "stop"
    closing: str = ""
    queued: TradeIntent | None = None
    revision: int = 0
    tally: Tally | None = None
    exposed_since_ms: int | None = None
    blocked: str = ""
    paid: tuple[str, ...] = ()
    hindrances: frozenset[Refusal] = frozenset()
    seen: Decimal = ZERO
    early: tuple[EarlyExit, ...] = ()
    attached: tuple[str, ...] = ()
    legs: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of the intents that its orders may serve."""
        return (self.setup.intent.key, *self.legs) if self.setup else self.legs

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is open, nothing rests and nothing is on its way."""
        return self.position.is_flat and not self.orders and not self.seen and not self.early

    @property
    def is_free(self) -> bool:
        """Return whether anybody may take it: idle, without owner, and not being closed."""
        return self.is_idle and not self.owner and not self.closing

    @property
    def held(self) -> Decimal:
        """Return what is open at the exchange as far as anything has told, fills or a listing."""
        if not self.seen and not self.early:
            return self.position.quantity
        closed = sum((e.fill.quantity for e in self.early), ZERO)
        return max(ZERO, self.position.quantity + self.seen - closed)

    @property
    def held_side(self) -> PositionSide:
        """Return the direction of what is held."""
        is_only_seen = self.position.is_flat and self.setup is not None
        return self.setup.action.side if is_only_seen and self.setup else self.position.side

    @property
    def is_doubted(self) -> bool:
        """Return whether the exchange says that nothing is open while we hold something: ask."""
        return Refusal.NOTHING_TO_REDUCE in self.hindrances and self.held > 0

    @property
    def side(self) -> PositionSide | None:
        """Return the direction held or on its way; None when there is neither."""
        if not self.position.is_flat:
            return self.position.side
        return self.setup.action.side if self.setup and self.live(OrderPurpose.ENTRY) else None

    def live(self, purpose: OrderPurpose) -> tuple[Order, ...]:
        """Return the live orders of one purpose."""
        return tuple(o for o in self.orders if o.purpose is purpose)

    def with_order(self, order: Order) -> "Slot":
        """Return the slot with ``order`` in place of its older self; finished orders leave."""
        others = tuple(o for o in self.orders if o.client_order_id != order.client_order_id)
        return replace(self, orders=(*others, order) if order.is_live else others)

    def released(self) -> "Slot":
        """Return the slot without owner and plan; what was booked and counted stays."""
        return Slot(
            self.symbol,
            self.position,
            revision=self.revision,
            blocked=self.blocked,
            paid=self.paid,
            attached=self.attached,
        )


def with_exposure(slot: Slot, now_ms: int) -> Slot:
    """Return the slot with the moment since which it holds something without a resting stop."""
    is_exposed = position_state(slot) in {PositionState.UNPROTECTED, PositionState.CLOSING}
    if is_exposed == (slot.exposed_since_ms is not None):
        return slot
    return replace(slot, exposed_since_ms=now_ms if is_exposed else None)


def position_state(slot: Slot) -> PositionState:
    """Return how safe a slot is: a stop counts only when it rests at the exchange."""
    if not slot.held:
        has_entry = any(o.purpose is OrderPurpose.ENTRY for o in slot.orders)
        return PositionState.OPENING if has_entry else PositionState.FLAT
    if slot.closing:
        return PositionState.CLOSING
    return PositionState.PROTECTED if is_covered(slot) else PositionState.UNPROTECTED


def is_covered(slot: Slot) -> bool:
    """Return whether a stop rests at the exchange for all that is held."""
    return any(
        o.purpose is OrderPurpose.STOP and o.status is OrderStatus.SUBMITTED and covers(o, slot)
        for o in slot.orders
    )


def covers(stop: Order, slot: Slot) -> bool:
    """Return whether a stop would close all that is held."""
    return stop.close_position or stop.quantity - stop.filled_quantity >= slot.held

"""Orders as the exchange keeps them: what was asked for, and what became of it."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.errors import OrderRejectedError


class Refusal(StrEnum):
    """Why the exchange refuses something; each dialect has its own codes for them."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    MALFORMED = "malformed"
    BELOW_MIN_QUANTITY = "below_min_quantity"
    ABOVE_MAX_QUANTITY = "above_max_quantity"
    QUANTITY_STEP = "quantity_step"
    PRICE_TICK = "price_tick"
    MIN_NOTIONAL = "min_notional"
    MARGIN = "margin"
    LEVERAGE = "leverage"
    LEVERAGE_REDUCTION = "leverage_reduction"
    REDUCE_ONLY = "reduce_only"
    NO_POSITION = "no_position"
    WOULD_TRIGGER = "would_trigger"
    WOULD_TAKE = "would_take"
    DUPLICATE_ID = "duplicate_id"
    SECOND_CLOSE_POSITION = "second_close_position"
    NOT_FOUND = "not_found"
    NOT_OPEN = "not_open"
    NO_CHANGE = "no_change"
    HAS_POSITION = "has_position"
    HAS_ORDERS = "has_orders"
    POSITION_SIDE = "position_side"
    NO_PRICE = "no_price"


class RefusedError(OrderRejectedError):
    """The exchange refuses; ``refusal`` says why.

    Attributes:
        refusal: The reason, free of any dialect.
    """

    def __init__(self, refusal: Refusal, reason: str) -> None:
        """Keep the reason beside its sentence."""
        super().__init__(reason)
        self.refusal = refusal


class Kind(StrEnum):
    """How an order executes once it is at work."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"


class TriggerKind(StrEnum):
    """Which way the price must go to trigger a conditional order."""

    STOP = "STOP"
    TAKE_PROFIT = "TAKE_PROFIT"


class Status(StrEnum):
    """Where an order or a conditional order is."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    TRIGGERED = "TRIGGERED"
    FILLED = "FILLED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


class Origin(StrEnum):
    """Who made an order."""

    CLIENT = "client"
    TRIGGER = "trigger"
    LIQUIDATION = "liquidation"
    ADL = "adl"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What sets a conditional order off.

    Attributes:
        by: The dialect's word for the price that counts; here mark and last price are one.
    """

    price: Decimal
    kind: TriggerKind
    by: str = "CONTRACT_PRICE"

    def is_falling(self, side: Side) -> bool:
        """Return whether a falling price sets the order off."""
        return (side is Side.SELL) == (self.kind is TriggerKind.STOP)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a client asks for.

    Attributes:
        quantity: In the base asset; None when the whole position is meant.
        type_name: The dialect's own name of the type, to be echoed.
        trigger: Makes the order conditional.
        attached: Conditional exits that begin to rest when this order fills.
        may_repeat_id: Accept a client id that was used before.
    """

    symbol: str
    side: Side
    kind: Kind
    quantity: Decimal | None
    client_id: str
    type_name: str
    price: Decimal | None = None
    time_in_force: str = "GTC"
    reduce_only: bool = False
    close_position: bool = False
    position_side: str = "BOTH"
    trigger: Trigger | None = None
    attached: tuple["Ticket", ...] = ()
    may_repeat_id: bool = True


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill.

    Attributes:
        fee: Paid in the quote asset.
        realized: Gain of what it closed, before the fee.
    """

    id: int
    order_id: int
    client_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    realized: Decimal
    is_maker: bool
    time_ms: int


@dataclass(slots=True, eq=False)
class VenueOrder:
    """An order in the matching engine.

    Attributes:
        quantity: Asked for, in the base asset.
        cost: Sum of quantity * price of its fills.
        parent_id: The conditional order whose child it is; 0 for none.
    """

    id: int
    ticket: Ticket
    quantity: Decimal
    created_ms: int
    updated_ms: int
    origin: Origin = Origin.CLIENT
    status: Status = Status.NEW
    parent_id: int = 0
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    realized: Decimal = ZERO
    executions: list[Execution] = field(default_factory=list)
    reason: str = ""
    leverage: int = 1

    @property
    def is_open(self) -> bool:
        """Return whether it may still fill."""
        return self.status in {Status.NEW, Status.PARTIALLY_FILLED}

    @property
    def remaining(self) -> Decimal:
        """Return what has not filled."""
        return self.quantity - self.filled

    @property
    def average_price(self) -> Decimal:
        """Return the average price of its fills; zero without one."""
        return self.cost / self.filled if self.filled else ZERO


@dataclass(slots=True, eq=False)
class Conditional:
    """A conditional order: waits for its trigger, then puts a child into the engine.

    Attributes:
        entry_id: The order it was attached to; 0 when it was placed on its own.
        is_armed: Whether it rests; an attached one does once its entry has filled.
        is_nameless: Listings show it without an id (a fault of some exchanges).
    """

    id: int
    ticket: Ticket
    trigger: Trigger
    quantity: Decimal | None
    created_ms: int
    updated_ms: int
    status: Status = Status.NEW
    entry_id: int = 0
    is_armed: bool = True
    is_nameless: bool = False
    triggered_ms: int = 0
    child: VenueOrder | None = None
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Return whether it still waits for its trigger."""
        return self.status is Status.NEW and self.is_armed

"""Orders: their life as one transition table, their fills, and the updates that move them."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.errors import OrderTransitionError


class OrderType(StrEnum):
    """How an order executes."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"

    @property
    def is_conditional(self) -> bool:
        """Return whether the order waits for a trigger price."""
        return self is OrderType.STOP_MARKET or self is OrderType.TAKE_PROFIT_MARKET


class OrderPurpose(StrEnum):
    """Why we sent an order, or why the exchange did."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"
    REDUCE = "reduce"
    LIQUIDATION = "liquidation"
    EXTERNAL = "external"

    @property
    def is_of_exchange(self) -> bool:
        """Return whether somebody else did it to our position: the exchange, or its owner by hand."""
        return self in {OrderPurpose.LIQUIDATION, OrderPurpose.EXTERNAL}

    @property
    def is_sent_once(self) -> bool:
        """Return whether a second order would do what nobody asked for: it takes a proof first."""
        return self in {OrderPurpose.ENTRY, OrderPurpose.REDUCE}


class OrderStatus(StrEnum):
    """Where an order is in its life; ``TRANSITIONS`` says what may follow."""

    PENDING = "PENDING"
    SUBMITTED = "SUBMITTED"
    UNKNOWN = "UNKNOWN"
    TRIGGERED = "TRIGGERED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    CANCEL_PENDING = "CANCEL_PENDING"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    NOT_EXECUTED = "NOT_EXECUTED"

    @property
    def is_final(self) -> bool:
        """Return whether nothing more is expected; a late fill may still arrive."""
        return self in FINAL


class Refusal(StrEnum):
    """Why an exchange did not take an order, in words that both exchanges share.

    POSITION_NOT_VISIBLE: it has not booked the entry's fill yet; ask again soon.
    WOULD_TRIGGER: the price is beyond the trigger already. NO_COUNTERPARTY: no price
    within its band to fill a market order at. BACKSTOP_EXISTS: a close-position stop
    rests in this direction already. DUPLICATE_ID: an order with this id is there: query.
    """

    INSUFFICIENT_MARGIN = "insufficient_margin"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    POSITION_NOT_VISIBLE = "position_not_visible"
    WOULD_TRIGGER = "would_trigger"
    NO_COUNTERPARTY = "no_counterparty"
    POSITION_LIMIT = "position_limit"
    TOO_MANY_ORDERS = "too_many_orders"
    BACKSTOP_EXISTS = "backstop_exists"
    SYMBOL_NOT_TRADING = "symbol_not_trading"
    SIZE_OR_PRICE = "size_or_price"
    HEDGE_MODE = "hedge_mode"
    DUPLICATE_ID = "duplicate_id"
    NOT_RESTING = "not_resting"
    KEY = "key"
    CLOCK = "clock"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    TOO_LATE = "too_late"
    OTHER = "other"


FINAL = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
        OrderStatus.NOT_EXECUTED,
    }
)
_FILLS = frozenset({OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})
_ENDS = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})

# An exchange reports a fill after a cancel when both crossed on the way, and
# after NOT_EXECUTED when it broke its own promise on visibility: the fill is real.
TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset(OrderStatus) - {OrderStatus.PENDING, OrderStatus.CANCEL_PENDING},
    OrderStatus.SUBMITTED: _FILLS
    | _ENDS
    | {
        OrderStatus.UNKNOWN,
        OrderStatus.TRIGGERED,
        OrderStatus.CANCEL_PENDING,
        OrderStatus.REJECTED,
    },
    OrderStatus.UNKNOWN: frozenset(OrderStatus) - {OrderStatus.PENDING, OrderStatus.UNKNOWN},
    OrderStatus.TRIGGERED: _FILLS | _ENDS | {OrderStatus.REJECTED},
    OrderStatus.PARTIALLY_FILLED: _ENDS | {OrderStatus.FILLED, OrderStatus.CANCEL_PENDING},
    OrderStatus.CANCEL_PENDING: _FILLS
    | _ENDS
    | {OrderStatus.SUBMITTED, OrderStatus.TRIGGERED, OrderStatus.REJECTED},
    # A part that filled before the cancel and is told after it brings no order back to life.
    OrderStatus.CANCELLED: frozenset({OrderStatus.FILLED}),
    OrderStatus.EXPIRED: frozenset({OrderStatus.FILLED}),
    OrderStatus.NOT_EXECUTED: _FILLS | _ENDS | {OrderStatus.SUBMITTED, OrderStatus.REJECTED},
    # Refused and executed all the same: what an exchange has filled is real, whatever it said.
    OrderStatus.REJECTED: frozenset({OrderStatus.FILLED}),
    OrderStatus.FILLED: frozenset(),
}


def _statuses_after(status: OrderStatus) -> frozenset[OrderStatus]:
    found = {status}
    waiting = [status]
    while waiting:
        new = TRANSITIONS[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return frozenset(found)


_REACHABLE = {status: _statuses_after(status) for status in OrderStatus}


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of an order.

    Attributes:
        fill_id: The exchange's id of the execution, unique per symbol.
        fee: Paid in USDT; negative when received.
    """

    fill_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True)
class Order:
    """One request of ours to an exchange and what became of it.

    Attributes:
        intent_key: The intent that the order serves.
        quantity: In the base asset; for ``close_position`` what was open when it was made.
        close_position: The exchange closes whatever is open when it triggers.
        price: Limit price; None for market orders.
        trigger_price: What arms a conditional order; None for others.
        filled_quantity: Sum of the fills booked so far.
        reason: Why it ended or exists, in words a user reads.
        send_before_ms: No request for it is signed later, on the exchange's clock; 0 without
            such a bound. What bounds it is what makes "not found" mean something afterwards.
        exchange_order_id: Theirs, once told; the only identity of orders that take no id.
        refusal: Why it was last not taken, in words that both exchanges share.
        booked: Ids of the fills booked so far, so that each counts once.
        attached: Exits that an entry carries to the exchange, which lets them rest when it
            fills. Each is an order of its own on record; here they matter until it is sent.
    """

    client_order_id: str
    intent_key: str
    symbol: str
    side: Side
    type: OrderType
    purpose: OrderPurpose
    quantity: Decimal
    created_ms: int
    reduce_only: bool = False
    close_position: bool = False
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    leverage: int = 1
    status: OrderStatus = OrderStatus.PENDING
    filled_quantity: Decimal = ZERO
    reason: str = ""
    send_before_ms: int = 0
    exchange_order_id: str = ""
    refusal: Refusal | None = None
    booked: frozenset[str] = frozenset()
    attached: tuple["Order", ...] = ()

    @property
    def is_live(self) -> bool:
        """Return whether the order may still do something at the exchange."""
        return self.status not in FINAL


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """News about one order, from whatever source; applying it twice changes nothing.

    Attributes:
        fills: Executions that came with the news; those known already are skipped.
        purpose: Set by the exchange's own orders (a liquidation), which we never sent.
        exchange_order_id: The exchange's id where the news names it; the only identity of
            orders that take no client id.
        refusal: Why it was not taken, or not known to be; None for other news.
        quantity: What the order is over, where that is not what was asked for; else None.
    """

    client_order_id: str
    symbol: str
    status: OrderStatus
    time_ms: int
    fills: tuple[Fill, ...] = ()
    reason: str = ""
    purpose: OrderPurpose | None = None
    exchange_order_id: str = ""
    refusal: Refusal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class FundingUpdate:
    """A funding payment on an open position.

    Attributes:
        funding_id: Identity of the payment; booked once.
        amount: Paid in USDT; negative when received.
    """

    funding_id: str
    symbol: str
    amount: Decimal
    time_ms: int


def apply_order_update(order: Order, update: OrderUpdate, filled: Decimal) -> Order:
    """Return the order after an update.

    Args:
        order: The order as we know it.
        update: The news; old news leaves the order as it is.
        filled: Quantity of those fills in the update that were not booked before.

    Raises:
        OrderTransitionError: The news contradicts what is known for certain.
    """
    status = _next_status(order, update.status)
    told_id = update.exchange_order_id or order.exchange_order_id
    if update.quantity is not None and update.quantity != order.quantity:
        order = replace(order, quantity=update.quantity)
    if status is order.status and not filled:
        return (
            order
            if told_id == order.exchange_order_id
            else replace(order, exchange_order_id=told_id)
        )
    return replace(
        order,
        status=status,
        filled_quantity=order.filled_quantity + filled,
        reason=update.reason or order.reason,
        exchange_order_id=told_id,
        refusal=update.refusal or order.refusal,
    )


def _next_status(order: Order, told: OrderStatus) -> OrderStatus:
    if told in TRANSITIONS[order.status]:
        return told
    if told is order.status or order.status in _REACHABLE[told]:
        return order.status  # said before, or old news: the order has been there
    raise _contradiction(order, told)


def _contradiction(order: Order, told: str) -> OrderTransitionError:
    return OrderTransitionError(
        f"order {order.client_order_id} is {order.status} here and {told} at the exchange:"
        " reconcile before trading on"
    )

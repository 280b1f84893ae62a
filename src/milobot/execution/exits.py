"""What exits have in common: their form, their names, and what is known of those on their way."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.ids import client_order_id
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.domain.slots import Slot

# An exit that is sent and not heard of is sent again: it can only reduce. Not at once, since
# most answers come in time, and not often, since each may rest.
REPEAT_AFTER_MS = 500
_MOST_IN_DOUBT = 3
_IN_DOUBT = frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Place:
    """Send this order."""

    order: Order


@dataclass(frozen=True, slots=True)
class Cancel:
    """Withdraw this order."""

    order: Order


Command = Place | Cancel


def exit_order(
    slot: Slot, purpose: OrderPurpose, kind: OrderType, account: str, now_ms: int
) -> Order:
    """Return an order that closes all that a slot holds, and can do nothing else."""
    key = slot.setup.intent.key if slot.setup else slot.symbol
    return Order(
        client_order_id=client_order_id(account, key, purpose, slot.revision),
        intent_key=key,
        symbol=slot.symbol,
        side=slot.held_side.exit,
        type=kind,
        purpose=purpose,
        quantity=slot.held,
        created_ms=now_ms,
        reduce_only=True,
    )


def market_quantity(slot: Slot, quantity: Decimal) -> Decimal:
    """Return how much of a quantity one market order may take."""
    most = slot.setup.rules.max_market_quantity if slot.setup else None
    return quantity if most is None else min(quantity, most)


def is_in_doubt(order: Order) -> bool:
    """Return whether an order is on its way, or was lost there."""
    return order.status in _IN_DOUBT


def may_repeat(doubted: Sequence[Order], now_ms: int) -> bool:
    """Return whether another exit may be sent although those sent before may have arrived."""
    if not doubted:
        return True
    latest_ms = max(o.created_ms for o in doubted)
    return len(doubted) < _MOST_IN_DOUBT and now_ms - latest_ms >= REPEAT_AFTER_MS


def can_cancel(order: Order) -> bool:
    """Return whether an order rests, so that it can be withdrawn."""
    return order.status in {OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED}


def cancel_first(orders: Sequence[Order]) -> Cancel | None:
    """Return the withdrawal of the first order that rests."""
    return next((Cancel(o) for o in orders if can_cancel(o)), None)

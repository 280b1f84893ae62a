"""The one way back: updates move orders, orders move positions, positions become round trips.

Pure functions over a slot. What was seen before is known by its id and changes nothing.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.money import ZERO
from milobot.domain.orders import (
    Fill,
    FundingUpdate,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    apply_order_update,
)
from milobot.domain.positions import apply_fill
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import Slot, Tally

_EXITS = frozenset({OrderPurpose.STOP, OrderPurpose.TARGET})
# Payments are hours apart and told twice within minutes.
_PAYMENTS_KEPT = 16
_REFUSED = frozenset({OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.NOT_EXECUTED})


@dataclass(frozen=True, slots=True)
class Applied:
    """What an update did.

    Attributes:
        slot: The slot afterwards.
        order: The order afterwards.
        round_trip: The round trip that ended with it, if one did.
    """

    slot: Slot
    order: Order
    round_trip: RoundTrip | None = None


def apply_update(slot: Slot, order: Order, update: OrderUpdate, fills: tuple[Fill, ...]) -> Applied:
    """Return slot and order after an update.

    Args:
        slot: The slot of the order's symbol.
        order: The order as known.
        update: The news.
        fills: Those of the update's fills that were never booked before.

    Raises:
        OrderTransitionError: The news contradicts what is known for certain.
    """
    filled = sum((f.quantity for f in fills), ZERO)
    sent = order.status is not OrderStatus.PENDING
    order = apply_order_update(order, update, filled)
    order = replace(order, booked=order.booked | {f.fill_id for f in fills}) if fills else order
    slot = slot.with_order(order)
    for fill in fills:
        slot = _book(slot, order, fill)
    if not slot.position.is_flat:
        reason = _reason_to_close(slot, order, was_sent=sent, has_filled=bool(fills))
        return Applied(replace(slot, closing=slot.closing or reason), order)
    if slot.tally is None:
        return Applied(slot, order)
    trip = _round_trip(slot, slot.tally, order, fills[-1].time_ms)
    # The rest of an entry that its own exit overtook has no plan left: what fills is closed.
    closing = "late_fill" if slot.live(OrderPurpose.ENTRY) else ""
    return Applied(replace(slot, tally=None, closing=closing, stop=None), order, trip)


def apply_funding(slot: Slot, update: FundingUpdate) -> Slot:
    """Return the slot after a funding payment; one that was booked before changes nothing."""
    if update.funding_id in slot.paid:
        return slot
    position = replace(slot.position, funding=slot.position.funding + update.amount)
    return replace(slot, position=position, paid=(*slot.paid, update.funding_id)[-_PAYMENTS_KEPT:])


def order_of_exchange(slot: Slot, update: OrderUpdate) -> Order:
    """Return an order record for what the exchange did by itself: a liquidation is ours too."""
    return Order(
        client_order_id=update.client_order_id,
        intent_key=slot.setup.intent.key if slot.setup else "",
        symbol=slot.symbol,
        side=slot.position.side.exit,
        type=OrderType.MARKET,
        purpose=update.purpose or OrderPurpose.LIQUIDATION,
        quantity=sum((f.quantity for f in update.fills), ZERO),
        created_ms=update.time_ms,
        reduce_only=True,
        status=OrderStatus.SUBMITTED,
    )


def _reason_to_close(slot: Slot, order: Order, *, was_sent: bool, has_filled: bool) -> str:
    """Return why an open position cannot stay after an update; empty when it can.

    Protected or flat: where an exit cannot rest, the position is closed. And so is one
    that comes from an order which nobody waits for any more, since no plan covers it.
    """
    is_planned = slot.setup is not None and order.intent_key == slot.setup.intent.key
    if has_filled and not is_planned:
        return "late_fill"
    # An exit cancelled after it rested is placed again; one that never rested would be for ever.
    refused = order.status in _REFUSED or (order.status is OrderStatus.CANCELLED and not was_sent)
    return f"{order.purpose}_{order.status.lower()}" if order.purpose in _EXITS and refused else ""


def _book(slot: Slot, order: Order, fill: Fill) -> Slot:
    before = slot.position
    after = apply_fill(before, fill)
    tally = slot.tally or Tally(start=before, entry_time_ms=fill.time_ms)
    if order.purpose is OrderPurpose.ENTRY:
        tally = replace(
            tally,
            entry_quantity=tally.entry_quantity + fill.quantity,
            entry_cost=tally.entry_cost + fill.quantity * fill.price,
        )
    else:
        tally = replace(
            tally,
            exit_quantity=tally.exit_quantity + fill.quantity,
            exit_cost=tally.exit_cost + fill.quantity * fill.price,
        )
    tally = replace(tally, largest=max(tally.largest, after.quantity))
    return replace(slot, position=after, tally=tally)


def _round_trip(slot: Slot, tally: Tally, last: Order, time_ms: int) -> RoundTrip:
    start, setup = tally.start, slot.setup
    return RoundTrip(
        symbol=slot.symbol,
        side=slot.position.side,
        quantity=tally.largest,
        signal_time_ms=setup.intent.time_ms if setup else tally.entry_time_ms,
        entry_time_ms=tally.entry_time_ms,
        entry_price=_average(tally.entry_cost, tally.entry_quantity),
        stop=setup.levels.stop if setup else None,
        target=setup.levels.target if setup else None,
        exit_time_ms=time_ms,
        exit_price=_average(tally.exit_cost, tally.exit_quantity),
        exit_reason=_exit_reason(slot, last),
        fees=slot.position.fees - start.fees,
        funding=slot.position.funding - start.funding,
        pnl=slot.position.net_pnl - start.net_pnl,
    )


def _average(cost: Decimal, quantity: Decimal) -> Decimal:
    return cost / quantity if quantity else ZERO


def _exit_reason(slot: Slot, last: Order) -> str:
    match last.purpose:
        case OrderPurpose.STOP:
            return slot.stop_reason
        case OrderPurpose.CLOSE:
            return slot.closing or "close"
        case _:
            return str(last.purpose.value)

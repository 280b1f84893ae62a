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
from milobot.execution.slots import Slot, Tally

_EXITS = frozenset({OrderPurpose.STOP, OrderPurpose.TARGET})


@dataclass(frozen=True, slots=True)
class Applied:
    """What an update did.

    Attributes:
        slot: The slot afterwards.
        order: The order afterwards; None when the update named none of ours.
        round_trip: The round trip that ended with it, if one did.
    """

    slot: Slot
    order: Order | None = None
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
    order = apply_order_update(order, update, filled)
    slot = slot.with_order(order)
    for fill in fills:
        slot = _book(slot, order, fill)
    if order.status is OrderStatus.REJECTED and order.purpose in _EXITS:
        # Protected or flat: where an exit level cannot rest, the position is closed.
        slot = replace(slot, closing=slot.closing or f"{order.purpose}_rejected")
    if not slot.position.is_flat or slot.tally is None:
        return Applied(slot, order)
    trip = _round_trip(slot, order, fills[-1].time_ms) if fills else None
    return Applied(replace(slot, tally=None, closing="", stop=None), order, trip)


def apply_funding(slot: Slot, update: FundingUpdate) -> Slot:
    """Return the slot after a funding payment."""
    position = replace(slot.position, funding=slot.position.funding + update.amount)
    return replace(slot, position=position)


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


def _round_trip(slot: Slot, last: Order, time_ms: int) -> RoundTrip:
    tally, setup = slot.tally, slot.setup
    if tally is None or setup is None:
        msg = f"{slot.symbol} became flat without a plan"
        raise ValueError(msg)
    start = tally.start
    return RoundTrip(
        symbol=slot.symbol,
        side=slot.position.side,
        quantity=tally.largest,
        signal_time_ms=setup.intent.time_ms,
        entry_time_ms=tally.entry_time_ms,
        entry_price=_average(tally.entry_cost, tally.entry_quantity),
        stop=setup.levels.stop,
        target=setup.levels.target,
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
            return last.reason or "close"
        case _:
            return str(last.purpose.value)

"""The one way back: updates move orders, orders move positions, positions become round trips.

Pure functions over a slot. What was seen before is known by its id and changes nothing.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.intents import PositionSide
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
from milobot.domain.slots import EarlyExit, Slot, Tally
from milobot.errors import OrderTransitionError
from milobot.execution.setbacks import after_news

# Payments are hours apart and told twice within minutes.
_PAYMENTS_KEPT = 16


@dataclass(frozen=True, slots=True)
class Applied:
    """What an update did.

    Attributes:
        slot: The slot afterwards.
        order: The order afterwards.
        round_trip: The round trip that ended with it, if one did.
        contradiction: What to tell when the news contradicts what is known for certain. Its
            executions are booked all the same: they are facts, whatever the order is said to be.
    """

    slot: Slot
    order: Order
    round_trip: RoundTrip | None = None
    contradiction: OrderTransitionError | None = None


def apply_update(slot: Slot, order: Order, update: OrderUpdate, fills: tuple[Fill, ...]) -> Applied:
    """Return slot and order after an update.

    Args:
        slot: The slot of the order's symbol.
        order: The order as known.
        update: The news.
        fills: Those of the update's fills that were never booked before.
    """
    filled = sum((f.quantity for f in fills), ZERO)
    update = _as_far_as_told(order, update, filled)
    before, contradiction = order, None
    try:
        order = apply_order_update(order, update, filled)
    except OrderTransitionError as error:
        contradiction = error
        order = apply_order_update(order, _as_borne_out(order, update, filled), filled)
    order = replace(order, booked=order.booked | {f.fill_id for f in fills}) if fills else order
    slot = slot.with_order(order)
    for fill in fills:
        slot = _take(slot, order.purpose, fill)
    slot = after_news(slot, before, order)
    if not slot.position.is_flat:
        # Nobody waits for a fill of an order that no plan covers: what it opened is closed.
        if fills and order.intent_key not in slot.keys and not slot.closing:
            slot = replace(slot, closing="late_fill")
        return Applied(slot, order, None, contradiction)
    if slot.tally is None:
        return Applied(slot, order, None, contradiction)
    trip = _round_trip(slot, slot.tally)
    # The rest of an entry that its own exit overtook has no plan left: what fills is closed.
    closing = "late_fill" if slot.live(OrderPurpose.ENTRY) else ""
    slot = replace(slot, tally=None, closing=closing, stop=None, hindrances=frozenset())
    return Applied(slot, order, trip, contradiction)


def _as_far_as_told(order: Order, update: OrderUpdate, filled: Decimal) -> OrderUpdate:
    """Return news with no more than its executions bear out.

    The news of an entry's first part may be lost or late. Until it is told, the order is open
    and asked for; taken as filled, what is missing would lie there without a stop.
    """
    is_whole = order.filled_quantity + filled >= order.quantity
    if update.status is not OrderStatus.FILLED or order.purpose is not OrderPurpose.ENTRY:
        return update
    return update if is_whole else replace(update, status=OrderStatus.PARTIALLY_FILLED)


def _as_borne_out(order: Order, update: OrderUpdate, filled: Decimal) -> OrderUpdate:
    """Return news that contradicts what is known, with no other status than its executions prove.

    What rests no more by one account and has filled by another has ended in any case: asked
    for again and again, it would hold its slot for ever.
    """
    status = order.status
    if filled and order.filled_quantity + filled >= order.quantity:
        status = OrderStatus.FILLED
    elif order.is_live and update.status.is_final:
        status = OrderStatus.EXPIRED
    return replace(update, status=status)


def with_sight(slot: Slot, side: PositionSide, quantity: Decimal) -> Slot:
    """Return the slot after the exchange has shown what is held.

    Only as much counts as ours as entries on their way may have filled: the rest is
    somebody else's.

    Args:
        slot: The slot as known.
        side: Direction of what is shown.
        quantity: How much; zero for nothing. A smaller one than before must not be older
            than the last news.
    """
    live = slot.live(OrderPurpose.ENTRY)
    if slot.early and not live and quantity < slot.position.quantity + slot.seen:
        return _unexplained(slot)
    entries = [o for o in live if o.side is side.entry]
    room = sum((o.quantity - o.filled_quantity for o in entries), ZERO)
    booked = slot.position.quantity - sum((e.fill.quantity for e in slot.early), ZERO)
    unexplained = max(ZERO, quantity - booked)
    # What was seen of an entry that has ended since stays ours until fills explain it.
    seen = min(unexplained, max(room, slot.seen))
    if seen == slot.seen or (seen > slot.seen and closes_all(slot)):
        return slot
    return replace(slot, seen=seen)


def closes_all(slot: Slot) -> bool:
    """Return whether a stop rests that closes whatever is open: more of it needs no haste.

    What is more may be somebody else's. Fills will tell what of it is ours.
    """
    stops = slot.live(OrderPurpose.STOP)
    return any(o.close_position and o.status is OrderStatus.SUBMITTED for o in stops)


def _unexplained(slot: Slot) -> Slot:
    """Return the slot with early exits booked although no fill of an entry has come before.

    None can come any more: what was seen was somebody else's, and our exits closed it. The books
    show the other side until the comparison finds whose it was.
    """
    early, slot = slot.early, replace(slot, early=(), seen=ZERO)
    for one in early:
        slot = _book(slot, one.purpose, one.fill)
    return slot


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


def _take(slot: Slot, purpose: OrderPurpose, fill: Fill) -> Slot:
    """Return the slot after a fill, in the order in which fills make sense.

    An exit may be told before the entry that it closes, when that is in doubt and only its
    position was seen. Booked at once it would open the other side.
    """
    if purpose is not OrderPurpose.ENTRY:
        may_have_entered = slot.seen or slot.live(OrderPurpose.ENTRY)
        if may_have_entered and fill.quantity > slot.position.quantity:
            return replace(slot, early=(*slot.early, EarlyExit(purpose, fill)))
        return _book(slot, purpose, fill)
    slot = _book(slot, purpose, fill)
    if slot.seen:
        slot = replace(slot, seen=max(ZERO, slot.seen - fill.quantity))
    while slot.early and slot.early[0].fill.quantity <= slot.position.quantity:
        first, *others = slot.early
        slot = _book(replace(slot, early=tuple(others)), first.purpose, first.fill)
    return slot


def _book(slot: Slot, purpose: OrderPurpose, fill: Fill) -> Slot:
    before = slot.position
    after = apply_fill(before, fill)
    tally = slot.tally or Tally(start=before, entry_time_ms=fill.time_ms)
    cost, is_entry = fill.quantity * fill.price, purpose is OrderPurpose.ENTRY
    entered, left = (fill.quantity, ZERO) if is_entry else (ZERO, fill.quantity)
    tally = Tally(
        start=tally.start,
        entry_quantity=tally.entry_quantity + entered,
        entry_cost=tally.entry_cost + (cost if is_entry else ZERO),
        exit_quantity=tally.exit_quantity + left,
        exit_cost=tally.exit_cost + (ZERO if is_entry else cost),
        largest=max(tally.largest, after.quantity),
        entry_time_ms=tally.entry_time_ms,
        target_quantity=tally.target_quantity + (left if purpose is OrderPurpose.TARGET else ZERO),
        last=purpose,
        last_time_ms=fill.time_ms,
    )
    return replace(slot, position=after, tally=tally)


def _round_trip(slot: Slot, tally: Tally) -> RoundTrip:
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
        exit_time_ms=tally.last_time_ms,
        exit_price=_average(tally.exit_cost, tally.exit_quantity),
        exit_reason=_exit_reason(slot, tally.last),
        fees=slot.position.fees - start.fees,
        funding=slot.position.funding - start.funding,
        pnl=slot.position.net_pnl - start.net_pnl,
    )


def _average(cost: Decimal, quantity: Decimal) -> Decimal:
    return cost / quantity if quantity else ZERO


def _exit_reason(slot: Slot, last: OrderPurpose) -> str:
    match last:
        case OrderPurpose.STOP:
            return slot.stop_reason
        case OrderPurpose.CLOSE:
            return slot.closing or "close"
        case _:
            return str(last.value)

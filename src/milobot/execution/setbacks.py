"""What it means for a slot when an exit was not taken, or ended without having done its work.

Pure. Most refusals pass: the exit is sent again at the next look, and the position is closed
when the time for that is over (``protection.review``). Others say how the next one has to go,
and some that no stop will ever rest here: then the position is closed at once.
"""

from dataclasses import replace

from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType, Refusal
from milobot.domain.slots import Slot, covers

_RETRIED = frozenset(
    {
        Refusal.POSITION_NOT_VISIBLE,
        Refusal.NOTHING_TO_REDUCE,
        Refusal.BACKSTOP_EXISTS,
        Refusal.SYMBOL_NOT_TRADING,
        Refusal.UNAVAILABLE,
        Refusal.RATE_LIMITED,
        Refusal.CLOCK,
        Refusal.TOO_LATE,
        Refusal.DUPLICATE_ID,
        Refusal.KEY,
    }
)
# What is remembered of a refusal, by what was refused: it changes how the next exit goes.
_REMEMBERED = {
    OrderPurpose.STOP: frozenset(
        {Refusal.BACKSTOP_EXISTS, Refusal.NOTHING_TO_REDUCE, Refusal.SYMBOL_NOT_TRADING}
    ),
    OrderPurpose.CLOSE: frozenset(
        {Refusal.NO_COUNTERPARTY, Refusal.NOTHING_TO_REDUCE, Refusal.SYMBOL_NOT_TRADING}
    ),
    OrderPurpose.TARGET: frozenset({Refusal.WOULD_TRIGGER}),
}
# What an exit that was taken proves to be over.
_DISPROVED = {
    OrderPurpose.STOP: frozenset({Refusal.NOTHING_TO_REDUCE, Refusal.SYMBOL_NOT_TRADING}),
    OrderPurpose.CLOSE: frozenset({Refusal.NOTHING_TO_REDUCE, Refusal.SYMBOL_NOT_TRADING}),
    OrderPurpose.TARGET: frozenset({Refusal.WOULD_TRIGGER}),
}
# What tells by itself how the next exit has to look.
_WAYS = frozenset({Refusal.BACKSTOP_EXISTS, Refusal.NO_COUNTERPARTY, Refusal.WOULD_TRIGGER})
_TAKEN = frozenset(
    {
        OrderStatus.SUBMITTED,
        OrderStatus.TRIGGERED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
    }
)
_AT_WORK = frozenset({OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED})


def after_news(slot: Slot, before: Order, order: Order) -> Slot:
    """Return the slot after news of an exit: how the next one goes, and whether to close.

    Args:
        slot: The slot with the news booked.
        before: The order before the news.
        order: The order now.
    """
    purpose = order.purpose
    if purpose not in _REMEMBERED or order.status is before.status:
        return slot
    if order.status in _TAKEN:
        return _without(slot, _DISPROVED[purpose])
    if order.is_live:
        return slot
    if purpose is OrderPurpose.CLOSE and order.type is OrderType.LIMIT:
        # It found nobody either: by the market again, next time.
        slot = _without(slot, frozenset({Refusal.NO_COUNTERPARTY}))
    # What was said while it was in doubt is no reason for an end after it has rested.
    refusal = _refusal_of(order) if _is_refused(before, order) else None
    if refusal is not Refusal.SYMBOL_NOT_TRADING:
        slot = _without(slot, frozenset({Refusal.SYMBOL_NOT_TRADING}))
    if refusal is not None and refusal in _REMEMBERED[purpose]:
        slot = replace(slot, hindrances=slot.hindrances | {refusal})
    reason = _reason_to_close(slot, before, order, refusal)
    return replace(slot, closing=slot.closing or reason) if reason and slot.held else slot


def has_new_way(before: Slot, after: Slot) -> bool:
    """Return whether a refusal has told how to go on at once, instead of at the next look."""
    if after.is_idle or (after.closing and not before.closing):
        return True  # what was refused is not needed any more, or is to be done in another way
    new = after.hindrances - before.hindrances
    has_targets = bool(after.live(OrderPurpose.TARGET))  # they can be withdrawn
    return bool(new & _WAYS) or (Refusal.NOTHING_TO_REDUCE in new and has_targets)


def _refusal_of(order: Order) -> Refusal | None:
    """Return why an order was refused, in the engine's terms.

    An order that closes everything has no size to be wrong: BingX says that, with no code of
    its own, where such a stop rests already.
    """
    if order.close_position and order.refusal is Refusal.SIZE_OR_PRICE:
        return Refusal.BACKSTOP_EXISTS
    return order.refusal


def _without(slot: Slot, hindrances: frozenset[Refusal]) -> Slot:
    if slot.hindrances.isdisjoint(hindrances):
        return slot
    return replace(slot, hindrances=slot.hindrances - hindrances)


def _reason_to_close(slot: Slot, before: Order, order: Order, refusal: Refusal | None) -> str:
    """Return why the position has to be closed; empty when it has not."""
    if order.purpose is OrderPurpose.STOP:
        return _after_stop(slot, before, order, refusal)
    is_refused = _is_refused(before, order) and refusal is not Refusal.WOULD_TRIGGER
    if order.purpose is OrderPurpose.TARGET and is_refused and refusal not in _RETRIED:
        return f"target_{order.status.lower()}"
    return ""


def _after_stop(slot: Slot, before: Order, order: Order, refusal: Refusal | None) -> str:
    ended = f"stop_{order.status.lower()}"
    if before.status in _AT_WORK:
        # Triggered is not filled: what it should have sold is still there.
        return ended
    is_child_refused = order.status is OrderStatus.REJECTED and before.status in {
        OrderStatus.SUBMITTED,
        OrderStatus.CANCEL_PENDING,
    }
    if is_child_refused:
        return ended
    if not _is_refused(before, order) or refusal in _RETRIED or _rests_already(slot, order):
        return ""
    return "stop_passed" if refusal is Refusal.WOULD_TRIGGER else ended


def _is_refused(before: Order, order: Order) -> bool:
    """Return whether an order ended without having rested, for a reason of its own."""
    if order.status is OrderStatus.NOT_EXECUTED or order.filled_quantity:
        return False
    never_rested = before.status is OrderStatus.PENDING
    return never_rested or order.status is OrderStatus.REJECTED


def _rests_already(slot: Slot, refused: Order) -> bool:
    """Return whether another stop does what a refused one would have done."""
    return any(
        o.status is OrderStatus.SUBMITTED
        and o.trigger_price == refused.trigger_price
        and covers(o, slot)
        for o in slot.live(OrderPurpose.STOP)
    )

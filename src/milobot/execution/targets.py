"""Which targets have to rest, each with how much, and what to do next to get there. Pure."""

from dataclasses import replace
from decimal import Decimal

from milobot.domain.money import ZERO, round_down
from milobot.domain.orders import Order, OrderPurpose, OrderType, Refusal
from milobot.domain.risk import Target
from milobot.domain.slots import Setup, Slot
from milobot.execution.exits import (
    Cancel,
    Command,
    Place,
    can_cancel,
    cancel_first,
    exit_order,
    market_quantity,
)

_Parts = list[tuple[Decimal, Decimal]]


def next_aim(slot: Slot, account: str, now_ms: int) -> Command | None:
    """Return what to do next so that every target rests with its share of what is held."""
    setup = slot.setup
    if setup is None or slot.seen or slot.early:
        return None
    live = slot.live(OrderPurpose.TARGET)
    if any(o.trigger_price is None for o in live):
        return None  # a share is being sold by the market: what is left is known afterwards
    if not setup.levels.targets:
        return cancel_first(live)  # they were taken away
    wanted = dict(wanted_targets(slot, setup))
    known: set[Decimal | None] = set()
    for order in live:
        is_right = wanted.get(_trigger(order), ZERO) == order.quantity - order.filled_quantity
        if (not is_right or order.trigger_price in known) and can_cancel(order):
            return Cancel(order)
        known.add(order.trigger_price)
    missing = ((price, part) for price, part in wanted.items() if price not in known)
    found = next(missing, None)
    return Place(_target_order(slot, *found, account, now_ms)) if found else None


def wanted_targets(slot: Slot, setup: Setup) -> _Parts:
    """Return the price and the quantity of each target that still has to rest, nearest first.

    Shares are of what was entered, rounded down to the step; one that comes to less than the
    smallest quantity goes to the next target, and the last takes whatever is held beyond the
    others: so a position that was reduced by hand shrinks its furthest target first.
    """
    targets = setup.levels.targets
    if len(targets) == 1:
        return [(targets[0].price, slot.held)]
    entered = slot.tally.entry_quantity if slot.tally else slot.held
    taken = slot.tally.target_quantity if slot.tally else ZERO
    found: _Parts = []
    left, start = slot.held, ZERO
    for target, end in _ends(targets, entered, setup):
        is_last = end == entered
        part = left if is_last else min(left, end - max(start, min(end, taken)))
        start = end
        if part > 0:
            found.append((target.price, part))
            left -= part
    return found


def _ends(
    targets: tuple[Target, ...], entered: Decimal, setup: Setup
) -> list[tuple[Target, Decimal]]:
    """Return each target that takes anything with how much is gone after it."""
    step = setup.rules.quantity_step
    least = max(step, setup.rules.min_quantity)
    share, start = ZERO, ZERO
    found: list[tuple[Target, Decimal]] = []
    for target in targets[:-1]:
        share += target.share
        end = round_down(entered * share, step)
        if entered - end < least:
            return [*found, (target, entered)]
        if end - start >= least:
            found.append((target, end))
            start = end
    return [*found, (targets[-1], entered)]


def _target_order(
    slot: Slot, price: Decimal, quantity: Decimal, account: str, now_ms: int
) -> Order:
    if Refusal.WOULD_TRIGGER in slot.hindrances:
        # The price is beyond it already: the share is sold where the market is.
        order = exit_order(slot, OrderPurpose.TARGET, OrderType.MARKET, account, now_ms)
        return replace(order, quantity=market_quantity(slot, quantity))
    kind = OrderType.TAKE_PROFIT_MARKET
    order = exit_order(slot, OrderPurpose.TARGET, kind, account, now_ms)
    return replace(order, quantity=quantity, trigger_price=price)


def _trigger(order: Order) -> Decimal:
    return ZERO if order.trigger_price is None else order.trigger_price

"""What has to rest at the exchange for a slot, and what the engine does next to get there.

Pure: a slot in, commands out. The engine carries them out and asks again, until nothing
is left to do; so a command that failed, an order that vanished and a fill that overtook it
all lead back here instead of to branches of their own.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from milobot.domain.intents import Side
from milobot.domain.market import SymbolRules
from milobot.domain.money import ONE, ZERO, round_down, round_up
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType, Refusal
from milobot.domain.slots import Slot, is_covered, with_exposure
from milobot.execution.attached import is_attached
from milobot.execution.exits import (
    Cancel,
    Command,
    Place,
    can_cancel,
    cancel_first,
    exit_order,
    is_in_doubt,
    market_quantity,
    may_repeat,
)
from milobot.execution.sharing import guards_ours, is_shared
from milobot.execution.targets import next_aim

# Protected or flat within two seconds: a look comes a quarter of a second late at most, and half a
# second is left to close in, by a limit order where the market has nobody.
STOP_WITHIN_MS = 1_250
# Exchanges take limit prices within some percent of the mark price, 5 the least of them.
_BAND = Decimal("0.04")
_RESTS = frozenset({OrderStatus.SUBMITTED, OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED})


def review(slot: Slot, now_ms: int) -> Slot:
    """Return the slot as time has left it: what could not be protected in time is closed.

    Where a symbol does not trade, closing would be refused like the stop was: that is tried
    until it is taken, and the trader hears of it.
    """
    slot = with_exposure(slot, now_ms)
    since_ms = slot.exposed_since_ms
    if since_ms is None or slot.stop is None or slot.closing or is_covered(slot):
        return slot
    if now_ms - since_ms < STOP_WITHIN_MS or Refusal.SYMBOL_NOT_TRADING in slot.hindrances:
        return slot
    return replace(slot, closing="no_stop_in_time")


def next_command(slot: Slot, *, account: str, now_ms: int) -> Command | None:
    """Return the one thing to do next for a slot, or None when all is as it should be.

    The order matters: a position gets its stop before anything else, a new stop rests
    before the old one goes, and exits leave only when nothing is held. What is left of an
    entry leaves with them once its position is closed or to be closed.
    """
    if not slot.held:
        return _clear(slot)
    if slot.closing:
        return _close(slot, account, now_ms)
    return (
        _protect(slot, account, now_ms) or _give_up_entry(slot) or next_aim(slot, account, now_ms)
    )


def seems_settled(slot: Slot) -> bool:
    """Return whether a glance finds nothing to do for a position; ``next_command`` looks closely."""
    if slot.closing or (slot.stop is not None and slot.exposed_since_ms is not None):
        return False
    has_stop = slot.stop is None or any(o.trigger_price == slot.stop for o in slot.orders)
    has_targets = slot.setup is not None and bool(slot.setup.levels.targets)
    return has_stop and not (has_targets and not slot.live(OrderPurpose.TARGET))


def through_the_band(order: Order, last_price: Decimal, rules: SymbolRules) -> Order:
    """Return a limit order with a price as far beyond the market as exchanges take.

    It is for where no market order is filled (Binance: -4131): it takes whatever is offered
    within the band, and what it does not find at once, it lets go.
    """
    if order.side is Side.SELL:
        price = round_up(last_price * (ONE - _BAND), rules.tick_size)
    else:
        price = round_down(last_price * (ONE + _BAND), rules.tick_size)
    return replace(order, price=price)


def _clear(slot: Slot) -> Command | None:
    """Withdraw what rests; the stop last, which guards what an entry may fill unheard."""
    has_entry = bool(slot.live(OrderPurpose.ENTRY))
    for order in slot.orders:
        is_wanted = order.purpose is OrderPurpose.ENTRY and not slot.closing
        is_wanted |= has_entry and (order.purpose is OrderPurpose.STOP or is_attached(order, slot))
        if not is_wanted and can_cancel(order):
            return Cancel(order)
    return None


def _close(slot: Slot, account: str, now_ms: int) -> Command | None:
    closes = slot.live(OrderPurpose.CLOSE)
    doubted = [o for o in closes if is_in_doubt(o)]
    # What an entry fills while a close is at work is closed by another, at once.
    left = slot.held - sum((_rest(o) for o in closes if o not in doubted), ZERO)
    is_enough = left <= 0 or (bool(doubted) and is_covered(slot))
    if is_enough or not may_repeat(doubted, now_ms):
        return cancel_first(slot.live(OrderPurpose.ENTRY))
    return _unblock(slot) or Place(_close_order(slot, left, account, now_ms))


def _rest(order: Order) -> Decimal:
    return order.quantity - order.filled_quantity


def _close_order(slot: Slot, quantity: Decimal, account: str, now_ms: int) -> Order:
    is_limit = Refusal.NO_COUNTERPARTY in slot.hindrances
    kind = OrderType.LIMIT if is_limit else OrderType.MARKET
    order = exit_order(slot, OrderPurpose.CLOSE, kind, account, now_ms)
    return replace(order, quantity=market_quantity(slot, quantity), reason=slot.closing)


def _unblock(slot: Slot) -> Command | None:
    """Withdraw targets, which may reserve what an exit was refused for having nothing of."""
    if Refusal.NOTHING_TO_REDUCE not in slot.hindrances:
        return None
    return cancel_first(slot.live(OrderPurpose.TARGET))


def _protect(slot: Slot, account: str, now_ms: int) -> Command | None:
    """Let a stop rest at the right level and for all that is held.

    The first one closes whatever is open and stays for the position's life; one that came with
    the entry, for exactly what is held, does as well while it is right. Of its kind an
    exchange takes one at a time (Binance: -4130): where the stop has moved, another goes by
    quantity beside it, and leaves when its own successor rests. Where others hold a part of the
    position, too, none stays that would close theirs.
    """
    if slot.stop is None:
        return None
    stops = slot.live(OrderPurpose.STOP)
    right = [o for o in stops if o.trigger_price == slot.stop and guards_ours(o, slot)]
    resting = [o for o in right if o.status in _RESTS]
    backstops = [o for o in stops if o.close_position]
    if not resting:
        doubted = [o for o in right if is_in_doubt(o)]
        if not may_repeat(doubted, now_ms) or (doubted and is_covered(slot)):
            return None
        return _unblock(slot) or Place(_stop_order(slot, backstops, account, now_ms))
    has_first = bool(backstops) or is_shared(slot) or any(is_attached(o, slot) for o in resting)
    if not has_first and Refusal.BACKSTOP_EXISTS not in slot.hindrances:
        return Place(_stop_order(slot, backstops, account, now_ms))
    return _thin_out(stops, resting, [] if is_shared(slot) else backstops[:1])


def _stop_order(slot: Slot, backstops: Sequence[Order], account: str, now_ms: int) -> Order:
    order = exit_order(slot, OrderPurpose.STOP, OrderType.STOP_MARKET, account, now_ms)
    has_first = bool(backstops) or is_shared(slot)
    is_first = not has_first and Refusal.BACKSTOP_EXISTS not in slot.hindrances
    return replace(order, trigger_price=slot.stop, close_position=is_first)


def _thin_out(
    stops: Sequence[Order], resting: Sequence[Order], for_life: Sequence[Order]
) -> Command | None:
    """Withdraw every stop but one that is right and rests, and the one that stays for life."""
    sure = [o for o in resting if o.status is OrderStatus.SUBMITTED]
    if not sure:
        return None
    kept = next((o for o in sure if o.close_position), sure[0])
    keep = {kept.client_order_id, *(o.client_order_id for o in for_life)}
    return cancel_first([o for o in stops if o.client_order_id not in keep])


def _give_up_entry(slot: Slot) -> Command | None:
    """Withdraw what is left of an entry whose position is being taken down already.

    What was added since is no part of it.
    """
    if slot.tally is None or not slot.tally.exit_quantity:
        return None
    entries = slot.live(OrderPurpose.ENTRY)
    return cancel_first([order for order in entries if order.intent_key not in slot.legs])

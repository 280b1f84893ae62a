"""What has to rest at the exchange for a slot, and what the engine does next to get there.

Pure: a slot in, commands out. The engine carries them out and asks again, until nothing
is left to do; so a command that failed, an order that vanished and a fill that overtook it
all lead back here instead of to branches of their own.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.ids import client_order_id
from milobot.domain.market import SymbolRules
from milobot.domain.money import ONE, round_down, round_up
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.domain.slots import Setup, Slot


@dataclass(frozen=True, slots=True)
class Place:
    """Send this order."""

    order: Order


@dataclass(frozen=True, slots=True)
class Cancel:
    """Withdraw this order."""

    order: Order


Command = Place | Cancel


def next_command(slot: Slot, *, account: str, now_ms: int) -> Command | None:
    """Return the one thing to do next for a slot, or None when all is as it should be.

    The order matters: a position gets its stop before anything else, a new stop rests
    before the old one goes, and exits leave only when nothing is held. What is left of an
    entry leaves with them once its position is closed or to be closed.
    """
    if slot.position.is_flat:
        return _clear(slot)
    if slot.closing:
        return _close(slot, account, now_ms)
    return _protect(slot, account, now_ms) or _aim(slot, account, now_ms)


def moved_stop(slot: Slot, close: Decimal, rules: SymbolRules) -> Slot:
    """Return the slot after a candle closed: trailing and break-even move its stop.

    The stop moves in favour only, and never to a level that the close has passed.
    """
    setup = slot.setup
    if setup is None or slot.position.is_flat or slot.closing:
        return slot
    if setup.levels.trail is None and setup.levels.break_even is None:
        return slot
    sign = slot.position.side.sign
    for level, reason in _candidates(slot, setup, close, rules):
        is_better = slot.stop is None or (level - slot.stop) * sign > 0
        if is_better and level > 0 and (close - level) * sign > 0:
            slot = replace(slot, stop=level, stop_reason=reason)
    return slot


def _candidates(
    slot: Slot, setup: Setup, close: Decimal, rules: SymbolRules
) -> list[tuple[Decimal, str]]:
    sign = slot.position.side.sign
    # Towards the price: the loss at the moved stop is never larger than asked for.
    inwards = round_up if sign > 0 else round_down
    found = []
    threshold = setup.levels.break_even
    if threshold is not None and (close - threshold) * sign >= 0:
        found.append((inwards(_zero_net(slot, setup.taker_fee), rules.tick_size), "break_even"))
    if setup.levels.trail is not None:
        # From the last close: after the best one the stop is further already, and stays there.
        level = inwards(close - sign * setup.levels.trail, rules.tick_size)
        found.append((level, "trailing_stop"))
    return found


def _zero_net(slot: Slot, fee: Decimal) -> Decimal:
    """Return the exit price whose gain pays the fees of both sides: E (1 + f) / (1 - f), long."""
    entry, sign = slot.position.entry_price, slot.position.side.sign
    return entry * (ONE + sign * fee) / (ONE - sign * fee)


def _clear(slot: Slot) -> Command | None:
    for order in slot.orders:
        is_wanted = order.purpose is OrderPurpose.ENTRY and not slot.closing
        if not is_wanted and _can_cancel(order):
            return Cancel(order)
    return None


def _close(slot: Slot, account: str, now_ms: int) -> Command | None:
    if slot.live(OrderPurpose.CLOSE):
        return None
    order = _exit_order(slot, OrderPurpose.CLOSE, OrderType.MARKET, account, now_ms)
    return Place(replace(order, reason=slot.closing))


def _protect(slot: Slot, account: str, now_ms: int) -> Command | None:
    """Let a stop rest at the right level and for all that is held.

    Of stops that close the whole position an exchange takes one at a time (Binance: -4130).
    While one rests, its successor goes by quantity beside it, so that the new stop is
    confirmed before the old one leaves.
    """
    if slot.stop is None:
        return None
    stops = slot.live(OrderPurpose.STOP)
    right = [o for o in stops if o.trigger_price == slot.stop and _covers(o, slot)]
    if not right:
        order = _exit_order(slot, OrderPurpose.STOP, OrderType.STOP_MARKET, account, now_ms)
        is_only = not any(o.close_position for o in stops)
        return Place(replace(order, trigger_price=slot.stop, close_position=is_only))
    if right[0].status is OrderStatus.SUBMITTED:
        for order in stops:
            if order is not right[0] and _can_cancel(order):
                return Cancel(order)
    return None


def _covers(stop: Order, slot: Slot) -> bool:
    return stop.close_position or stop.quantity == slot.position.quantity


def _aim(slot: Slot, account: str, now_ms: int) -> Command | None:
    target = slot.setup.levels.target if slot.setup else None
    if target is None:
        return None
    resting = slot.live(OrderPurpose.TARGET)
    if not resting:
        order = _exit_order(
            slot, OrderPurpose.TARGET, OrderType.TAKE_PROFIT_MARKET, account, now_ms
        )
        return Place(replace(order, trigger_price=target))
    if resting[0].quantity != slot.position.quantity and _can_cancel(resting[0]):
        return Cancel(resting[0])
    return None


def _can_cancel(order: Order) -> bool:
    return order.status in {OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED}


def _exit_order(
    slot: Slot, purpose: OrderPurpose, kind: OrderType, account: str, now_ms: int
) -> Order:
    key = slot.setup.intent.key if slot.setup else slot.symbol
    return Order(
        client_order_id=client_order_id(account, key, purpose, slot.revision),
        intent_key=key,
        symbol=slot.symbol,
        side=slot.position.side.exit,
        type=kind,
        purpose=purpose,
        quantity=slot.position.quantity,
        created_ms=now_ms,
        reduce_only=True,
    )

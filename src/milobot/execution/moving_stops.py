"""Where a stop moves when a candle has closed: trailing and break-even. Pure."""

from dataclasses import replace
from decimal import Decimal

from milobot.domain.market import SymbolRules
from milobot.domain.money import ONE, round_down, round_up
from milobot.domain.slots import Setup, Slot


def moved_stop(slot: Slot, close: Decimal, rules: SymbolRules) -> Slot:
    """Return the slot after a candle closed: trailing and break-even move its stop.

    The stop moves in favour only, and never to a level that the close has passed. Where it
    stays, the very same slot comes back.
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
            # Unprotected by choice until now: the time for its first stop begins here.
            since_ms = slot.exposed_since_ms if slot.stop is not None else None
            slot = replace(slot, stop=level, stop_reason=reason, exposed_since_ms=since_ms)
    return slot


def _candidates(
    slot: Slot, setup: Setup, close: Decimal, rules: SymbolRules
) -> list[tuple[Decimal, str]]:
    sign = slot.position.side.sign
    found = []
    threshold = setup.levels.break_even
    if threshold is not None and (close - threshold) * sign >= 0:
        found.append((inwards(zero_net(slot, setup.taker_fee), slot, rules), "break_even"))
    if setup.levels.trail is not None:
        # From the last close: after the best one the stop is further already, and stays there.
        level = inwards(close - sign * setup.levels.trail, slot, rules)
        found.append((level, "trailing_stop"))
    return found


def inwards(level: Decimal, slot: Slot, rules: SymbolRules) -> Decimal:
    """Return a level on the grid, towards the price: the loss there is never larger than asked for."""
    rounded = round_up if slot.position.side.sign > 0 else round_down
    return rounded(level, rules.tick_size)


def zero_net(slot: Slot, fee: Decimal) -> Decimal:
    """Return the exit price whose gain pays the fees of both sides: E (1 + f) / (1 - f), long."""
    entry, sign = slot.position.entry_price, slot.position.side.sign
    return entry * (ONE + sign * fee) / (ONE - sign * fee)

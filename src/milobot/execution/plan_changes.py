"""Where stop and targets of a position go when somebody changes them, and why not. Pure."""

from dataclasses import replace
from decimal import Decimal

from milobot.domain.intents import Aim, ChangeTargets, DistanceKind, MoveStop
from milobot.domain.market import SymbolRules
from milobot.domain.money import ONE, ZERO, format_decimal, round_down, round_up
from milobot.domain.risk import Target
from milobot.domain.slots import Setup, Slot
from milobot.errors import OrderDeniedError
from milobot.execution.moving_stops import inwards, zero_net
from milobot.execution.targets import wanted_targets


def changed(slot: Slot, setup: Setup, action: MoveStop | ChangeTargets, price: Decimal) -> Slot:
    """Return the slot with its levels changed; the very same slot where they are so already.

    Args:
        slot: The slot, which holds something.
        setup: Its plan.
        action: What is wished for.
        price: Price of the latest trade.

    Raises:
        OrderDeniedError: ``level_passed``, ``stop_loosened``, ``bad_level`` or ``bad_levels``.
    """
    if isinstance(action, MoveStop):
        if action.price is None:
            return _at_zero_net(slot, setup, price)
        return _with_stop(slot, setup.rules, action.price, price)
    moved = slot if action.stop is None else _with_stop(slot, setup.rules, action.stop, price)
    return _with_targets(moved, setup, action.aims, price)


def _at_zero_net(slot: Slot, setup: Setup, price: Decimal) -> Slot:
    """Return the slot with its stop where gain and fees are even, unless it is closer already."""
    level = inwards(zero_net(slot, setup.taker_fee), slot, setup.rules)
    if slot.stop is not None and (slot.stop - level) * slot.position.side.sign >= 0:
        return slot
    return replace(_with_stop(slot, setup.rules, level, price), stop_reason="break_even")


def _with_stop(slot: Slot, rules: SymbolRules, wanted: Decimal, price: Decimal) -> Slot:
    sign = slot.position.side.sign
    level = inwards(wanted, slot, rules)
    shown = format_decimal(level)
    if level <= 0:
        raise OrderDeniedError("bad_level", f"a stop cannot lie at {shown}")
    if level == slot.stop:
        return slot
    if (price - level) * sign <= 0:
        raise OrderDeniedError(
            "level_passed",
            f"the price {format_decimal(price)} is beyond the stop {shown} already: close instead",
        )
    if slot.stop is not None and (level - slot.stop) * sign < 0:
        raise OrderDeniedError(
            "stop_loosened",
            f"a stop at {shown} risks more than the one at {format_decimal(slot.stop)}: it stays",
        )
    # Unprotected by choice until now: the time for its first stop begins here.
    since_ms = slot.exposed_since_ms if slot.stop is not None else None
    return replace(slot, stop=level, stop_reason="moved_stop", exposed_since_ms=since_ms)


def _with_targets(slot: Slot, setup: Setup, aims: tuple[Aim, ...], price: Decimal) -> Slot:
    targets = _targets(slot, setup.rules, aims)
    if targets == setup.levels.targets:
        return slot
    changed_setup = replace(setup, levels=replace(setup.levels, targets=targets))
    slot = replace(slot, setup=changed_setup)
    sign = slot.position.side.sign
    # Those that were taken already lie behind the price, and ask for nothing.
    for level, _ in wanted_targets(slot, changed_setup) if targets else ():
        if (level - price) * sign <= 0:
            raise OrderDeniedError(
                "level_passed",
                f"the price {format_decimal(price)} is beyond the target {format_decimal(level)}"
                " already: close or reduce instead",
            )
    return slot


def _targets(slot: Slot, rules: SymbolRules, aims: tuple[Aim, ...]) -> tuple[Target, ...]:
    """Return new targets on the price grid, the nearest first: no gain is further than asked."""
    sign = slot.position.side.sign
    rounded = round_down if sign > 0 else round_up
    if any(aim.distance.kind is not DistanceKind.PRICE for aim in aims):
        raise OrderDeniedError("bad_levels", "new targets are prices: 105, not 5%")
    found = sorted(
        (Target(rounded(aim.distance.value, rules.tick_size), aim.share) for aim in aims),
        key=lambda target: target.price * sign,
    )
    prices = [target.price for target in found]
    shares = [target.share for target in found]
    is_good = len(set(prices)) == len(prices) and all(value > 0 for value in (*prices, *shares))
    if not is_good or sum(shares, ZERO) > ONE:
        raise OrderDeniedError(
            "bad_levels",
            "targets need different prices above 0, and shares above 0 that come to 100% at most",
        )
    if slot.stop is not None and any((price - slot.stop) * sign <= 0 for price in prices):
        raise OrderDeniedError(
            "bad_levels",
            f"a target lies on the other side of the stop {format_decimal(slot.stop)}",
        )
    return tuple(found)

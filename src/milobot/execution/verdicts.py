"""What a wish means for the slot that it arrives at, before any price is looked at. Pure."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from milobot.domain.intents import (
    ChangeTargets,
    Close,
    Enter,
    MoveStop,
    Reduce,
    Size,
    SizeKind,
    TradeIntent,
)
from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO, format_decimal, round_down
from milobot.domain.orders import OrderPurpose
from milobot.domain.slots import PositionState, Setup, Slot, position_state


class Verdict(StrEnum):
    """What an intent means for the slot it arrives at."""

    ENTER = "enter"
    ADD = "add"
    REVERSE = "reverse"
    REDUCE = "reduce"
    CHANGE = "change"
    CLOSE = "close"
    IGNORE = "ignore"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to do with an intent, a reason code and a sentence.

    Attributes:
        quantity: For REDUCE what is taken off, in the base asset; zero for all others.
        queued: For REVERSE what enters once the slot is flat; None for all others.
    """

    verdict: Verdict
    code: str
    reason: str
    quantity: Decimal = ZERO
    queued: TradeIntent | None = None


def is_calm(slot: Slot) -> bool:
    """Return whether a wish that changes what is held need not wait for what is on its way.

    It has to while an entry or a reduction may still fill, and until the stop of a new position
    rests: nothing is added to what lies open, and nothing asked about it that a moment decides.
    """
    if slot.closing:
        return True  # refused, however long it waits
    return not _is_moving(slot) and not _lies_open(slot)


def judge(slot: Slot, intent: TradeIntent) -> Judgement:
    """Return what an intent means for its slot, before any price is looked at."""
    symbol = slot.symbol
    if slot.owner and slot.owner != intent.owner:
        return _deny(
            "slot_owned",
            f"{symbol} is traded by {slot.owner}: one symbol of an account has one owner",
        )
    if slot.queued is not None or slot.closing:
        return _deny("slot_busy", f"{symbol} is being closed: nothing enters until flat")
    match intent.action:
        case Enter() as action:
            return _judge_entry(slot, intent, action)
        case Close():
            return _judge_close(slot)
        case action:
            return _judge_change(slot, action)


def _judge_close(slot: Slot) -> Judgement:
    if slot.side is None:
        return Judgement(Verdict.IGNORE, "already_flat", f"nothing is open in {slot.symbol}")
    return Judgement(Verdict.CLOSE, "accepted", f"close {slot.symbol}")


def _judge_change(slot: Slot, action: Reduce | MoveStop | ChangeTargets) -> Judgement:
    symbol, setup = slot.symbol, slot.setup
    if slot.position.is_flat or setup is None:
        return _deny("no_position", f"nothing is held in {symbol} that could be changed")
    if not isinstance(action, Reduce):
        return Judgement(Verdict.CHANGE, "accepted", f"change the levels of {symbol}")
    asked = _asked(slot, action)
    if asked is None:
        return _deny("bad_size", "a reduction needs a share or a quantity above 0, not both")
    return _judge_reduction(slot, setup.rules, asked)


def _judge_entry(slot: Slot, intent: TradeIntent, action: Enter) -> Judgement:
    symbol = slot.symbol
    if action.adds_to:
        return _judge_addition(slot, action)
    if slot.is_idle:
        return Judgement(Verdict.ENTER, "accepted", f"enter {symbol}")
    if slot.side is action.side:
        return Judgement(
            Verdict.IGNORE, "already_in_position", f"{symbol} is {action.side.lower()} already"
        )
    if slot.position.is_flat:
        return _deny("slot_busy", f"orders in {symbol} are on their way")
    if action.is_net and slot.setup is not None:
        return _judge_net(slot, slot.setup, intent, action)
    return Judgement(Verdict.REVERSE, "accepted", f"reverse {symbol}", queued=intent)


def _judge_addition(slot: Slot, action: Enter) -> Judgement:
    """Return whether an entry may enlarge what is held: of its own plan only, and protected."""
    symbol = slot.symbol
    is_of_plan = action.adds_to in slot.keys and slot.side is action.side
    if not is_of_plan or (slot.position.is_flat and not slot.live(OrderPurpose.ENTRY)):
        return _deny(
            "not_the_same_plan",
            f"{symbol} does not hold the {action.side.lower()} position of {action.adds_to}:"
            " nothing is added",
        )
    if not is_calm(slot):
        return _busy(slot)
    return Judgement(Verdict.ADD, "accepted", f"add to {symbol}")


def _judge_net(slot: Slot, setup: Setup, intent: TradeIntent, action: Enter) -> Judgement:
    """Return what a plain order does to the position that it opposes."""
    if _is_moving(slot):
        return _busy(slot)
    match action.size.kind:
        case SizeKind.BASE:
            asked = action.size.value
        case SizeKind.QUOTE:
            asked = action.size.value / intent.reference_price
        case _:
            return _deny(
                "size_not_net",
                f"a plain order that opposes the position in {slot.symbol} needs a size in the"
                " base asset or in USDT",
            )
    asked = round_down(asked, setup.rules.quantity_step)
    excess = asked - slot.held
    if excess <= 0:
        return _judge_reduction(slot, setup.rules, asked)
    queued = replace(intent, action=replace(action, size=Size(SizeKind.BASE, excess), is_net=False))
    reason = f"reverse {slot.symbol}: {format_decimal(excess)} enter once it is flat"
    return Judgement(Verdict.REVERSE, "accepted", reason, queued=queued)


def _asked(slot: Slot, action: Reduce) -> Decimal | None:
    """Return what is to be taken off; None when it is not said in just one way."""
    share, quantity = action.share, action.quantity
    if (share is None) == (quantity is None):
        return None
    asked = quantity if share is None else slot.held * share
    return asked if asked is not None and asked > 0 else None


def _judge_reduction(slot: Slot, rules: SymbolRules, asked: Decimal) -> Judgement:
    """Return how much is taken off what is held, on the grid: a part, or all if too little stays."""
    symbol, held = slot.symbol, slot.held
    least = max(rules.quantity_step, rules.min_quantity)
    quantity = round_down(asked, rules.quantity_step)
    rest, shown = held - quantity, format_decimal(quantity)
    if rest <= 0:
        return Judgement(Verdict.CLOSE, "accepted", f"close {symbol}: all of it is taken off")
    if quantity < least:
        of = f"{shown} of {format_decimal(held)} {symbol}"
        reason = f"{of} is below the smallest quantity, {format_decimal(least)}: nothing is taken"
        return _deny("too_small", reason)
    if rest < least:
        left = f"the {format_decimal(rest)} that would be left is below the smallest quantity"
        return Judgement(Verdict.CLOSE, "accepted", f"close {symbol}: {left}")
    return _judge_part(slot, quantity, rules.max_market_quantity)


def _judge_part(slot: Slot, quantity: Decimal, most: Decimal | None) -> Judgement:
    if not is_calm(slot):
        return _busy(slot)
    shown = f"{format_decimal(quantity)} {slot.symbol}"
    if most is not None and quantity > most:
        reason = f"{shown} is above the largest market order, {most}: take off less at a time"
        return _deny("above_max_quantity", reason)
    reason = f"take {shown} off, of {format_decimal(slot.held)}"
    return Judgement(Verdict.REDUCE, "accepted", reason, quantity)


def _busy(slot: Slot) -> Judgement:
    what = "an order is on its way" if _is_moving(slot) else "its stop does not rest yet"
    return _deny("slot_busy", f"{slot.symbol} cannot be changed now: {what}")


def _is_moving(slot: Slot) -> bool:
    """Return whether what is held may become more, or less on somebody's wish, at any moment."""
    return bool(slot.live(OrderPurpose.ENTRY) or slot.live(OrderPurpose.REDUCE))


def _lies_open(slot: Slot) -> bool:
    """Return whether a stop is wanted and does not rest."""
    return slot.stop is not None and position_state(slot) is PositionState.UNPROTECTED


def _deny(code: str, reason: str) -> Judgement:
    return Judgement(Verdict.DENY, code, reason)

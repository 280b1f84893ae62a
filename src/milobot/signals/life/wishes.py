"""What a signal wishes the engine to do, with keys that a restart makes again."""

from dataclasses import replace
from decimal import Decimal

from milobot.domain.intents import (
    ChangeTargets,
    Close,
    DistanceKind,
    Enter,
    MoveStop,
    Reduce,
    Size,
)
from milobot.domain.money import ONE
from milobot.signals.life.plans import aims_of, stop_price
from milobot.signals.life.record import Change, Leg, LegState, Plan, Signal, Wish, intent_key
from milobot.signals.reading import ReadingKind, SignalReading, Stop


def with_entry(signal: Signal, leg: Leg, now_ms: int) -> Signal:
    """Return the signal with a leg wished for.

    The first leg that the engine takes opens the position with its levels; later ones enlarge it.
    """
    plan = signal.plan
    if plan is None:
        return signal
    key = entry_key(signal, leg)
    action = Enter(
        side=plan.side,
        size=Size(plan.size.kind, plan.size.value * leg.share),
        leverage=plan.leverage,
        stop=plan.stop,
        aims=plan.aims,
        is_net=plan.is_net,
        adds_to=signal.entry_keys[0] if signal.entry_keys else "",
    )
    wish = Wish(key, action, leg.reference, now_ms, leg.number)
    sent = replace(signal, plan=plan.with_leg(replace(leg, state=LegState.SENT)))
    return sent.with_wishes(wish)


def entry_key(signal: Signal, leg: Leg) -> str:
    """Return the key of a leg's intent; an edit that changes the plan makes another."""
    version = signal.plan.version if signal.plan else 0
    parts = (signal.message_id, str(leg.number), *((f"v{version}",) if version else ()))
    return intent_key(signal.source, *parts)


def break_even_wish(signal: Signal, now_ms: int) -> Wish:
    """Return the wish to move the stop to where fees are paid."""
    key = intent_key(signal.source, signal.message_id, "be")
    return Wish(key, MoveStop(), None, now_ms)


def command_wishes(signal: Signal, change: Change, now_ms: int) -> tuple[Wish, ...]:
    """Return what a command asks of an open position."""
    reading, plan = change.reading, signal.plan
    if reading is None or plan is None:
        return ()
    found = []
    for name, action in _actions(reading, plan):
        key = intent_key(signal.source, change.message_id, name, signal.message_id)
        found.append(Wish(key, action, None, now_ms))
    return tuple(found)


def _actions(
    reading: SignalReading, plan: Plan
) -> list[tuple[str, Close | Reduce | MoveStop | ChangeTargets]]:
    stop = level_of(reading.stop, plan)
    match reading.kind:
        case ReadingKind.CLOSE:
            if reading.share is None or reading.share >= ONE:
                return [("close", Close())]
            even = [("stop", MoveStop())] if reading.is_to_entry else []
            return [("reduce", Reduce(share=reading.share)), *even]
        case ReadingKind.MOVE_STOP:
            if stop is None and not reading.is_to_entry:
                return []
            return [("stop", MoveStop(None if reading.is_to_entry else stop))]
        case ReadingKind.CHANGE:
            return [("targets", ChangeTargets(aims_of(reading.targets), stop))]
        case _:
            return []


def level_of(stop: Stop | None, plan: Plan) -> Decimal | None:
    """Return the price of a stop that a command names; None where it cannot be known."""
    if stop is None or stop.price is not None:
        return stop.price if stop else None
    if stop.fraction is None or plan.reference is None:
        return None
    return plan.reference * (1 - plan.side.sign * stop.fraction)


def protection_wish(signal: Signal, new: Plan, now_ms: int) -> Wish | None:
    """Return what a new version asks of a position: its stop and targets; None for no change."""
    old = signal.plan
    if old is None:
        return None
    stop = stop_price(new)
    has_stop_moved = stop is not None and stop != stop_price(old)
    key = intent_key(signal.source, signal.message_id, "protect", f"v{new.version}")
    if new.aims and new.aims != old.aims:
        return Wish(key, ChangeTargets(new.aims, stop if has_stop_moved else None), None, now_ms)
    return Wish(key, MoveStop(stop), None, now_ms) if has_stop_moved else None


def first_target(plan: Plan) -> Decimal | None:
    """Return the nearest target of a plan; None without one."""
    prices = [a.distance.value for a in plan.aims if a.distance.kind is DistanceKind.PRICE]
    if not prices:
        return None
    return min(prices) if plan.side.sign > 0 else max(prices)

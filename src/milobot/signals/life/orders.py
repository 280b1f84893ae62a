"""What the engine's answers and the slot say about a signal."""

from dataclasses import replace

from milobot.domain.decisions import Outcome
from milobot.domain.money import format_decimal
from milobot.signals.door import SignalState
from milobot.signals.life.happenings import (
    Decided,
    Ended,
    Failed,
    NotSent,
    SlotSeen,
    SlotView,
    Stepped,
)
from milobot.signals.life.marks import move, noted, stay, then
from milobot.signals.life.record import Leg, LegState, Signal, Wish
from milobot.signals.life.wishes import break_even_wish

_LATE = frozenset({"intent_stale", "price_drifted", "too_old", "price_left"})


def told(
    signal: Signal, happening: Decided | NotSent | SlotSeen | Ended | Failed, now_ms: int
) -> Stepped:
    """Return what the engine's answer, its slot or a failure leads to."""
    match happening:
        case Decided():
            return decided(signal, happening)
        case NotSent():
            return not_sent(signal, happening)
        case SlotSeen(view):
            return slot_seen(signal, view, now_ms)
        case Ended():
            return ended(signal, happening)
        case Failed(sentence):  # pragma: no branch - mypy proves that nothing is left
            return failed(signal, sentence)


def decided(signal: Signal, answer: Decided) -> Stepped:
    """Return what an answer of the engine leads to."""
    wish = signal.wish(answer.key)
    if wish is None:
        if answer.key not in signal.keys or not signal.state.is_final:
            return stay(signal)  # told before
        return noted(signal, "decided", answer.code, answer.reason)
    left = signal.without_wish(answer.key)
    leg = _leg_of(left, wish)
    if leg is None or left.plan is None:
        return noted(left, "decided", answer.code, answer.reason)
    if answer.outcome is Outcome.ACCEPTED:
        taken = replace(
            left,
            plan=left.plan.with_leg(replace(leg, state=LegState.TAKEN)),
            entry_keys=(*left.entry_keys, answer.key),
        )
        return noted(taken, "decided", answer.code, answer.reason)
    gone = replace(left, plan=left.plan.with_leg(replace(leg, state=LegState.GONE)))
    if signal.state is not SignalState.ENTERING or left.entry_keys:
        return noted(gone, "decided", answer.code, answer.reason)
    return _turned_away(gone, answer.code, answer.reason)


def _turned_away(signal: Signal, code: str, reason: str) -> Stepped:
    if code in _LATE:
        return move(signal, SignalState.LATE, "late", code, reason)
    return move(signal, SignalState.DENIED, "denied", code, reason)


def not_sent(signal: Signal, happening: NotSent) -> Stepped:
    """Return what follows where the engine was not asked after all."""
    wish = signal.wish(happening.key)
    if wish is None:
        return stay(signal)
    left = signal.without_wish(happening.key)
    leg = _leg_of(left, wish)
    if leg is None or left.plan is None:
        return noted(left, "decided", happening.code, happening.reason)
    gone = replace(left, plan=left.plan.with_leg(replace(leg, state=LegState.GONE)))
    if signal.state is not SignalState.ENTERING:
        return noted(gone, "decided", happening.code, happening.reason)
    if not happening.is_withdrawn:
        return _turned_away(gone, happening.code, happening.reason)
    # The key may serve again: the engine has never heard of it.
    waits = replace(
        left,
        plan=left.plan.with_leg(replace(leg, state=LegState.WAITING)),
        keys=tuple(key for key in left.keys if key != happening.key),
    )
    return move(waits, SignalState.WAITING, "not_sent", happening.code, happening.reason)


def slot_seen(signal: Signal, view: SlotView, now_ms: int) -> Stepped:
    """Return what the slot of the symbol shows of the signal's position."""
    if not view.keys.intersection(signal.entry_keys):
        return stay(signal)
    if signal.state is SignalState.ENTERING and view.held > 0:
        at = f" at {format_decimal(view.entry_price)}" if view.entry_price else ""
        sentence = f"{format_decimal(view.held)} {signal.symbol}{at}"
        opened = replace(signal, opened_ms=now_ms)
        return move(opened, SignalState.OPEN, "filled", "", sentence)
    return _followed(signal, view, now_ms) if signal.state is SignalState.OPEN else stay(signal)


def _followed(signal: Signal, view: SlotView, now_ms: int) -> Stepped:
    """Return an open signal after some of its position was closed."""
    stepped = stay(signal)
    plan = signal.plan
    if plan is None:
        return stepped
    fewer = signal.without_entries()
    if view.exit_quantity > 0 and fewer != signal:
        sentence = "A part of the position was closed: further entries are given up."
        stepped = noted(fewer, "legs_dropped", "exit_filled", sentence)
    if view.targets_hit > signal.targets_hit:
        hit = replace(stepped.signal, targets_hit=view.targets_hit)
        sentence = f"Target {view.targets_hit} has filled."
        stepped = then(stepped, noted(hit, "target", "", sentence))
        if 0 < plan.break_even_after <= view.targets_hit:
            wished = hit.with_wishes(break_even_wish(hit, now_ms))
            if wished != hit:
                said = "The stop goes to where fees are paid."
                stepped = then(stepped, noted(wished, "break_even", "", said))
    return stepped


def ended(signal: Signal, end: Ended) -> Stepped:
    """Return the end of a signal of which the slot holds nothing any more."""
    is_open = signal.state is SignalState.OPEN
    if is_open or (signal.state is SignalState.ENTERING and end.has_entered):
        sentence = end.sentence or "Nothing of it is open any more; how it closed is not on record."
        return move(signal, SignalState.CLOSED, "closed", end.code or "closed", sentence)
    if signal.state is not SignalState.ENTERING:
        return stay(signal)
    if end.has_reduced:
        return move(signal, SignalState.APPLIED, "reduced", end.code, end.sentence)
    sentence = end.sentence or "Nothing of it is open, and no fill is on record."
    return move(signal, SignalState.DENIED, "not_filled", end.code or "not_filled", sentence)


def failed(signal: Signal, sentence: str) -> Stepped:
    """Return a signal that cannot be looked after; what the engine was asked for stays."""
    if signal.state is SignalState.WAITING:
        return move(signal, SignalState.DENIED, "failed", "failed", sentence)
    if signal.reason == sentence:
        return stay(signal)  # as before: once is enough
    return noted(replace(signal, code="failed", reason=sentence), "failed", "failed", sentence)


def _leg_of(signal: Signal, wish: Wish) -> Leg | None:
    legs = signal.plan.legs if signal.plan else ()
    return next((leg for leg in legs if leg.number == wish.leg), None)

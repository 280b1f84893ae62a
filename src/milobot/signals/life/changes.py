"""What edits, deletions and commands do to a signal."""

from dataclasses import replace

from milobot.domain.intents import Distance, DistanceKind
from milobot.domain.money import ONE
from milobot.signals.door import SignalState
from milobot.signals.life.happenings import Stepped
from milobot.signals.life.marks import move, noted, refused, then
from milobot.signals.life.plans import aims_of
from milobot.signals.life.record import Change, ChangeKind, Leg, LegState, Plan, Signal, Trigger
from milobot.signals.life.wishes import command_wishes, level_of, protection_wish, with_entry
from milobot.signals.reading import ReadingKind, SignalReading


def changed(signal: Signal, change: Change, now_ms: int) -> Stepped:
    """Return what a later message does to a signal.

    While an order is on its way it waits; what was not sent yet is taken back meanwhile.
    """
    match signal.state:
        case SignalState.WAITING:
            return _while_waiting(signal, change, now_ms)
        case SignalState.ENTERING:
            return _put_off(signal, change)
        case SignalState.OPEN:
            return _while_open(signal, change, now_ms)
        case _:
            sentence = "Nothing can become of it any more."
            return refused(signal, change.kind.value, "over", sentence)


def _put_off(signal: Signal, change: Change) -> Stepped:
    reading = change.reading
    takes_back = change.kind is not ChangeKind.COMMAND or (
        reading is not None and _takes_back(reading)
    )
    outbox = tuple(
        replace(wish, is_withdrawn=wish.is_withdrawn or (takes_back and wish.leg > 0))
        for wish in signal.outbox
    )
    kept = replace(signal, outbox=outbox, later=(*signal.later, change))
    sentence = "An order is on its way: it is looked at as soon as its end is known."
    return noted(kept, change.kind.value, "put_off", sentence)


def _takes_back(reading: SignalReading) -> bool:
    """Return whether a command leaves nothing of an entry; a share is closed once it has filled."""
    is_whole_close = reading.kind is ReadingKind.CLOSE and (reading.share or ONE) >= ONE
    return reading.kind is ReadingKind.CANCEL or is_whole_close


def put_off_before(signal: Signal, now_ms: int) -> Stepped:
    """Return what the changes do that had to wait for an order's end."""
    stepped = Stepped(replace(signal, later=()))
    for change in signal.later:
        stepped = then(stepped, changed(stepped.signal, change, now_ms))
    return stepped


def _while_waiting(signal: Signal, change: Change, now_ms: int) -> Stepped:
    match change.kind:
        case ChangeKind.DELETE:
            return move(
                signal, SignalState.CANCELLED, "deleted", "deleted", "Its message was deleted."
            )
        case ChangeKind.EDIT:
            return _replanned(signal, change, now_ms)
        case ChangeKind.COMMAND:  # pragma: no branch - mypy proves that no kind is left
            return _commanded_waiting(signal, change)


def _replanned(signal: Signal, change: Change, now_ms: int) -> Stepped:
    plan = change.plan
    if plan is None:
        code = change.reading.code if change.reading else ""
        sentence = "Its new version is no set-up."
        return move(signal, SignalState.CANCELLED, "edited_away", code or "edited_away", sentence)
    fresh = replace(signal, plan=plan, version=change.version, is_far_checked=False)
    edited = noted(fresh, "edited", "", "Its new version takes the place of the old one.")
    at_once = [leg for leg in plan.legs if leg.trigger is Trigger.NOW]
    if not at_once:
        return edited
    if now_ms - signal.posted_ms > plan.max_age_ms:
        sentence = "Its new version enters at the market, and the message is too old for that."
        return then(edited, move(fresh, SignalState.LATE, "too_old", "too_old", sentence))
    sent = with_entry(fresh, at_once[0], now_ms)
    return then(edited, move(sent, SignalState.ENTERING, "price_reached", "", "At the market."))


def _commanded_waiting(signal: Signal, change: Change) -> Stepped:
    reading, plan = change.reading, signal.plan
    if reading is None or plan is None:
        return refused(signal, "command", "no_plan", "There is nothing to change.")
    if _takes_back(reading):
        sentence = f"Message {change.message_id} took it back before its entry."
        return move(signal, SignalState.CANCELLED, "taken_back", "taken_back", sentence)
    altered = _altered(plan, reading)
    if altered is None:
        sentence = "Its entry is not reached: there is no position for that yet."
        return refused(signal, "command", "no_position", sentence)
    sentence = f"Message {change.message_id} changed its levels before its entry."
    return noted(replace(signal, plan=altered), "command", "", sentence)


def _altered(plan: Plan, reading: SignalReading) -> Plan | None:
    """Return a plan with other levels; None where the command needs a position."""
    level = level_of(reading.stop, plan)
    stop = plan.stop if level is None else Distance(DistanceKind.PRICE, level)
    if reading.kind is ReadingKind.MOVE_STOP and level is not None and not reading.is_to_entry:
        return replace(plan, stop=stop)
    if reading.kind is ReadingKind.CHANGE:
        return replace(plan, stop=stop, aims=aims_of(reading.targets) or plan.aims)
    return None


def _while_open(signal: Signal, change: Change, now_ms: int) -> Stepped:
    match change.kind:
        case ChangeKind.DELETE:
            fewer = signal.without_entries()
            return noted(fewer, "deleted", "", "Its message was deleted: the position stays.")
        case ChangeKind.EDIT:
            return _protected_anew(signal, change, now_ms)
        case ChangeKind.COMMAND:  # pragma: no branch - mypy proves that no kind is left
            return _commanded_open(signal, change, now_ms)


def _protected_anew(signal: Signal, change: Change, now_ms: int) -> Stepped:
    new, old = change.plan, signal.plan
    seen = replace(signal, version=change.version)
    if new is None or old is None:
        code = change.reading.code if change.reading else ""
        return refused(
            seen, "edited", code or "no_setup", "Its new version is no set-up: it stays."
        )
    if (new.symbol, new.side) != (old.symbol, old.side):
        sentence = "Its new version is about another symbol or direction: the position stays."
        return refused(seen, "edited", "not_the_same_plan", sentence)
    wish = protection_wish(signal, new, now_ms)
    legs = tuple(_later_leg(leg, new) for leg in old.legs)
    plan = replace(old, legs=legs, aims=new.aims or old.aims, stop=new.stop or old.stop)
    changed_plan = replace(seen, plan=plan)
    if wish is None:
        return noted(changed_plan, "edited", "", "Its stop and targets stay as they are.")
    wished = changed_plan.with_wishes(wish)
    return noted(wished, "edited", "", "Stop and targets follow its new version.")


def _later_leg(leg: Leg, new: Plan) -> Leg:
    """Return a leg that still waits as the new version has it; gone when it has it no more."""
    if leg.state is not LegState.WAITING:
        return leg
    same = next((other for other in new.legs if other.number == leg.number), None)
    if same is None or same.trigger is Trigger.NOW:
        return replace(leg, state=LegState.GONE)
    return replace(leg, price=same.price, reference=same.reference)


def _commanded_open(signal: Signal, change: Change, now_ms: int) -> Stepped:
    reading = change.reading
    kind = reading.kind if reading else None
    if kind is ReadingKind.CANCEL:
        fewer = signal.without_entries()
        if fewer == signal:
            sentence = "Its entry has filled: nothing is left to be cancelled."
            return refused(signal, "command", "filled_already", sentence)
        return noted(fewer, "command", "", "Further entries are given up.")
    wishes = command_wishes(signal, change, now_ms)
    if not wishes:
        sentence = "The stop that it names cannot be worked out."
        return refused(signal, "command", "unclear_stop", sentence)
    fewer = signal.without_entries() if kind is ReadingKind.CLOSE else signal
    sentence = f"Message {change.message_id} asks for it."
    return noted(fewer.with_wishes(*wishes), "command", "", sentence)

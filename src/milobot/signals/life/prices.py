"""What a price does to entries that wait for it, and what time does."""

from dataclasses import replace
from decimal import Decimal

from milobot.domain.money import format_decimal
from milobot.signals.door import SignalState
from milobot.signals.life.happenings import NotSent, Stepped
from milobot.signals.life.marks import move, noted, stay
from milobot.signals.life.plans import SignalTerms, stop_price
from milobot.signals.life.record import Leg, LegState, Plan, Signal, Trigger, Wish
from milobot.signals.life.wishes import first_target, with_entry


def price_seen(signal: Signal, price: Decimal, terms: SignalTerms, now_ms: int) -> Stepped:
    """Return what the last price of its symbol leads to: an entry, or its end."""
    plan = signal.plan
    if plan is None or not signal.waits_for_price:
        return stay(signal)
    if signal.state is SignalState.OPEN:
        return _next_leg(signal, plan, price, now_ms)
    ended = _ended_by(signal, plan, price, terms)
    if ended is not None:
        return ended
    checked = replace(signal, is_far_checked=True)
    return _first_leg(checked, plan, price, now_ms)


def _ended_by(signal: Signal, plan: Plan, price: Decimal, terms: SignalTerms) -> Stepped | None:
    """Return the end of a set-up whose levels lie behind the price already."""
    shown, sign = format_decimal(price), plan.side.sign
    if not signal.is_far_checked and is_far(plan, price, terms.far_from_market):
        sentence = f"Its entry lies more than {terms.far_from_market:.0%} from the price, {shown}."
        return move(signal, SignalState.REFUSED, "far_from_market", "far_from_market", sentence)
    stop, target = stop_price(plan), first_target(plan)
    if stop is not None and (price - stop) * sign <= 0:
        sentence = f"The price, {shown}, reached its stop before its entry."
        return move(signal, SignalState.CANCELLED, "stop_reached", "stop_before_entry", sentence)
    if target is not None and (target - price) * sign <= 0:
        sentence = f"The price, {shown}, reached its first target before its entry."
        return move(
            signal, SignalState.CANCELLED, "target_reached", "target_before_entry", sentence
        )
    return None


def is_far(plan: Plan, price: Decimal, most: Decimal) -> bool:
    """Return whether the nearest entry that waits lies further from the price than a fraction."""
    away = [
        abs(leg.price - price) / price
        for leg in plan.legs_in(LegState.WAITING)
        if leg.price is not None
    ]
    return bool(away) and min(away) > most


def _first_leg(signal: Signal, plan: Plan, price: Decimal, now_ms: int) -> Stepped:
    leg = _triggered(plan, price)
    if leg is None:
        return stay(signal)
    if plan.is_bounded and has_drifted(leg, plan, price):
        return move(signal, SignalState.LATE, "price_left", "price_left", drift_said(leg, price))
    sentence = f"The price, {format_decimal(price)}, reached entry {leg.number}."
    return move(
        with_entry(signal, leg, now_ms), SignalState.ENTERING, "price_reached", "", sentence
    )


def _next_leg(signal: Signal, plan: Plan, price: Decimal, now_ms: int) -> Stepped:
    """Return a position enlarged by a further leg; only one is on its way at a time."""
    leg = _triggered(plan, price)
    stop = stop_price(plan)
    is_beyond_stop = stop is not None and (price - stop) * plan.side.sign <= 0
    if leg is None or is_beyond_stop or plan.legs_in(LegState.SENT):
        return stay(signal)
    sentence = f"The price, {format_decimal(price)}, reached entry {leg.number}."
    return noted(with_entry(signal, leg, now_ms), "price_reached", "", sentence)


def _triggered(plan: Plan, price: Decimal) -> Leg | None:
    return next((leg for leg in plan.legs_in(LegState.WAITING) if is_reached(leg, price)), None)


def is_reached(leg: Leg, price: Decimal) -> bool:
    """Return whether a leg enters at a price."""
    if leg.trigger is Trigger.NOW or leg.price is None:
        return True
    return price <= leg.price if leg.trigger is Trigger.FALL else price >= leg.price


def has_drifted(leg: Leg, plan: Plan, price: Decimal) -> bool:
    """Return whether the price has left the one that the message names."""
    return leg.price is not None and abs(price - leg.price) > plan.max_drift * leg.price


def drift_said(leg: Leg, price: Decimal) -> str:
    """Return the sentence for a price that has left the entry."""
    named = format_decimal(leg.price) if leg.price is not None else ""
    return f"The price, {format_decimal(price)}, has left its entry, {named}."


def held_back(signal: Signal, wish: Wish, price: Decimal | None, now_ms: int) -> NotSent | None:
    """Return why an entry must not be sent any more; None where it may be sent.

    Args:
        signal: Whose wish it is.
        wish: What is wished for; what is no entry is never held back.
        price: The last price, where it matters.
        now_ms: The time.
    """
    plan = signal.plan
    leg = next((one for one in plan.legs if one.number == wish.leg), None) if plan else None
    if plan is None or leg is None:
        return None
    waited_ms = now_ms - wish.due_ms
    if waited_ms > plan.max_age_ms:
        return NotSent(wish.key, "too_old", f"It waited {waited_ms // 1000} s to be sent.")
    if leg.trigger is Trigger.NOW and price is not None and has_drifted(leg, plan, price):
        return NotSent(wish.key, "price_left", drift_said(leg, price))
    return None


def time_passed(signal: Signal, now_ms: int) -> Stepped:
    """Return what is given up because it has waited long enough."""
    plan = signal.plan
    if plan is None or now_ms < plan.expires_ms or not plan.legs_in(LegState.WAITING):
        return stay(signal)
    if signal.state is SignalState.WAITING:
        return move(
            signal, SignalState.EXPIRED, "expired", "expired", "Its entry was not reached in time."
        )
    if signal.state is SignalState.OPEN:
        given_up = replace(signal, plan=plan.without_waiting())
        return noted(
            given_up, "legs_dropped", "expired", "Further entries were not reached in time."
        )
    return stay(signal)

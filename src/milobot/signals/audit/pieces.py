"""A candle cut where an entry fills inside it: what counts before, and what after. Pure."""

from collections.abc import Iterable
from decimal import Decimal

from milobot.domain.money import ZERO
from milobot.signals.audit.attempts import Attempt
from milobot.signals.life.record import Leg, Trigger
from milobot.simulation.matching import Bar


def legs_inside(attempts: Iterable[Attempt], bar: Bar) -> list[tuple[Attempt, Leg]]:
    """Return the legs that a candle reaches after its open, the nearest to it first."""
    found = [
        (attempt, leg)
        for attempt in attempts
        for leg in attempt.legs
        if leg.price is not None and bar.low <= leg.price <= bar.high
    ]
    return sorted(found, key=lambda item: abs((item[1].price or ZERO) - bar.open))


def piece(bar: Bar, start: Decimal, end: Decimal) -> Bar:
    """Return the way of the price from one place to another."""
    return Bar(bar.time_ms, start, max(start, end), min(start, end), end)


def rest(bar: Bar, place: Decimal, leg: Leg, sign: int, *, is_held: bool) -> Bar:
    """Return what is left of a candle once a leg has entered at a place inside it.

    After an entry to which the market came back, nobody knows whether it had been at the far
    side before: that counts only as far as the close, unless something was held before. A
    breakout is entered on the way there, and everything counts, the worst first.

    Args:
        bar: The whole candle.
        place: Where the leg entered.
        leg: The leg.
        sign: +1 for a long.
        is_held: Whether a position was open when the candle began.
    """
    high, low = max(bar.high, place), min(bar.low, place)
    comes_back = (leg.trigger is Trigger.FALL) == (sign > 0)
    if comes_back and not is_held:
        if sign > 0:
            high = max(place, bar.close)
        else:
            low = min(place, bar.close)
    return Bar(bar.time_ms, place, high, low, bar.close)


def extreme(bar: Bar, direction: int) -> Decimal:
    """Return the highest price of a candle for +1, the lowest for -1."""
    return bar.high if direction > 0 else bar.low

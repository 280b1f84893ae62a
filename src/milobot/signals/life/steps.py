"""The life of a signal as one pure function: whatever happens, what becomes of it."""

from milobot.signals.door import SignalState
from milobot.signals.life.changes import changed, put_off_before
from milobot.signals.life.happenings import Happening, PriceSeen, Stepped, TimePassed
from milobot.signals.life.marks import then
from milobot.signals.life.orders import told
from milobot.signals.life.plans import SignalTerms
from milobot.signals.life.prices import price_seen, time_passed
from milobot.signals.life.record import Change, Signal


def step(signal: Signal, happening: Happening, terms: SignalTerms, now_ms: int) -> Stepped:
    """Return a signal after something has happened to it, and the lines of its history.

    Nothing is sent here: what it wishes for stands in its outbox, with keys that the same
    happening always makes the same.

    Args:
        signal: As it stands.
        happening: What has happened.
        terms: What holds where the message says nothing.
        now_ms: The time.
    """
    stepped = _step(signal, happening, terms, now_ms)
    is_over_the_order = stepped.signal.state is not SignalState.ENTERING
    if stepped.signal.later and is_over_the_order:
        return then(stepped, put_off_before(stepped.signal, now_ms))
    return stepped


def _step(signal: Signal, happening: Happening, terms: SignalTerms, now_ms: int) -> Stepped:
    match happening:
        case PriceSeen(price):
            return price_seen(signal, price, terms, now_ms)
        case TimePassed():
            return time_passed(signal, now_ms)
        case Change():
            return changed(signal, happening, now_ms)
        case _:
            return told(signal, happening, now_ms)

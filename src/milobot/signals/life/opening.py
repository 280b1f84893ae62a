"""How a signal begins: what a message is, as soon as it is read."""

from dataclasses import dataclass

from milobot.signals.door import SignalState
from milobot.signals.life.happenings import Note, Stepped
from milobot.signals.life.marks import move, then
from milobot.signals.life.plans import SignalTerms, plan_of
from milobot.signals.life.record import Signal, Trigger
from milobot.signals.life.wishes import with_entry
from milobot.signals.profile import ChannelProfile
from milobot.signals.reading import ReadingKind, SignalReading

RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it arrives, read.

    Attributes:
        reading: As the profile lets it be.
        twin: Number of the signal with the same set-up; 0 for none.
    """

    source: str
    message_id: str
    posted_ms: int
    version: int
    reading: SignalReading
    profile: ChannelProfile
    twin: int = 0


def begin(arrival: Arrival, terms: SignalTerms, now_ms: int) -> Stepped:
    """Return what becomes of a message that is no command, with the first lines of its history."""
    reading = arrival.reading
    blank = Signal(
        source=arrival.source,
        message_id=arrival.message_id,
        posted_ms=arrival.posted_ms,
        version=arrival.version,
        state=SignalState.WAITING,
        plan=plan_of(
            reading,
            arrival.profile,
            terms,
            posted_ms=arrival.posted_ms,
            version=arrival.version,
        ),
    )
    if blank.plan is None:
        is_refused = reading.kind is ReadingKind.REFUSED
        state = SignalState.REFUSED if is_refused else SignalState.NOT_A_SIGNAL
        return move(blank, state, RECEIVED, reading.code, reading.reason)
    if arrival.twin:
        sentence = f"The same set-up was taken as signal {arrival.twin}."
        return move(blank, SignalState.DUPLICATE, RECEIVED, "duplicate", sentence)
    return _entered_or_waiting(blank, now_ms)


def _entered_or_waiting(signal: Signal, now_ms: int) -> Stepped:
    plan = signal.plan
    if plan is None:
        return Stepped(signal)
    age_ms = now_ms - signal.posted_ms
    at_once = [leg for leg in plan.legs if leg.trigger is Trigger.NOW]
    most_ms = plan.max_age_ms if at_once else plan.expires_ms - signal.posted_ms
    if age_ms > most_ms:
        sentence = f"It was posted {age_ms // 1000} s ago; {most_ms // 1000} s are the most."
        return move(signal, SignalState.LATE, RECEIVED, "too_old", sentence)
    if not at_once:
        sentence = "It waits for the price to come."
        return Stepped(signal, (Note(RECEIVED, SignalState.WAITING, "", sentence),))
    sent = with_entry(signal, at_once[0], now_ms)
    return move(sent, SignalState.ENTERING, RECEIVED, "", "")


def begin_again(signal: Signal, arrival: Arrival, terms: SignalTerms, now_ms: int) -> Stepped:
    """Return what becomes of a message that was no set-up before it was edited."""
    edited = Stepped(signal, (Note("edited", signal.state),))
    return then(edited, begin(arrival, terms, now_ms))

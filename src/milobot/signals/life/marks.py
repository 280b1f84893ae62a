"""Small ways to say where a signal goes, shared by the steps."""

from dataclasses import replace

from milobot.signals.door import SignalState
from milobot.signals.life.happenings import Note, Stepped
from milobot.signals.life.record import Signal


def stay(signal: Signal) -> Stepped:
    """Return a signal to which nothing has happened that is worth a line."""
    return Stepped(signal)


def noted(signal: Signal, kind: str, code: str = "", sentence: str = "") -> Stepped:
    """Return a signal that stays in its state, with a line in its history."""
    return Stepped(signal, (Note(kind, signal.state, code, sentence),))


def move(
    signal: Signal, state: SignalState, kind: str, code: str = "", sentence: str = ""
) -> Stepped:
    """Return a signal in another state; one that is over wishes for nothing and waits for nothing.

    The reason of a state is kept beside it, so that a list shows it.
    """
    moved = replace(signal, state=state, code=code, reason=sentence)
    if state.is_final:
        plan = moved.plan.without_waiting() if moved.plan else None
        moved = replace(moved, plan=plan, outbox=(), later=())
    return Stepped(moved, (Note(kind, state, code, sentence),))


def refused(signal: Signal, kind: str, code: str, sentence: str) -> Stepped:
    """Return a signal on which a change was not carried out, with the reason on record."""
    note = Note(kind, signal.state, code, sentence)
    return Stepped(signal, (note,), refusal=note)


def then(before: Stepped, after: Stepped) -> Stepped:
    """Return two steps as one."""
    return Stepped(after.signal, before.notes + after.notes, after.refusal)

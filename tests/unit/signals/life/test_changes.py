"""What later messages do to a signal that has entered, case by case."""

from dataclasses import replace

import pytest
from tests.support.trading import dec

from milobot.domain.decisions import Outcome
from milobot.domain.intents import ChangeTargets, MoveStop
from milobot.signals.door import SignalState
from milobot.signals.life.happenings import (
    Decided,
    NotSent,
    PriceSeen,
    SlotSeen,
    SlotView,
    Stepped,
    TimePassed,
)
from milobot.signals.life.opening import Arrival, begin
from milobot.signals.life.plans import SignalTerms, plan_of
from milobot.signals.life.record import Change, ChangeKind, LegState, Signal
from milobot.signals.life.steps import step
from milobot.signals.profile import ChannelProfile
from milobot.signals.reader import read

TERMS = SignalTerms()
NOW_MS = 1_000_000
LADDER = "Long BTCUSDT\nEntry 1 - 64500 (50%)\nEntry 2 - 64000 (50%)\nSL 63000\nTP 66000 67000"
MARKET = "Long BTCUSDT now SL 63000 TP 66000 67000"


def waiting(text: str) -> Signal:
    """Return a signal that has just come."""
    arrival = Arrival("telegram:-1", "7", NOW_MS, 0, read(text), ChannelProfile())
    return begin(arrival, TERMS, NOW_MS).signal


def opened(text: str = LADDER) -> Signal:
    """Return a signal whose first entry has filled."""
    signal = step(waiting(text), PriceSeen(dec(64_400)), TERMS, NOW_MS).signal
    key = signal.outbox[0].key
    signal = step(signal, Decided(key, Outcome.ACCEPTED, "accepted", ""), TERMS, NOW_MS).signal
    view = SlotView(frozenset({key}), held=dec(1))
    return step(signal, SlotSeen(view), TERMS, NOW_MS).signal


def command(signal: Signal, text: str) -> Stepped:
    """Return a signal after a reply."""
    change = Change(ChangeKind.COMMAND, "8", reading=read(text))
    return step(signal, change, TERMS, NOW_MS)


def edit(signal: Signal, text: str, now_ms: int = NOW_MS) -> Stepped:
    """Return a signal after a new version of its message."""
    reading = read(text)
    plan = plan_of(reading, ChannelProfile(), TERMS, posted_ms=NOW_MS, version=1)
    change = Change(ChangeKind.EDIT, "7", 1, reading, plan)
    return step(signal, change, TERMS, now_ms)


def test_new_targets_replace_those_of_the_position() -> None:
    """As prices, with equal shares."""
    done = command(opened(), "New targets: 66500 - 67500")

    action = done.signal.outbox[0].action
    assert isinstance(action, ChangeTargets)
    assert [aim.distance.value for aim in action.aims] == [dec(66_500), dec(67_500)]
    assert done.refusal is None


def test_levels_change_before_the_entry_without_asking_anybody() -> None:
    """Nothing is open: the plan alone changes."""
    moved = command(waiting(LADDER), "move SL to 63500").signal
    aimed = command(waiting(LADDER), "New targets: 66500 - 67500").signal

    assert moved.plan is not None
    assert moved.plan.stop is not None
    assert moved.plan.stop.value == dec(63_500)
    assert aimed.plan is not None
    assert [aim.distance.value for aim in aimed.plan.aims] == [dec(66_500), dec(67_500)]
    assert not moved.outbox + aimed.outbox


@pytest.mark.parametrize("text", ["SL to entry", "close half"])
def test_what_needs_a_position_is_refused_before_the_entry(text: str) -> None:
    """Nobody knows what it would be then."""
    done = command(waiting(LADDER), text)

    assert done.refusal is not None
    assert done.refusal.code == "no_position"


def test_a_cancellation_of_an_open_ladder_gives_up_what_has_not_filled() -> None:
    """Of a position without further entries nothing is left to cancel."""
    done = command(opened(), "cancel")
    nothing = command(done.signal, "cancel")

    assert done.signal.plan is not None
    assert done.signal.plan.legs_in(LegState.WAITING) == ()
    assert done.signal.state is SignalState.OPEN
    assert nothing.refusal is not None
    assert nothing.refusal.code == "filled_already"


def test_an_edit_moves_the_entries_that_still_wait() -> None:
    """The first has filled and stays; a leg that the new version lacks is given up."""
    moved = edit(opened(), LADDER.replace("64000", "63800")).signal
    fewer = edit(opened(), "Long BTCUSDT entry 64500 SL 63000 TP 66000 67000").signal

    assert moved.plan is not None
    assert [leg.price for leg in moved.plan.legs] == [dec(64_500), dec(63_800)]
    assert fewer.plan is not None
    assert [leg.state for leg in fewer.plan.legs] == [LegState.TAKEN, LegState.GONE]
    assert not moved.outbox + fewer.outbox


def test_an_edit_that_moves_the_stop_alone_asks_for_that() -> None:
    """Targets that are where they were are not replaced: some may have filled."""
    moved = edit(opened(), LADDER.replace("SL 63000", "SL 63300")).signal

    assert [wish.action for wish in moved.outbox] == [MoveStop(dec(63_300))]


def test_an_edit_of_an_open_signal_to_something_else_changes_nothing() -> None:
    """Channels tick their targets off in the message itself."""
    done = edit(opened(), LADDER + " ✅ reached")

    assert done.refusal is not None
    assert replace(done.signal, version=0) == opened()


def test_an_edit_to_the_market_may_come_too_late() -> None:
    """The message is as old as it was."""
    soon = edit(waiting(LADDER), MARKET, NOW_MS + 60_000).signal
    late = edit(waiting(LADDER), MARKET, NOW_MS + 121_000).signal

    assert soon.state is SignalState.ENTERING
    assert soon.outbox[0].key == "telegram:-1|7|1|v1"
    assert (late.state, late.code) == (SignalState.LATE, "too_old")


def test_further_entries_are_not_waited_for_forever() -> None:
    """The position stays; its ladder is shorter."""
    done = step(opened(), TimePassed(), TERMS, NOW_MS + 86_400_001)

    assert done.signal.state is SignalState.OPEN
    assert [note.kind for note in done.notes] == ["legs_dropped"]


def test_a_further_entry_that_was_not_sent_yet_is_taken_back() -> None:
    """Deleted, cancelled, closed, or an exit has filled: nothing is added to the position."""
    asked = step(opened(), PriceSeen(dec(63_900)), TERMS, NOW_MS).signal
    deleted = step(asked, Change(ChangeKind.DELETE, "7"), TERMS, NOW_MS).signal
    view = SlotView(frozenset(asked.entry_keys), held=dec(1), exit_quantity=dec(1))
    ways = [deleted, command(asked, "cancel").signal, command(asked, "close").signal]
    ways.append(step(asked, SlotSeen(view), TERMS, NOW_MS).signal)

    assert not asked.outbox[0].is_withdrawn
    assert all(signal.outbox[0].is_withdrawn for signal in ways)


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_a_further_entry_that_is_never_sent_holds_up_no_other(is_withdrawn: bool) -> None:  # noqa: FBT001 - a case
    """Only one is on its way at a time: the end of it must be known."""
    asked = step(opened(), PriceSeen(dec(63_900)), TERMS, NOW_MS).signal
    answer = NotSent(asked.outbox[0].key, "too_old", "why", is_withdrawn)
    told = step(asked, answer, TERMS, NOW_MS).signal

    assert told.plan is not None
    assert [leg.state for leg in told.plan.legs] == [LegState.TAKEN, LegState.GONE]
    assert told.state is SignalState.OPEN

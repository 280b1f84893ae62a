"""Whatever happens to a signal, in any order: it goes only where the table of the document leads."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Enter
from milobot.signals.door import SignalState
from milobot.signals.life.happenings import (
    Decided,
    Ended,
    Failed,
    Happening,
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
from milobot.signals.life.table import leads_to
from milobot.signals.profile import ChannelProfile
from milobot.signals.reader import read

TERMS = SignalTerms()
POSTED_MS = 1_700_000_000_000
SETUPS = (
    "BUY BTCUSDT 0.001",
    "Long BTCUSDT now SL 63000 TP 67000",
    "Long BTCUSDT entry 64000 SL 63000 TP 65500 / 67000",
    "Short BTCUSDT entry 66000 SL 67000 TP 64000",
    "Long BTCUSDT entry zone 64000 - 64500 SL 63000 TP 67000",
    "Long BTCUSDT\nEntry 1 - 64500 (50%)\nEntry 2 - 64000 (50%)\nSL 63000\nTP 66000 67000",
    "Long BTC if it breaks above 65500, SL 63000, TP 70000",
    "Long ETHUSDT entry 3000 SL 2900 TP 3300",
    "good morning everybody",
)
COMMANDS = ("close", "close half", "cancel", "SL to entry", "move SL to 64000", "targets: 68000")
PRICES = (62_500, 63_900, 64_200, 64_900, 65_600, 66_100, 70_500, 120_000)
CODES = ("accepted", "below_min_notional", "intent_stale", "slot_owned")

texts = st.sampled_from(SETUPS)
moves = st.one_of(
    st.tuples(st.just("price"), st.sampled_from(PRICES)),
    st.tuples(st.just("later"), st.sampled_from((1, 200, 100_000))),
    st.tuples(st.just("decided"), st.sampled_from(CODES)),
    st.tuples(st.just("not_sent"), st.booleans()),
    st.tuples(st.just("slot"), st.sampled_from((0, 1, 2))),
    st.tuples(st.just("ended"), st.sampled_from(("closed", "reduced", "nothing"))),
    st.tuples(st.just("failed"), st.none()),
    st.tuples(st.just("edit"), texts),
    st.tuples(st.just("delete"), st.none()),
    st.tuples(st.just("command"), st.sampled_from(COMMANDS)),
)


def arrival(text: str) -> Arrival:
    """Return a message just read."""
    profile = ChannelProfile(break_even_after=1)
    return Arrival("telegram:-1", "7", POSTED_MS, 0, read(text), profile)


def happening_of(signal: Signal, move: tuple[str, object], turn: int) -> Happening:  # noqa: PLR0911, C901 - one line each
    """Return what a move means for a signal as it stands."""
    name, value = move
    key = signal.outbox[0].key if signal.outbox else "unknown"
    match name:
        case "price":
            return PriceSeen(Decimal(str(value)))
        case "decided":
            is_accepted = value == "accepted"
            outcome = Outcome.ACCEPTED if is_accepted else Outcome.DENIED
            return Decided(key, outcome, str(value), "a sentence")
        case "not_sent":
            return NotSent(key, "withdrawn" if value else "too_old", "why", bool(value))
        case "slot":
            hit = int(str(value))
            held, exits = Decimal(1), Decimal(hit)
            keys = frozenset(signal.entry_keys)
            view = SlotView(keys, held=held, exit_quantity=exits, targets_hit=hit)
            return SlotSeen(view)
        case "ended":
            is_closed = value == "closed"
            return Ended(is_closed, has_reduced=value == "reduced", code="stop", sentence="why")
        case "failed":
            return Failed("it went wrong")
        case "edit":
            reading, profile = read(str(value)), ChannelProfile()
            plan = plan_of(reading, profile, TERMS, posted_ms=POSTED_MS, version=turn)
            return Change(ChangeKind.EDIT, "7", turn, reading, plan)
        case "delete":
            return Change(ChangeKind.DELETE, "7")
        case "command":
            return Change(ChangeKind.COMMAND, f"reply {turn}", 0, read(str(value)))
        case _:
            return TimePassed()


def check(before: SignalState | None, stepped: Stepped) -> None:
    """Follow the notes of a step through the table, and check what holds of every signal."""
    state = before
    for note in stepped.notes:
        assert note.state in leads_to(state, note.kind), (state, note)
        state = note.state
    signal = stepped.signal
    assert state is signal.state
    assert len(set(signal.keys)) == len(signal.keys)
    assert {wish.key for wish in signal.outbox} <= set(signal.keys)
    assert set(signal.entry_keys) <= set(signal.keys)
    if signal.state.is_final:
        assert not signal.outbox
        assert not signal.later
        assert not signal.plan or not signal.plan.legs_in(LegState.WAITING)
        is_plain = signal.state in {SignalState.CLOSED, SignalState.APPLIED}
        assert signal.code or is_plain


@settings(max_examples=400)
@given(text=texts, script=st.lists(moves, max_size=14))
def test_a_signal_goes_only_where_the_table_leads(
    text: str, script: list[tuple[str, object]]
) -> None:
    """The document promises what edits, deletions, replies, prices and fills do, in any order."""
    now_ms = POSTED_MS + 1_000
    stepped = begin(arrival(text), TERMS, now_ms)
    check(None, stepped)
    for turn, move in enumerate(script, start=1):
        now_ms += int(str(move[1])) * 1000 if move[0] == "later" else 0
        before = stepped.signal
        stepped = step(before, happening_of(before, move, turn), TERMS, now_ms)
        check(before.state, stepped)
        if before.state.is_final:
            assert stepped.signal.state is before.state
            assert not stepped.signal.outbox


@settings(max_examples=200)
@given(text=texts, script=st.lists(moves, max_size=14))
def test_what_is_told_twice_changes_nothing_the_second_time(
    text: str, script: list[tuple[str, object]]
) -> None:
    """After a crash answers come again, and the slot is looked at four times a second."""
    stepped = begin(arrival(text), TERMS, POSTED_MS)
    for turn, move in enumerate(script, start=1):
        signal = stepped.signal
        happening = happening_of(signal, move, turn)
        stepped = step(signal, happening, TERMS, POSTED_MS)
        if isinstance(happening, (Decided, NotSent, SlotSeen, Ended)):
            again = step(stepped.signal, happening, TERMS, POSTED_MS)
            assert replace(again.signal, version=0) == replace(stepped.signal, version=0)


@settings(max_examples=200)
@given(text=texts, script=st.lists(moves, max_size=14))
def test_each_leg_is_wished_for_once(text: str, script: list[tuple[str, object]]) -> None:
    """A leg that was accepted is never asked for again, under whatever key."""
    stepped = begin(arrival(text), TERMS, POSTED_MS)
    taken: list[int] = []
    for turn, move in enumerate(script, start=1):
        signal = stepped.signal
        happening = happening_of(signal, move, turn)
        stepped = step(signal, happening, TERMS, POSTED_MS)
        new = set(stepped.signal.entry_keys) - set(signal.entry_keys)
        taken += [wish.leg for wish in signal.outbox if wish.key in new]
        on_its_way = [wish for wish in stepped.signal.outbox if isinstance(wish.action, Enter)]
        assert len(on_its_way) <= 1
    assert len(taken) == len(set(taken))

"""When a script is a suspect, when it is put away, and what it costs to say nothing."""

import pytest
from tests.support.waves import wave

from milobot.errors import DataError
from milobot.scripting.pool_members import SLOW_S, Member, QuarantineRule, nothing_decided
from milobot.scripting.results import Code, Fault

RULE = QuarantineRule(strikes=3, window_s=100.0)


def _member() -> Member:
    return Member(1, "s", {})


def test_new_script_is_a_suspect_until_it_has_come_to_an_end() -> None:
    """Nobody knows yet whether it does."""
    member = _member()
    assert member.is_suspect

    member.note_success(0.001)

    assert not member.is_suspect


def test_slow_script_is_a_suspect_again() -> None:
    """One that takes a quarter of a second may take for ever at the next candle."""
    member = _member()
    member.note_success(0.001)
    member.note_success(SLOW_S * 2)
    assert member.is_suspect
    assert not member.has_struck

    for _ in range(50):
        member.note_success(0.001)

    assert not member.is_suspect


def test_third_strike_within_the_window_puts_away() -> None:
    """Once is an accident, and a script that fails once a day may go on."""
    member = _member()

    assert not member.note_strike(0.0, "a", RULE)
    assert not member.note_strike(99.0, "b", RULE)
    assert not member.note_strike(101.0, "c", RULE)  # the first has left the window
    assert member.note_strike(150.0, "d", RULE)
    assert member.quarantine == "it had to be stopped 3 times, the last time: d"
    assert member.is_suspect


def test_release_begins_anew_but_with_care() -> None:
    """The user has decided; the pool stays careful."""
    member = _member()
    for _ in range(3):
        member.note_strike(1.0, "a", RULE)
    member.release()

    assert member.quarantine == ""
    assert member.is_suspect
    assert not member.has_struck
    assert not member.note_strike(2.0, "b", RULE)


def test_candles_are_kept_in_order_and_travel_as_columns() -> None:
    """Time first, as eight bytes each: what the worker's side reads."""
    member = _member()

    assert member.append(wave(3)) == 0
    assert member.append(wave(5, 3)) == 3
    with pytest.raises(DataError, match="in order of time"):
        member.append(wave(5, 4))
    assert member.body(3, 5) == b"".join(
        getattr(wave(5, 3), name).tobytes()
        for name in ("time", "open", "high", "low", "close", "volume")
    )


def test_nothing_decided_is_one_failure_per_candle() -> None:
    """FAILED means donothing, and the reason is told once."""
    result = nothing_decided(5, 8, Fault(5, 0, 0, "why"))

    assert result.codes.tolist() == [Code.FAILED] * 3
    assert (result.start, result.errors[0].reason, result.prints) == (5, "why", ())
    assert nothing_decided(5, 5, None).errors == ()


def test_third_accident_in_a_row_is_the_last_that_is_forgiven() -> None:
    """Memory may run out by anybody's doing, but not at the same script every time."""
    member = _member()
    assert [member.note_accident() for _ in range(4)] == [True, True, True, False]

    member.note_success(0.001)

    assert member.note_accident()

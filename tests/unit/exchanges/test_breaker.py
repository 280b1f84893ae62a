"""The circuit breaker on a clock that is moved by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.virtual_time import VirtualTime

from milobot.errors import CircuitOpenError
from milobot.exchanges.breaker import BreakerPlan, CircuitBreaker
from milobot.exchanges.wire import Priority

PLAN = BreakerPlan(most_failures=3, pause_s=5, most_pause_s=20, probe_every_s=1)


def tripped(time: VirtualTime) -> CircuitBreaker:
    breaker = CircuitBreaker("X", time, PLAN)
    for _ in range(PLAN.most_failures):
        breaker.failed()
    return breaker


def is_admitted(breaker: CircuitBreaker, priority: Priority = Priority.QUERY) -> bool:
    try:
        breaker.admit(priority)
    except CircuitOpenError:
        return False
    return True


def test_it_opens_after_failures_in_a_row_only() -> None:
    """One success in between shows that the exchange is there."""
    breaker = CircuitBreaker("X", VirtualTime(), PLAN)
    for _ in range(10):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()

    assert not breaker.is_open


def test_while_open_only_exits_and_a_vital_question_pass() -> None:
    """A position that cannot be left does more harm than a request too many."""
    breaker = tripped(VirtualTime())

    passed = [priority for priority in Priority if is_admitted(breaker, priority)]

    assert passed == [Priority.EXIT, Priority.VITAL]


def test_vital_questions_probe_during_the_pause_once_a_second() -> None:
    """A minute's pause would be a minute without protection after the exchange is back."""
    time = VirtualTime()
    breaker = tripped(time)

    asked = []
    for _ in range(3):
        asked += [is_admitted(breaker, Priority.VITAL), is_admitted(breaker, Priority.VITAL)]
        breaker.failed()
        time.step(1000)

    assert asked == [True, False] * 3
    assert not is_admitted(breaker)


def test_after_the_pause_one_call_a_second_probes() -> None:
    """All of them at once would be the load that broke it."""
    time = VirtualTime()
    breaker = tripped(time)
    time.step(5000)

    assert [is_admitted(breaker), is_admitted(breaker)] == [True, False]
    time.step(1000)
    assert is_admitted(breaker)


def test_a_probe_that_fails_doubles_the_pause_up_to_its_most() -> None:
    """An exchange in maintenance is asked less and less."""
    time = VirtualTime()
    breaker = tripped(time)
    waits = []
    for _ in range(4):
        waited = 0
        while not is_admitted(breaker):
            time.step(1000)
            waited += 1
        waits.append(waited)
        breaker.failed()

    assert waits == [5, 10, 20, 20]


def test_a_probe_that_succeeds_closes_it() -> None:
    """And the next failure starts counting anew."""
    time = VirtualTime()
    breaker = tripped(time)
    time.step(5000)
    assert is_admitted(breaker)

    breaker.succeeded()
    breaker.failed()

    assert all(is_admitted(breaker, priority) for priority in Priority)


def test_that_it_closes_is_told_once() -> None:
    """Streams wait for it; a success among successes is no news."""
    told: list[str] = []
    time = VirtualTime()
    breaker = CircuitBreaker("X", time, PLAN, on_closed=lambda: told.append("closed"))
    breaker.failed()
    breaker.succeeded()
    assert told == []

    for _ in range(PLAN.most_failures):
        breaker.failed()
    breaker.succeeded()
    breaker.succeeded()

    assert told == ["closed"]


def test_the_refusal_says_how_long() -> None:
    """The user sees when it is tried again."""
    with pytest.raises(CircuitOpenError, match=r"X failed 3 times in a row.*5\.0 s"):
        tripped(VirtualTime()).admit(Priority.ORDER)


@given(st.lists(st.sampled_from(["ok", "fail", "wait"]), max_size=60))
def test_it_is_never_shut_for_ever(events: list[str]) -> None:
    """Whatever happened, after the longest pause a call may try."""
    time = VirtualTime()
    breaker = CircuitBreaker("X", time, PLAN)
    for event in events:
        if event == "wait":
            time.step(700)
        elif is_admitted(breaker):
            breaker.succeeded() if event == "ok" else breaker.failed()

    time.step(int(PLAN.most_pause_s * 1000))

    assert is_admitted(breaker)

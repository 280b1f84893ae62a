"""Two processes on one account: a few takeovers; ``make prove-takeover`` does fifty."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.crash.runs import shared_tools, tools_of
from tests.support.crash.senders import Takeover, judge_senders
from tests.support.crash.takeover import Outcome, drill


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Path, Path, str]]:
    """Give what the drills share."""
    with shared_tools(has_server=False) as found:
        yield found


async def test_whoever_stands_by_takes_over_and_never_two_send(
    shared: tuple[Path, Path, str],
) -> None:
    """A kill and a freeze, on each database: one sender at a time, trading within 5 s."""
    outcomes: list[Outcome] = []
    async with tools_of(*shared) as tools:
        outcomes.append(await drill(replace(tools, failures=None), "binance", "sqlite", 2, 3))

    for outcome in outcomes:
        assert outcome.wrong == []
        assert {t.is_freeze for t in outcome.takeovers} == {True, False}
        assert outcome.entries > 0


def _sent(key: str, time_ms: int, *, call: str = "place", executed: bool = True) -> dict[str, Any]:
    return {"key": key, "time_ms": time_ms, "call": call, "executed": executed}


TAKEN = [Takeover(is_freeze=True, possible_ms=2_000, traded_ms=3_000)]


def test_a_change_of_sender_by_a_takeover_is_right() -> None:
    """What a woken process sent too late and nobody executed, or what changes nothing, is none."""
    requests = [
        _sent("a", 1_000),
        _sent("b", 3_000),
        _sent("a", 3_500, executed=False),
        _sent("a", 3_600, call="listen_key"),
        _sent("b", 4_000),
    ]

    assert judge_senders(requests, TAKEN) == []


def test_two_senders_at_a_time_are_found() -> None:
    """The frozen one wakes and sends: the dearest mistake a pair can make."""
    requests = [_sent("a", 1_000), _sent("b", 3_000), _sent("a", 3_500), _sent("b", 4_000)]

    assert judge_senders(requests, TAKEN) == ["the sender changed 3 times in 1 takeovers"]


def test_a_sender_before_the_lease_ended_is_found() -> None:
    """It was lucky that the other one was dead: nobody could know."""
    requests = [_sent("a", 1_000), _sent("b", 1_900)]

    assert judge_senders(requests, TAKEN) == ["b sent before the lease of the other had ended"]


@pytest.mark.parametrize(
    ("traded_ms", "sentence"),
    [(0, "takeover 1: nothing was traded"), (7_001, "takeover 1: traded 5001 ms after")],
)
def test_a_takeover_that_does_not_come_or_comes_late_is_found(
    traded_ms: int, sentence: str
) -> None:
    """Standing by for ever is safe and useless."""
    late = [Takeover(is_freeze=False, possible_ms=2_000, traded_ms=traded_ms)]

    (found,) = judge_senders([_sent("a", 1_000), _sent("b", 7_001)], late)

    assert found.startswith(sentence)

"""What a worker still has to take in, as far as the queue can tell."""

from dataclasses import dataclass, field
from typing import cast

from milobot.scripting.loading import LoadOptions, load_request
from milobot.scripting.pool_members import Member
from milobot.scripting.pool_queue import Queue
from milobot.scripting.pool_seat import Seat


@dataclass
class Chair:
    """A seat as the queue sees it."""

    members: dict[Member, None] = field(default_factory=dict)
    loaded: dict[Member, int] = field(default_factory=dict)
    has_ended: bool = False
    is_careful: bool = False

    def hosts(self, member: Member) -> bool:
        """Return whether a script belongs here and is no suspect."""
        return member in self.members and not member.is_suspect


def _proven(number: int) -> Member:
    member = Member(number, f"s{number}", load_request("x = 1\n", LoadOptions(), 1.0))
    member.note_success(0.001)
    return member


def test_a_worker_is_behind_until_it_has_all_that_belong_to_it() -> None:
    """Hundreds of scripts are still being taken in when the last one counts as added."""
    first, second = _proven(1), _proven(2)
    chair = Chair({first: None, second: None}, {first: 1})
    seat = cast(Seat, chair)
    queue = Queue([seat])

    assert queue.is_behind(seat)
    chair.loaded[second] = 1
    assert not queue.is_behind(seat)


def test_nobody_waits_for_a_worker_that_is_gone() -> None:
    """It is replaced in its own time; a start must not hang on it."""
    seat = cast(Seat, Chair({_proven(1): None}, has_ended=True))

    assert not Queue([seat]).is_behind(seat)


def test_a_suspect_keeps_nobody_waiting() -> None:
    """It belongs to the careful worker alone until it has come to an end."""
    member = Member(1, "s1", load_request("x = 1\n", LoadOptions(), 1.0))
    seat = cast(Seat, Chair({member: None}))

    assert not Queue([seat]).is_behind(seat)

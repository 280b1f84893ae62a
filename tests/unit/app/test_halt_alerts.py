"""A halt is told when it begins and when it ends, and not every minute in between."""

from itertools import pairwise

from milobot.app.halt_alerts import halt_alerts
from milobot.domain.governor import Halt, HaltKind

LOSS = Halt(HaltKind.DAILY_LOSS, "5 % are lost", 1)
BY_HAND = Halt(HaltKind.MANUAL, "by cli:alice", 2)


def test_each_halt_is_told_once_at_both_ends() -> None:
    """Who is woken at night wants to know of the second halt as well, once."""
    looks = [(), (LOSS,), (LOSS,), (LOSS, BY_HAND), (BY_HAND,), ()]

    told = [
        (alert.sentence, alert.is_over)
        for before, after in pairwise(looks)
        for alert in halt_alerts(before, after, 9)
    ]

    assert told == [
        ("halted, nothing enters: 5 % are lost", False),
        ("halted, nothing enters: by cli:alice", False),
        ("no longer halted: 5 % are lost", True),
        ("no longer halted: by cli:alice", True),
    ]


def test_a_halt_on_record_is_told_at_the_start() -> None:
    """After a restart a silent bot that trades nothing would be a riddle."""
    (alert,) = halt_alerts((), (LOSS,), 9)

    assert (alert.kind.value, alert.is_over) == ("governor", False)

"""docs/talk.md is true: its commands, its kinds and its numbers are those of the code."""

import re
from pathlib import Path

from milobot.signals.talk.codes import MOST_TRIES, VALID_MS
from milobot.signals.talk.desk import FRESH_MS
from milobot.signals.talk.mailbox import PER_MINUTE
from milobot.signals.talk.notices import NoticeKind
from milobot.signals.talk.outbox import BETWEEN_MS, GATHER_MS, MOST_WAITING
from milobot.signals.talk.requests import USAGE

PAGE = (Path(__file__).parents[4] / "docs" / "talk.md").read_text(encoding="utf-8")


def test_every_command_is_documented_as_it_is_written() -> None:
    """With its arguments, and no other commands."""
    documented = re.findall(r"^\| `(/[^`]+)` \|", PAGE, re.MULTILINE)

    assert documented == [f"/{verb.value} {usage}".rstrip() for verb, usage in USAGE.items()]


def test_every_kind_is_documented_in_order() -> None:
    """The order says what is given up first."""
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [kind.value for kind in NoticeKind]


def test_numbers_are_those_of_the_code() -> None:
    """Changing one means changing the page."""
    assert (VALID_MS, FRESH_MS, MOST_TRIES) == (60_000, 60_000, 3)
    assert (GATHER_MS, BETWEEN_MS, MOST_WAITING, PER_MINUTE) == (2_000, 5_000, 300, 20)
    assert f"at most {MOST_WAITING} notices" in PAGE

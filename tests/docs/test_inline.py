"""What prose and tables tell people to type, typed beside a bot that trades on paper."""

import re
from pathlib import Path

import pytest
from tests.docs.elsewhere import ELSEWHERE
from tests.docs.inline import CHAIN, FIRST, NAMED, THEN, is_looked_at, typed_for
from tests.docs.pages import commands_of, inline_commands, page_files
from tests.docs.reader import Reader
from tests.docs.scenes import INLINE_FILES
from tests.support.process import ROOT

_SHOWN = {c for path in page_files() for c in commands_of(path.relative_to(ROOT).as_posix())}
REST = [command for command in inline_commands() if command not in _SHOWN]
"""Those that are not typed as part of a block, and stand in no table either."""


@pytest.mark.parametrize("command", [command for command in REST if is_looked_at(command)])
def test_what_takes_minutes_exists(command: str) -> None:
    """A target or program that was renamed is missed by nobody else."""
    look = is_looked_at(command)
    assert look is not None
    assert look(ROOT)


@pytest.mark.timeout(400)  # as in test_commands.py
def test_commands_in_prose_work_beside_a_bot(exchange: str, tmp_path: Path) -> None:
    """They are what somebody types who is in trouble and reads fast."""
    with Reader(tmp_path, exchange) as reader:
        for prepare in INLINE_FILES:
            prepare(tmp_path)
        reader.type(FIRST)
        assert reader.type(THEN).code == 0
        for command in REST:
            if is_looked_at(command) or command == FIRST:
                continue
            typed = typed_for(command, _chain(reader) if CHAIN in command else "")
            ended = reader.type(typed)
            assert ended.code == 0, f"{typed}\n{ended.out[-2000:]}\n{ended.err}"


def test_only_what_is_in_prose_is_named() -> None:
    """A name that stays behind would excuse a command that is typed by nobody."""
    assert set(REST) >= NAMED
    assert not NAMED & set(ELSEWHERE)


def _chain(reader: Reader) -> str:
    found = re.search(r"\d+:[0-9a-f]{64}", reader.type("milobot audit verify").out)
    assert found is not None
    return found[0]

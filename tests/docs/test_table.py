"""The table of what is not typed here: true, complete, and not a line longer than needed."""

import pytest
from tests.docs.elsewhere import ELSEWHERE, FROM_ZERO
from tests.docs.pages import commands_of, page_files
from tests.docs.scenes import SCENES
from tests.support.process import ROOT

PAGES = {path.relative_to(ROOT).as_posix(): path for path in page_files()}
DOCUMENTED = {command for page in PAGES for command in commands_of(page)}


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_a_command_needs_is_there(command: str) -> None:
    """As much as can be known without an engine, a cluster, a registry or Telegram."""
    ELSEWHERE[command].check(command)


def test_the_table_holds_what_is_documented_and_no_more() -> None:
    """A line that stays behind would hide the next command that is never tried."""
    assert set(ELSEWHERE) - DOCUMENTED == set()
    assert set(FROM_ZERO) - set(ELSEWHERE) == set()


def test_every_page_with_commands_of_its_own_has_a_scene() -> None:
    """Whoever adds commands to a page says what they suppose to be there."""
    typed = {page for page in PAGES if set(commands_of(page)) - set(ELSEWHERE)}

    assert typed == set(SCENES)

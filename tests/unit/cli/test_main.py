"""The overview, the version, wrong commands, and what may be imported to answer them."""

import subprocess
import sys

import pytest
from tests.support.process import ROOT, child_environment

from milobot.cli.main import SUB_COMMANDS, main


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_overview_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The overview is how users find out what there is."""
    assert main(words) == 0

    shown = capsys.readouterr().out
    for name, entry in SUB_COMMANDS.items():
        assert name in shown
        assert entry.summary in shown


@pytest.mark.parametrize("words", [["--version"], ["version"]])
def test_version_is_that_of_the_package(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Bug reports name it."""
    assert main(words) == 0
    assert capsys.readouterr().out == "milobot 0.1.0\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["backtset"], "Did you mean 'backtest'?"),
        (["--verbose"], "No such option: --verbose"),
        (["version", "--loud"], "(see 'milobot version --help')"),
        (["indicators", "--data"], "--data"),
    ],
)
def test_wrong_words_are_one_sentence_with_the_way_on(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped flag must not cost the user a page of usage text."""
    assert main(words) == 2

    said = capsys.readouterr()
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


@pytest.mark.parametrize("name", list(SUB_COMMANDS))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A sub-command that cannot even be imported would be found out by a user."""
    assert main([name, "--help"]) == 0
    assert f"Usage: milobot {name}" in capsys.readouterr().out


def test_overview_imports_nothing_heavy() -> None:
    """Importing numpy or the web server would make every --help wait for them."""
    program = (
        "import sys; from milobot.cli.main import main; main(['--help']); "
        "print(sorted({'numpy', 'talib', 'starlette', 'pydantic', 'sqlite3'} & set(sys.modules)))"
    )

    done = subprocess.run(  # noqa: S603 - the test's own words
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.splitlines()[-1] == "[]"

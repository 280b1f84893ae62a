"""The progress line: only for those who watch, and only when it takes a while."""

import io
import time
from contextlib import redirect_stderr

import pytest

from milobot.cli.progress import stages


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Return a terminal to put in place of stderr, whatever this one is."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    return Terminal()


def test_nothing_is_written_into_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    """A cron mail full of progress bars helps nobody."""
    with stages() as advance:
        time.sleep(0.45)
        advance("Trading", 0.5)

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_short_work_shows_nothing(terminal: Terminal) -> None:
    """A line that flashes up and goes is only unrest."""
    with redirect_stderr(terminal), stages() as advance:
        advance("Reading", 0.0)
        advance("Trading", 1.0)

    assert terminal.getvalue() == ""


def test_long_work_names_its_stage(terminal: Terminal) -> None:
    """A minute of silence looks like a hang."""
    with redirect_stderr(terminal), stages() as advance:
        time.sleep(0.45)
        advance("Evaluating", 0.5)

    assert "Evaluating" in terminal.getvalue()


def test_line_is_gone_after_a_failure(terminal: Terminal) -> None:
    """The sentence that follows must stand on a line of its own, the cursor visible again."""

    def fail() -> None:
        with redirect_stderr(terminal), stages() as advance:
            time.sleep(0.45)
            advance("Trading", 0.5)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()

    assert terminal.getvalue().endswith("\x1b[2K")
    assert "\x1b[?25h" in terminal.getvalue()

"""What users read when a command fails, and what scripts around milobot see as exit code."""

import re
from pathlib import Path

import pytest
import typer

from milobot.cli.failures import run_reporting
from milobot.errors import ActionFormatError, DataError, OrderDeniedError
from milobot.storage.api_key import ApiKey


def failing(error: BaseException) -> int:
    """Run a command that ends in ``error``."""

    def run() -> None:
        raise error

    return run_reporting(run)


def test_expected_error_is_one_sentence_and_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    """A trader with a wrong file needs the reason, not a traceback."""
    code = failing(DataError("candles.csv line 7: high below low"))

    assert code == 2
    assert capsys.readouterr().err == "milobot: candles.csv line 7: high below low\n"


def test_caret_lines_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """A caret that has moved points at the wrong place."""
    error = ActionFormatError("unknown option", text="long(1%risk,xx=2)", position=12)

    failing(error)

    lines = capsys.readouterr().err.splitlines()
    assert lines == ["milobot: unknown option", "  long(1%risk,xx=2)", " " * 14 + "^"]


def test_errors_of_parallel_tasks_show_their_first(capsys: pytest.CaptureFixture[str]) -> None:
    """A task group wraps errors; the user still gets the sentence."""
    inner = OrderDeniedError("below_min_quantity", "the quantity is too small")

    code = failing(ExceptionGroup("tasks", [ExceptionGroup("inner", [inner])]))

    assert code == 2
    assert capsys.readouterr().err == "milobot: the quantity is too small\n"


def test_interrupt_ends_quietly_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C is how a demo ends; it is no failure worth a word."""
    assert failing(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == ""


def test_exit_code_of_a_command_is_kept() -> None:
    """A command may choose its own code."""
    assert failing(typer.Exit(3)) == 3
    assert run_reporting(lambda: 4) == 4
    assert run_reporting(lambda: None) == 0


@pytest.mark.parametrize(
    "error", [KeyError("slot"), ExceptionGroup("tasks", [DataError("no"), KeyError("slot")])]
)
def test_fault_of_ours_names_a_report_that_holds_the_traceback(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never swallowed, never a screenful: the details go to a file that can be sent in."""
    code = failing(error)

    said = capsys.readouterr().err
    named = re.search(r"with the file (\S+)$", said.strip())
    assert code == 1
    assert named is not None
    report = Path(named[1])
    text = report.read_text(encoding="utf-8")
    report.unlink()
    assert "Traceback" not in said
    assert "Traceback" in text
    assert "KeyError: 'slot'" in text


def test_crash_report_holds_no_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Reports are sent to strangers; an error may quote what it was given."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    key = ApiKey("key-in-a-report-0123", "secret-in-a-report-4567")

    failing(KeyError(f"{key.secret} of {key.key}"))

    (report,) = tmp_path.iterdir()
    for text in (capsys.readouterr().err, report.read_text()):
        assert "KeyError" in text
        assert "in-a-report" not in text


def test_debug_switch_prints_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Developers want the traceback at once, also of an expected error."""
    monkeypatch.setenv("MILOBOT_DEBUG", "1")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    failing(DataError("wrong file"))
    failing(KeyError("slot"))

    said = capsys.readouterr().err
    assert said.count("Traceback") == 2
    assert "milobot: wrong file" in said


def test_report_that_cannot_be_written_points_to_the_switch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a full or read-only disk the fault is still reported."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))

    code = failing(KeyError("slot"))

    assert code == 1
    assert "MILOBOT_DEBUG=1" in capsys.readouterr().err

"""Ends that are no failure: a reader that goes away, and a crash that is reported."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.process import child_environment, run_milobot


def test_reader_that_goes_away_is_no_complaint(tmp_path: Path) -> None:
    """``milobot --help | head -1`` must not end in a traceback."""
    program = [sys.executable, "-m", "milobot", "--help"]
    with subprocess.Popen(  # noqa: S603 - our own program
        program,
        cwd=tmp_path,
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        code = process.wait(timeout=60)

    assert said == b""
    assert code == 1


SCRIPT = """\
timeframe = "1h"
coin = "BTCUSDT"
action_if_true = "long(1%risk,sl=2%)"
condition_true = len(data) % 50 == 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a script and five days of a made-up market."""
    folder = tmp_path_factory.mktemp("ends")
    (folder / "some.script").write_text(SCRIPT)
    made = run_milobot("data", "generate", "market.csv", "--days", "5", cwd=folder)
    assert made.code == 0, made.err
    return folder


BACKTEST = "backtest some.script --data market.csv"
NO_ROOM = "milobot: the output finds no room, the disk is full: make room"
DEMO = "demo --script some.script --data market.csv --speed 0 --exit --port 0"


@pytest.mark.parametrize(
    ("command", "streams", "code", "said"),
    [
        (BACKTEST, "| true", 1, ""),
        (DEMO, "| true", 1, ""),
        (BACKTEST, "> /dev/full", 1, NO_ROOM),
        (BACKTEST, ">&-", 0, ""),
        (BACKTEST, "<&-", 0, ""),
        (BACKTEST, "<&- >&-", 0, ""),
        (DEMO, "<&- >&-", 0, ""),
        (BACKTEST, "2>&-", 0, ""),
    ],
)
def test_streams_that_are_gone_are_no_crash(
    command: str, streams: str, code: int, said: str, folder: Path
) -> None:
    """Started by cron, a supervisor or into a pipe, a program finds its streams in any state."""
    shell = f'set -o pipefail; "$0" -m milobot {command} {streams}'
    ended = subprocess.run(  # noqa: S603 - our own program
        ["/bin/bash", "-c", shell, sys.executable],
        cwd=folder,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stderr.partition(", then")[0].strip()) == (code, said)
    assert "fault of milobot" not in ended.stdout

"""Ends that are no failure: a reader that goes away, and a crash that is reported."""

import subprocess
import sys
from pathlib import Path

from tests.support.process import child_environment


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

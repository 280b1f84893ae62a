"""Runs the real command line as a child process, as a user does."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_LIMIT_S = 60
# What a child needs to find its programs; a developer's own settings must not decide a test.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_START")


class Ended(NamedTuple):
    """How a process ended and what it said."""

    code: int
    out: str
    err: str


def child_environment(**more: str) -> dict[str, str]:
    """Return an environment without anything that would change what milobot does."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, "COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1", **more}


def run_milobot(
    *words: str | Path, cwd: Path, stdin: str | None = None, **environment: str
) -> Ended:
    """Run ``milobot WORDS`` in a folder, with a text or nothing on stdin; wait for its end."""
    return _run([sys.executable, "-m", "milobot", *map(str, words)], cwd, environment, stdin)


def run_classic(*words: str | Path, cwd: Path, **environment: str) -> Ended:
    """Run ``python3 main.py WORDS`` in a folder and wait for its end."""
    return _run([sys.executable, str(ROOT / "main.py"), *map(str, words)], cwd, environment)


def _run(
    words: list[str], cwd: Path, environment: dict[str, str], stdin: str | None = None
) -> Ended:
    done = subprocess.run(  # noqa: S603 - our own program and the test's own words
        words,
        cwd=cwd,
        env=child_environment(**environment),
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)

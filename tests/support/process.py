"""Runs the real command line as a child process, as a user does."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from tests.support.warm import HasHandle, WarmProcess, WarmStarts, can_be_warm

ROOT = Path(__file__).resolve().parents[2]
Started = WarmProcess | subprocess.Popen[bytes]
_LIMIT_S = 60
_CLASSIC = str(ROOT / "main.py")
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


STARTS = WarmStarts(ROOT, child_environment())


def run_milobot(
    *words: str | Path, cwd: Path, stdin: str | None = None, **environment: str
) -> Ended:
    """Run ``milobot WORDS`` in a folder, with a text or nothing on stdin; wait for its end."""
    return _run_program(["milobot", *map(str, words)], cwd, environment, stdin)


def run_milobot_fresh(
    *words: str | Path, cwd: Path, stdin: str | None = None, **environment: str
) -> Ended:
    """Run ``milobot WORDS`` in an interpreter of its own, which imports what it needs."""
    return _run_fresh(["milobot", *map(str, words)], cwd, environment, stdin)


def run_classic(*words: str | Path, cwd: Path, **environment: str) -> Ended:
    """Run ``python3 main.py WORDS`` in a folder and wait for its end."""
    return _run_program([_CLASSIC, *map(str, words)], cwd, environment)


def run_classic_fresh(*words: str | Path, cwd: Path, **environment: str) -> Ended:
    """Run ``python3 main.py WORDS`` in an interpreter of its own."""
    return _run_fresh([_CLASSIC, *map(str, words)], cwd, environment)


def run_alembic(url: str, *words: str, **environment: str) -> Ended:
    """Run ``alembic WORDS`` on a database, at the root of the repository, as a user does."""
    return _run_program(["alembic", *words], ROOT, {"DATABASE_URL": url, **environment})


def start_milobot(
    *words: str | Path, cwd: Path, stdout: HasHandle, stderr: HasHandle, **environment: str
) -> Started:
    """Start ``milobot WORDS`` in a folder, and do not wait; what it says comes unbuffered."""
    more = {"PYTHONUNBUFFERED": "1", **environment}
    command = ["milobot", *map(str, words)]
    with Path(os.devnull).open("rb") as nothing:
        if can_be_warm(more):
            streams = nothing, stdout, stderr
            return STARTS.start(command, cwd, child_environment(**more), streams)
        return subprocess.Popen(  # noqa: S603 - our own program and the test's own words
            _fresh(command),
            cwd=cwd,
            env=child_environment(**more),
            stdin=nothing,
            stdout=stdout.fileno(),
            stderr=stderr.fileno(),
        )


def _run_program(
    words: list[str], cwd: Path, environment: dict[str, str], stdin: str | None = None
) -> Ended:
    if not can_be_warm(environment):
        return _run_fresh(words, cwd, environment, stdin)
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write((stdin or "").encode())
        given.seek(0)
        process = STARTS.start(words, cwd, child_environment(**environment), (given, out, err))
        try:
            code = process.wait(_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Ended(code, *(_text(said) for said in (out, err)))


def _text(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode()


def _run_fresh(
    words: list[str], cwd: Path, environment: dict[str, str], stdin: str | None = None
) -> Ended:
    done = subprocess.run(  # noqa: S603 - our own program and the test's own words
        _fresh(words),
        cwd=cwd,
        env=child_environment(**environment),
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def _fresh(words: list[str]) -> list[str]:
    """Return what starts a program, named by its file or its module, in a fresh interpreter."""
    return [sys.executable, *words] if words[0] == _CLASSIC else [sys.executable, "-m", *words]

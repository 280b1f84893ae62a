"""A terminal at which a command asks for what must not stand on a command line."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.process import Ended

_LIMIT_S = 60


def type_at_terminal(
    command: str, answers: Mapping[str, str], *, cwd: Path, environment: Mapping[str, str]
) -> Ended:
    """Run a command in a shell at a terminal of its own, answering what it asks for.

    ``answers`` are found by a part of the question; each question must be among them.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - what the manual says, in a folder of the test
        ["setsid", "--ctty", "--wait", "bash", "-c", command],  # noqa: S607 - as above
        cwd=cwd,
        env=dict(environment),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        said = _talk(ours, answers)
        return Ended(process.wait(_LIMIT_S), said, "")
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _talk(terminal: int, answers: Mapping[str, str]) -> str:
    said, answered = "", 0
    end = time.monotonic() + _LIMIT_S
    while select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0]:
        try:
            read = os.read(terminal, 4096)
        except OSError:  # the last process has closed its side
            return said
        said += read.decode()
        asked = said[answered:]
        if asked.endswith(": "):
            question = asked.splitlines()[-1]
            answer = next(answers[part] for part in answers if part in question)
            os.write(terminal, f"{answer}\n".encode())
            answered = len(said)
    raise AssertionError(f"no end within {_LIMIT_S} s: {said}")

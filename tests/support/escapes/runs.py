"""Three ways to run a payload: with nothing in its way, with the lock alone, as a script."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.escapes.corpus import ENVIRONMENT_TOKEN, HERE, NAME
from tests.support.locked_python import LockedPython
from tests.support.waves import HEAD

ROOT = Path(__file__).resolve().parents[3]


class Unlocked:
    """A process without language and lock; it shows that payloads work."""

    def __enter__(self) -> Self:
        """Start it."""
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, str(HERE / "control_main.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={NAME: ENVIRONMENT_TOKEN, "PATH": os.defpath, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        return self

    def run(self, code: str) -> str:
        """Return what a payload got hold of."""
        if self._process.stdin is None or self._process.stdout is None:
            raise TypeError("the pipes were asked for")
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        return str(json.loads(self._process.stdout.readline()))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self._process.communicate(timeout=10)


class Unfenced(LockedPython):
    """A locked worker with the allow-list switched off."""

    def __init__(self) -> None:
        """Start nothing yet."""
        super().__init__()
        self._program = (str(HERE / "unfenced_main.py"),)


def as_script(code: str) -> str:
    """Return a payload as a script that prints its loot."""
    return f"{HEAD}{code}\nprint(loot)\ncondition_true = False\n"


def bomb_as_script(code: str) -> str:
    """Return a bomb as a script that goes off at its 201st candle, and not when it is added."""
    body = "".join(f"    {line}\n" for line in code.splitlines())
    return f"{HEAD}condition_true = False\nif len(data) == 201:\n{body}"

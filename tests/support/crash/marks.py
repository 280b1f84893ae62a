"""What a process wrote down about itself before it died: one JSON object a line."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from milobot.ports import Clock

STARTED, LED, SHOWN, ASKED, DECIDED = "started", "led", "shown", "asked", "decided"
FED, SETTLED, ALERT, CRASHED = "fed", "settled", "alert", "crashed"
STARVED, CALLED = "starved", "called"


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that happened in a process.

    Attributes:
        time_ms: By the exchange's clock.
        life: Which process of the run it was, from 1.
        about: Symbol, key of an intent, or whatever the mark is about.
        said: More words.
    """

    time_ms: int
    life: int
    kind: str
    about: str = ""
    said: str = ""


class MarkWriter:
    """Appends marks; what is written survives the process, if not the machine."""

    def __init__(self, path: Path, life: int, *, ahead_ms: int = 0) -> None:
        """Open the file; ``ahead_ms`` is how far the exchange's clock is ahead of the machine's."""
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._life, self._ahead_ms = life, ahead_ms
        self.clock: Clock | None = None

    def now_ms(self) -> int:
        """Return the time by the exchange's own clock, not by what its client takes it for."""
        return time.time_ns() // 1_000_000 + self._ahead_ms

    def __call__(self, kind: str, about: str = "", said: str = "") -> None:
        """Write a mark down, in one piece."""
        line = json.dumps([self.now_ms(), self._life, kind, about, said])
        os.write(self._file, f"{line}\n".encode())


class MarkReader:
    """Reads marks while they are written, each once."""

    def __init__(self, path: Path) -> None:
        """Begin at the beginning of a file that need not be there yet."""
        self._path = path
        self._read = 0
        self._found: list[Mark] = []

    def all(self) -> list[Mark]:
        """Return the marks so far."""
        if self._path.exists() and self._path.stat().st_size > self._read:
            with self._path.open("rb") as file:
                file.seek(self._read)
                fresh = file.read()
            whole = fresh[: fresh.rfind(b"\n") + 1]  # the last may be half written
            self._read += len(whole)
            self._found += [Mark(*json.loads(line)) for line in whole.splitlines()]
        return self._found


def read_marks(path: Path) -> list[Mark]:
    """Return the marks of all processes of a run; none when there is no file."""
    return MarkReader(path).all()

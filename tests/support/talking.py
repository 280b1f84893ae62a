"""A command line that runs beside a test, which reads what it says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TextIO

from tests.support.process import Started, start_milobot


class Talking:
    """A running ``milobot``; the methods are those of ``subprocess.Popen``.

    Attributes:
        stdout: What it prints, as it prints it.
    """

    def __init__(self, process: Started, stdout: TextIO, stderr: IO[bytes]) -> None:
        """Keep the process, a pipe from it, and the file of its complaints."""
        self._process, self._stderr = process, stderr
        self.stdout = stdout
        self.pid = process.pid
        self.poll, self.wait = process.poll, process.wait
        self.send_signal, self.kill = process.send_signal, process.kill

    @property
    def returncode(self) -> int | None:
        """Return its exit code once it is known."""
        return self._process.returncode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait for its end; return the rest of what it printed, and all its complaints."""
        out = self.stdout.read()
        self.wait(timeout)
        self._stderr.seek(0)
        return out, self._stderr.read().decode()


@contextmanager
def talking(*words: str | Path, cwd: Path, **environment: str) -> Iterator[Talking]:
    """Run ``milobot WORDS`` in a folder until the body ends; nothing of it stays behind."""
    reads, writes = os.pipe()
    with os.fdopen(reads, encoding="utf-8") as stdout, TemporaryFile() as stderr:
        with os.fdopen(writes, "wb") as out:
            process = start_milobot(*words, cwd=cwd, stdout=out, stderr=stderr, **environment)
        try:
            yield Talking(process, stdout, stderr)
        finally:
            process.kill()
            process.wait(20)

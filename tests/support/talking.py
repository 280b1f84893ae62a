"""A command line that runs beside a test, which reads what it says."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TextIO

from tests.support.process import Started, start_milobot
from tests.support.warm import SHOWS_STACKS


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
        """Wait for its end; return the rest of what it printed, and all its complaints.

        Raises:
            AssertionError: It did not end in time; says where it hangs.
        """
        with ThreadPoolExecutor(1) as reader:
            out = reader.submit(self.stdout.read)
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                raise AssertionError(self._where_it_hangs()) from None
        return out.result(), self._complaints()

    def _where_it_hangs(self) -> str:
        self.send_signal(SHOWS_STACKS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(2)
        self.kill()
        return f"it did not end; where its threads were:\n{self._complaints()}"

    def _complaints(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read().decode()


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

"""Command lines forked from a process that has milobot imported: real processes, without the wait.

A fresh interpreter spends its first half second on imports. What a command does, says and leaves
behind does not depend on that; the tests about starting start it cold.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

SHOWS_STACKS = signal.SIGUSR2
"""Makes a warm process write where each of its threads is to its standard error."""
# Decided when an interpreter starts: a fork comes too late for them.
_READ_AT_START = ("LANG", "LC_", "COVERAGE_", "PYTHONHASHSEED", "PYTHONPATH", "PYTHONWARNINGS")


class HasHandle(Protocol):
    """Anything open."""

    def fileno(self) -> int:
        """Return its number."""
        ...


class WarmProcess:
    """A forked process; the methods are those of ``subprocess.Popen``.

    Attributes:
        pid: Its process id.
        returncode: None while it runs; what ended it otherwise, negative for a signal.
    """

    def __init__(self, words: Sequence[str], told: int) -> None:
        """Wait until it is there; ``told`` is the pipe that its server writes to."""
        self._words = words
        self._told: int | None = told
        self._line = b""
        self.returncode: int | None = None
        self.pid = self._next_number(None)

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return its exit code.

        Raises:
            subprocess.TimeoutExpired: It still runs after so many seconds.
        """
        if self.returncode is None:
            self.returncode = self._next_number(timeout)
            self.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing happens when it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Hear nothing of it any more."""
        if self._told is not None:
            os.close(self._told)
            self._told = None

    def _next_number(self, timeout: float | None) -> int:
        if self._told is None:
            raise RuntimeError("nothing is heard of this process any more")
        while b"\n" not in self._line:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(list(self._words), timeout or 0)
            if not (read := os.read(self._told, 100)):
                raise RuntimeError("the server of warm processes has ended")
            self._line += read
        number, self._line = self._line.split(b"\n", 1)
        return int(number)


class WarmStarts:
    """The server of warm processes; it starts with the first of them."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        """Prepare; nothing runs yet.

        Args:
            root: The folder that holds ``tests``.
            environment: Of the server itself.
        """
        self._root, self._environment = root, environment
        self._turn = threading.Lock()
        self._channel: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def start(
        self,
        words: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        streams: tuple[HasHandle, HasHandle, HasHandle],
    ) -> WarmProcess:
        """Return a new process; its first word is ``milobot`` or the path of a program."""
        told, tells = os.pipe()
        request = {
            "program": words[0],
            "words": list(words[1:]),
            "folder": str(cwd.absolute()),
            "environment": dict(environment),
        }
        handles = [stream.fileno() for stream in streams]
        with self._turn:
            socket.send_fds(self._open(), [json.dumps(request).encode()], [*handles, tells])
        os.close(tells)
        return WarmProcess(words, told)

    def end(self) -> None:
        """End the server, and with it what it has forked."""
        if self._channel is not None and self._server is not None:
            self._channel.close()
            self._server.wait(timeout=20)
            self._channel = self._server = None

    def _open(self) -> socket.socket:
        if self._channel is None:
            self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._server = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, "-m", "tests.support.warm_server", str(theirs.fileno())],
                    cwd=self._root,
                    env=dict(self._environment),
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        return self._channel


def can_be_warm(more: Mapping[str, str]) -> bool:
    """Return whether a process may be forked that gets these variables beside the usual ones."""
    names = {*more, *(name for name in os.environ if name.startswith("COVERAGE_"))}
    is_cold = os.environ.get("COLD_STARTS") or not hasattr(os, "pidfd_open")
    return not is_cold and not any(name.startswith(_READ_AT_START) for name in names)

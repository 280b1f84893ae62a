"""Starts and ends the worker process: by exec, with nothing of ours in it."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from time import monotonic

from milobot.errors import DataError, ScriptError
from milobot.scripting.channel import Channel, ChannelClosedError, ChannelTimeoutError
from milobot.scripting.lock_levels import LockReport, read_report

WORKER_PROGRAM = ("-m", "milobot.scripting.worker")
_END_S = 5.0


class WorkerProcess:
    """A running worker and the channel to it.

    The worker is bound to the thread that starts it: the kernel ends it with
    that thread.

    Attributes:
        channel: Where frames go and come from.
        report: What the worker said about its lock.
    """

    def __init__(self, start_s: float, program: Sequence[str] = WORKER_PROGRAM) -> None:
        """Start a worker and wait until it is ready.

        Args:
            start_s: Seconds it may take to start.
            program: What Python is to run.

        Raises:
            ScriptError: It did not become ready.
        """
        self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-I", *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            bufsize=0,
            close_fds=True,
            start_new_session=True,  # a Ctrl-C in the terminal is not meant for it
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise TypeError("the pipes were asked for")
        self.channel = Channel(self._process.stdout.fileno(), self._process.stdin.fileno())
        self.report = self._receive_report(monotonic() + start_s)

    def _receive_report(self, deadline: float) -> LockReport:
        try:
            header, _ = self.channel.receive(deadline)
            return read_report(header)
        except (ChannelTimeoutError, ChannelClosedError, DataError):
            self.end()
            raise ScriptError(
                f"the worker process for scripts did not start ({self.exit_text()}): is milobot "
                "installed in this Python, with TA-Lib?"
            ) from None

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def ask_for_place(self) -> None:
        """Make the worker break off its script and answer with the line it was at."""
        self._process.send_signal(signal.SIGUSR1)

    def kill(self) -> None:
        """Kill the worker without waiting; :meth:`end` is still needed."""
        self._process.kill()

    def end(self) -> None:
        """Kill the worker and wait until it is gone; does nothing the second time."""
        self._process.kill()
        self._process.wait(_END_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    @property
    def tried_to_escape(self) -> bool:
        """Whether the kernel ended it for a call that no calculation makes."""
        return self._process.returncode == -signal.SIGSYS

    @property
    def was_killed(self) -> bool:
        """Whether it was ended from outside, by us or by the kernel when memory ran out."""
        return self._process.returncode == -signal.SIGKILL

    def exit_text(self) -> str:
        """Return how the process ended, in words."""
        code = self._process.returncode
        if code is None:
            return "still running"
        if code >= 0:
            return f"exit code {code}"
        return f"ended by {signal.Signals(-code).name}"

"""A process that has imported everything and forks a bot whenever it is asked for one.

    python -m tests.support.crash.nursery

It reads specs from stdin, one a line, and answers each with the process id of the bot.
When its stdin ends, so do the bots.
"""

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import sys
import traceback
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.crash.bot import live
from tests.support.crash.marks import CRASHED, MarkWriter
from tests.support.crash.spec import BotSpec, parse_spec

_LIBC = ctypes.CDLL(None)  # before any fork: a child must not load anything
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Serve until stdin ends."""
    signal.signal(signal.SIGCHLD, _reap)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _be_bot(line)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    return 0


def _reap(_number: int, _frame: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _be_bot(line: str) -> None:
    """Live as a bot and never return."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        spec = parse_spec(line)
        said = os.open(f"{spec.marks}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (said, 1), (said, 2)):
            os.dup2(source, target)
        asyncio.run(live(spec))
        code = 0
    except BaseException as error:  # noqa: BLE001 - a child must not go on as its parent
        traceback.print_exc()
        _note_end(line, error)
    finally:
        sys.stderr.flush()
        os._exit(code)


def _note_end(line: str, error: BaseException) -> None:
    spec = parse_spec(line)
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    mark = MarkWriter(Path(spec.marks), spec.life, ahead_ms=spec.ahead_ms)
    mark(CRASHED, said=f"{type(error).__name__}: {error}"[:300])


class Bot:
    """A bot process.

    Attributes:
        pid: Its process id.
    """

    def __init__(self, pid: int) -> None:
        """Watch a process."""
        self.pid = pid
        self._gone = asyncio.Event()
        try:
            self._handle: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle = None
            self._gone.set()
        else:
            asyncio.get_running_loop().add_reader(self._handle, self._ended)

    @property
    def is_gone(self) -> bool:
        """Return whether it has ended."""
        return self._gone.is_set()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens when it has ended."""
        if self._handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    async def gone(self, within_s: float) -> bool:
        """Wait for its end; return whether it came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._gone.wait()
        return self.is_gone

    async def kill(self) -> None:
        """End it at once."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGKILL)
        await self._gone.wait()

    def _ended(self) -> None:
        if self._handle is not None:
            asyncio.get_running_loop().remove_reader(self._handle)
            os.close(self._handle)
            self._handle = None
        self._gone.set()


class Nursery:
    """The process, while the ``async with`` block lasts."""

    def __init__(self) -> None:
        """Prepare; the block starts it."""
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Start it."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.crash.nursery",
            stdin=PIPE,
            stdout=PIPE,
            cwd=Path(__file__).parents[3],
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, and every bot with it."""
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            await process.wait()

    async def bear(self, spec: BotSpec) -> Bot:
        """Return a new bot process."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("the nursery is closed")
        async with self._turn:
            process.stdin.write(f"{spec.to_json()}\n".encode())
            await process.stdin.drain()
            return Bot(int(await process.stdout.readline()))


if __name__ == "__main__":
    sys.exit(main())

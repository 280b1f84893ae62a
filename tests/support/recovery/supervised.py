"""``milobot run`` as a container runs it: whenever it ends, it is started again at once."""

import asyncio
import ctypes
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.crash.judge import Life
from tests.support.crash.nursery import Bot
from tests.support.process import child_environment

_LIBC = ctypes.CDLL(None)  # before any fork
_PR_SET_PDEATHSIG = 1
# As Docker does it the first time. Whoever was killed is started without any wait.
_AGAIN_S, _ENDS_WITHIN_S, _LOOK_S = 0.1, 20.0, 60.0


class Supervised:
    """The process at work.

    Attributes:
        lives: Times in which a process ran: born, thawed, frozen, died; the last lasts still.
        thaws: When it went on after a freeze, and how many milliseconds that had lasted.
        codes: Exit codes of those that ended by themselves.
        log: What all of them said.
    """

    def __init__(
        self, folder: Path, words: tuple[str, ...], environment: Mapping[str, str],
        now_ms: Callable[[], int],
    ) -> None:  # fmt: skip
        """Prepare; ``supervised`` starts it."""
        self._folder, self._words, self._now_ms = folder, words, now_ms
        self._environment = child_environment(PYTHONUNBUFFERED="1", **environment)
        self.log = folder / "bot.log"
        self.lives: list[Life] = []
        self.thaws: list[tuple[int, int]] = []
        self.codes: list[int] = []
        self._born_ms = 0
        self._bot: Bot | None = None
        self._is_ending = False
        self._is_killed = False

    @property
    def pid(self) -> int:
        """Return the process id; 0 while nothing runs."""
        return self._bot.pid if self._bot is not None and not self._bot.is_gone else 0

    def kill(self) -> None:
        """End it as a crash does."""
        self._is_killed = True
        self._send(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it stand still."""
        self._send(signal.SIGSTOP)
        self._end_life()

    def thaw(self) -> None:
        """Let it go on."""
        self._born_ms = self._now_ms()
        self.thaws.append((self._born_ms, self._born_ms - self.lives[-1].died_ms))
        self._send(signal.SIGCONT)

    async def keep(self) -> None:
        """Start it, and again whenever it ends, until it is asked to end."""
        while not self._is_ending:
            self._is_killed = False
            self._born_ms = self._now_ms()
            process = self._start()
            self._bot = Bot(process.pid)
            try:
                while not await self._bot.gone(_LOOK_S):
                    pass
            finally:
                process.kill()
                code = process.wait()
                self._end_life()
            if not self._is_killed:
                self.codes.append(code)
                await asyncio.sleep(_AGAIN_S)

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "milobot", "run", *self._words],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - calls nothing that may lock
            )

    async def end(self) -> bool:
        """Ask it to end; return whether it did in time."""
        self._is_ending = True
        self._send(signal.SIGTERM)
        return self._bot is None or await self._bot.gone(_ENDS_WITHIN_S)

    def _send(self, number: signal.Signals) -> None:
        if self._bot is not None:
            self._bot.send(number)

    def _end_life(self) -> None:
        self.lives.append(Life(len(self.lives) + 1, self._born_ms, self._now_ms()))


@asynccontextmanager
async def supervised(
    folder: Path,
    words: tuple[str, ...],
    environment: Mapping[str, str],
    now_ms: Callable[[], int],
) -> AsyncIterator[Supervised]:
    """Give ``milobot run WORDS`` in a folder until the block ends."""
    bot = Supervised(folder, words, environment, now_ms)
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(bot.keep())
        try:
            yield bot
        finally:
            keeping.cancel()


def _end_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

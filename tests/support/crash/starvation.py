"""When a bot was ready to run and the machine had no time for it, as the kernel counts it.

On a busy machine a promise in seconds cannot be kept by anybody. What a program itself is slow
at, waits for or sleeps through does not count here, and neither does what its other threads wait
for: only the main thread's time in the kernel's queue of those that could run.
"""

import asyncio
from pathlib import Path

from tests.support.crash.marks import STARVED, MarkWriter

_EVERY_S, _NOTED_MS = 0.05, 5


class Starvation:
    """Notes how long the main thread of this process waited for a processor, and between when.

    A mark says that within the time from ``about`` to the mark's own it waited ``said`` ms.
    """

    def __init__(self, mark: MarkWriter) -> None:
        """Begin to count."""
        self._mark = mark
        self._since_ms, self._before_ns = mark.now_ms(), waited_ns()

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            self.look()

    def look(self) -> None:
        """Note what was lost since the last look; a moment that matters is one to look at."""
        began_ms = self._mark.now_ms()
        now_ns = waited_ns()
        lost_ms = (now_ns - self._before_ns) // 1_000_000
        if lost_ms >= _NOTED_MS:
            self._mark(STARVED, str(self._since_ms), str(lost_ms))
        self._since_ms, self._before_ns = began_ms, now_ns


def waited_ns() -> int:
    """Return how long the main thread of this process has waited for a processor so far."""
    # Time on a processor, time waited for one, turns: of the main thread alone.
    return int(Path("/proc/self/schedstat").read_bytes().split()[1])

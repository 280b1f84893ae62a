"""When a process was ready to run and the machine had no time for it, as the kernel counts it.

On a busy machine a promise in seconds cannot be kept by anybody; what a program itself is slow
at does not count here, as it runs meanwhile.
"""

import asyncio
from pathlib import Path

from tests.support.crash.marks import STARVED, MarkWriter

_EVERY_S, _NOTED_MS = 0.05, 15


async def watch_starvation(mark: MarkWriter) -> None:
    """Note until cancelled how long this process waited for a processor."""
    loop = asyncio.get_running_loop()
    before, began = waited_ms(), loop.time()
    while True:
        await asyncio.sleep(_EVERY_S)
        now, ended = waited_ms(), loop.time()
        lost_ms = min(now - before, (ended - began) * 1000)
        if lost_ms > _NOTED_MS:
            mark(STARVED, said=str(round(lost_ms)))
        before, began = now, ended


def waited_ms() -> float:
    """Return how long the threads of this process have waited for a processor so far."""
    waited = 0
    for task in Path("/proc/self/task").glob("*/schedstat"):
        try:
            waited += int(task.read_text().split()[1])  # nanoseconds in the queue
        except (OSError, IndexError):
            continue  # the thread has just ended
    return waited / 1_000_000

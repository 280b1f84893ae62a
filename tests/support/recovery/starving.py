"""How long the supervised bot's main thread waited for a processor, as the kernel counts it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.crash.marks import STARVED, Mark
from tests.support.crash.spans import surely_within
from tests.support.recovery.supervised import Supervised

_EVERY_S, _NOTED_MS = 0.05, 5


@asynccontextmanager
async def watching_processor(
    bot: Supervised, now_ms: Callable[[], int]
) -> AsyncIterator[list[Mark]]:
    """Give the marks of lost time, which grow while the block lasts.

    A mark's life is 0: whose it is follows from its time.
    """
    marks: list[Mark] = []
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(_watch(bot, now_ms, marks))
        try:
            yield marks
        finally:
            watching.cancel()


async def _watch(bot: Supervised, now_ms: Callable[[], int], marks: list[Mark]) -> None:
    pid, since_ms, before_ns = 0, 0, 0
    while True:
        await asyncio.sleep(_EVERY_S)
        began_ms, waited_ns = now_ms(), _waited_ns(bot.pid)
        if bot.pid != pid:
            pid, before_ns = bot.pid, 0  # all that it waited for was since the last look
        lost_ms = (waited_ns - before_ns) // 1_000_000
        if since_ms and lost_ms >= _NOTED_MS:
            marks.append(Mark(now_ms(), 0, STARVED, str(since_ms), str(lost_ms)))
        since_ms, before_ns = began_ms, waited_ns


def lost_between(marks: Iterable[Mark], first_ms: int, last_ms: int) -> int:
    """Return how many milliseconds were lost between two moments, as far as that is certain."""
    losses = [((int(m.about), m.time_ms), int(m.said)) for m in marks]
    return surely_within([(first_ms, last_ms)], losses)


def _waited_ns(pid: int) -> int:
    """Return how long its main thread has waited so far; 0 of a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0

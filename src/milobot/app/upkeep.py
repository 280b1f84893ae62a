"""What is done now and then beside trading, each task with its last run on record."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from milobot.domain.timeframes import DAY_MS
from milobot.errors import MilobotError
from milobot.exchanges.times import Sleep
from milobot.ports import Clock
from milobot.storage.account_records import save_cursor
from milobot.storage.ledger import Ledger
from milobot.telemetry import get_logger

_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do again and again.

    Attributes:
        act: Does it; what it returns is shown as its last result.
        every_s: Seconds between two starts.
        is_daily: Whether it is also due as soon as a UTC day begins.
        said: What came of it just now, when it was done before the rest began; None when it
            is due at once.
    """

    name: str
    act: Callable[[], Awaitable[str]]
    every_s: float
    is_daily: bool = False
    said: str | None = None


@dataclass(slots=True)
class Upkeep:
    """Runs tasks beside each other; one that fails is tried again in its next turn."""

    account: str
    ledger: Ledger
    clock: Clock
    sleep: Sleep

    async def run(self, tasks: Sequence[Task]) -> None:
        """Keep at it until cancelled."""
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(self._keep(task))

    async def _keep(self, task: Task) -> None:
        said = task.said
        while True:
            started_ms = self.clock.now_ms()
            await self.note(task.name, said if said is not None else await self._done(task))
            said = None
            due_ms = started_ms + round(task.every_s * 1000)
            if task.is_daily:
                due_ms = min(due_ms, _next_day(started_ms))
            while self.clock.now_ms() < due_ms:
                await self.sleep(min(_LOOK_S, task.every_s))

    async def _done(self, task: Task) -> str:
        try:
            return await task.act()
        except MilobotError as error:
            get_logger().warning("task_failed", task=task.name, reason=str(error))
            return f"failed: {error}"

    async def note(self, task: str, said: str) -> None:
        """Put on record that a task has run, and what came of it."""
        name, now_ms = task_cursor(self.account, task), self.clock.now_ms()
        try:
            await self.ledger.write(lambda c: save_cursor(c, name, said, now_ms=now_ms))
        except MilobotError as error:
            get_logger().warning("task_not_noted", task=task, reason=str(error))


def task_cursor(account: str, task: str) -> str:
    """Return the name under which a task's last run is on record."""
    return f"task {account} {task}"


async def note_comparisons(upkeep: Upkeep, rounds: Callable[[], int]) -> None:
    """Note each comparison with the exchange under the task ``reconciliation``, until cancelled.

    Args:
        upkeep: Of the account.
        rounds: Tells how often it was compared so far.
    """
    noted = 0
    while True:
        count = rounds()
        if count != noted:
            noted = count
            await upkeep.note("reconciliation", f"{count} comparisons since the start")
        await upkeep.sleep(_LOOK_S)


def _next_day(time_ms: int) -> int:
    return time_ms - time_ms % DAY_MS + DAY_MS

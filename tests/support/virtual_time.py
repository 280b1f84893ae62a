"""Time that passes only when everybody waits for it: days of waiting in milliseconds."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

_SETTLING_TURNS = 12


class VirtualTime:
    """A clock and its sleep; ``run_until`` moves it from one waker to the next."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        """Stand still at ``now_ms``."""
        self._now_ms = now_ms
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    def now_ms(self) -> int:
        """Return the time, UTC milliseconds."""
        return self._now_ms

    def step(self, ms: int) -> None:
        """Move the time without waking anybody; for code that only looks at the clock."""
        self._now_ms += ms

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something when the time has come."""
        due_ms = self._now_ms + max(round(seconds * 1000), 0)
        heapq.heappush(self._due, (due_ms, next(self._order), action))

    async def sleep(self, seconds: float) -> None:
        """Wait until the time has come."""
        woken = asyncio.get_running_loop().create_future()
        self.call_later(seconds, lambda: None if woken.done() else woken.set_result(None))
        await woken

    async def run_for(self, seconds: float) -> None:
        """Let time pass, waking each sleeper when it is due."""
        end_ms = self._now_ms + round(seconds * 1000)
        await self._settle()
        while self._due and self._due[0][0] <= end_ms:
            due_ms, _, action = heapq.heappop(self._due)
            self._now_ms = max(self._now_ms, due_ms)
            action()
            await self._settle()
        self._now_ms = max(self._now_ms, end_ms)

    async def _settle(self) -> None:
        for _ in range(_SETTLING_TURNS):
            await asyncio.sleep(0)

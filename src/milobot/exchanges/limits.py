"""Rate limits: what may leave now, who goes first, and when everything must stop.

A budget is a sum over a sliding window; that never exceeds what an exchange counts in
fixed windows, wherever those begin. Each priority may use a share of it: exits and vital
questions all, so a fifth is always theirs (at both exchanges they draw on budgets of their
own within it); entries, cancels and queries four fifths; downloads half. Waiting
calls count against those behind them, so whoever is more urgent goes first, and calls
that use different budgets do not hold each other up. What the exchange says it has
counted overrides our own count when it is higher: others may share the address.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from milobot.domain.times import format_time
from milobot.errors import RateLimitedError
from milobot.exchanges.budget import Budget
from milobot.exchanges.times import Sleep, real_sleep
from milobot.exchanges.wire import Call, Priority
from milobot.ports import Clock
from milobot.telemetry import get_logger

_PATIENCE_S = {
    Priority.EXIT: 1.0,
    Priority.VITAL: 20.0,
    Priority.ORDER: 1.0,
    Priority.QUERY: 20.0,
    Priority.DOWNLOAD: 600.0,
}


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that an exchange allows of one thing within any ``window_ms``.

    Attributes:
        kept: What entries, cancels and queries leave to exits and vital questions; None for a
            fifth, and for nothing of fewer than five.
    """

    name: str
    most: int
    window_ms: int
    kept: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an exchange says it has counted in its current window."""

    name: str
    used: int


@dataclass(frozen=True, slots=True)
class DownloadPace:
    """How downloads are spread: how many at a time, and how far apart they start."""

    parallel: int = 5
    apart_s: float = 0.2


class PriorityLimiter:
    """Holds calls back until they may leave."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        limits: tuple[Limit, ...],
        *,
        pace: DownloadPace | None = None,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Start with everything unused.

        Args:
            name: The exchange, for messages.
            clock: Our own time.
            limits: What the exchange is known to allow, until it says otherwise.
            pace: How downloads are spread; None for the defaults.
            sleep: Waits some seconds.
        """
        self._name = name
        self._clock = clock
        self._sleep = sleep
        self._pace = pace or DownloadPace()
        self._budgets = {limit.name: _budget(limit) for limit in limits}
        self._waiting: dict[int, Call] = {}
        self._tickets = 0
        self._paused_until_ms = 0
        self._pause_reason = ""
        self._downloads = asyncio.Semaphore(self._pace.parallel)
        self._next_download_ms = 0

    def set_limit(self, limit: Limit) -> None:
        """Take over a limit as the exchange states it; what is used stays used."""
        budget = self._budgets.setdefault(limit.name, _budget(limit))
        budget.most, budget.window_ms, budget.kept = limit.most, limit.window_ms, limit.kept

    def learn(self, usage: Usage) -> None:
        """Take over what the exchange has counted in its present window."""
        budget = self._budgets.get(usage.name)
        if budget is not None:
            budget.learn(self._clock.now_ms(), usage.used)

    def standing(self) -> dict[str, tuple[int, int]]:
        """Return by name how much of each budget is used in its window, and the most."""
        now_ms = self._clock.now_ms()
        for budget in self._budgets.values():
            budget.expire(now_ms)
        return {name: (budget.used, budget.most) for name, budget in self._budgets.items()}

    def pause(self, seconds: float, reason: str) -> None:
        """Stop all traffic for some seconds and say so in the log."""
        until_ms = self._clock.now_ms() + math.ceil(seconds * 1000)
        if until_ms <= self._paused_until_ms:
            return
        self._paused_until_ms = until_ms
        self._pause_reason = reason
        get_logger().warning(
            "exchange_traffic_paused",
            exchange=self._name,
            reason=reason,
            seconds=seconds,
            until=f"{format_time(until_ms)} UTC",
        )

    @asynccontextmanager
    async def turn(self, call: Call, *, patience_s: float | None = None) -> AsyncIterator[None]:
        """Wait until a call may leave; a download keeps its place until the block ends.

        Args:
            call: The call.
            patience_s: The longest wait; None for what suits its priority.

        Raises:
            RateLimitedError: It would take longer. Nothing was sent.
        """
        if call.priority is not Priority.DOWNLOAD:
            await self.wait(call, patience_s=patience_s)
            yield
            return
        async with self._downloads:
            await self._wait_for_pace()
            await self.wait(call, patience_s=patience_s)
            yield

    async def wait(self, call: Call, *, patience_s: float | None = None) -> None:
        """Wait until the budgets let a call leave; what it costs is spent when this returns.

        Args:
            call: The call.
            patience_s: The longest wait; None for what suits its priority: a second for
                orders, so that an order never leaves long after it was decided.

        Raises:
            RateLimitedError: It would take longer. Nothing was sent.
        """
        now_ms = self._clock.now_ms()
        if self._is_free_for(call, now_ms):
            self._spend(call, now_ms)
            return
        patience_ms = (_PATIENCE_S[call.priority] if patience_s is None else patience_s) * 1000
        gives_up_ms = now_ms + patience_ms
        self._tickets += 1
        ticket = self._tickets
        self._waiting[ticket] = call
        try:
            while (wait_ms := self._wait_ms(ticket, call)) > 0:
                if self._clock.now_ms() + wait_ms > gives_up_ms:
                    raise self._too_long(wait_ms)
                await self._sleep(wait_ms / 1000)
            self._spend(call, self._clock.now_ms())
        finally:
            del self._waiting[ticket]

    def has_room(self, call: Call) -> bool:
        """Return whether a call would leave at once, behind those that wait for the same."""
        return self._wait_ms(self._tickets + 1, call) <= 0

    def _is_free_for(self, call: Call, now_ms: int) -> bool:
        """Return whether a call may plainly leave at once; a no says nothing.

        Nearly every order does: it is not kept waiting for the sums over what has expired.
        """
        if self._waiting or now_ms < self._paused_until_ms:
            return False
        for name, cost in call.costs:
            budget = self._budgets.get(name)
            if budget is not None and not budget.has_room(cost, call.priority):
                return False
        return True

    def _spend(self, call: Call, now_ms: int) -> None:
        for name, cost in call.costs:
            budget = self._budgets.get(name)
            if budget is not None:
                budget.spend(now_ms, cost, call.priority)

    async def _wait_for_pace(self) -> None:
        now_ms = self._clock.now_ms()
        starts_ms = max(self._next_download_ms, now_ms)
        self._next_download_ms = starts_ms + int(self._pace.apart_s * 1000)
        while (left_ms := starts_ms - self._clock.now_ms()) > 0:
            await self._sleep(left_ms / 1000)

    def _wait_ms(self, ticket: int, call: Call) -> int:
        now_ms = self._clock.now_ms()
        longest = max(self._paused_until_ms - now_ms, 0)
        for name, cost in call.costs:
            budget = self._budgets.get(name)
            if budget is not None:
                budget.expire(now_ms)
                ahead = self._ahead(ticket, call.priority, name)
                longest = max(longest, budget.wait_ms(now_ms, cost, ahead, call.priority))
        return longest

    def _ahead(self, ticket: int, priority: Priority, name: str) -> int:
        """Return what more urgent and earlier calls are waiting to spend of a budget."""
        return sum(
            cost
            for other, call in self._waiting.items()
            if (call.priority, other) < (priority, ticket)
            for budget, cost in call.costs
            if budget == name
        )

    def _too_long(self, wait_ms: int) -> RateLimitedError:
        is_paused = self._paused_until_ms > self._clock.now_ms()
        why = self._pause_reason if is_paused else "our share of the rate budget is used up"
        return RateLimitedError(
            f"{self._name}: {why}; nothing was sent, the next try is possible in"
            f" {wait_ms / 1000:.1f} s",
            retry_after_s=wait_ms / 1000,
        )


def _budget(limit: Limit) -> Budget:
    return Budget(limit.most, limit.window_ms, limit.kept)

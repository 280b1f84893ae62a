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
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from milobot.domain.times import format_time
from milobot.errors import RateLimitedError
from milobot.exchanges.times import Sleep, real_sleep
from milobot.exchanges.wire import Call, Priority
from milobot.ports import Clock
from milobot.telemetry import get_logger

_SHARES = {
    Priority.EXIT: 1.0,
    Priority.VITAL: 1.0,
    Priority.ORDER: 0.8,
    Priority.QUERY: 0.8,
    Priority.DOWNLOAD: 0.5,
}
_PATIENCE_S = {
    Priority.EXIT: 1.0,
    Priority.VITAL: 20.0,
    Priority.ORDER: 1.0,
    Priority.QUERY: 20.0,
    Priority.DOWNLOAD: 600.0,
}
_RESERVED_FOR = frozenset({Priority.EXIT, Priority.VITAL})
_LEAST_WAIT_MS = 1
# Two requests that left so far apart may still have arrived in one window of the exchange:
# what it counts beyond ours is then our own, and no sign of somebody else.
_ON_THE_WAY_MS = 500


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that an exchange allows of one thing within any ``window_ms``."""

    name: str
    most: int
    window_ms: int


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


class _Spent(NamedTuple):
    """What left at a moment; ``plain`` is the part of it that keeps to a share."""

    at_ms: int
    cost: int
    plain: int


@dataclass(slots=True)
class _Budget:
    limit: Limit
    spent: deque[_Spent] = field(default_factory=deque)
    used: int = 0
    plain: int = 0
    late: deque[_Spent] = field(default_factory=deque)

    def expire(self, now_ms: int) -> None:
        ended_ms = now_ms - self.limit.window_ms
        while self.spent and self.spent[0].at_ms <= ended_ms:
            gone = self.spent.popleft()
            self.late.append(gone)
            self.used -= gone.cost
            self.plain -= gone.plain
        while self.late and self.late[0].at_ms <= ended_ms - _ON_THE_WAY_MS:
            self.late.popleft()

    def learn(self, now_ms: int, used: int) -> None:
        self.expire(now_ms)
        foreign = used - self.used - sum(gone.cost for gone in self.late)
        if foreign > 0:
            self.spend(now_ms, foreign, Priority.ORDER)

    def spend(self, now_ms: int, cost: int, priority: Priority) -> None:
        plain = 0 if priority in _RESERVED_FOR else cost
        self.spent.append(_Spent(now_ms, cost, plain))
        self.used += cost
        self.plain += plain

    def has_room(self, cost: int, priority: Priority) -> bool:
        """Return whether ``cost`` fits even if nothing of what was spent had expired yet."""
        most = self.limit.most
        return self.used + cost <= most and (
            priority in _RESERVED_FOR or self.plain + cost <= math.floor(most * _SHARES[priority])
        )

    def wait_ms(self, now_ms: int, cost: int, ahead: int, priority: Priority) -> int:
        """Return when ``cost`` fits behind what is ``ahead``; 0 is now.

        What keeps to a share has to fit twice: into that, which exits and vital questions do
        not use up, and into the whole.
        """
        excess = self.used + ahead + cost - max(self.limit.most, cost)
        longest = self._freed_ms(now_ms, excess, plain=False) if excess > 0 else 0
        if priority not in _RESERVED_FOR:
            share = max(math.floor(self.limit.most * _SHARES[priority]), cost)
            excess = self.plain + ahead + cost - share
            if excess > 0:
                longest = max(longest, self._freed_ms(now_ms, excess, plain=True))
        return longest

    def _freed_ms(self, now_ms: int, excess: int, *, plain: bool) -> int:
        for one in self.spent:
            excess -= one.plain if plain else one.cost
            if excess <= 0:
                return max(one.at_ms + self.limit.window_ms - now_ms, _LEAST_WAIT_MS)
        return max(self.limit.window_ms // 10, _LEAST_WAIT_MS)  # whoever is ahead has yet to leave


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
        self._budgets = {limit.name: _Budget(limit) for limit in limits}
        self._waiting: dict[int, Call] = {}
        self._tickets = 0
        self._paused_until_ms = 0
        self._pause_reason = ""
        self._downloads = asyncio.Semaphore(self._pace.parallel)
        self._next_download_ms = 0

    def set_limit(self, limit: Limit) -> None:
        """Take over a limit as the exchange states it; what is used stays used."""
        budget = self._budgets.setdefault(limit.name, _Budget(limit))
        budget.limit = limit

    def learn(self, usage: Usage) -> None:
        """Take over what the exchange has counted, when it is more than our own count."""
        budget = self._budgets.get(usage.name)
        if budget is not None:
            budget.learn(self._clock.now_ms(), usage.used)

    def standing(self) -> dict[str, tuple[int, int]]:
        """Return by name how much of each budget is used in its window, and the most."""
        now_ms = self._clock.now_ms()
        for budget in self._budgets.values():
            budget.expire(now_ms)
        return {name: (budget.used, budget.limit.most) for name, budget in self._budgets.items()}

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

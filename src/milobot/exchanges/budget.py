"""One budget of requests: what we have spent of it in a sliding window, and what others have.

An exchange counts in fixed windows and tells how far it has come in its present one. What it
has counted beyond ours is somebody else's, until that window is over: as soon as it tells far
less than before, a new one has begun, and what others spent in the last one does not matter.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from milobot.exchanges.wire import Priority

SHARES = {
    Priority.EXIT: 1.0,
    Priority.VITAL: 1.0,
    Priority.ORDER: 0.8,
    Priority.QUERY: 0.8,
    Priority.DOWNLOAD: 0.5,
}
_RESERVED_FOR = frozenset({Priority.EXIT, Priority.VITAL})
_LEAST_WAIT_MS = 1
_LEAST_SHARED = 5
# Two requests that left so far apart may still have arrived in one window of the exchange:
# what it counts beyond ours is then our own, and no sign of somebody else.
_ON_THE_WAY_MS = 500


class _Spent(NamedTuple):
    """What left at a moment; ``plain`` is the part of it that keeps to a share."""

    at_ms: int
    cost: int
    plain: int
    is_foreign: bool = False


@dataclass(slots=True)
class Budget:
    """What is used of ``most`` within ``window_ms``.

    Attributes:
        kept: What orders and queries leave to exits and vital questions; None for a fifth.
        used: By us and others.
        plain: Of that, what keeps to a share.
    """

    most: int
    window_ms: int
    kept: int | None = None
    used: int = 0
    plain: int = 0
    _spent: deque[_Spent] = field(default_factory=deque)
    _late: deque[_Spent] = field(default_factory=deque)
    _told: int = 0
    _told_ms: int = 0
    _begun_ms: int = 0
    _before: int = 0

    def expire(self, now_ms: int) -> None:
        """Forget what has left the window."""
        ended_ms = now_ms - self.window_ms
        while self._spent and self._spent[0].at_ms <= ended_ms:
            gone = self._spent.popleft()
            self._late.append(gone)
            self._take_off(gone)
        while self._late and self._late[0].at_ms <= ended_ms - _ON_THE_WAY_MS:
            self._late.popleft()

    def learn(self, now_ms: int, told: int) -> None:
        """Take over what the exchange has counted in its present window."""
        self.expire(now_ms)
        if told < self._told // 2:
            self._begin_anew()
        self._told, self._told_ms = told, now_ms
        late = sum(gone.cost for gone in self._late if gone.at_ms >= self._begun_ms)
        foreign = told - (self.used - self._before) - late
        if foreign > 0:
            self._add(_Spent(now_ms, foreign, foreign, is_foreign=True))

    def spend(self, now_ms: int, cost: int, priority: Priority) -> None:
        """Count what leaves now."""
        self._add(_Spent(now_ms, cost, 0 if priority in _RESERVED_FOR else cost))

    def has_room(self, cost: int, priority: Priority) -> bool:
        """Return whether ``cost`` fits even if nothing of what was spent had expired yet."""
        return self.used + cost <= self.most and (
            priority in _RESERVED_FOR or self.plain + cost <= self._share(priority)
        )

    def wait_ms(self, now_ms: int, cost: int, ahead: int, priority: Priority) -> int:
        """Return when ``cost`` fits behind what is ``ahead``; 0 is now.

        What keeps to a share has to fit twice: into that, which exits and vital questions do
        not use up, and into the whole.
        """
        excess = self.used + ahead + cost - max(self.most, cost)
        longest = self._freed_ms(now_ms, excess, plain=False) if excess > 0 else 0
        if priority not in _RESERVED_FOR:
            share = max(self._share(priority), cost)
            excess = self.plain + ahead + cost - share
            if excess > 0:
                longest = max(longest, self._freed_ms(now_ms, excess, plain=True))
        return longest

    def _share(self, priority: Priority) -> int:
        """Return what calls may use that keep to a share; a fifth of fewer than five is none."""
        if priority is Priority.DOWNLOAD:
            return math.floor(self.most * SHARES[priority])
        if self.kept is not None:
            return self.most - self.kept
        return math.floor(self.most * SHARES[priority]) if self.most >= _LEAST_SHARED else self.most

    def _freed_ms(self, now_ms: int, excess: int, *, plain: bool) -> int:
        for one in self._spent:
            excess -= one.plain if plain else one.cost
            if excess <= 0:
                return max(one.at_ms + self.window_ms - now_ms, _LEAST_WAIT_MS)
        return max(self.window_ms // 10, _LEAST_WAIT_MS)  # whoever is ahead has yet to leave

    def _begin_anew(self) -> None:
        """Forget what others spent in the window that is over; ours of it counts no more there."""
        for gone in [one for one in self._spent if one.is_foreign]:
            self._spent.remove(gone)
            self.used -= gone.cost
            self.plain -= gone.plain
        # The new window began after the last answer that told of the old one.
        self._begun_ms = self._told_ms - _ON_THE_WAY_MS
        self._before = sum(one.cost for one in self._spent if one.at_ms < self._begun_ms)

    def _add(self, one: _Spent) -> None:
        self._spent.append(one)
        self.used += one.cost
        self.plain += one.plain

    def _take_off(self, gone: _Spent) -> None:
        self.used -= gone.cost
        self.plain -= gone.plain
        if gone.at_ms < self._begun_ms:
            self._before -= gone.cost

"""Plays recorded candles again, at a chosen speed."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from milobot.domain.market import CandleSeries
from milobot.errors import ConfigurationError

_SHORTEST_TURN_S = 0.02
"""Faster than this nobody can watch; a faster replay hands out several candles a turn."""


class ReplayFeed:
    """A recorded series as a feed of closed candles (port MarketFeed)."""

    def __init__(
        self,
        candles: CandleSeries,
        *,
        speed: float,
        chunk: int = 500,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the replay; nothing runs before ``candles`` is iterated.

        Args:
            candles: What to play.
            speed: Candles a second; 0 plays as fast as they are taken.
            chunk: Most candles in one turn.
            sleep: Waits for so many seconds; with speed 0 it is called with 0 between turns,
                so that others get theirs.
            now: Seconds of a clock that never goes back. Turns keep to a plan from the start,
                so that slow work between them does not add up.

        Raises:
            ConfigurationError: The speed is negative or infinite, or ``chunk`` is below 1.
        """
        if not 0 <= speed < math.inf or chunk < 1:
            raise ConfigurationError(
                f"a replay needs a speed of 0 or more candles a second, not {speed:g}"
            )
        self._candles = candles
        self._sleep = sleep
        self._now = now
        self._chunk = chunk
        self._interval_s = 0.0
        if speed:
            self._chunk = max(1, min(chunk, round(speed * _SHORTEST_TURN_S)))
            self._interval_s = self._chunk / speed

    async def candles(self) -> AsyncIterator[CandleSeries]:
        """Yield the candles in order, each once; ends after the last."""
        start = self._now()
        for turn, first in enumerate(range(0, len(self._candles), self._chunk)):
            if turn:
                due = start + turn * self._interval_s
                await self._sleep(max(0.0, due - self._now()))
            yield self._candles.part(first, first + self._chunk)

"""Looking orders up that events named, each once at a time, until its fills are listed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from milobot.domain.orders import OrderPurpose, OrderUpdate
from milobot.errors import ExchangeError
from milobot.exchanges.bingx.events import FollowOrder
from milobot.exchanges.order_news import sum_of
from milobot.exchanges.times import Sleep
from milobot.exchanges.user_feed import UserFeed
from milobot.ports import Clock
from milobot.telemetry import get_logger

Look = Callable[[FollowOrder], Awaitable[OrderUpdate | None]]

# Those who wait while listings have no room share one answer, so more at a time cost nothing; fewer
# let the executions of a busy second wait for each other until somebody doubts them.
_WORKERS = 16
_TRIES = 8
_APART_S = 0.25


class OrderFollower:
    """Looks orders up and tells what is found."""

    def __init__(self, look: Look, tell: Callable[[OrderUpdate], None], sleep: Sleep) -> None:
        """Follow nothing yet.

        Args:
            look: Returns news of an order that was named; may raise ``ExchangeError``.
            tell: Takes the news.
            sleep: Waits some seconds.
        """
        self._look = look
        self._tell = tell
        self._sleep = sleep
        self._promised: dict[str, FollowOrder] = {}
        self._waiting: asyncio.Queue[str] = asyncio.Queue()

    def follow(self, named: FollowOrder) -> None:
        """Look an order up; one that is being looked up already is looked up for longer."""
        known = self._promised.get(named.exchange_order_id)
        if known is None:
            self._promised[named.exchange_order_id] = named
            self._waiting.put_nowait(named.exchange_order_id)
            return
        is_later = (named.filled_quantity, named.is_over) >= (known.filled_quantity, known.is_over)
        later = named if is_later else known
        self._promised[named.exchange_order_id] = replace(
            later,
            is_over=known.is_over or named.is_over,
            is_forced=known.is_forced or named.is_forced,
        )

    async def run(self) -> None:
        """Look up until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_WORKERS):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            exchange_id = await self._waiting.get()
            try:
                await self._pursue(exchange_id)
            finally:
                self._promised.pop(exchange_id, None)

    async def _pursue(self, exchange_id: str) -> None:
        for attempt in range(_TRIES):
            if attempt:
                await self._sleep(_APART_S * 2 ** (attempt - 1))
            try:
                update = await self._look(self._promised[exchange_id])
            except ExchangeError as failed:
                get_logger().warning("executed_order_not_found", reason=str(failed))
                continue
            promise = self._promised[exchange_id]
            if update is None:
                continue
            if promise.is_forced:
                update = replace(update, purpose=OrderPurpose.LIQUIDATION)
            self._tell(update)
            if _is_kept(promise, update):
                return


class BingxUserFeed(UserFeed):
    """A user stream that looks up what its events only hint at."""

    def __init__(self, clock: Clock, sleep: Sleep, look: Look) -> None:
        """Hold no news yet; ``over`` says where they come from."""
        super().__init__(clock, sleep)
        self.follower = OrderFollower(look, self.put, sleep)

    async def run(self) -> None:
        """Keep the news coming until cancelled.

        Raises:
            AuthenticationError: The exchange refuses the key.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(super().run())
            group.create_task(self.follower.run())


def _is_kept(promise: FollowOrder, update: OrderUpdate) -> bool:
    is_filled = sum_of(update.fills) >= promise.filled_quantity
    return is_filled and (update.status.is_final or not promise.is_over)

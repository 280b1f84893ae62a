"""News of one account over a supervised stream, with what has to be asked for behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from milobot.domain.orders import OrderStatus, OrderUpdate
from milobot.domain.reports import AccountNews, NewsKind
from milobot.errors import ExchangeError
from milobot.exchanges.listen_keys import ListenKeyKeeper
from milobot.exchanges.streams import SupervisedStream
from milobot.exchanges.times import Sleep
from milobot.ports import Clock, News
from milobot.telemetry import get_logger

Question = Callable[[], Awaitable[OrderUpdate | None]]

_TRIES = 8
_APART_S = 0.25


class UserFeed:
    """A ``UserStream``: the channel of a dialect puts news in, the engine's loop takes them out."""

    def __init__(self, clock: Clock, sleep: Sleep) -> None:
        """Hold no news yet; ``over`` says where they come from."""
        self._clock = clock
        self._sleep = sleep
        self._news: asyncio.Queue[News] = asyncio.Queue()
        self._questions: asyncio.Queue[Question] = asyncio.Queue()
        self._stream: SupervisedStream | None = None
        self._keeper: ListenKeyKeeper | None = None

    def over(self, stream: SupervisedStream, keeper: ListenKeyKeeper) -> None:
        """Take the stream that brings the news, and who keeps its listen key."""
        self._stream = stream
        self._keeper = keeper

    async def news(self) -> AsyncIterator[News]:
        """Yield news as it comes."""
        while True:
            yield await self._news.get()

    async def run(self) -> None:
        """Keep the news coming until cancelled.

        Raises:
            AuthenticationError: The exchange refuses the key.
        """
        if self._stream is None or self._keeper is None:
            raise RuntimeError("over() says where news come from, before run()")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stream.run())
            group.create_task(self._keeper.run(self._stream))
            group.create_task(self._answer())

    def put(self, news: News) -> None:
        """Take news from the channel."""
        self._news.put_nowait(news)

    def opened(self, *, is_first: bool) -> None:
        """Say that news may have been missed, unless there was nothing to miss."""
        if not is_first:
            kind = NewsKind.RECONNECTED
            self.put(AccountNews(kind, self._clock.now_ms(), reason="the user stream was away"))

    def ask(self, question: Question) -> None:
        """Take a question whose answer is news; it is asked until there is an end to tell."""
        self._questions.put_nowait(question)

    async def renew(self, reason: str) -> None:
        """Connect anew, with a new listen key."""
        if self._stream is not None:
            await self._stream.reconnect(reason)

    async def _answer(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                question = await self._questions.get()
                group.create_task(self._ask(question))

    async def _ask(self, question: Question) -> None:
        """Ask until the order has ended; in between tell what is new of it."""
        told: OrderUpdate | None = None
        for attempt in range(_TRIES):
            if attempt:
                await self._sleep(_APART_S * 2**attempt)
            try:
                update = await question()
            except ExchangeError as failed:
                get_logger().warning("triggered_order_not_found", reason=str(failed))
                continue
            if update is not None and update != told:
                told = update
                self.put(update)
            if update is not None and _is_over(update):
                return


def _is_over(update: OrderUpdate) -> bool:
    return update.status.is_final and update.status is not OrderStatus.NOT_EXECUTED

"""One question at a time whose answer serves everybody who asked before it left."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from milobot.errors import ExchangeError
from milobot.exchanges.times import Sleep, real_sleep

T = TypeVar("T")
# Until a question leaves; after so many it is put among those that wait for their turn.
_WAIT_S = 0.01
_MOST_WAITS = 100


class SharedQuestion(Generic[T]):
    """Asks for all who wait; nobody gets an answer to a question older than his own."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[T]],
        has_room: Callable[[], bool] = lambda: True,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Ask nothing yet.

        Args:
            ask: Asks the exchange; may raise ``ExchangeError``.
            has_room: Whether a question would leave at once; until then more may join it.
            sleep: Waits some seconds.
        """
        self._ask = ask
        self._has_room = has_room
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._begun = 0
        self._answered = 0
        self._answer: tuple[T] | None = None
        self._failure: ExchangeError | None = None

    async def answer(self) -> T:
        """Return the answer to a question that was begun after this call.

        Raises:
            ExchangeError: It could not be asked; all who waited for it hear the same.
        """
        before = self._begun
        async with self._turn:
            if self._answered <= before:
                await self._renew()
            if self._failure is not None:
                raise self._failure
            if self._answer is None:  # pragma: no cover - what was renewed has one of the two
                raise RuntimeError("a question ended without an answer")
            return self._answer[0]

    async def _renew(self) -> None:
        for _ in range(_MOST_WAITS):
            if self._has_room():
                break
            await self._sleep(_WAIT_S)
        self._begun += 1
        number = self._begun
        self._failure = None
        try:
            self._answer = (await self._ask(),)
        except ExchangeError as failed:
            self._failure = failed
        self._answered = number

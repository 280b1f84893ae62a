"""Waiting for an exchange that does not answer yet: a run that starts before its network is up."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from milobot.app.exchanges import ExchangeClient
from milobot.errors import AuthenticationError, CircuitOpenError, ExchangeError
from milobot.exchanges.times import Sleep, real_sleep
from milobot.exchanges.urgency import vital

FIRST_S = 0.5
MOST_S = 3.0
"""Between two tries, at most: an exchange that is back is noticed before anybody looks."""
_ASKED_WITHIN_S = 3.0
_Answer = TypeVar("_Answer")


class Patience:
    """Asks again until there is an answer, and tells why it is waited for.

    Attributes:
        reason: Why the last try failed, as a sentence; empty once there was an answer.
    """

    def __init__(
        self, exchange: str, told: Callable[[str], None], *, sleep: Sleep = real_sleep
    ) -> None:
        """Wait for nothing yet.

        Args:
            exchange: Who is asked, for the sentence.
            told: Hears each new reason, and an empty text when the wait is over.
            sleep: Waits.
        """
        self._exchange, self._told, self._sleep = exchange, told, sleep
        self.reason = ""

    async def ask(self, question: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Return the answer to a question, asked until there is one.

        Raises:
            AuthenticationError: The key is refused: waiting does not help.
        """
        again_s = FIRST_S
        while True:
            try:
                answer = await question()
            except AuthenticationError:
                raise
            except CircuitOpenError as error:
                self._tell(self.reason or f"{self._exchange} does not answer ({error})")
            except ExchangeError as error:
                self._tell(f"{self._exchange} does not answer ({error})")
            else:
                self._tell("")
                return answer
            await self._sleep(again_s)
            again_s = min(again_s * 2, MOST_S)

    async def await_answer(self, client: ExchangeClient) -> None:
        """Return once an exchange has told its time, by which everything is stamped."""

        async def ask_time() -> int:
            with vital():  # a breaker that gives it a rest would keep us from noticing it is back
                return await client.market.fetch_server_time()

        await self.ask(ask_time)

    def _tell(self, reason: str) -> None:
        if reason != self.reason:
            self.reason = reason
            self._told(reason)


class FirstTries:
    """Lets no account of a run begin before each exchange was asked once.

    So a key that is refused ends the run before anything is traded; for an exchange that does
    not answer nobody waits longer than that.
    """

    def __init__(self, accounts: Iterable[str], *, within_s: float = _ASKED_WITHIN_S) -> None:
        """Take the accounts of a run, and how long one waits for the others at most."""
        self._left, self._within_s = set(accounts), within_s
        self._are_over = asyncio.Event()

    def note(self, account: str) -> None:
        """Note that an account's exchange was asked."""
        self._left.discard(account)
        if not self._left:
            self._are_over.set()

    async def pass_by(self, account: str) -> None:
        """Return once all were asked, or after some seconds."""
        self.note(account)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._within_s):
                await self._are_over.wait()

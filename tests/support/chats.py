"""A messenger that says what the test lets it say, and keeps what was sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from milobot.errors import ChatError
from milobot.ports import Clock
from milobot.signals.talk.errands import Errand, Plan
from milobot.signals.talk.ports import PersonSays
from milobot.signals.talk.requests import Request, Verb
from milobot.storage.commands import CommandKind

ADMIN, OTHER_ADMIN, STRANGER = 101, 102, 666


@dataclass
class FakeChat:
    """A chat whose messages a test writes, and whose failures it names.

    Attributes:
        clock: What sent messages are stamped with.
        sent: Who was sent what, and when.
        failures: What the next sendings raise, one after the other; None lets one pass.
        gone: People who cannot be reached at all.
        tried: How often anything was to be sent.
    """

    clock: Clock
    sent: list[tuple[int, str, int]] = field(default_factory=list)
    failures: list[ChatError | None] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    tried: int = 0
    _said: asyncio.Queue[PersonSays | None] = field(default_factory=asyncio.Queue)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, person: int, text: str) -> None:
        """Keep what is sent, or fail as asked to."""
        self.tried += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        if person in self.gone:
            raise ChatError("the person has blocked the bot", retryable=False)
        self.sent.append((person, text, self.clock.now_ms()))
        self._arrived.set()

    async def messages(self) -> AsyncIterator[PersonSays]:
        """Yield what the test lets people say."""
        while (said := await self._said.get()) is not None:
            yield said

    def says(self, said: PersonSays) -> None:
        """Let a person say something."""
        self._said.put_nowait(said)

    async def until(self, is_enough: Callable[[list[str]], bool], person: int = ADMIN) -> list[str]:
        """Return what a person was sent once that is enough; fail after 15 seconds."""
        async with asyncio.timeout(15):
            while not is_enough(self.texts(person)):
                self._arrived.clear()
                await self._arrived.wait()
        return self.texts(person)

    def close(self) -> None:
        """Close the chat for good."""
        self._said.put_nowait(None)

    def texts(self, person: int = ADMIN) -> list[str]:
        """Return what a person was sent."""
        return [text for whom, text, _ in self.sent if whom == person]


@dataclass
class FakeOffice:
    """An office that does nothing and remembers what it was asked.

    Attributes:
        answered: Requests that change nothing.
        done: Plans that were carried out, and for whom.
    """

    answered: list[Request] = field(default_factory=list)
    done: list[tuple[Plan, str]] = field(default_factory=list)

    async def answer(self, request: Request) -> str:
        """Repeat the request."""
        self.answered.append(request)
        return f"answer to {request.verb}"

    async def plan(self, request: Request) -> Plan:
        """Return what would be done; resuming is never needed here."""
        if request.verb is Verb.RESUME:
            return Plan((), "nothing is halted")
        kinds = {Verb.CLOSE: CommandKind.CLOSE, Verb.PAUSE: CommandKind.HALT}
        kind = kinds.get(request.verb, CommandKind.HALT)
        kind = CommandKind.FLATTEN if request.is_flatten else kind
        errand = Errand(request.account or "binance:default", kind, request.symbol)
        return Plan((errand,), f"would {kind} {request.symbol}".strip())

    async def carry_out(self, plan: Plan, asked_by: str) -> str:
        """Remember the plan."""
        self.done.append((plan, asked_by))
        return "done"

    @property
    def kinds(self) -> list[CommandKind]:
        """Return what was done, in order."""
        return [errand.kind for plan, _ in self.done for errand in plan.errands]

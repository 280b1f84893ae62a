"""Errands: what people want done, and the office that knows accounts and does it."""

from dataclasses import dataclass
from typing import Protocol

from milobot.signals.talk.requests import Request
from milobot.storage.commands import CommandKind


@dataclass(frozen=True, slots=True)
class Errand:
    """What is asked of the process that leads an account.

    Attributes:
        symbol: What to close; empty for the other kinds.
    """

    account: str
    kind: CommandKind
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request comes to, before it is done.

    Attributes:
        errands: What is asked, in order; none where nothing is to be done.
        said: What they do, as a sentence; without errands why there is nothing to do.
    """

    errands: tuple[Errand, ...]
    said: str


class Office(Protocol):
    """Answers questions and runs errands; every text is plain and fits a telephone."""

    async def answer(self, request: Request) -> str:
        """Return the answer to a request that changes nothing.

        Raises:
            MilobotError: It cannot be answered; the error says why.
        """
        ...

    async def plan(self, request: Request) -> Plan:
        """Return what a request that changes something would do. Nothing is done.

        Raises:
            MilobotError: It is not clear what is meant, or not known how things stand.
        """
        ...

    async def carry_out(self, plan: Plan, asked_by: str) -> str:
        """Ask for what a plan names, and return what came of it.

        Raises:
            MilobotError: It could not be asked for.
        """
        ...

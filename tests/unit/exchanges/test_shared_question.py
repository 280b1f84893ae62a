"""A question that many wait for: one request, and no answer older than who asked."""

import asyncio
from dataclasses import dataclass, field

import pytest

from milobot.errors import ExchangeUnavailableError
from milobot.exchanges.shared_question import SharedQuestion


@dataclass
class Exchange:
    """Answers with the number of the question, when it is told to."""

    asked: int = 0
    has_room: bool = True
    waits: int = 0
    fails: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self) -> int:
        """Answer once the gate is open."""
        self.asked += 1
        number = self.asked
        await self.gate.wait()
        if self.fails:
            raise ExchangeUnavailableError("away")
        return number

    async def sleep(self, _: float) -> None:
        """Wait for room."""
        self.waits += 1
        await asyncio.sleep(0)


async def settle() -> None:
    """Let everybody get as far as he can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_asks_meanwhile_shares_the_next_answer() -> None:
    """The one under way may be older than what he wants to know."""
    exchange = Exchange()
    shared = SharedQuestion(exchange.ask)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(shared.answer())
        await settle()
        later = [tasks.create_task(shared.answer()) for _ in range(3)]
        await settle()
        exchange.gate.set()

    assert first.result() == 1
    assert [one.result() for one in later] == [2, 2, 2]
    assert exchange.asked == 2


async def test_a_question_that_has_not_left_takes_in_more() -> None:
    """Where requests are few, those who come while one waits for its turn need no other."""
    exchange = Exchange(has_room=False)
    exchange.gate.set()
    shared = SharedQuestion(exchange.ask, lambda: exchange.has_room, exchange.sleep)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(shared.answer())
        await settle()
        second = tasks.create_task(shared.answer())
        await settle()
        exchange.has_room = True

    assert first.result() == second.result() == 1
    assert exchange.waits > 1


async def test_without_room_it_gets_in_line_after_a_while() -> None:
    """Whoever holds calls back says no for good when that is so; nobody waits for ever."""
    exchange = Exchange(has_room=False)
    exchange.gate.set()

    assert await SharedQuestion(exchange.ask, lambda: False, exchange.sleep).answer() == 1


async def test_all_who_waited_hear_of_a_failure_and_the_next_asks_again() -> None:
    """A failure is an answer, too: nobody asks once more only to fail."""
    exchange = Exchange(fails=True)
    shared = SharedQuestion(exchange.ask)
    asking = [asyncio.ensure_future(shared.answer()) for _ in range(3)]  # noqa: TID251 - they fail
    await settle()
    exchange.gate.set()
    heard = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(one) for one in heard] == [ExchangeUnavailableError] * 3
    assert exchange.asked == 2
    exchange.fails = False
    assert await shared.answer() == 3


async def test_who_is_cancelled_leaves_the_question_to_the_next() -> None:
    """The one who asked for all may be the first to go."""
    exchange = Exchange()
    shared = SharedQuestion(exchange.ask)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(shared.answer())
        await settle()
        second = tasks.create_task(shared.answer())
        await settle()
        first.cancel()
        exchange.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await first

    assert second.result() == 2

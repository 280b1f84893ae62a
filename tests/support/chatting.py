"""A bot that talks with a person about accounts in a ledger, and a leader who takes commands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tests.support.chats import ADMIN, FakeChat
from tests.support.records import DECISION, ORDER, SLOT, TRIP
from tests.support.trading import dec

from milobot.app.talk import Talk, TalkPlan
from milobot.app.talk_office import TalkOffice
from milobot.domain.governor import GovernorLimits, GovernorState, Halt, HaltKind, format_state
from milobot.exchanges.times import SteadyClock
from milobot.signals.door import Incoming, Receipt, SignalHistory, SignalState
from milobot.signals.talk.ports import PersonSays
from milobot.storage.account_records import EquitySnapshot, save_equity, save_governor
from milobot.storage.commands import Command, finish, take_next
from milobot.storage.ledger import Ledger, open_ledger

ACCOUNT, OTHER = "binance:default", "bingx:default"
HELD = replace(SLOT, blocked="", seen=dec("0"), early=())
HALT = Halt(HaltKind.MANUAL, "by cli:alice", 1_704_067_261_000)


@asynccontextmanager
async def known_ledger(folder: Path) -> AsyncIterator[Ledger]:
    """Give a ledger in a file that knows an account with a position and a halt."""
    async with await open_ledger(f"sqlite:///{folder / 'ledger.db'}") as opened:
        await opened.journal(ACCOUNT).commit(HELD, DECISION, ORDER, TRIP)
        await keep_governor(opened, ACCOUNT, HALT)
        snapshot = EquitySnapshot(ACCOUNT, 1_704_067_261_000, dec("10000"), dec("9000"), dec("5"))
        await opened.write(partial(save_equity, snapshot=snapshot))
        yield opened


async def keep_governor(ledger: Ledger, account: str, *halts: Halt) -> None:
    """Put an account with halts on record."""
    content = format_state(GovernorState(account, halts=halts))
    await ledger.write(partial(save_governor, account=account, content=content, now_ms=1))


@dataclass
class Leader:
    """A process that leads an account as far as anybody can see, and takes its commands.

    Attributes:
        taken: The commands, in order.
    """

    ledger: Ledger
    account: str = ACCOUNT
    taken: list[Command] = field(default_factory=list)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Leader"]:
        """Lead for as long as the body runs."""
        leads = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            leading = tasks.create_task(self._lead(leads))
            await leads.wait()
            yield self
            leading.cancel()

    async def _lead(self, leads: asyncio.Event) -> None:
        clock = SteadyClock()
        lease = self.ledger.lease(self.account, "host-1", clock)
        while True:
            await lease.take()
            leads.set()
            now_ms = clock.now_ms()
            command = await self.ledger.write(
                partial(take_next, account=self.account, now_ms=now_ms)
            )
            if command is not None:
                self.taken.append(command)
                said = "halted: nothing enters until milobot resume"
                done = partial(
                    finish,
                    command_id=command.command_id,
                    answer=said,
                    is_carried_out=True,
                    now_ms=now_ms,
                )
                await self.ledger.write(done)
            await asyncio.sleep(0.02)


def office_of(ledger: Ledger) -> TalkOffice:
    """Return an office over a ledger."""
    return TalkOffice(ledger, GovernorLimits(), SteadyClock())


@dataclass
class Conversation:
    """A person who talks with the bot over a chat."""

    chat: FakeChat
    number: int = 0

    async def ask(self, text: str, person: int = ADMIN) -> str:
        """Say something and return the answer."""
        before = len(self.chat.texts(person))
        self.number += 1
        now_ms = self.chat.clock.now_ms()
        self.chat.says(PersonSays(person, text, now_ms, self.number))
        said = await self.chat.until(lambda texts: len(texts) > before, person)
        return said[before]


class Door:
    """Knows two signals."""

    async def receive(self, incoming: Incoming) -> Receipt:
        """Take nothing."""
        raise NotImplementedError(incoming)

    async def delete(self, source: str, message_id: str) -> Receipt | None:
        """Know nothing."""
        raise NotImplementedError(source + message_id)

    async def history(self, signal_id: int) -> SignalHistory | None:
        """Know nothing."""
        raise NotImplementedError(signal_id)

    async def latest(self, limit: int) -> tuple[SignalHistory, ...]:
        """Return two signals."""
        assert limit > 1
        late = Receipt(4, SignalState.LATE, "too_old", "too old")
        return tuple(
            SignalHistory(
                late, ACCOUNT, "telegram:-1001", "7", "…", 1_704_067_261_000, reading, (), ()
            )
            for reading in ({"symbol": "BTCUSDT"}, {"symbol": "ETHUSDT"})
        )


class HastyClock(SteadyClock):
    """A clock on which the pauses between messages pass ten times as fast."""

    def __init__(self) -> None:
        """Begin now."""
        super().__init__()
        self._start_ms = super().now_ms()

    def now_ms(self) -> int:
        """Return its time."""
        now_ms = super().now_ms()
        return now_ms + 9 * (now_ms - self._start_ms)


async def quick(seconds: float) -> None:
    """Wait, though never for long."""
    await asyncio.sleep(min(seconds, 0.02))


@asynccontextmanager
async def talking(ledger: Ledger, *accounts: str) -> AsyncIterator[tuple[Talk, Conversation]]:
    """Give a bot that talks, and a person before it."""
    plan = TalkPlan(frozenset({ADMIN}), accounts=accounts)
    clock = HastyClock()
    chat = FakeChat(clock)
    talk = Talk(plan, office_of(ledger), clock=clock, sleep=quick)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(talk.run(chat))
        yield talk, Conversation(chat)
        chat.close()
        await running


async def until_told(chat: FakeChat, part: str) -> str:
    """Return everything that was sent, once it holds this."""
    return "\n".join(await chat.until(lambda texts: part in "\n".join(texts)))

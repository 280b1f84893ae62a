"""Talking back, from what goes by to what arrives, and from what is asked to what is enqueued."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest
from tests.support.chats import ADMIN, STRANGER, FakeChat
from tests.support.records import DECISION, FILL, ORDER, SLOT, TRIP, UPDATE
from tests.support.trading import dec

from milobot.app.talk import Talk, TalkPlan
from milobot.app.talk_office import TalkOffice
from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.governor import GovernorLimits, GovernorState, Halt, HaltKind, format_state
from milobot.exchanges.times import SteadyClock
from milobot.ports import Journal
from milobot.signals.talk.ports import PersonSays
from milobot.signals.talk.requests import Request, Verb
from milobot.storage.account_records import EquitySnapshot, save_equity, save_governor
from milobot.storage.commands import Command, CommandKind, finish, take_next
from milobot.storage.ledger import Ledger, open_ledger
from milobot.storage.memory import MemoryJournal

ACCOUNT, OTHER = "binance:default", "bingx:default"
HELD = replace(SLOT, blocked="", seen=dec("0"), early=())
HALT = Halt(HaltKind.MANUAL, "by cli:alice", 1_704_067_261_000)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """Give a ledger in a file that knows an account with a position and a halt."""
    async with await open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
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
        async with asyncio.TaskGroup() as tasks:
            leading = tasks.create_task(self._lead())
            yield self
            leading.cancel()

    async def _lead(self) -> None:
        clock = SteadyClock()
        lease = self.ledger.lease(self.account, "host-1", clock)
        while True:
            await lease.take()
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


async def test_a_close_is_enqueued_once_it_is_confirmed_and_answered_once_it_is_done(
    ledger: Ledger,
) -> None:
    """The leader sees the very command that the command line would have left."""
    leader = Leader(ledger)
    async with leader.at_work(), talking(ledger) as (_, person):
        asked = await person.ask("/close btc")
        assert leader.taken == []
        code = asked.rpartition("/yes ")[2]
        done = await person.ask(f"/yes {code}")

    assert asked.split("\n")[:3] == [
        "Close on binance:default at market:",
        "BTCUSDT long 0.4",
        "entry 42,315",
    ]
    [command] = leader.taken
    assert (command.kind, command.account, command.symbol) == (
        CommandKind.CLOSE,
        ACCOUNT,
        "BTCUSDT",
    )
    assert command.asked_by == f"telegram:{ADMIN}"
    assert done == "binance:default: ✓ halted: nothing enters until /resume"


async def test_a_halt_of_everything_is_enqueued_for_each_account(ledger: Ledger) -> None:
    """An account that nobody leads keeps the halt on record, and says so."""
    await keep_governor(ledger, OTHER)
    leader = Leader(ledger)
    async with leader.at_work(), talking(ledger) as (_, person):
        asked = await person.ask("/halt")
        done = await person.ask(f"/yes {asked.rpartition('/yes ')[2]}")

    left = await ledger.write(partial(take_next, account=OTHER, now_ms=SteadyClock().now_ms()))
    assert [command.kind for command in leader.taken] == [CommandKind.HALT]
    assert left is not None
    assert (left.kind, left.asked_by) == (CommandKind.HALT, f"telegram:{ADMIN}")
    first, second = done.split("\n")
    assert first.startswith("binance:default: ✓")
    assert second.startswith("bingx:default: ⚠ no bot runs on it")


async def test_pausing_halts_at_once(ledger: Ledger) -> None:
    """One message, one halt."""
    leader = Leader(ledger)
    async with leader.at_work(), talking(ledger) as (_, person):
        await person.ask("/pause binance")

    assert [command.kind for command in leader.taken] == [CommandKind.HALT]


async def test_strangers_leave_nothing_behind(ledger: Ledger) -> None:
    """No answer, no command."""
    async with talking(ledger) as (talk, person):
        person.chat.says(PersonSays(STRANGER, "/pause", SteadyClock().now_ms(), 1))
        await person.ask("/help")

    assert talk.strangers == 1
    assert person.chat.texts(STRANGER) == []
    assert await ledger.write(partial(take_next, account=ACCOUNT, now_ms=1)) is None


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("/positions", "binance:default\n\nBTCUSDT long 0.4\nentry 42,315"),
        ("/orders default", "binance:default\nBTCUSDT entry: buy 1 (pending)"),
        ("/balance", "binance:default\nequity 10,005.00 USDT"),
        ("/profit 366", "binance:default, last 366 days (UTC)\nnothing was closed"),
        ("/why btc", "BTCUSDT on binance:default\nlong, asked for by s1\nACCEPTED: entry sent"),
        ("/why nothing", "NOTHINGUSDT: nothing was decided about it yet"),
        ("/status", "binance:default, never traded\n⚠ nobody leads it"),
        ("/status kraken", "that did not work: no account is called kraken; known: binance:"),
        ("/close eth", "nothing of ours is open in ETHUSDT on binance:default"),
        ("/resume", "Entries pass again on binance:default. It is halted\nsince 2024-01-01 00:01"),
        ("/halt flatten", "Everything of ours on binance:default is closed at market"),
    ],
)
async def test_what_is_asked_is_answered_from_the_ledger(
    ledger: Ledger, asked: str, answer: str
) -> None:
    """The same as the command line says, in short lines."""
    async with talking(ledger) as (_, person):
        said = await person.ask(asked)

    assert said.replace("\u2060", "").startswith(answer)


async def test_where_several_accounts_are_meant_one_has_to_be_named(ledger: Ledger) -> None:
    """What moves money is never guessed."""
    await ledger.journal(OTHER).commit(HELD)
    await keep_governor(ledger, OTHER, HALT)
    async with talking(ledger) as (_, person):
        close = await person.ask("/close BTC")
        resume = await person.ask("/resume")
        named = await person.ask("/close BTC bingx")
        looked = await person.ask("/balance")

    assert close == (
        "it is open on several accounts, name one:"
        " /close BTCUSDT binance:default or /close BTCUSDT bingx:default"
    )
    assert resume == (
        "several accounts are halted, name one: /resume binance:default or /resume bingx:default"
    )
    assert named.startswith("Close on bingx:default at market:")
    assert "bingx:default\nnot read yet" in looked


async def test_nothing_halted_is_nothing_to_resume(ledger: Ledger) -> None:
    """No code for nothing."""
    await keep_governor(ledger, ACCOUNT)
    async with talking(ledger) as (_, person):
        assert await person.ask("/resume") == "nothing is halted on binance:default"


async def test_a_ledger_without_accounts_says_so(tmp_path: Path) -> None:
    """Before the first run there is nothing to ask about."""
    async with (
        await open_ledger(f"sqlite:///{tmp_path / 'empty.db'}") as empty,
        talking(empty) as (_, person),
    ):
        said = await person.ask("/pause")

    assert said == "that did not work: the ledger knows no account yet"


async def test_a_ledger_that_is_gone_is_said_and_ends_nothing(ledger: Ledger) -> None:
    """The next question may be answered again."""
    async with talking(ledger) as (_, person):
        await ledger.close()
        said = await person.ask("/balance")
        helped = await person.ask("/help")

    assert said.startswith("that did not work: ")
    assert "/status" in helped


async def test_a_fault_of_the_office_ends_one_answer(ledger: Ledger) -> None:
    """Trading and the next answer go on."""

    def broken(account: str, symbol: str) -> None:
        raise ZeroDivisionError(account + symbol)

    office = replace(office_of(ledger), price_of=broken)
    chat = FakeChat(SteadyClock())
    talk = Talk(TalkPlan(frozenset({ADMIN})), office, sleep=quick)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(talk.run(chat))
        person = Conversation(chat)
        first = await person.ask("/positions")
        second = await person.ask("/balance")
        chat.close()
        await running

    assert first == "that did not work: there was a fault; the log of the bot tells more"
    assert second.startswith("binance:default")


async def until_told(chat: FakeChat, part: str) -> str:
    """Return everything that was sent, once it holds this."""
    return "\n".join(await chat.until(lambda texts: part in "\n".join(texts)))


async def test_what_goes_by_is_told(ledger: Ledger) -> None:
    """Decision, fill, result and alert of a journal that is listened to."""
    async with talking(ledger) as (talk, person):
        ear = talk.ear(ACCOUNT)
        journal: Journal = ear.before(MemoryJournal())
        await journal.commit(ORDER, DECISION, replace(UPDATE, fills=(FILL,)), TRIP)
        ear.tell(Alert(AlertKind.UNPROTECTED, "BTCUSDT", "no stop rests", 1_704_067_261_000))
        told = await until_told(person.chat, "closed (close)")

    assert talk.ear(ACCOUNT) is ear
    assert told.startswith("BTCUSDT: (2024-01-01 00:01 UTC) ⚠ no stop rests")
    assert "long: entry sent (s1)" in told
    assert "entry filled: bought 0.4 at 42,315" in told


async def test_accounts_are_named_where_there_are_several(ledger: Ledger) -> None:
    """BTCUSDT is on both."""
    async with talking(ledger, ACCOUNT, OTHER) as (talk, person):
        talk.ear(OTHER).tell(Alert(AlertKind.GOVERNOR, "", "halted", SteadyClock().now_ms()))
        told = await until_told(person.chat, "halted")

    assert told == "bingx:default: ⚠ halted"


async def test_a_talk_that_fails_begins_anew(ledger: Ledger) -> None:
    """Whatever the messenger's library throws must not reach trading."""

    class Broken(FakeChat):
        """A chat that fails once in a way that nobody foresaw."""

        def messages(self) -> AsyncIterator[PersonSays]:
            """Fail, then work."""
            if not self.tried:
                self.tried = 1
                raise KeyError("update")
            return super().messages()

    chat = Broken(SteadyClock())
    talk = Talk(TalkPlan(frozenset({ADMIN})), office_of(ledger), sleep=quick)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(talk.run(chat))
        said = await Conversation(chat).ask("/help")
        chat.close()
        await running

    assert "/status" in said


async def test_profit_counts_days_from_midnight(ledger: Ledger) -> None:
    """One day is today, UTC."""

    class Noon:
        """A clock at noon of 2024-01-02."""

        def now_ms(self) -> int:
            """Return its time."""
            return 1_704_196_800_000

    midnight = 1_704_153_600_000
    trips = [replace(TRIP, exit_time_ms=midnight - 1), replace(TRIP, exit_time_ms=midnight)]
    await ledger.journal(ACCOUNT).commit(*trips)
    office = replace(office_of(ledger), clock=Noon())

    assert "1 closed" in await office.answer(Request(Verb.PROFIT, days=1))
    assert "2 closed" in await office.answer(Request(Verb.PROFIT, days=2))

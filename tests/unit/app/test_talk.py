"""Talking back, from what goes by to what arrives, and from what is asked to what is enqueued."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.support.chats import ADMIN, STRANGER, FakeChat
from tests.support.chatting import (
    ACCOUNT,
    OTHER,
    Conversation,
    HastyClock,
    Leader,
    keep_governor,
    known_ledger,
    office_of,
    quick,
    talking,
    until_told,
)
from tests.support.records import DECISION, FILL, ORDER, TRIP, UPDATE
from tests.support.trading import dec

from milobot.app.talk import Talk, TalkPlan
from milobot.domain.alerts import Alert, AlertKind
from milobot.exchanges.times import SteadyClock
from milobot.ports import Journal
from milobot.signals.talk.ports import PersonSays
from milobot.storage.commands import CommandKind, take_next
from milobot.storage.ledger import Ledger
from milobot.storage.memory import MemoryJournal


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """Give a ledger that knows an account with a position and a halt."""
    async with known_ledger(tmp_path) as opened:
        yield opened


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
    clock = HastyClock()
    chat = FakeChat(clock)
    talk = Talk(TalkPlan(frozenset({ADMIN})), office, clock=clock, sleep=quick)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(talk.run(chat))
        person = Conversation(chat)
        first = await person.ask("/positions")
        second = await person.ask("/balance")
        chat.close()
        await running

    assert first == "that did not work: there was a fault; the log of the bot tells more"
    assert second.startswith("binance:default")


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


async def test_what_another_replica_does_is_told_from_the_ledger(ledger: Ledger) -> None:
    """The one that holds the Telegram session need not lead the account."""
    await ledger.lease(ACCOUNT, "the other", SteadyClock()).take()
    async with talking(ledger, ACCOUNT, OTHER) as (talk, person):
        talk.ear(ACCOUNT, "this one")
        await person.ask("/help")
        await asyncio.sleep(0.1)
        await ledger.journal(ACCOUNT).commit(replace(TRIP, pnl=dec("7")))
        told = await until_told(person.chat, "+7.00 USDT")

    assert "BTCUSDT on binance:default: " in told


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

"""The office: answers from the ledger, and what a request would do before it is done."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.chatting import (
    ACCOUNT,
    HALT,
    HELD,
    OTHER,
    Door,
    keep_governor,
    known_ledger,
    office_of,
    talking,
)
from tests.support.records import TRIP

from milobot.signals.talk.requests import Request, Verb
from milobot.storage.ledger import Ledger, open_ledger


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """Give a ledger that knows an account with a position and a halt."""
    async with known_ledger(tmp_path) as opened:
        yield opened


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


async def test_why_tells_of_signals_as_well(ledger: Ledger) -> None:
    """Most are refused before anything is decided about them."""
    office = replace(office_of(ledger), door=Door())

    said = await office.answer(Request(Verb.WHY, "ETHUSDT"))

    assert said.split("\n") == [
        "ETHUSDT: nothing was decided about it yet",
        "signals:",
        "2024-01-01 00:01 UTC telegram:-1001 late: too old",
    ]


async def test_a_command_that_cannot_be_enqueued_is_said_not_to_be_done(ledger: Ledger) -> None:
    """The ledger may go between the question and the confirmation."""
    office = office_of(ledger)
    plan = await office.plan(Request(Verb.HALT))
    await ledger.close()

    said = await office.carry_out(plan, "telegram:101")

    assert said.startswith("binance:default: not done: ")


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

"""``milobot signals list`` and ``show`` over a ledger that holds messages."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.support.process import run_milobot

from milobot.exchanges.times import SteadyClock
from milobot.signals.door import Incoming
from milobot.signals.inbox.inbox import InboxPlan, SignalInbox
from milobot.storage.account_records import Session, save_session
from milobot.storage.ledger import open_ledger


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Return a folder with two messages on record: a set-up that waits, and chat."""

    async def fill() -> None:
        account, clock = "bingx:paper", SteadyClock()
        async with await open_ledger(f"sqlite:///{tmp_path / 'milobot.db'}") as ledger:
            session = Session(f"{account}|signals", account, "signals", "signals", "paper", None, 1)
            await ledger.write(lambda connection: save_session(connection, session))
            inbox = SignalInbox(InboxPlan(account), ledger, clock)
            now_ms = clock.now_ms()
            texts = ("LONG BTCUSDT entry 100 SL 95 TP 120", "good morning [bold]everybody[/bold]")
            for number, text in enumerate(texts):
                await inbox.receive(Incoming("telegram:-1", str(number), text, now_ms))

    asyncio.run(fill())
    return tmp_path


def test_the_newest_messages_are_listed_with_what_became_of_them(folder: Path) -> None:
    """Text of strangers is shown as it is, markup too."""
    listed = run_milobot("signals", "list", cwd=folder)

    assert listed.code == 0
    assert "waiting" in listed.out
    assert "not_a_signal" in listed.out
    assert "[bold]everybody" in listed.out
    assert listed.out.index("everybody") < listed.out.index("LONG BTCUSDT")


def test_one_message_is_shown_with_its_history(folder: Path) -> None:
    """What was read, and each thing that has happened to it."""
    shown = run_milobot("signals", "show", "1", cwd=folder)
    told = json.loads(run_milobot("signals", "show", "1", "--json", cwd=folder).out)

    assert "side LONG" in shown.out
    assert "received" in shown.out
    assert told["reading"]["symbol"] == "BTCUSDT"
    assert told["events"][0]["kind"] == "received"


def test_a_number_that_is_none_is_said_so(folder: Path) -> None:
    """With the command that shows which there are."""
    ended = run_milobot("signals", "show", "77", cwd=folder)

    assert ended.code == 2
    assert "milobot signals list" in ended.err

"""``milobot audit`` on a ledger of its own."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from milobot.cli.main import main
from milobot.storage.audit import append_audit
from milobot.storage.ledger import open_ledger


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a ledger that holds three entries."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/m.db")

    async def fill() -> None:
        async with await open_ledger(f"sqlite:///{tmp_path}/m.db") as ledger:
            for event in ("started", "halt", "said\n9 2026"):
                await ledger.write(
                    lambda c, event=event: append_audit(  # type: ignore[misc]  # a default binds the event
                        c, "a", actor="u", event=event, details="", now_ms=1
                    )
                )

    asyncio.run(fill())
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_an_unbroken_chain_is_said_with_what_to_keep(capsys: pytest.CaptureFixture[str]) -> None:
    """The hash of the last entry, kept elsewhere, is what a rewritten chain fails at."""
    assert main(["audit", "verify"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    known = said.partition("the last is ")[2].partition(" ")[0]

    assert "3 entries, the chain is unbroken" in said
    assert main(["audit", "verify", "--known", known]) == 0
    assert main(["audit", "verify", "--known", f"3:{'0' * 64}"]) == 2
    assert "written anew" in capsys.readouterr().err


def test_a_broken_chain_is_one_sentence_and_exit_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that checks it every night must notice."""
    with closing(sqlite3.connect(folder / "m.db")) as connection, connection:
        connection.execute("DELETE FROM audit WHERE id = 2")

    assert main(["audit", "verify"]) == 2
    assert "broken after 1 entries: entry 2 is missing" in capsys.readouterr().err
    assert main(["audit", "verify", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["is_unbroken"] is False


@pytest.mark.usefixtures("folder")
def test_each_entry_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Text from outside must not look like another entry."""
    assert main(["audit", "export"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3

    assert main(["audit", "export", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["event"] for row in rows] == ["started", "halt", "said\n9 2026"]


@pytest.mark.usefixtures("folder")
def test_a_known_entry_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A typo must not count as an entry that was found."""
    assert main(["audit", "verify", "--known", "3"]) == 2
    assert "NUMBER:HASH" in capsys.readouterr().err

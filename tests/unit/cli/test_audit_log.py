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


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("details", b"\x00\xff", "its field details holds no text"),
        ("hash", b"\x00\xff", "its field hash holds no text"),
        ("time_ms", "abc", "its field time_ms holds no time"),
        ("time_ms", 1.5, "its field time_ms holds no time"),
        ("time_ms", -1, "its field time_ms holds no time"),
        ("time_ms", 2**63 - 1, "its field time_ms holds no time"),
    ],
)
def test_what_is_no_entry_is_named_and_the_others_are_shown(
    folder: Path, column: str, value: object, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """SQLite keeps anything in any column; who changed a row must not keep the log from view."""
    with closing(sqlite3.connect(folder / "m.db")) as connection, connection:
        connection.execute(f"UPDATE audit SET {column} = ? WHERE id = 2", (value,))  # noqa: S608 - of the list above

    assert main(["audit", "verify"]) == 2
    assert f"broken after 1 entries: entry 2 was changed: {fault}" in capsys.readouterr().err
    for form in ([], ["--json"]):
        assert main(["audit", "export", *form]) == 2
        shown = capsys.readouterr()
        assert len(shown.out.splitlines()) == 2
        assert f"entry 2 of the audit log cannot be shown, {fault}" in shown.err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("DROP TABLE audit", "m.db lacks the table audit; "),
        ("ALTER TABLE audit RENAME details TO x", "m.db lacks the column audit.details; "),
        (
            "UPDATE audit SET details = CAST(x'00ff' AS TEXT) WHERE id = 2",
            "m.db has in column details what is no text; ",
        ),
    ],
)
@pytest.mark.parametrize("command", [["verify"], ["export"], ["export", "--json"]])
def test_a_changed_database_is_one_sentence_that_says_what_to_do(
    folder: Path,
    change: str,
    sentence: str,
    command: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What SQLite says of it helps nobody."""
    with closing(sqlite3.connect(folder / "m.db")) as connection, connection:
        connection.execute(change)

    assert main(["audit", *command]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "put a backup in its place" in said
    assert len(said.splitlines()) == 1


def test_a_bot_goes_on_after_an_entry_that_was_changed(folder: Path) -> None:
    """Its next note must not fail because of what somebody did to the one before."""
    with closing(sqlite3.connect(folder / "m.db")) as connection, connection:
        connection.execute("UPDATE audit SET hash = x'00ff' WHERE id = 3")

    async def note() -> int:
        async with await open_ledger(f"sqlite:///{folder}/m.db") as ledger:
            entry = await ledger.write(
                lambda c: append_audit(c, "a", actor="u", event="halt", details="", now_ms=1)
            )
            return entry.number

    assert asyncio.run(note()) == 4


@pytest.mark.parametrize(
    "command",
    [
        ["audit", "verify"],
        ["audit", "export"],
        ["status"],
        ["positions"],
        ["orders"],
        ["decisions"],
    ],
)
def test_an_empty_file_is_no_ledger_and_stays_empty(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A ledger that was cut to nothing must not pass as one in which nothing happened yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/m.db")
    file = tmp_path / "m.db"
    file.touch()

    assert main(command) == 2
    assert "there is no ledger in m.db, the file is empty" in capsys.readouterr().err
    assert file.stat().st_size == 0

    with closing(sqlite3.connect(file)) as connection:  # it has a head now, and nothing else
        connection.execute("PRAGMA journal_mode = WAL")
    assert main(command) == 2
    assert "m.db is there, but holds no ledger yet" in capsys.readouterr().err
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    asyncio.run(_begin(f"sqlite:///{file}"))  # a run makes its tables there


async def _begin(url: str) -> None:
    await (await open_ledger(url)).close()

"""Copies of the ledger: whole, verified, few; and what a server's owner is told instead."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.records import ORDER

from milobot.errors import ConfigurationError, LedgerError, StorageError
from milobot.storage.ledger import open_ledger
from milobot.storage.ledger_backup import back_up_ledger

NOW_MS = 1_767_322_800_000  # 2026-01-02 03:00
DAY_MS = 86_400_000


async def test_a_copy_of_a_ledger_in_use_is_a_ledger(tmp_path: Path) -> None:
    """Put in place of a lost one, it has every commit up to the copy."""
    url = f"sqlite:///{tmp_path}/milobot.db"
    async with await open_ledger(url) as ledger:
        await ledger.journal("a").commit(ORDER)
        copy = back_up_ledger(url, tmp_path / "backups", now_ms=NOW_MS)
        await ledger.journal("a").commit(replace(ORDER, client_order_id="later"))

    assert copy.name == "milobot-20260102030000.db"
    async with await open_ledger(f"sqlite:///{copy}") as restored:
        assert (await restored.journal("a").load()).orders == (ORDER,)


async def test_only_the_latest_copies_stay(tmp_path: Path) -> None:
    """A daily task must not fill the disk; files of other names are not touched."""
    url = f"sqlite:///{tmp_path}/milobot.db"
    await (await open_ledger(url)).close()
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "milobot-mine.db").touch()

    made = [back_up_ledger(url, folder, now_ms=NOW_MS + n * DAY_MS, keep=2) for n in range(4)]

    assert sorted(p.name for p in folder.iterdir()) == sorted(
        [*(p.name for p in made[2:]), "milobot-mine.db"]
    )


def test_a_ledger_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    """An empty copy would look like a backup."""
    with pytest.raises(LedgerError, match=r"milobot.db does not exist: there is nothing to copy"):
        back_up_ledger(f"sqlite:///{tmp_path}/milobot.db", tmp_path, now_ms=NOW_MS)

    assert list(tmp_path.iterdir()) == []


def test_an_empty_ledger_pushes_out_no_copy(tmp_path: Path) -> None:
    """A file that was cut to nothing must not take the place of the last good copies."""
    (tmp_path / "milobot.db").touch()

    with pytest.raises(LedgerError, match=r"milobot.db is empty"):
        back_up_ledger(f"sqlite:///{tmp_path}/milobot.db", tmp_path / "copies", now_ms=NOW_MS)

    assert not (tmp_path / "copies").exists()


def test_a_damaged_ledger_gives_no_copy(tmp_path: Path) -> None:
    """A copy that cannot be read would be found out on the worst day."""
    path = tmp_path / "milobot.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE numbers (value TEXT)")
        connection.executemany(
            "INSERT INTO numbers VALUES (?)", [(str(n) * 50,) for n in range(2_000)]
        )
        connection.execute("CREATE INDEX by_value ON numbers (value)")
        connection.commit()
    content = bytearray(path.read_bytes())
    content[20_000:24_000] = bytes(4_000)
    path.write_bytes(content)

    with pytest.raises(LedgerError, match=r"is damaged, .* and was removed"):
        back_up_ledger(f"sqlite:///{path}", tmp_path / "backups", now_ms=NOW_MS)

    assert list((tmp_path / "backups").iterdir()) == []


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file of that name is in the way."""
    url = f"sqlite:///{tmp_path}/milobot.db"
    await (await open_ledger(url)).close()
    (tmp_path / "backups").touch()

    with pytest.raises(StorageError, match=r"backups cannot be made"):
        back_up_ledger(url, tmp_path / "backups", now_ms=NOW_MS)


def test_a_server_is_copied_by_its_own_tool(tmp_path: Path) -> None:
    """The sentence is a command that can be pasted; the password is not in it."""
    url = "postgresql://milo:secret@127.0.0.1:5433/trading_bot"

    with pytest.raises(ConfigurationError, match="pg_dump --format=custom") as caught:
        back_up_ledger(url, tmp_path, now_ms=NOW_MS)

    assert "--port=5433 --username=milo" in str(caught.value)
    assert "secret" not in str(caught.value)

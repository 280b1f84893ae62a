"""A ledger that cannot be kept is refused before anything starts, with what to do."""

import os
import shutil
from pathlib import Path

import pytest

from milobot.app.ledger_place import check_place
from milobot.errors import ConfigurationError


def refusal(path: Path) -> str:
    """Return the sentence that refuses a file."""
    with pytest.raises(ConfigurationError) as caught:
        check_place(f"sqlite:///{path}")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_place_that_is_right_is_taken(tmp_path: Path) -> None:
    """With a ledger in it or without; a server is asked later."""
    check_place(f"sqlite:///{tmp_path}/milobot.db")
    (tmp_path / "milobot.db").touch()
    check_place(f"sqlite:///{tmp_path}/milobot.db")
    check_place("postgresql://u:p@127.0.0.1:1/bot")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A mount that was forgotten looks like this."""
    said = refusal(tmp_path / "data" / "milobot.db")

    assert said.endswith(f"there is no folder {tmp_path}/data: make it, or set DATABASE_URL")


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    """Docker makes a folder where a file was to be mounted that is not there."""
    (tmp_path / "milobot.db").mkdir()

    assert refusal(tmp_path / "milobot.db").endswith("it is a folder: name a file in DATABASE_URL")


@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_what_is_no_file_is_no_ledger(kind: str, tmp_path: Path) -> None:
    """The run would stay up and never trade."""
    place = Path("/dev/null")
    if kind == "pipe":
        place = tmp_path / "milobot.db"
        os.mkfifo(place)

    assert refusal(place).endswith("it is a device or a pipe: name a file in DATABASE_URL")


def test_a_link_to_itself_is_no_ledger(tmp_path: Path) -> None:
    """It would be a fault of milobot."""
    (tmp_path / "milobot.db").symlink_to("milobot.db")

    assert refusal(tmp_path / "milobot.db").endswith(
        "it is a link that leads to itself: name a file in DATABASE_URL"
    )


def test_a_folder_that_keeps_no_files_is_not_called_full() -> None:
    """Nobody can make room there."""
    assert refusal(Path("/proc/x.db")).endswith("/proc keeps no files: set DATABASE_URL")


@pytest.mark.parametrize(
    ("closed", "said"),
    [("folder", "may not be written"), ("file", "it may not be read and written")],
)
def test_what_may_not_be_written_is_named(
    closed: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everything, so the answer of the system is made up."""
    file = tmp_path / "milobot.db"
    file.touch()
    refused = tmp_path if closed == "folder" else file
    monkeypatch.setattr(os, "access", lambda path, _mode: path != refused)

    assert said in refusal(file)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first entry that cannot be put on record is never sent."""
    full = shutil._ntuple_diskusage(10**9, 10**9, 4096)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: full)

    said = refusal(tmp_path / "milobot.db")

    assert said.endswith("milobot.db cannot be kept: the disk is full: make room, then try again")

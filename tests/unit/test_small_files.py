"""Small files are read whole, and what has no end or no writer holds nobody up."""

import os
import threading
import time
from pathlib import Path

import pytest

from milobot.small_files import read_small


def test_a_file_is_read_up_to_one_byte_too_many(tmp_path: Path) -> None:
    """That byte tells that there is more."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")

    assert read_small(path, 5) == b"12345"
    assert read_small(path, 4) == b"12345"
    assert read_small(path, 3) == b"1234"


def test_an_empty_file_is_not_waited_for(tmp_path: Path) -> None:
    """Only a pipe may fill later."""
    (tmp_path / "file").touch()

    assert read_small(tmp_path / "file", 5, wait_s=60) == b""


def test_a_device_without_end_ends() -> None:
    """Reading all of it first fills the memory of the machine."""
    assert read_small(Path("/dev/zero"), 99_999) == bytes(100_000)


def test_a_pipe_that_nobody_writes_into_is_given_up(tmp_path: Path) -> None:
    """To open it the usual way takes for ever."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(TimeoutError, match="nothing comes out of it"):
        read_small(tmp_path / "pipe", 5, wait_s=0.05)


def test_what_is_written_into_a_pipe_is_read(tmp_path: Path) -> None:
    """A shell hands secrets over so: its program may need a moment, also between two writes."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as file:
            for part in (b"sec", b"ret"):
                time.sleep(0.05)
                file.write(part)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert read_small(pipe, 100, wait_s=30) == b"secret"
    finally:
        writer.join()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """It can be opened, and not read."""
    with pytest.raises(IsADirectoryError):
        read_small(tmp_path, 5)

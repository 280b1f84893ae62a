"""Small files are read whole, and what has no end or no writer holds nobody up."""

import os
import pty
import threading
import time
from pathlib import Path

import pytest

from milobot.small_files import Patience, read_small


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

    assert read_small(tmp_path / "file", 5, Patience(60)) == b""


def test_a_device_without_end_ends() -> None:
    """Reading all of it first fills the memory of the machine."""
    assert read_small(Path("/dev/zero"), 99_999) == bytes(100_000)


def test_a_pipe_that_nobody_writes_into_is_given_up(tmp_path: Path) -> None:
    """To open it the usual way takes for ever."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(TimeoutError, match="nothing comes out of it"):
        read_small(tmp_path / "pipe", 5, Patience(nobody_s=0.05))


def test_what_is_written_into_a_pipe_is_read(tmp_path: Path) -> None:
    """A shell hands secrets over so: its program may ask a human, also between two writes."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as file:
            for part in (b"sec", b"ret"):
                time.sleep(0.7)
                file.write(part)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert read_small(pipe, 100, Patience(nobody_s=0.5)) == b"secret"
    finally:
        writer.join()


def test_a_writer_that_writes_nothing_is_given_up(tmp_path: Path) -> None:
    """It is waited for longer than for one who has not come, but not for ever."""
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        with pytest.raises(TimeoutError, match="nothing comes out of it"):
            read_small(tmp_path / "pipe", 5, Patience(nobody_s=30, somebody_s=0.05))
    finally:
        os.close(writer)


def test_a_pipe_gives_the_same_to_who_asks_again(tmp_path: Path) -> None:
    """Log and command read the settings, each for itself; the pipe is empty after the first."""
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(b"secret"))
    writer.start()
    first = read_small(tmp_path / "pipe", 100, Patience(nobody_s=30))
    writer.join()

    assert first == read_small(tmp_path / "pipe", 100, Patience(0, 0)) == b"secret"


def test_of_a_terminal_one_line_is_read() -> None:
    """It has no end; what somebody types ends with the line."""
    screen, terminal = pty.openpty()
    try:
        os.write(screen, b"secret\n")
        assert read_small(Path(os.ttyname(terminal)), 100) == b"secret\n"
    finally:
        os.close(screen)
        os.close(terminal)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """It can be opened, and not read."""
    with pytest.raises(IsADirectoryError):
        read_small(tmp_path, 5)

"""Reads small files whose names a user wrote: never more than was asked for, never without end."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

_WAIT_S = 2.0
"""For somebody who opens a pipe to write into it."""
_WRITER_S = 120.0
"""For who has it open, such as ``<(pass show bot)`` of a shell, which may ask a human."""
_PAUSE_S = 0.02
_CHUNK = 65_536
_read_already: dict[tuple[str, int, int], bytes] = {}
"""What came out of pipes and terminals: it comes once, and some is asked for twice."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a pipe is waited for, in seconds.

    Attributes:
        nobody_s: While nobody has it open for writing.
        somebody_s: While somebody has.
    """

    nobody_s: float = _WAIT_S
    somebody_s: float = _WRITER_S


_PATIENCE = Patience()


def read_small(path: Path, most: int, patience: Patience = _PATIENCE) -> bytes:
    """Return what is in a file, or one byte more than ``most`` of it.

    Args:
        path: A file, a pipe that somebody writes into, or a terminal, of which one line is read.
        most: Bytes that are no more than expected.
        patience: How long a pipe is waited for.

    Raises:
        OSError: It cannot be read; a pipe has no end within the time.
    """
    # A pipe that nobody writes into must not make us wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        status = os.fstat(descriptor)
        is_terminal = os.isatty(descriptor)
        if not is_terminal and not stat.S_ISFIFO(status.st_mode):
            return _read(descriptor, most + 1)
        known = str(path.absolute()), status.st_dev, status.st_ino
        if known not in _read_already:
            _read_already[known] = _wait_and_read(
                descriptor, most + 1, patience, is_terminal=is_terminal
            )
        return _read_already[known]
    finally:
        os.close(descriptor)


def _read(descriptor: int, most: int) -> bytes:
    content = b""
    while len(content) < most:
        part = os.read(descriptor, min(most - len(content), _CHUNK))
        if not part:
            break
        content += part
    return content


def _wait_and_read(descriptor: int, most: int, patience: Patience, *, is_terminal: bool) -> bytes:
    content = b""
    end = monotonic() + patience.somebody_s
    quiet_end = monotonic() + patience.nobody_s
    while len(content) < most:
        try:
            part = os.read(descriptor, min(most - len(content), _CHUNK))
        except BlockingIOError:  # somebody is about to write
            part, quiet_end = None, monotonic() + patience.nobody_s
        if part:
            content += part
            if is_terminal and content.endswith(b"\n"):
                break
        elif part is not None and (content or is_terminal):
            break
        elif monotonic() >= min(end, quiet_end):
            raise TimeoutError(errno.ETIMEDOUT, "nothing comes out of it")
        else:
            sleep(_PAUSE_S)
    return content

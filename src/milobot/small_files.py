"""Reads small files whose names a user wrote: never more than was asked for, never without end."""

import errno
import os
import stat
from pathlib import Path
from time import monotonic, sleep

_WAIT_S = 2.0
"""For who writes into a pipe, such as ``<(pass show bot)`` of a shell."""
_PAUSE_S = 0.02
_CHUNK = 65_536


def read_small(path: Path, most: int, *, wait_s: float = _WAIT_S) -> bytes:
    """Return what is in a file, or one byte more than ``most`` of it.

    Args:
        path: A file, or a pipe that somebody writes into.
        most: Bytes that are no more than expected.
        wait_s: How long a pipe is waited for.

    Raises:
        OSError: It cannot be read; a pipe has no end within the time.
    """
    # A pipe that nobody writes into must not make us wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        return _read(descriptor, most + 1, monotonic() + wait_s, is_pipe=is_pipe)
    finally:
        os.close(descriptor)


def _read(descriptor: int, most: int, deadline: float, *, is_pipe: bool) -> bytes:
    content = b""
    while len(content) < most:
        try:
            part = os.read(descriptor, min(most - len(content), _CHUNK))
        except BlockingIOError:  # somebody is about to write
            part = None
        if part:
            content += part
        elif part is not None and (content or not is_pipe):
            break
        elif monotonic() >= deadline:
            raise TimeoutError(errno.ETIMEDOUT, "nothing comes out of it")
        else:
            sleep(_PAUSE_S)
    return content

"""A process that has imported milobot, and forks a command line whenever it is asked for one.

    python -m tests.support.warm_server FD

Requests come through the socket FD, one a message: the program, its words, its folder and its
environment, with four handles: the standard streams, and a pipe that gets the process id, and at
the end the exit code. When the socket is closed the server ends, and what it forked with it.
"""

import atexit
import ctypes
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from tests.support.warm import SHOWS_STACKS

import milobot

# To import these is to run them.
_PROGRAMS = ("milobot.__main__", "milobot.storage.migrations.")
_LONGEST = 1 << 18
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class Server:
    """Takes requests, forks, and tells how each process ended."""

    def __init__(self, channel: socket.socket) -> None:
        """Take requests from a socket."""
        self._channel = channel
        self._events = selectors.DefaultSelector()
        self._events.register(channel, selectors.EVENT_READ)
        self._told: dict[int, tuple[int, int]] = {}

    def serve(self) -> dict[str, Any] | None:
        """Return None when the socket is closed; in a child, what it was asked to be."""
        while True:
            for key, _ in self._events.select():
                if key.fileobj is not self._channel:
                    self._tell_end(key.fd)
                    continue
                message, handles, _, _ = socket.recv_fds(self._channel, _LONGEST, 4)
                if not message:
                    return None
                if (pid := os.fork()) == 0:
                    self._leave(handles)
                    return dict(json.loads(message))
                self._watch(pid, handles)

    def _watch(self, pid: int, handles: list[int]) -> None:
        for stream in handles[:3]:
            os.close(stream)
        watched = os.pidfd_open(pid)
        self._events.register(watched, selectors.EVENT_READ)
        self._told[watched] = pid, handles[3]
        os.write(handles[3], f"{pid}\n".encode())

    def _tell_end(self, watched: int) -> None:
        pid, pipe = self._told.pop(watched)
        self._events.unregister(watched)
        os.close(watched)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(pipe, f"{code}\n".encode())
        os.close(pipe)

    def _leave(self, handles: list[int]) -> None:
        """Keep nothing of the server but its modules."""
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        self._channel.close()
        self._events.close()
        for target, stream in enumerate(handles[:3]):
            os.dup2(stream, target)
        others = (handle for pair in self._told.items() for handle in (pair[0], pair[1][1]))
        for handle in (*handles, *others):
            os.close(handle)


def main() -> None:
    """Serve until the socket is closed; a child goes on from here as what it was asked to be."""
    for module in pkgutil.walk_packages(milobot.__path__, "milobot."):
        if not module.name.startswith(_PROGRAMS):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()
    request = Server(socket.socket(fileno=int(sys.argv[1]))).serve()
    if request is not None:
        try:
            _run(**request)
        except SystemExit as ended:
            _end_at_once(ended)


def _end_at_once(ended: SystemExit) -> None:
    """Do what an interpreter does when it ends, but leave the memory to the system.

    To take apart all that the server has imported, object by object, takes four times as long as
    a short command. What cannot be told or written ends as usual.
    """
    if ended.code is not None and not isinstance(ended.code, int):
        raise ended
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does; no other way
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        raise ended from None
    os._exit(ended.code or 0)


def _run(program: str, words: list[str], folder: str, environment: dict[str, str]) -> None:
    """Do what ``python -m milobot WORDS`` or ``python main.py WORDS`` does once it is loaded."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    _open_streams(is_unbuffered=bool(environment.get("PYTHONUNBUFFERED")))
    faulthandler.register(SHOWS_STACKS, file=2)  # for whoever wonders why it does not end
    # A shell lets what it starts in the background ignore Ctrl-C, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [program, *words]
    if program.endswith(".py"):
        sys.path[0] = str(Path(program).parent)
        runpy.run_path(program, run_name="__main__")
    else:
        sys.path[0] = folder
        runpy.run_module(program, run_name="__main__", alter_sys=True)


def _open_streams(*, is_unbuffered: bool) -> None:
    """Open the standard streams as an interpreter does when it starts."""
    encoding = sys.stdout.encoding
    sys.stdin = os.fdopen(0, encoding=encoding, closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding=encoding, closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding, errors="backslashreplace", closefd=False)
    if is_unbuffered:
        sys.stdout.reconfigure(write_through=True)


if __name__ == "__main__":
    main()

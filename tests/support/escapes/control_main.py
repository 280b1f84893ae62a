"""The corpus with nothing in its way: ``python control_main.py`` with payloads on stdin.

Each payload runs in a child of its own, as the user that a locked worker
becomes, without language and without lock. It shows that the payloads work, so
that their failure elsewhere means something. One JSON text a line comes in and
goes out.
"""

import ctypes
import json
import os
import select
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

from tests.support.escapes.corpus import NOBODY
from tests.support.escapes.intruder import load_all_modules, run

_LIMIT_S = 3
_PR_SET_DUMPABLE = 4


def main() -> None:
    """Answer until the input ends."""
    load_all_modules()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_in_child(json.loads(line))) + "\n")
        sys.stdout.flush()


def _in_child(code: str) -> str:
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        _run_and_end(code, readable, writable)
    os.close(writable)
    content = b""
    while select.select([readable], [], [], _LIMIT_S)[0] and (part := os.read(readable, 1 << 16)):
        content += part
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(readable)
    return content.decode(errors="replace")


def _run_and_end(code: str, readable: int, writable: int) -> None:
    os.setsid()
    os.close(readable)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1)  # as a process that was never root
    try:
        os.write(writable, run(code).encode(errors="replace"))
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()

"""The process in which a script runs: ``python -I -m milobot.scripting.worker``.

Started by exec with an empty environment and no secret in it, it talks over
stdin and stdout only. Before anything else it limits itself: memory, no core
dumps, one thread, and death together with the thread that started it. Then it
imports all that it will ever need and serves.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

MEMORY_BYTES = 1024 * 1024 * 1024
_PR_SET_PDEATHSIG = 1
_SEVERAL_THREADS = 3
_ORPHANED = 4


def main() -> int:
    """Limit this process, import what scripts need, then answer the parent."""
    _limit_process()
    # Read by OpenBLAS and OpenMP when they are loaded, so set before NumPy's import.
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    from milobot.scripting.serving import Server  # noqa: PLC0415 - only after the limits

    if not _has_one_thread():
        return _SEVERAL_THREADS
    outgoing = os.dup(sys.stdout.fileno())
    # Nothing but frames may reach the parent: a stray print goes nowhere.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    Server(sys.stdin.fileno(), outgoing).run({"ready": True, "isolation": "none"})
    return 0


def _has_one_thread() -> bool:
    """Return whether nothing has started a thread; limits and locks cover the calling one only."""
    tasks = Path("/proc/self/task")
    return not tasks.is_dir() or len(list(tasks.iterdir())) == 1


def _limit_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes us
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # the parent died before the line above
            os._exit(_ORPHANED)


if __name__ == "__main__":
    sys.exit(main())

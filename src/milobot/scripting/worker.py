"""The process in which a script runs: ``python -I -m milobot.scripting.worker``.

Started by exec with an empty environment and no secret in it, it talks over
stdin and stdout only. It imports all that it will ever need, locks itself in,
says how well that went, and only then reads its first request.
"""

import os
import signal
import sys

from milobot.scripting.kernel import Kernel
from milobot.scripting.os_lock import lock


def main(kernel: Kernel | None = None) -> int:
    """Import what scripts need, lock this process in, then answer the parent.

    Args:
        kernel: Whose calls the lock takes; a test hands in one that fails.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes us
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # Read by OpenBLAS and OpenMP when they are loaded, so set before NumPy's import.
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    from milobot.scripting.serving import Server  # noqa: PLC0415 - only after that

    incoming, outgoing = sys.stdin.fileno(), sys.stdout.fileno()
    # Nothing but frames may reach the parent: a stray print goes nowhere.
    sys.stdin = sys.stdout = sys.stderr = None
    report = lock(kernel or Kernel())
    Server(incoming, outgoing).run(report.to_header())
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Keeps the memory of a process that holds keys out of other hands."""

import ctypes
import resource

_PR_SET_DUMPABLE = 4


def hide_memory() -> None:
    """Forbid core dumps of this process, and looks into its memory by others of the same user.

    What it starts by ``exec`` is not affected: scripts run in workers that lock themselves.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    # A core that goes to a program instead of a file is not held back by the limit.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

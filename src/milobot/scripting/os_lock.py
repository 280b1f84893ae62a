"""Locks the worker's process in, step by step, and tells which steps hold.

A step counts only when what it did was found in force afterwards. One that
fails is reported and the rest are still taken: the level sinks, it never rises.
Everything that Python will ever need must be imported before.
"""

import ctypes
import errno
import fcntl
import os
import resource
import signal
import stat
from collections.abc import Callable

from milobot.scripting.kernel import Kernel
from milobot.scripting.landlock import deny_everything
from milobot.scripting.lock_levels import LockReport, Step
from milobot.scripting.seccomp import (
    ALL_THREADS,
    SET_FILTER,
    Instruction,
    alarm_filter,
    allowing_filter,
    assemble,
)
from milobot.scripting.self_test import find_way_out

MEMORY_BYTES = 1024 * 1024 * 1024
"""Address space of a worker; NumPy's code alone takes a tenth of it."""

_INCOMING, _OUTGOING = 0, 1
_LIMITS = {
    resource.RLIMIT_AS: MEMORY_BYTES,
    resource.RLIMIT_CORE: 0,
    # Kills a worker that writes to a file as its output; the descriptors were checked before.
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_MEMLOCK: 0,
    resource.RLIMIT_NPROC: 0,
}
_PR_SET_PDEATHSIG = 1
_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4
_PR_GET_SECCOMP = 21
_PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS = 38, 39
_FILTERED = 2
_GET_ACTION_AVAILABLE = 2


class StepError(Exception):
    """A step went through without an error, but what it should do is not in force."""


def lock(kernel: Kernel) -> LockReport:
    """Take every step of the lock and report those that do not hold."""
    failures: dict[Step, str] = {}
    for step in Step:
        try:
            if step is Step.SELF_TEST:
                _test(kernel, has_filter=Step.SECCOMP not in failures)
            else:
                _STEPS[step](kernel)
        except StepError as error:
            failures[step] = str(error)
        except OSError as error:
            failures[step] = errno.errorcode.get(error.errno or 0, "unknown error")
        except ValueError:  # a limit that may not be set
            failures[step] = "refused"
    return LockReport(failures)


def _have_one_thread(kernel: Kernel) -> None:
    """Limits and locks of threads that run already would be their own."""
    count = kernel.threads()
    _hold(count == 1, f"{count} threads")


def _keep_two_pipes(kernel: Kernel) -> None:
    kernel.close_from(_OUTGOING + 1)
    _hold(kernel.descriptors() == {_INCOMING, _OUTGOING}, "other descriptors are open")
    for descriptor, direction in ((_INCOMING, os.O_RDONLY), (_OUTGOING, os.O_WRONLY)):
        _hold(stat.S_ISFIFO(os.fstat(descriptor).st_mode), "a descriptor is no pipe")
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        _hold(flags & os.O_ACCMODE == direction, "a pipe has the wrong direction")


def _limit(kernel: Kernel) -> None:
    for which, value in _LIMITS.items():
        _, highest = kernel.limit(which)
        allowed = value if highest == resource.RLIM_INFINITY else min(value, highest)
        kernel.set_limit(which, allowed)
        _hold(kernel.limit(which) == (allowed, allowed), "a limit is not in force")


def _drop_privileges(kernel: Kernel) -> None:
    kernel.leave_root()
    kernel.drop_capabilities()
    _hold(kernel.capabilities() == 0, "capabilities are left")


def _gain_nothing_by_exec(kernel: Kernel) -> None:
    kernel.control(_PR_SET_NO_NEW_PRIVS, 1)
    _hold(kernel.control(_PR_GET_NO_NEW_PRIVS) == 1)


def _hide_memory(kernel: Kernel) -> None:
    kernel.control(_PR_SET_DUMPABLE, 0)
    _hold(kernel.control(_PR_GET_DUMPABLE) == 0)


def _die_with_parent(kernel: Kernel) -> None:
    """Leaving root has cleared it, so it is asked for here."""
    kernel.control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _hold(kernel.death_signal() == signal.SIGKILL)


def _deny_files(kernel: Kernel) -> None:
    deny_everything(kernel)
    try:
        os.close(os.open("/", os.O_RDONLY))
    except OSError as error:
        _hold(error.errno == errno.EACCES)
    else:
        _hold(is_so=False)


def _open_nothing_more(kernel: Kernel) -> None:
    """Last of the limits: landlock needs a descriptor for a moment."""
    kernel.set_limit(resource.RLIMIT_NOFILE, 0)
    try:
        os.close(os.dup(_INCOMING))
    except OSError as error:
        _hold(error.errno in {errno.EMFILE, errno.EINVAL})
    else:
        _hold(is_so=False)


def _filter_calls(kernel: Kernel) -> None:
    _install(kernel, allowing_filter)
    _hold(kernel.control(_PR_GET_SECCOMP) == _FILTERED)


def _test(kernel: Kernel, *, has_filter: bool) -> None:
    way = find_way_out(kernel, has_filter=has_filter)
    _hold(way is None, f"{way} is possible")


def _arm_alarm(kernel: Kernel) -> None:
    _install(kernel, alarm_filter)
    try:
        kernel.named("seccomp", _GET_ACTION_AVAILABLE, 0, 0)
    except OSError as error:
        _hold(error.errno == errno.EPERM)
    else:
        _hold(is_so=False)


def _install(kernel: Kernel, build: Callable[[str], list[Instruction]]) -> None:
    try:
        program = build(kernel.machine)
    except KeyError:
        raise StepError(f"no table of system calls for {kernel.machine}") from None
    content = assemble(program)
    instructions = ctypes.create_string_buffer(content, len(content))
    header = _Program(len(program), ctypes.addressof(instructions))
    answer = kernel.named("seccomp", SET_FILTER, ALL_THREADS, ctypes.addressof(header))
    _hold(answer == 0, "another thread is not covered")


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _hold(is_so: bool, otherwise: str = "not in force") -> None:  # noqa: FBT001 - an assertion
    if not is_so:
        raise StepError(otherwise)


_STEPS: dict[Step, Callable[[Kernel], None]] = {
    Step.THREADS: _have_one_thread,
    Step.DESCRIPTORS: _keep_two_pipes,
    Step.LIMITS: _limit,
    Step.PRIVILEGES: _drop_privileges,
    Step.NO_NEW_PRIVILEGES: _gain_nothing_by_exec,
    Step.NOT_DUMPABLE: _hide_memory,
    Step.DEATH_SIGNAL: _die_with_parent,
    Step.LANDLOCK: _deny_files,
    Step.NO_NEW_DESCRIPTORS: _open_nothing_more,
    Step.SECCOMP: _filter_calls,
    Step.ALARM: _arm_alarm,
}

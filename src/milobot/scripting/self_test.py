"""Tries from within to get out of a locked worker; run before any script comes near it.

Calls that the alarm answers with death are tried before it is armed, while the
filter still refuses them with EPERM. Each attempt is harmless if it succeeds.
"""

import errno
import os
from collections.abc import Callable

from milobot.scripting.kernel import Kernel

_ABSENT_DESCRIPTOR = 7
_AF_UNIX, _SOCK_STREAM = 1, 1
_PAGE = 4096
_PROT_ALL, _MAP_PRIVATE_ANONYMOUS = 7, 0x22


def find_way_out(kernel: Kernel, *, has_filter: bool) -> str | None:
    """Return the first attempt that was not refused, None when all were.

    Args:
        kernel: Makes the calls that Python has no function for.
        has_filter: Whether the system call filter is meant to be in force; then
            it must be the one that refuses, and calls that only it stops are tried too.
    """
    attempts = _ATTEMPTS | (_FILTERED_ATTEMPTS if has_filter else {})
    for name, attempt in attempts.items():
        try:
            attempt(kernel)
        except OSError as error:
            if has_filter and error.errno != errno.EPERM:
                return name
        else:
            return name
    return None


def _open_environment(_kernel: Kernel) -> None:
    os.close(os.open("/proc/self/environ", os.O_RDONLY))


def _open_root(_kernel: Kernel) -> None:
    os.close(os.open("/", os.O_RDONLY))


def _create_file(_kernel: Kernel) -> None:
    os.close(os.open("/dev/null", os.O_WRONLY | os.O_CREAT))


def _open_socket(kernel: Kernel) -> None:
    os.close(kernel.named("socket", _AF_UNIX, _SOCK_STREAM, 0))


def _fork(_kernel: Kernel) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _write_elsewhere(_kernel: Kernel) -> None:
    os.write(_ABSENT_DESCRIPTOR, b"")


def _read_output(_kernel: Kernel) -> None:
    os.read(1, 0)


def _execute(kernel: Kernel) -> None:
    kernel.named("execve", 0, 0, 0)


def _trace(kernel: Kernel) -> None:
    kernel.named("ptrace", -1, 0, 0, 0)


def _read_parent(kernel: Kernel) -> None:
    kernel.named("process_vm_readv", 1, 0, 0, 0, 0, 0)


def _probe_parent(kernel: Kernel) -> None:
    kernel.named("kill", 1, 0)


def _map_code(kernel: Kernel) -> None:
    kernel.named("mmap", 0, _PAGE, _PROT_ALL, _MAP_PRIVATE_ANONYMOUS, -1, 0)


_ATTEMPTS: dict[str, Callable[[Kernel], None]] = {
    "reading the environment": _open_environment,
    "opening a folder": _open_root,
    "writing a file": _create_file,
    "opening a socket": _open_socket,
    "starting a process": _fork,
    "writing to another descriptor": _write_elsewhere,
}
_FILTERED_ATTEMPTS: dict[str, Callable[[Kernel], None]] = {
    "reading from the output": _read_output,
    "running a program": _execute,
    "tracing a process": _trace,
    "reading another process": _read_parent,
    "sending a signal": _probe_parent,
    "making memory executable": _map_code,
}

"""The system calls with which a worker locks itself, bound before the lock.

The lock takes them through one object, so that a test can give it one on which
a chosen call fails, or pretends to succeed and does nothing.
"""

import ctypes
import errno
import os
import platform
import resource
import struct
from contextlib import suppress
from pathlib import Path

from milobot.scripting.syscalls import NUMBERS

NOBODY = 65534
_CAPABILITY_VERSION = 0x20080522  # linux/capability.h, _LINUX_CAPABILITY_VERSION_3
_CAPABILITY_WORDS = 6  # effective, permitted, inheritable; low and high half
_CAP_KILL = 1 << 5
_CAP_SETGID = 1 << 6
_CAP_SETUID = 1 << 7


class Kernel:
    """The running kernel; every method raises OSError when it says no."""

    def __init__(self) -> None:
        """Bind the C library's functions, while the dynamic linker may still look for them."""
        library = ctypes.CDLL(None, use_errno=True)
        self._syscall, self._prctl = library.syscall, library.prctl
        self._syscall.restype = ctypes.c_long
        self.machine = platform.machine()

    def call(self, number: int, *arguments: int) -> int:
        """Make a system call by its number."""
        words = [ctypes.c_long(argument) for argument in arguments]
        return _checked(self._syscall(ctypes.c_long(number), *words))

    def named(self, name: str, *arguments: int) -> int:
        """Make a system call whose number depends on the machine."""
        numbers = NUMBERS.get(self.machine)
        if numbers is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        return self.call(numbers[name], *arguments)

    def control(self, option: int, argument: int = 0) -> int:
        """Read or set an attribute of this process (prctl)."""
        words = [ctypes.c_ulong(argument), *(ctypes.c_ulong(0) for _ in range(3))]
        return _checked(self._prctl(ctypes.c_int(option), *words))

    def death_signal(self) -> int:
        """Return the signal that comes when the parent dies, 0 for none."""
        number = ctypes.c_int()
        self.control(2, ctypes.addressof(number))  # PR_GET_PDEATHSIG
        return number.value

    def set_limit(self, which: int, value: int) -> None:
        """Set a resource limit, for good: soft and hard."""
        resource.setrlimit(which, (value, value))

    def limit(self, which: int) -> tuple[int, int]:
        """Return a resource limit, soft and hard."""
        return resource.getrlimit(which)

    def threads(self) -> int:
        """Return the number of threads in this process."""
        return len(list(Path("/proc/self/task").iterdir()))

    def close_from(self, first: int) -> None:
        """Close every descriptor from ``first`` on."""
        os.closerange(first, 1 << 30)

    def descriptors(self) -> set[int]:
        """Return the descriptors that are open."""
        listed = {int(entry.name) for entry in Path("/proc/self/fd").iterdir()}
        return {number for number in listed if _is_open(number)}  # without that of the listing

    def capabilities(self) -> int:
        """Return all capabilities of this process as bits, effective or obtainable."""
        effective, permitted, inheritable = self._capabilities()
        return effective | permitted | inheritable

    def drop_capabilities(self) -> None:
        """Give up every capability, for good."""
        header, none = _capability_header(), _buffer(bytes(4 * _CAPABILITY_WORDS))
        self.named("capset", ctypes.addressof(header), ctypes.addressof(none))

    def leave_root(self) -> None:
        """Become nobody when running as root and able to; the parent must be able to kill us.

        A root that may not change its user, or has no other in its namespace,
        keeps the number but none of its capabilities, see :meth:`drop_capabilities`.
        """
        needed = _CAP_KILL | _CAP_SETGID | _CAP_SETUID
        if os.geteuid() == 0 and self._capabilities()[0] & needed == needed:
            with suppress(OSError):
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)

    def _capabilities(self) -> tuple[int, int, int]:
        header, found = _capability_header(), _buffer(bytes(4 * _CAPABILITY_WORDS))
        self.named("capget", ctypes.addressof(header), ctypes.addressof(found))
        words = struct.unpack("=6I", found.raw)
        effective, permitted, inheritable = (words[i] | words[i + 3] << 32 for i in range(3))
        return effective, permitted, inheritable


def _capability_header() -> "ctypes.Array[ctypes.c_char]":
    return _buffer(struct.pack("=Ii", _CAPABILITY_VERSION, 0))


def _buffer(content: bytes) -> "ctypes.Array[ctypes.c_char]":
    return ctypes.create_string_buffer(content, len(content))


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

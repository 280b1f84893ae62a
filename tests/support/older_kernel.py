"""Runs a command as if on a kernel without some system calls: a container, or an old Linux.

``python older_kernel.py seccomp,landlock_create_ruleset COMMAND [WORD ...]``; the
calls named first answer ENOSYS in the command and all that it starts.
"""

import ctypes
import errno
import os
import sys

from milobot.scripting.kernel import Kernel
from milobot.scripting.seccomp import ALLOW, assemble
from milobot.scripting.syscalls import NUMBERS

_MISSING = 0x00050000 | errno.ENOSYS
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_PR_SET_NO_NEW_PRIVS = 38


def main() -> None:
    """Take the calls away, then become the command."""
    kernel = Kernel()
    program = [(_LOAD, 0, 0, 0)]
    for name in sys.argv[1].split(","):
        program += [
            (_EQUAL, 0, 1, NUMBERS[kernel.machine][name]),
            (_RETURN, 0, 0, _MISSING),
        ]
    content = assemble([*program, (_RETURN, 0, 0, ALLOW)])
    instructions = ctypes.create_string_buffer(content, len(content))
    header = b"".join(
        number.to_bytes(8, sys.byteorder)
        for number in (len(content) // 8, ctypes.addressof(instructions))
    )
    buffer = ctypes.create_string_buffer(header, len(header))
    kernel.control(_PR_SET_NO_NEW_PRIVS, 1)
    kernel.named("seccomp", 1, 0, ctypes.addressof(buffer))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the test's own command


if __name__ == "__main__":
    main()

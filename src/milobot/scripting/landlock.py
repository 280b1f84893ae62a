"""Takes all access to files, TCP and foreign processes from this process, for good.

A landlock domain without a single rule denies whatever kind of access it
handles. Kinds by version of the interface: Documentation/userspace-api/landlock.rst.
"""

import ctypes
import os
import struct

from milobot.scripting.kernel import Kernel

_VERSION_QUERY = 1
# Highest bit of each attribute by version of the interface, as far as they are known here.
_FILE_KINDS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NET_KINDS = {4: 2}
_SCOPES = {6: 2}


def deny_everything(kernel: Kernel) -> None:
    """Enter a landlock domain that allows nothing.

    Raises:
        OSError: The kernel has no landlock, or it is switched off.
    """
    version = kernel.named("landlock_create_ruleset", 0, 0, _VERSION_QUERY)
    content = attributes(version)
    buffer = ctypes.create_string_buffer(content, len(content))
    ruleset = kernel.named("landlock_create_ruleset", ctypes.addressof(buffer), len(content), 0)
    try:
        kernel.named("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def attributes(version: int) -> bytes:
    """Return ``struct landlock_ruleset_attr`` with every kind of access that a version knows.

    Older kernels take the longer struct as long as what they do not know is zero.
    """
    parts = (_all(_FILE_KINDS, version), _all(_NET_KINDS, version), _all(_SCOPES, version))
    return struct.pack("=QQQ", *parts)


def _all(kinds: dict[int, int], version: int) -> int:
    known = [count for first, count in kinds.items() if first <= version]
    return (1 << max(known, default=0)) - 1

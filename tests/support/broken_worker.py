"""A real worker on a kernel with faults: ``python -I broken_worker.py FAULT [FAULT ...]``.

A fault names what breaks and how, such as ``set_limit.RLIMIT_NPROC=ignore``:
``raise`` refuses the call, ``crash`` raises what nobody expects, ``ignore`` does nothing
and says it went well, and a number is what the kernel answers instead.
"""

import ctypes
import errno
import resource
import sys

from milobot.scripting.kernel import Kernel
from milobot.scripting.seccomp import ALLOW, assemble
from milobot.scripting.worker import main


class BrokenKernel(Kernel):
    """The running kernel, less what its faults break.

    ``named.seccomp`` counts its calls: ``named.seccomp.1`` is the first filter.
    """

    def __init__(self, faults: list[str]) -> None:
        """Break what the faults name."""
        super().__init__()
        self._faults = dict(fault.split("=") for fault in faults)
        self._filters = 0
        self.machine = self._faults.get("machine", self.machine)

    def named(self, name: str, *arguments: int) -> int:
        """Break ``named.NAME``; a filter ``permissive`` lets everything through."""
        place = f"named.{name}"
        if name == "seccomp":
            self._filters += 1
            place += f".{self._filters}"
            if self._faults.get(place) == "permissive":
                return super().named(name, *arguments[:2], _permissive())
        if place in self._faults:
            return self._answer(place)
        return super().named(name, *arguments)

    def control(self, option: int, argument: int = 0) -> int:
        """Break ``control.OPTION``."""
        place = f"control.{option}"
        return self._answer(place) if place in self._faults else super().control(option, argument)

    def set_limit(self, which: int, value: int) -> None:
        """Break ``set_limit.RLIMIT_NAME``."""
        for place in self._faults:
            name = place.partition(".")[2]
            if place.startswith("set_limit.") and which == getattr(resource, name):
                self._answer(place)
                return
        super().set_limit(which, value)

    def threads(self) -> int:
        """Break ``threads``."""
        return self._answer("threads") if "threads" in self._faults else super().threads()

    def close_from(self, first: int) -> None:
        """Break ``close_from``."""
        if "close_from" in self._faults:
            self._answer("close_from")
        else:
            super().close_from(first)

    def leave_root(self) -> None:
        """Break ``leave_root``."""
        if "leave_root" in self._faults:
            self._answer("leave_root")
        else:
            super().leave_root()

    def capabilities(self) -> int:
        """Break ``capabilities``."""
        place = "capabilities"
        return self._answer(place) if place in self._faults else super().capabilities()

    def death_signal(self) -> int:
        """Break ``death_signal``."""
        place = "death_signal"
        return self._answer(place) if place in self._faults else super().death_signal()

    def _answer(self, place: str) -> int:
        how = self._faults[place]
        if how == "raise":
            raise OSError(errno.EPERM, "broken on purpose")
        if how == "crash":
            raise RuntimeError("broken on purpose")
        return 0 if how == "ignore" else int(how)


def _permissive() -> int:
    content = assemble([(0x06, 0, 0, ALLOW)])
    _kept.append(ctypes.create_string_buffer(content, len(content)))
    _kept.append(
        ctypes.create_string_buffer(
            (1).to_bytes(8, sys.byteorder) + ctypes.addressof(_kept[-1]).to_bytes(8, sys.byteorder)
        )
    )
    return ctypes.addressof(_kept[-1])


_kept: list["ctypes.Array[ctypes.c_char]"] = []  # memory that the kernel is told the address of


if __name__ == "__main__":
    sys.exit(main(BrokenKernel(sys.argv[1:])))

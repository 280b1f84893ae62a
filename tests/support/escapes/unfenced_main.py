"""A locked worker with the allow-list switched off: ``python -I unfenced_main.py``.

It answers the frames of :class:`tests.support.locked_python.LockedPython`.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

from tests.support.escapes.intruder import load_all_modules, run

from milobot.scripting.kernel import Kernel
from milobot.scripting.os_lock import lock
from milobot.scripting.protocol import (
    LENGTHS,
    decode_header,
    decode_lengths,
    encode,
)


def main() -> None:
    """Lock this process in, then run what comes."""
    load_all_modules()
    sys.stdin = sys.stdout = sys.stderr = None
    _send(lock(Kernel()).to_header())
    while prefix := _read(LENGTHS.size):
        header_length, body_length = decode_lengths(prefix)
        code = str(decode_header(_read(header_length))["code"])
        _read(body_length)
        _send({"result": run(code)})


def _send(header: dict[str, object]) -> None:
    rest = memoryview(encode(header))
    while rest:
        rest = rest[os.write(1, rest) :]


def _read(length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length and (part := os.read(0, length - len(parts))):
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    main()

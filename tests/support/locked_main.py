"""A locked worker that runs any Python at all: ``python -I locked_main.py [--bare]``.

It has what an intruder would wish for, imported before the lock: the language's
allow-list is not there, the lock is all there is. Bare it starts faster, without
NumPy and the bot's own modules. It answers each frame
``{"code": …}`` with what the code left in ``result``, or with what it raised.
Used by :mod:`tests.support.locked_python` only.
"""

import ctypes
import importlib
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading

from milobot.scripting.kernel import Kernel
from milobot.scripting.os_lock import lock
from milobot.scripting.protocol import LENGTHS, decode_header, decode_lengths, encode

_MODULES = (ctypes, mmap, os, signal, socket, subprocess, sys, threading)
_FURTHER = (
    "inspect", "io", "milobot.scripting.serving", "multiprocessing", "numpy", "pathlib", "pickle",
    "resource", "select", "talib", "urllib.request",
)  # fmt: skip
_MOST = 2000


def main() -> None:
    """Lock this process in, then run what comes."""
    names: dict[str, object] = {module.__name__: module for module in _MODULES}
    if "--bare" not in sys.argv:
        names |= _further_modules()
    raw = _raw_call()
    sys.stdin = sys.stdout = sys.stderr = None
    _send(lock(Kernel()).to_header())
    while prefix := _read(LENGTHS.size):
        header_length, body_length = decode_lengths(prefix)
        code = decode_header(_read(header_length))["code"]
        body = _read(body_length)
        _send(_run(str(code), {**names, "raw": raw, "body": body, "result": None}))


def _further_modules() -> dict[str, object]:
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    loaded = {name: importlib.import_module(name) for name in _FURTHER}
    names: dict[str, object] = {name.rpartition(".")[2]: loaded[name] for name in loaded}
    return names | {
        "np": loaded["numpy"],
        "Path": loaded["pathlib"].Path,
        "urllib": sys.modules["urllib"],
    }


def _run(code: str, names: dict[str, object]) -> dict[str, object]:
    try:
        exec(compile(code, "<intruder>", "exec"), names)  # noqa: S102 - what this program is for
    except BaseException as error:  # noqa: BLE001 - whatever it was is the answer
        return {"raised": type(error).__name__, "text": str(error)[:_MOST], "errno": _number(error)}
    return {"result": repr(names["result"])[:_MOST]}


def _number(error: BaseException) -> int:
    return (error.errno or 0) if isinstance(error, OSError) else 0


def _raw_call() -> object:
    """Return a function that makes a system call by number, raising OSError when refused."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long

    def raw(number: int, *arguments: int) -> int:
        answer = int(call(ctypes.c_long(number), *map(ctypes.c_long, arguments)))
        if answer < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return answer

    return raw


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

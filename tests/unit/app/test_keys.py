"""Keys from environment and file, and the memory of whoever holds them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.support.process import child_environment

from milobot.app.exchanges import AccountName
from milobot.app.keys import (
    describe_rights,
    find_key,
    known_keys,
    open_or_make_store,
    open_store,
)
from milobot.domain.reports import KeyRights
from milobot.errors import KeystoreError
from milobot.settings import Settings
from milobot.storage.api_key import ApiKey

PASSWORD = "a password of these tests"  # noqa: S105 - opens files of tests
STORED = ApiKey("stored-key-0123456789", "stored-secret")
MAIN, DEFAULT = AccountName("bingx", "main"), AccountName("bingx")


def settings(folder: Path, **values: Any) -> Settings:
    """Return settings with a file of keys in a folder and its password."""
    known = {"keys_file": folder / "keys.json", "keys_password": SecretStr(PASSWORD), **values}
    return Settings.model_construct(**known)


def with_environment(folder: Path) -> Settings:
    """Return settings with a key of BingX in the environment."""
    return settings(
        folder,
        bingx_api_key=SecretStr("environment-key-42"),
        bingx_secret_key=SecretStr("environment-secret"),
    )


def fail() -> str:
    """Be asked where nobody may be asked."""
    raise AssertionError("nobody was to be asked")


def test_environment_and_file_make_one_list(tmp_path: Path) -> None:
    """Each key says where it comes from."""
    given = with_environment(tmp_path)
    open_or_make_store(given, None, None).put(str(MAIN), STORED)

    found = known_keys(given, None)

    assert [(str(one.account), one.place) for one in found] == [
        ("bingx:default", "environment"),
        ("bingx:main", "keys.json"),
    ]
    assert find_key(given, MAIN, None) == STORED


def test_environment_wins_and_needs_no_password(tmp_path: Path) -> None:
    """A container's secret replaces what lies on a volume, locked or not."""
    open_or_make_store(settings(tmp_path), None, None).put(str(DEFAULT), STORED)
    locked = with_environment(tmp_path).model_copy(update={"keys_password": None})

    assert find_key(locked, DEFAULT, fail).secret == "environment-secret"  # noqa: S105 - made up


def test_missing_key_names_what_there_is_and_how_to_set_one(tmp_path: Path) -> None:
    """The next command stands in the sentence."""
    with pytest.raises(KeystoreError) as caught:
        find_key(with_environment(tmp_path), MAIN, None)

    assert "known: bingx:default" in str(caught.value)
    assert "milobot keys set main --exchange bingx" in str(caught.value)


def test_user_is_asked_only_where_no_setting_holds_the_password(tmp_path: Path) -> None:
    """A terminal asks; a service never waits for one."""
    given = settings(tmp_path)
    open_or_make_store(given, fail, fail).put(str(MAIN), STORED)
    asking = given.model_copy(update={"keys_password": None})

    assert open_store(given, fail).keys == {str(MAIN): STORED}
    assert open_store(asking, lambda: PASSWORD).keys == {str(MAIN): STORED}
    with pytest.raises(KeystoreError, match="there is no password"):
        open_store(asking, None)


def test_plain_file_asks_for_nothing(tmp_path: Path) -> None:
    """Its own password is in it."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"api_key": "k", "api_secret": "s", "password": PASSWORD}))
    path.chmod(0o600)

    store = open_store(settings(tmp_path, keys_password=None), fail)

    assert list(store.keys) == ["binance:default"]


def test_rights_are_told_in_sentences(tmp_path: Path) -> None:
    """What is not known is said to be unknown."""
    given = settings(tmp_path)

    bound = describe_rights(
        KeyRights(can_trade=True, can_withdraw=None, is_address_bound=True), given, "binance"
    )

    assert "it may read and trade futures" in bound
    assert "it works from listed addresses only" in bound
    assert any("whether it may withdraw is not told" in line for line in bound)


HOLDER = """
import ctypes, os, resource, sys
from milobot.app.exchanges import open_client
from milobot.settings import load_settings
from milobot.app.exchanges import key_from_environment
settings = load_settings(None)
client = open_client(settings, "bingx", key_from_environment(settings, "bingx"))
print(resource.getrlimit(resource.RLIMIT_CORE)[0], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
sys.stdout.flush()
"""
ENVIRONMENT = {"BINGX_API_KEY": "key-in-memory-0123", "BINGX_SECRET_KEY": "secret-in-memory-4567"}


def holder(program: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a process that holds a key."""
    return subprocess.run(  # noqa: S603 - the test's own program
        [sys.executable, "-c", HOLDER + program],
        env=child_environment(**ENVIRONMENT),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_process_with_a_key_leaves_no_core(tmp_path: Path) -> None:
    """A crash must not write the key to the disk, nor hand it to a crash reporter."""
    ended = holder("os.abort()", tmp_path)

    assert ended.returncode == -signal.SIGABRT, ended.stderr
    assert ended.stdout.split() == ["0", "0"]
    assert list(tmp_path.iterdir()) == []


WORKER = """
import asyncio
from pathlib import Path
from milobot.scripting.process import WorkerProcess
worker = WorkerProcess(20.0)
folder = Path(f"/proc/{worker.pid}")
found = [(folder / "environ").read_bytes()]
with (folder / "mem").open("rb") as memory:
    for line in (folder / "maps").read_text().splitlines():
        place, rights = line.split()[:2]
        first, last = (int(edge, 16) for edge in place.split("-"))
        if "r" in rights and last < 1 << 47 and last - first < 1 << 28:
            memory.seek(first)
            try:
                found.append(memory.read(last - first))
            except OSError:
                continue
worker.end()
content = b"".join(found)
print(len(content) > 1 << 20, b"milobot" in content)
print([secret for secret in (b"key-in-memory-0123", b"secret-in-memory-4567") if secret in content])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a worker's memory is readable by root only")
def test_memory_of_a_worker_holds_no_key(tmp_path: Path) -> None:
    """A script that breaks out of its language finds nothing: read from outside, all of it."""
    ended = holder(WORKER, tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[1:] == ["True True", "[]"]


def test_worker_is_started_without_an_environment(tmp_path: Path) -> None:
    """Another program in the worker's place writes down what it was given: nothing of ours."""
    given = tmp_path / "given"
    program = f"""
from milobot.errors import ScriptError
from milobot.scripting.process import WorkerProcess
spy = "import os, pathlib; pathlib.Path({str(given)!r}).write_text(repr(dict(os.environ)))"
try:
    WorkerProcess(10.0, ("-c", spy))
except ScriptError:
    pass
"""
    ended = holder(program, tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert "LC_CTYPE" in given.read_text() or given.read_text() == "{}"  # Python's own doing
    assert "BINGX" not in given.read_text()

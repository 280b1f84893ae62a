"""``milobot keys`` as its user meets it, against an exchange that knows the key."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.clinic import KEY, PASSWORD, SECRET, clinic
from tests.support.process import child_environment, run_milobot

from milobot.local_exchange.core.accounts import Rights

LINES = f"{KEY}\n{SECRET}\n"
OPEN = {"KEYS_PASSWORD": PASSWORD}
# Passwords are asked for at the terminal that controls the process.
ON_A_TERMINAL = """
import fcntl, sys, termios
from milobot.cli.main import main
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.exit(main())
"""
_LIMIT_S = 30


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Return a folder with a file of keys."""
    words = ("keys", "set", "--exchange", "binance", "--stdin", "--no-test")
    assert run_milobot(*words, cwd=tmp_path, stdin=LINES, **OPEN).code == 0
    return tmp_path


@pytest.mark.parametrize("exchange", ["binance", "bingx"])
async def test_key_is_tested_stored_shown_tested_again_and_removed(
    exchange: str, tmp_path: Path
) -> None:
    """The whole life of a key, with its password as a line, a setting and a secret file."""
    (tmp_path / "word").write_text(f"{PASSWORD}\n")
    (tmp_path / "word").chmod(0o600)
    there = {"KEYS_PASSWORD_FILE": "word"}
    async with clinic(tmp_path) as run:
        words = ("keys", "set", "main", "--exchange", exchange, "--stdin")
        done = await run.run(*words, stdin=f"{LINES}{PASSWORD}\n")
        tested = await run.run("keys", "test", f"{exchange}:main", **OPEN)
        shown = await run.run("keys", "show", **there)
        removed = await run.run("keys", "remove", "main", "--exchange", exchange, **there)
        gone = await run.run("keys", "show", **there)

    assert (done.code, done.err) == (0, "")
    assert f"{exchange}:main is stored in keys.json, encrypted (key the-…1234)" in done.out
    assert "it may read and trade futures" in done.out
    assert "it may not withdraw" in tested.out
    assert "it works from every address: bind it" in tested.out
    assert shown.out.split() == [f"{exchange}:main", "the-…1234", "keys.json"]
    assert removed.code == 0
    assert gone.out.startswith("no keys")
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    for said in (done, tested, shown, removed, gone):
        assert SECRET not in said.out + said.err
        assert KEY not in said.out + said.err


@pytest.mark.parametrize("exchange", ["binance", "bingx"])
async def test_key_that_may_withdraw_is_refused_and_not_stored(
    exchange: str, tmp_path: Path
) -> None:
    """Stolen, it would empty the account; so it never gets onto the disk."""
    async with clinic(tmp_path, rights=Rights(can_withdraw=True)) as run:
        words = ("keys", "set", "--exchange", exchange, "--stdin")
        done = await run.run(*words, stdin=LINES, **OPEN)
        tested = await run.run("keys", "test", "--exchange", exchange, **run.keys)

    for said in (done, tested):
        assert said.code == 2
        assert "this key may withdraw" in said.err
        assert said.err.count("\n") == 1
    assert not (tmp_path / "keys.json").exists()


async def test_read_only_key_is_named(tmp_path: Path) -> None:
    """It may be stored, since rights change at the exchange; its test says what is missing."""
    async with clinic(tmp_path, rights=Rights(can_trade=False)) as run:
        words = ("keys", "set", "--exchange", "bingx", "--stdin")
        done = await run.run(*words, stdin=LINES, **OPEN)
        tested = await run.run("keys", "test", "--exchange", "bingx", **OPEN)

    assert done.code == 0
    assert "it may read, not trade futures" in done.out
    assert tested.code == 2
    assert "may read at" in tested.err
    assert "switch that right on" in tested.err


@pytest.mark.parametrize(
    ("exchange", "lines"),
    [
        ("binance", f"{KEY}\nwrong-secret\n"),
        ("binance", f"revoked-key-0123456\n{SECRET}\n"),
        ("bingx", f"revoked-key-0123456\n{SECRET}\n"),
    ],
)
async def test_wrong_or_revoked_key_is_refused_by_the_exchange(
    exchange: str, lines: str, tmp_path: Path
) -> None:
    """A typing error is found at once, not at the first order."""
    async with clinic(tmp_path) as run:
        words = ("keys", "set", "--exchange", exchange, "--stdin")
        done = await run.run(*words, stdin=lines, **OPEN)

    assert done.code == 2
    assert "answered" in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "keys.json").exists()
    assert "wrong-secret" not in done.err
    assert "revoked-key-0123456" not in done.err


async def test_key_from_another_address_is_refused(tmp_path: Path) -> None:
    """The exchange's own word is shown, on one line."""
    async with clinic(tmp_path, rights=Rights(allowed_ip=False)) as run:
        tested = await run.run("keys", "test", "--exchange", "bingx", **run.keys)

    assert tested.code == 2
    assert "IP" in tested.err
    assert tested.err.count("\n") == 1


def test_without_a_network_the_key_is_stored_untested(tmp_path: Path) -> None:
    """Setting up must not depend on an exchange that is down; what was not done is said."""
    done = run_milobot(
        *("keys", "set", "--exchange", "binance", "--stdin"),
        cwd=tmp_path,
        stdin=LINES,
        BINANCE_BASE_URL="http://127.0.0.1:9",
        **OPEN,
    )

    assert done.code == 0
    assert "not tested: Binance: no connection" in done.out
    assert "is stored" in done.out


def test_wrong_password_and_changed_file_say_the_same(stored: Path) -> None:
    """No oracle for whoever may write the file but does not know the password."""
    wrong = run_milobot("keys", "show", cwd=stored, KEYS_PASSWORD="another password")  # noqa: S106 - no secret: a wrong one
    path = stored / "keys.json"
    document = json.loads(path.read_text())
    document["sealed"] = document["sealed"][::-1].lstrip("=").ljust(len(document["sealed"]), "A")
    path.write_text(json.dumps(document))
    changed = run_milobot("keys", "show", cwd=stored, **OPEN)

    assert (wrong.code, changed.code) == (2, 2)
    assert wrong.err == changed.err
    assert "the password is wrong or the file was changed" in wrong.err


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("{", 0o600, "keys.json is damaged"),
        ("", 0o600, "keys.json is damaged"),
        ("{}", 0o644, "chmod 600"),
    ],
)
def test_damaged_or_open_file_is_one_sentence(
    content: str, mode: int, said: str, tmp_path: Path
) -> None:
    """With what to do next, and no traceback."""
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(mode)

    done = run_milobot("keys", "show", cwd=tmp_path, **OPEN)

    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_plain_form_of_old_is_encrypted_on_first_use(tmp_path: Path) -> None:
    """Muscle memory of the first bot: a JSON file with the password in it works once."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"api_key": KEY, "api_secret": SECRET, "password": PASSWORD}))
    path.chmod(0o600)

    first = run_milobot("keys", "show", cwd=tmp_path)
    second = run_milobot("keys", "show", cwd=tmp_path)
    third = run_milobot("keys", "show", cwd=tmp_path, **OPEN)

    assert first.out.split() == ["binance:default", "the-…1234", "keys.json"]
    assert PASSWORD not in path.read_text()
    assert second.code == 2
    assert "there is no password" in second.err
    assert third.out == first.out


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("set",), LINES, "Add --exchange binance"),
        (("set", "--exchange", "bingx", "--stdin"), KEY, "takes two lines"),
        (("set", "--exchange", "bingx", "--stdin"), f"a b\n{KEY}", "the key is empty or holds"),
        (("set", "--exchange", "bingx"), LINES, "--stdin"),
        (("set", "--exchange", "bingx", "--stdin", "--no-test"), LINES, "needs a password"),
        (("test", "--exchange", "bingx"), "", "there is no key of bingx:default"),
        (("remove", "x", "--exchange", "bingx"), "", "keys.json does not exist"),
    ],
)
def test_slip_of_the_user_is_one_sentence(
    words: tuple[str, ...], stdin: str, said: str, tmp_path: Path
) -> None:
    """What, and what to do next; nothing is stored and no key is repeated."""
    done = run_milobot("keys", *words, cwd=tmp_path, stdin=stdin)

    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert KEY not in done.err
    assert not (tmp_path / "keys.json").exists()


def test_terminal_shows_nothing_of_what_is_typed(tmp_path: Path) -> None:
    """Somebody may look over the shoulder, and terminals keep what they showed."""
    typed = [
        (b"API key", f"{KEY}\n"),
        (b"secret", f"{SECRET}\n"),
        (b"New password", f"{PASSWORD}\n"),
        (b"again", f"{PASSWORD}\n"),
    ]

    code, shown = at_a_terminal(tmp_path, typed, until=b"is stored")

    assert code == 0
    for text in (KEY, SECRET, PASSWORD):
        assert text.encode() not in shown


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(b"API key", "\x04")], b"nothing was typed"),
        (
            [
                (b"API key", f"{KEY}\n"),
                (b"secret", f"{SECRET}\n"),
                (b"New password", "one password\n"),
                (b"again", "another password\n"),
            ],
            b"the two passwords differ",
        ),
    ],
)
def test_slip_at_the_terminal_is_one_sentence(
    answers: list[tuple[bytes, str]], said: bytes, tmp_path: Path
) -> None:
    """Ctrl-D and a mistyped password end without a file and without a traceback."""
    code, shown = at_a_terminal(tmp_path, answers, until=said)

    assert code == 2
    assert b"Traceback" not in shown
    assert not (tmp_path / "keys.json").exists()


def at_a_terminal(
    folder: Path, answers: list[tuple[bytes, str]], *, until: bytes
) -> tuple[int, bytes]:
    """Run ``keys set`` at a terminal; return its code and everything that was shown."""
    ours, theirs = pty.openpty()
    words = ["keys", "set", "--exchange", "binance", "--no-test"]
    process = subprocess.Popen(  # noqa: S603 - our own program and the test's own words
        [sys.executable, "-c", ON_A_TERMINAL, *words],
        cwd=folder,
        env=child_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        shown = b""
        for prompt, typed in answers:
            shown += _read_until(ours, prompt)
            time.sleep(0.05)  # the echo is switched off right after the prompt
            os.write(ours, typed.encode())
        shown += _read_until(ours, until)
        return process.wait(_LIMIT_S), shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read_until(descriptor: int, text: bytes) -> bytes:
    """Return what a terminal shows up to the end of a text that is waited for."""
    shown = b""
    deadline = time.monotonic() + _LIMIT_S
    while text not in shown:
        ready, _, _ = select.select([descriptor], [], [], deadline - time.monotonic())
        assert ready, shown
        shown += os.read(descriptor, 4096)
    return shown

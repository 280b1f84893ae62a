"""Secrets typed by a person, unseen, or handed over by a program on stdin."""

import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from milobot.app.exchanges import TITLES, AccountName
from milobot.errors import ConfigurationError
from milobot.storage.api_key import ApiKey

_MOST_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key, and the password that came with it if one did."""

    key: ApiKey
    password: Callable[[], str] | None = field(default=None, repr=False)


def read_key(account: AccountName, *, from_stdin: bool) -> GivenKey:
    """Return the key of an account from its user.

    Raises:
        ConfigurationError: A line is missing or holds blanks, or there is nobody to ask.
    """
    if from_stdin:
        lines = _read_lines()
        if len(lines) not in {2, 3}:
            raise ConfigurationError(
                "--stdin takes two lines, key and secret, and the password as a third where no"
                f" setting holds it: {len(lines)} came"
            )
        password = lines[2] if lines[2:] else None
        given = None if password is None else lambda: password
        return GivenKey(_checked(lines[0], lines[1]), given)
    _refuse_silence("give key and secret on two lines with --stdin")
    title = TITLES[account.exchange]
    key = _typed(f"API key of {account} at {title} (unseen): ")
    return GivenKey(_checked(key, _typed("Its secret (unseen): ")))


def ask_password(*, is_new: bool = False) -> Callable[[], str] | None:
    """Return what asks for the password of the file of keys; None without a terminal."""
    if not _has_terminal():
        return None
    return _ask_new if is_new else _ask


def ask_unseen(prompt: str) -> str:
    """Return what a person types without showing it.

    Raises:
        ConfigurationError: There is nobody to ask, or nothing was typed.
    """
    _refuse_silence("run this in a terminal")
    return _typed(prompt)


def _read_lines() -> list[str]:
    try:
        return sys.stdin.read(_MOST_CHARACTERS).splitlines()
    except UnicodeDecodeError:
        raise ConfigurationError("--stdin takes plain text, and this is none") from None


def _typed(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise ConfigurationError("nothing was typed: nothing was done") from None


def _ask() -> str:
    return _typed("Password of the file of keys (unseen): ")


def _ask_new() -> str:
    password = _typed("New password for the file of keys (unseen): ")
    if _typed("The same again: ") != password:
        raise ConfigurationError("the two passwords differ: nothing was stored, try again")
    return password


def _checked(key: str, secret: str) -> ApiKey:
    parts = {"key": key.strip(), "secret": secret.strip()}
    for name, text in parts.items():
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise ConfigurationError(
                f"the {name} is empty or holds blanks: copy it from the exchange once more"
            )
    return ApiKey(parts["key"], parts["secret"])


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _refuse_silence(advice: str) -> None:
    if not _has_terminal():
        raise ConfigurationError(f"there is no terminal to ask at: {advice}")

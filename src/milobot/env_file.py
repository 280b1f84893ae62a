"""The file ``.env``: what it sets, and what in it would be lost without a word."""

import errno
import logging
import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from milobot.errors import ConfigurationError
from milobot.setting_checks import open_to_all
from milobot.storage.database_url import PostgresTarget, parse_database_url

_BREAK = re.compile(r"\r\n|\n|\r")
_FIRST_WORD = re.compile(r"(?:export\s+)?['\"]?(\w+)")
# At each reading it would print a line about what is refused here, once, in a sentence.
logging.getLogger("dotenv.main").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of settings as it was read.

    Attributes:
        path: None when there is none.
        values: By name, as they are written there.
        faults: A sentence about lines that set nothing.
    """

    path: Path | None = None
    values: Mapping[str, str | None] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def read_env_file(path: Path | None, known: Collection[str]) -> EnvFile:
    """Read a file of settings, which need not be there.

    Args:
        path: None reads nothing.
        known: Names of settings, in capitals.

    Raises:
        ConfigurationError: There is something else than a file in its place.
        OSError: It cannot be read.
        UnicodeDecodeError: It is no text.
    """
    if path is None or not _is_there(path):
        return EnvFile()
    text = path.read_text(encoding="utf-8")
    lost = list(_lost_lines(text, known))
    faults = (_sentence(path, lost),) if lost else ()
    return EnvFile(path, dotenv_values(stream=StringIO(text)), faults)


def open_secrets(file: EnvFile, secrets: Collection[str]) -> list[str]:
    """Return a sentence if a file of settings holds secrets and everybody may read them."""
    if file.path is None or not (open_ := open_to_all(file.path)):
        return []
    values = {name.upper(): value for name, value in file.values.items() if value}
    held = [name for name in secrets if name in values]
    if password_in(values.get("DATABASE_URL", "")):
        held.append("DATABASE_URL")
    said = (
        f"{file.path} holds {', '.join(held)} and {open_}: run `chmod 600 {file.path}`, and replace"
        " what is secret in it if others use this machine"
    )
    return [said] if held else []


def password_in(url: str) -> str:
    """Return the password of a database; empty where it is none worth hiding."""
    try:
        target = parse_database_url(url)
    except ConfigurationError:
        return ""
    # A password that is the user's name keeps nobody out.
    if isinstance(target, PostgresTarget) and target.password != target.user:
        return target.password
    return ""


def _is_there(path: Path) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        if not path.is_symlink():
            return False
        what = "a link that leads nowhere"
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        what = "a link that leads to itself"
    else:
        if stat.S_ISREG(status.st_mode):
            return True
        if status.st_rdev == Path(os.devnull).stat().st_rdev:  # on purpose: nothing is to be read
            return False
        what = _kind(status.st_mode)
    raise ConfigurationError(
        f"the settings file {path} is {what}: remove it, or put a file as .env.example in its place"
    )


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder, as Docker makes one where a file to mount is missing"
    return "a pipe" if stat.S_ISFIFO(mode) else "no file"


def _lost_lines(text: str, known: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield the number of each line that is meant to set something and does not, and what."""
    for binding in parse_stream(StringIO(text)):
        name = _name_in(binding, known)
        if binding.error or (name and binding.value is None):
            yield _line_of(binding), name


def _name_in(binding: Binding, known: Collection[str]) -> str:
    """Return the setting that a line begins with; empty for all else, which may be a secret."""
    found = _FIRST_WORD.match(binding.original.string.lstrip())
    return found[1].upper() if found and found[1].upper() in known else ""


def _line_of(binding: Binding) -> int:
    """Return where it stands; the parser counts from the empty lines before it."""
    text = binding.original.string
    return binding.original.line + len(_BREAK.findall(text[: len(text) - len(text.lstrip())]))


def _sentence(path: Path, lost: list[tuple[int, str]]) -> str:
    named = [f"{line} ({name})" if name else str(line) for line, name in lost]
    which = f"lines {', '.join(named)}" if len(named) > 1 else f"line {named[0]}"
    return (
        f"{which} of {path}: no NAME=value, so nothing of it would count; write it with = and"
        " every quote closed, or put # in front"
    )

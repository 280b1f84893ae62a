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
from milobot.setting_faults import Fault
from milobot.small_files import read_small

_MOST_BYTES = 1024 * 1024
_BREAK = re.compile(r"\r\n|\n|\r")
_FIRST_WORD = re.compile(r"(?:export\s+)?[^\w#]*(\w+)")
_BARE_NAME = re.compile(r"\W*(\w+)\W*")
_SETS = re.compile(r"\s*(?:export\s+)?[^\w#]*(\w+)\W{0,3}=")
# At each reading it would print a line about what is refused here, once, in a sentence.
logging.getLogger("dotenv.main").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of settings as it was read.

    Attributes:
        path: None when there is none.
        values: By name, as they are written there.
        faults: About lines that set nothing, or one thing twice.
    """

    path: Path | None = None
    values: Mapping[str, str | None] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def read_env_file(path: Path | None, known: Collection[str]) -> EnvFile:
    """Read a file of settings, or a pipe, which need not be there.

    Args:
        path: None reads nothing.
        known: Names of settings, in capitals.

    Raises:
        ConfigurationError: It cannot be read, is no text, or there is something else in its place.
    """
    if path is None:
        return EnvFile()
    try:
        if not _is_there(path):
            return EnvFile()
        text = read_small(path, _MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(
            f"the settings file {path} cannot be read ({reason}): make it UTF-8 text "
            "as in .env.example"
        ) from error
    if len(text) > _MOST_BYTES:
        raise ConfigurationError(f"the settings file {path} has more than 1 MiB: shorten it")
    bindings = list(parse_stream(StringIO(text)))
    faults = (*_about_lost(path, bindings, known), *_about_twice(path, bindings, known))
    return EnvFile(path, dotenv_values(stream=StringIO(text)), faults)


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
        if status.st_rdev == Path(os.devnull).stat().st_rdev:  # on purpose: nothing is to be read
            return False
        what = _what_else(status.st_mode)
    if not what:
        return True
    raise ConfigurationError(
        f"the settings file {path} is {what}: remove it, or put a file as .env.example in its place"
    )


def _what_else(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder, as Docker makes one where a file to mount is missing"
    # A program that keeps secrets hands them over in a pipe.
    return "" if stat.S_ISREG(mode) or stat.S_ISFIFO(mode) else "no file"


def _about_lost(
    path: Path, bindings: Collection[Binding], known: Collection[str]
) -> Iterator[Fault]:
    lost = [place for binding in bindings for place in _lost_lines(binding, known)]
    if not lost:
        return
    named = [f"{line} ({name})" if name else str(line) for line, name in lost]
    which = f"lines {', '.join(named)}" if len(named) > 1 else f"line {named[0]}"
    yield Fault(
        f"{which} of {path}: no NAME=value, so nothing of it would count; write it with =, its name"
        " bare and every quote closed, or put # in front",
        frozenset(name.lower() for _, name in lost if name),
    )


def _lost_lines(binding: Binding, known: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield the number of each line that is meant to set something and does not, and what."""
    text = binding.original.string.lstrip()
    start = _line_of(binding)
    if binding.error:
        found = (_FIRST_WORD.match(text), *_SETS.finditer(_BREAK.split(text)[0]))
        yield start, next(filter(None, (_known(one, known) for one in found)), "")
    elif name := _unset_name(binding, text, known):
        yield start, name
    # What a quote runs over is a part of its value.
    for line, swallowed in enumerate(_BREAK.split(text)[1:], start=start + 1):
        if name := _known(_SETS.match(swallowed), known):
            yield line, name


def _unset_name(binding: Binding, text: str, known: Collection[str]) -> str:
    """Return the setting that a line means, but does not set."""
    if binding.key is None:
        return ""
    if binding.value is None:
        return _known(_FIRST_WORD.match(text), known)
    name = _known(_BARE_NAME.fullmatch(binding.key), known)
    return "" if name == binding.key.upper() else name


def _known(found: re.Match[str] | None, known: Collection[str]) -> str:
    """Return the setting that was found; empty for all else, which may be a secret."""
    name = found[1].upper() if found else ""
    return name if name in known else ""


def _about_twice(
    path: Path, bindings: Collection[Binding], known: Collection[str]
) -> Iterator[Fault]:
    """Yield a fault for each setting that a later line changes; an empty one is none yet."""
    seen: dict[str, tuple[int, str]] = {}
    for binding in bindings:
        name, value, line = (binding.key or "").upper(), binding.value, _line_of(binding)
        if name not in known or value is None:
            continue
        before, other = seen.get(name, (line, value))
        if other != value:
            yield Fault(
                f"lines {before} and {line} of {path} set {name} to different values: keep one",
                frozenset({name.lower()}),
            )
        if value:
            seen[name] = line, value


def _line_of(binding: Binding) -> int:
    """Return where it stands; the parser counts from the empty lines before it."""
    text = binding.original.string
    return binding.original.line + len(_BREAK.findall(text[: len(text) - len(text.lstrip())]))

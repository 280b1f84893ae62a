"""What README and the manual show: fenced blocks, and the commands in them and in their prose."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import ROOT

SHELL = ("bash", "sh", "console", "shell")
_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_SPAN = re.compile(r"`([^`\n]+)`")
_WITH_SETTINGS = re.compile(r"^([A-Z_]+=\S+ )+")
_PROGRAMS = ("milobot ", "python3 main.py ", "python -m ", "python benchmarks/", "make ", "curl ")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: Path from the root, such as ``docs/live.md``.
        line: Where it begins, counted from 1.
        language: What stands behind the fence; "" for nothing.
    """

    page: str
    line: int
    language: str
    body: str

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        return f"{self.page}:{self.line}"


def page_files() -> list[Path]:
    """Return README and every page of the manual."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks_of(path: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, those in lists included."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT).as_posix()
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(name, line, found["language"], textwrap.dedent(found["body"]))


def all_blocks() -> list[Block]:
    """Return every fenced block of every page."""
    return [block for path in page_files() for block in blocks_of(path)]


def first_block(page: str, language: str) -> str:
    """Return the first block of a language on a page."""
    return next(b.body for b in blocks_of(ROOT / page) if b.language == language)


def commands_in(body: str) -> list[str]:
    """Return the commands of a shell block as they are typed, without comments.

    A line that ends in a backslash goes on with the next one; blanks between words count once.
    """
    whole = re.sub(r"\s*\\\n\s*", " ", body)
    lines = (_without_comment(line) for line in whole.splitlines())
    return [line for line in lines if line]


def _without_comment(line: str) -> str:
    quote = ""
    for place, sign in enumerate(line):
        if sign in "'\"" and quote in ("", sign):
            quote = "" if quote else sign
        elif sign == "#" and not quote and line[:place][-1:] in ("", " "):
            return line[:place].strip()
    return line.strip()


def commands_of(page: str) -> list[str]:
    """Return the commands of a page's shell blocks, in order."""
    blocks = (block for block in blocks_of(ROOT / page) if block.language in SHELL)
    return [command for block in blocks for command in commands_in(block.body)]


def inline_commands() -> dict[str, str]:
    """Return the commands that prose and tables name, each with the page that does so first."""
    found: dict[str, str] = {}
    for path in page_files():
        prose = _BLOCK.sub("", path.read_text(encoding="utf-8"))
        for span in _SPAN.findall(prose):
            if _WITH_SETTINGS.sub("", span).startswith(_PROGRAMS):
                found.setdefault(span, path.relative_to(ROOT).as_posix())
    return found

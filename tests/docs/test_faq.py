"""docs/faq.md quotes what milobot really says: each sentence and each code stands in the source."""

import ast
import re
from functools import cache

import pytest
from tests.support.process import ROOT

from milobot.cli.main import main

PAGE = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| (.+?) \| .* \|$", re.MULTILINE)
_LEAST = 4
"""Letters of a piece that say something."""


def _first_column(heading: str) -> list[str]:
    """Return the quoted texts of the first column of all tables under a heading of theirs."""
    tables = re.findall(rf"^\| {heading} \|.*\n\|[- |]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    cells = [cell for table in tables for cell in _ROW.findall(table)]
    return [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]


FOREIGN = {"No such command": "nonsense", "No such option": "--nonsense"}
"""What the library says that reads the command line, and what makes it say so."""
MESSAGES = [text for text in _first_column("message") if text not in FOREIGN]
CODES = _first_column("code")


@cache
def _said() -> list[str]:
    """Return every text of the source as one line; what is filled in is an ellipsis."""
    files = [*(ROOT / "src" / "milobot").rglob("*.py"), ROOT / "main.py"]
    texts = [(ROOT / "Makefile").read_text(encoding="utf-8")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = (v.value if isinstance(v, ast.Constant) else "…" for v in node.values)
                texts.append("".join(map(str, parts)))
    return texts


def _is_said(message: str) -> bool:
    """Return whether a text has all pieces of a message in their order.

    ``…`` stands for anything.
    """
    pieces = [piece.strip(" '") for piece in message.split("…")]
    wanted = ".*".join(re.escape(piece) for piece in pieces if len(piece) >= _LEAST)
    found = re.compile(wanted, re.DOTALL)
    return bool(wanted) and any(found.search(text) for text in _said())


@pytest.mark.parametrize("message", MESSAGES)
def test_a_quoted_message_is_one(message: str) -> None:
    """Whoever searches the page for the words on the screen has to find them."""
    assert _is_said(message)


def test_what_nobody_says_is_not_found() -> None:
    """A search that finds everything would prove nothing."""
    assert not _is_said("the … of the moon is … full")
    assert len(MESSAGES) >= 40


@pytest.mark.parametrize("message", FOREIGN)
def test_a_message_of_the_library_is_one(message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so on one line with a hint, as everything is said."""
    assert main([FOREIGN[message]]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_one(code: str) -> None:
    """Records and reports show them; here is where they are looked up."""
    assert code in _said()

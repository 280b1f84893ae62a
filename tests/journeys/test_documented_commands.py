"""What README and the back-test page tell readers to type, typed in the order of the page."""

import re
import shlex
from pathlib import Path

import pytest
from tests.support.process import (
    ROOT,
    Ended,
    run_classic,
    run_classic_fresh,
    run_milobot,
    run_milobot_fresh,
)

BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
AT_ONCE = ("--speed", "0", "--exit", "--port", "0")
"""What makes a demo end by itself, on a port that is free."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder as a reader has it: samples, and a month of an exchange's archive."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    made = run_milobot("data", "generate", "BTCUSDT-1m-2024-01.zip", cwd=tmp_path)
    assert made.code == 0, made.err
    return tmp_path


def test_readme_works_from_top_to_bottom(folder: Path) -> None:
    """The first five minutes decide whether a newcomer stays."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    typed = Reader(folder).type_all(readme)

    assert len(typed) >= 10
    assert [ended.err for ended in typed if ended.code] == []


def test_backtesting_page_works(folder: Path) -> None:
    """Its commands use the market that README has made."""
    run_milobot("data", "generate", "market.csv.gz", cwd=folder)
    page = (ROOT / "docs" / "backtesting.md").read_text(encoding="utf-8")

    typed = Reader(folder).type_all(page)

    assert len(typed) >= 2
    assert [ended.err for ended in typed if ended.code] == []


class Reader:
    """Types what a page says; each command starts in a fresh interpreter the first time."""

    def __init__(self, folder: Path) -> None:
        """Sit down in a folder."""
        self._folder = folder
        self._known: set[str] = set()

    def type_all(self, page: str) -> list[Ended]:
        """Type everything, saving a script that the page shows under its name on the way."""
        typed = []
        for language, block in BLOCK.findall(page):
            if language == "python":
                (self._folder / "first.script").write_text(block, encoding="utf-8")
                continue
            typed += [ended for line in block.splitlines() if (ended := self._type(line))]
        return typed

    def _type(self, line: str) -> Ended | None:
        """Run one line; None where it is not ours (make, the shell)."""
        words = shlex.split(line, comments=True)
        if "--initdb" in words:
            return None  # needs a network: test_initdb_command.py does that
        if "--exchange" in words or "--loop" in words or words[:2] == ["milobot", "run"]:
            return None  # runs until Ctrl-C: test_wire_demo.py and test_paper_run.py do that
        if words[:1] != ["milobot"] and words[:2] != ["python3", "main.py"]:
            return None
        is_known = words[1] in self._known
        self._known.add(words[1])
        if words[1] == "main.py":
            return (run_classic if is_known else run_classic_fresh)(*words[2:], cwd=self._folder)
        words += AT_ONCE if "demo" in words else ()
        return (run_milobot if is_known else run_milobot_fresh)(*words[1:], cwd=self._folder)

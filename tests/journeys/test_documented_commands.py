"""What README and the back-test page tell readers to type, typed in the order of the page."""

import re
import shlex
from pathlib import Path

import pytest
from tests.support.process import ROOT, Ended, run_classic_fresh, run_milobot, run_milobot_fresh

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
    typed = [ended for line in lines_of(readme, folder) if (ended := typed_in(line, folder))]

    assert len(typed) >= 10
    assert [ended.err for ended in typed if ended.code] == []


def test_backtesting_page_works(folder: Path) -> None:
    """Its commands use the market that README has made."""
    run_milobot("data", "generate", "market.csv.gz", cwd=folder)
    page = (ROOT / "docs" / "backtesting.md").read_text(encoding="utf-8")

    typed = [ended for line in lines_of(page, folder) if (ended := typed_in(line, folder))]

    assert len(typed) >= 2
    assert [ended.err for ended in typed if ended.code] == []


def lines_of(page: str, folder: Path) -> list[str]:
    """Return what the page says to type; a script it shows is saved under its name on the way."""
    lines = []
    for language, block in BLOCK.findall(page):
        if language == "python":
            (folder / "first.script").write_text(block, encoding="utf-8")
        else:
            lines += block.splitlines()
    return lines


def typed_in(line: str, folder: Path) -> Ended | None:
    """Run one line from a cold start, as readers do; None where it is not ours (make, the shell)."""
    words = shlex.split(line, comments=True)
    if "--initdb" in words:
        return None  # needs a network: test_initdb_command.py does that
    if "--exchange" in words or "--loop" in words or words[:2] == ["milobot", "run"]:
        return None  # runs until Ctrl-C: test_wire_demo.py and test_live_paper.py do that
    if words[:1] == ["milobot"]:
        return run_milobot_fresh(*words[1:], *(AT_ONCE if "demo" in words else ()), cwd=folder)
    if words[:2] == ["python3", "main.py"]:
        return run_classic_fresh(*words[2:], cwd=folder)
    return None

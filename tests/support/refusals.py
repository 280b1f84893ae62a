"""What every refusal has in common, whatever the user got wrong."""

from pathlib import Path

from tests.support.candle_files import candle_rows, write_rows
from tests.support.process import Ended

BEFORE = """\
timeframe = "1h"
coin = "BTCUSDT"
action_if_true = "long(1%risk@5x,sl=2%,rr=2)"
"""
GOOD_SCRIPT = BEFORE + "condition_true = True\n"


def write_good_files(folder: Path) -> Path:
    """Put a script and candles that are right into a folder."""
    (folder / "good.script").write_text(GOOD_SCRIPT)
    write_rows(folder / "good.csv", candle_rows(200))
    return folder


def refused(ended: Ended, folder: Path, fragment: str, *, lines: int = 1) -> None:
    """Assert that a command refused with a sentence and left nothing behind."""
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("milobot: ")
    assert fragment in ended.err
    assert "Traceback" not in ended.err
    assert len(ended.err.splitlines()) == lines
    assert not [path for path in folder.rglob("*") if path.suffix in {".part", ".json"}]

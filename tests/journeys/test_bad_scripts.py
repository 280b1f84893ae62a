"""Scripts that are wrong: shown to their author where they are wrong, and nothing half-written."""

from pathlib import Path

import pytest
from tests.support.process import run_milobot
from tests.support.refusals import BEFORE, GOOD_SCRIPT, refused, write_good_files

ALWAYS = "condition_true = True\n"
JSON = ("--json", "report.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a script and candles that are right."""
    return write_good_files(tmp_path)


SCRIPTS: dict[str, tuple[str, str, int]] = {
    "unknown timeframe": (
        GOOD_SCRIPT.replace("1h", "7h"),
        "bad.script, line 1, column 13: unknown timeframe '7h': use one of 1m 3m 5m",
        1,
    ),
    "no timeframe": (
        GOOD_SCRIPT.partition("\n")[2],
        'bad.script: the script does not say its timeframe: give it a line such as timeframe = "1h"',
        1,
    ),
    "syntax error": (
        BEFORE + "condition_true = (1 +\n",
        "bad.script, line 4, column 18: syntax error: '(' was never closed",
        1,
    ),
    "forbidden construct": (
        BEFORE + "import os\n" + ALWAYS,
        "bad.script, line 4, column 1: import is not part of the script language",
        1,
    ),
    "forbidden name": (
        BEFORE + "open('x')\n" + ALWAYS,
        "bad.script, line 4, column 1: open is not part of the script language",
        1,
    ),
    "runtime error at candle N": (
        BEFORE + "x = 1 / (len(data) - 50)\n" + ALWAYS,
        "division by zero: test the divisor first (at candle 49, 2024-01-03 01:00 UTC)",
        1,
    ),
    "endless loop": (
        BEFORE + "while True:\n    pass\n" + ALWAYS,
        "bad.script, line 4, column 1: the script ran longer than 2 s on candle 2024-01-01 00:00",
        1,
    ),
    "unknown indicator": (
        BEFORE + "x = await calculate_vwma(data)\n" + ALWAYS,
        "bad.script, line 4, column 11: unknown name 'calculate_vwma': did you mean calculate_sma?",
        1,
    ),
    "bad action": (
        GOOD_SCRIPT.replace("sl=2%,", "sl=2%,sk=3%,"),
        "an option is one of sl, tp, rr, trail, be\n  long(1%risk@5x,sl=2%,sk=3%,rr=2)\n"
        + 23 * " "
        + "^\n",
        3,
    ),
    "rr without sl": (
        GOOD_SCRIPT.replace("1%risk@5x,sl=2%", "1%equity"),
        "action_if_true: rr needs sl: it is a multiple of the stop distance",
        3,
    ),
    "risk of zero": (
        GOOD_SCRIPT.replace("1%risk", "0%risk"),
        "action_if_true: a size of 0 is not possible",
        3,
    ),
    "risk above all": (
        GOOD_SCRIPT.replace("1%risk", "100.5%risk"),
        "action_if_true: a risk is at most 100%",
        3,
    ),
    "leverage beyond the bracket": (
        GOOD_SCRIPT.replace("@5x", "@126x"),
        "bad.script: action_if_true asks for 126x, but the most for BTCUSDT is 125x: lower",
        1,
    ),
    "warm-up": (
        BEFORE + "x = await calculate_sma(data, 500)\ncondition_true = x[-1] > 0\n",
        "200 candles are fewer than the script's warm-up (its indicators need 500): load more",
        1,
    ),
    "nothing decided": (BEFORE, "bad.script: the script never sets condition_true", 1),
    "no truth value": (
        BEFORE + "condition_true = lastclose\n",
        "bad.script: condition_true must be True or False at the end of the script",
        1,
    ),
    "empty": ("", "bad.script: the script does not say its timeframe", 1),
    "too large": (
        "#" * 66_000,
        "the script bad.script has more than 65536 bytes: shorten it",
        1,
    ),
    "null byte": (
        BEFORE + "condition_true = \0True\n",
        "bad.script, line 1, column 1: syntax error: source code string cannot contain null bytes",
        1,
    ),
    "deep": (
        BEFORE + "condition_true = " + "(" * 900 + "True" + ")" * 900 + "\n",
        "bad.script, line 4, column ",
        1,
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_wrong_script_is_shown_where_it_is_wrong(name: str, folder: Path) -> None:
    """Its author must find the place without reading a manual."""
    text, fragment, lines = SCRIPTS[name]
    (folder / "bad.script").write_text(text)

    ended = run_milobot("backtest", "bad.script", "--data", "good.csv", *JSON, cwd=folder)

    refused(ended, folder, fragment, lines=lines)


def test_binary_script_is_refused(folder: Path) -> None:
    """A picture renamed, or the candles given in place of the script."""
    (folder / "bad.script").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")

    ended = run_milobot("backtest", "bad.script", "--data", "good.csv", cwd=folder)

    refused(ended, folder, "the script bad.script is not UTF-8 text (byte 0): save it as UTF-8")


@pytest.mark.parametrize("change", ["\ufeff{}", "{}\r\n", "{}\n\n   \n"])
def test_editors_of_all_systems_are_understood(change: str, folder: Path) -> None:
    """A byte order mark or Windows line ends are no mistake of the trader."""
    newline = "\r\n" if "\r" in change else "\n"
    text = change.format(GOOD_SCRIPT.strip()).replace("\r\n", "\n").replace("\n", newline)
    (folder / "some.script").write_bytes(text.encode())

    ended = run_milobot("backtest", "some.script", "--data", "good.csv", cwd=folder)

    assert (ended.code, ended.err) == (0, "")

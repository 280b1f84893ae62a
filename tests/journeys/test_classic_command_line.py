"""The classic command line as its users type it: ``python3 main.py ...``."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.process import ROOT, Ended, child_environment, run_classic, run_milobot

SCRIPT = """\
timeframe = "1h"
coin = "BTCUSDT"
action_if_true = "long(1%risk@5x,sl=2%,rr=2)"
action_if_false = "donothing"
rsi_period = 14
rsi = await calculate_rsi(data, rsi_period)
condition_true = rsi[-1] < 45
print(f"RSI {rsi[-1]:.1f}")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a script and five days of a made-up market."""
    folder = tmp_path_factory.mktemp("classic")
    (folder / "first.script").write_text(SCRIPT, encoding="utf-8")
    made = run_milobot("data", "generate", "market.csv.gz", "--days", "5", cwd=folder)
    assert made.code == 0, made.err
    return folder


def test_backtest_is_that_of_the_sub_command(folder: Path) -> None:
    """Both doors lead to one engine: the same words, the same numbers."""
    words = ("--data", "market.csv.gz", "--set", "rsi_period=10")

    classic = run_classic("--script", "first.script", "--backtest", *words, cwd=folder)
    modern = run_milobot("backtest", "first.script", *words, cwd=folder)

    assert classic.code == 0, classic.err
    assert "first.script" in classic.out
    assert classic.out == modern.out


def test_script_alone_is_evaluated_once(folder: Path) -> None:
    """What would it do now? The classic bot's first question."""
    ended = run_classic("--script", "first.script", "--data", "market.csv.gz", cwd=folder)

    assert ended.code == 0, ended.err
    assert "script: RSI" in ended.out
    assert "decision: " in ended.out
    assert "candle 2024-01-05 23:00 UTC" in ended.out


def test_script_without_candles_says_what_works(folder: Path) -> None:
    """No data, no database, no exchange: the user must learn what to do instead."""
    ended = run_classic("--script", "first.script", cwd=folder)

    assert_refused(ended, "milobot data import")


def test_print_indicators_shows_all_nine(folder: Path) -> None:
    """From a file, and from the candle database once the file is imported."""
    market = ("--symbol", "BTCUSDT", "--interval", "1h")
    from_file = run_classic("--print-indicators", *market, "--data", "market.csv.gz", cwd=folder)
    run_milobot("data", "import", "market.csv.gz", "--symbol", "BTCUSDT", cwd=folder)
    from_store = run_classic("--print-indicators", *market, cwd=folder)

    assert from_file.code == from_store.code == 0
    for name in ("SMA", "EMA", "RSI", "MACD", "ATR", "OBV", "Stochastic", "ZigZag", "Divergences"):
        assert name in from_file.out
    assert "120 candles" in from_file.out
    (folder / "binance_data.db").unlink()
    assert table_of(from_file) == table_of(from_store)


def test_initdb_without_an_exchange_in_reach_says_what_to_look_at(folder: Path) -> None:
    """A laptop on a train must get a sentence, not a traceback or a silent wait."""
    nobody = "http://127.0.0.1:9"  # the discard port: nothing listens

    ended = run_classic("--initdb", "BTCUSDT", "ETHUSDT", cwd=folder, BINANCE_BASE_URL=nobody)

    assert_refused(ended, "Binance does not answer")


def test_python_without_milobot_is_told_what_to_do(tmp_path: Path) -> None:
    """A fresh clone and ``python3 main.py`` must not end in an import error."""
    shutil.copy(ROOT / "main.py", tmp_path)

    assert_refused(run_bare(tmp_path), "make demo")


def test_python_without_milobot_goes_on_in_the_environment_of_make(tmp_path: Path) -> None:
    """After ``make demo`` the classic words work without activating anything."""
    shutil.copy(ROOT / "main.py", tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)

    ended = run_bare(tmp_path)

    assert ended.code == 0, ended.err
    assert "--print-indicators" in ended.out


def run_bare(folder: Path) -> Ended:
    """Run main.py with a Python that finds no installed package."""
    done = subprocess.run(  # noqa: S603 - the test's own words
        [sys.executable, "-I", "-S", str(folder / "main.py"), "--help"],
        cwd=folder,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def assert_refused(ended: Ended, part: str) -> None:
    """Assert one sentence, exit code 2 and nothing else."""
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("milobot: ")
    assert part in ended.err
    assert len(ended.err.splitlines()) == 1


def table_of(ended: Ended) -> list[str]:
    """Return the output without the line that names the origin."""
    return ended.out.splitlines()[:-1]


def test_loop_live_needs_a_script(folder: Path) -> None:
    """There is nothing to run without one."""
    ended = run_classic("--loop", "live", cwd=folder)

    assert ended.code == 2
    assert "--loop live needs --script FILE" in ended.err

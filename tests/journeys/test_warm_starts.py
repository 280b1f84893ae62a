"""A command forked from a warm process is the command: same words, same end, nothing shared."""

import signal
import time
from pathlib import Path

import pytest
from tests.support.backtest_runs import rough_market, write_market
from tests.support.process import (
    ROOT,
    run_classic,
    run_classic_fresh,
    run_milobot,
    run_milobot_fresh,
)
from tests.support.talking import talking

SAMPLE = ROOT / "samples/macd_crossover.script"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("doctor", "--offline", "--json"),
        ("keys", "show"),
        ("backtest", str(SAMPLE), "--data", "rough.csv"),
        ("evaluate", str(SAMPLE), "--data", "gone.csv"),
    ],
    ids=" ".join,
)
def test_a_warm_start_ends_as_a_fresh_one(words: tuple[str, ...], tmp_path: Path) -> None:
    """Most journeys start warm: what they show must hold for an interpreter of one's own."""
    write_market(tmp_path / "rough.csv", rough_market(3, 300, 3_600_000))

    fresh = run_milobot_fresh(*words, cwd=tmp_path)
    warm = run_milobot(*words, cwd=tmp_path)

    assert (warm.code, warm.err) == (fresh.code, fresh.err)
    assert _without_measures(warm.out) == _without_measures(fresh.out)


def test_a_warm_classic_start_ends_as_a_fresh_one(tmp_path: Path) -> None:
    """``main.py`` finds its words, its folder and its modules the same way."""
    for words in (("--help",), ("--script", "gone.script")):
        assert run_classic(*words, cwd=tmp_path) == run_classic_fresh(*words, cwd=tmp_path)


def test_warm_starts_share_nothing(tmp_path: Path) -> None:
    """What one was given as environment or input is not there for the next."""
    words = ("keys", "set", "--exchange", "binance", "--stdin", "--no-test")
    given = run_milobot(*words, cwd=tmp_path, stdin="a-key\na-secret\n", KEYS_PASSWORD="a password")  # noqa: S106 - of a test

    shown = run_milobot("keys", "show", cwd=tmp_path, stdin="another word\n")

    assert given.code == 0, given.err
    assert shown.code == 2
    assert "password" in shown.err


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_warm_start_can_be_ended(ending: signal.Signals, tmp_path: Path) -> None:
    """It is a process: signals reach it, and what ended it is told."""
    with talking("exchange", "--port", "0", cwd=tmp_path) as process:
        assert "http" in process.stdout.readline()
        began = time.monotonic()
        process.send_signal(ending)
        code = process.wait(20)

    assert code == (0 if ending is signal.SIGTERM else -signal.SIGKILL)
    assert time.monotonic() - began < 10


def _without_measures(said: str) -> str:
    """Leave out what the machine decides: free space changes between two looks."""
    return "\n".join(line for line in said.splitlines() if "GB" not in line and "GiB" not in line)

"""``milobot evaluate``: what a script would do now."""

from pathlib import Path

import pytest
from tests.support.backtest_runs import START_MS, backtest, write_sample_market
from tests.support.candle_files import HOUR_MS
from tests.support.process import ROOT, run_milobot
from tests.support.report_audit import read_rows

SCRIPT = """\
timeframe = "1h"
coin = "BTCUSDT"
action_if_true = "long(1%risk@5x,sl=2%,rr=2)"
action_if_false = "close"
period = 14
limit = 50.0
rsi = await calculate_rsi(data, period)
condition_true = rsi[-1] < limit
print(f"RSI {rsi[-1]:.3f} of {len(data)}")
"""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a script and a made-up market as minutes, as hours and in the store."""
    folder = write_sample_market(tmp_path_factory.mktemp("market"))
    (folder / "rsi.script").write_text(SCRIPT)
    return folder


@pytest.mark.parametrize("data", [("--data", "hours.csv"), ("--data", "minutes.csv"), ()])
def test_decision_is_that_of_the_last_candle(data: tuple[str, ...], market: Path) -> None:
    """From any source the same candle, the same value, the same decision."""
    ended = run_milobot("evaluate", "rsi.script", *data, "--set", "limit=101", cwd=market)

    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    close = read_rows(market / "hours.csv")[-1].close
    assert lines[0].startswith("script: RSI ")
    assert lines[0].endswith(" of 960")
    assert lines[1].startswith(f"BTCUSDT 1h, candle 2024-02-09 23:00 UTC, close {close:f}")
    assert lines[2:] == ["condition_true: True", "decision: long(1%risk@5x,sl=2%,rr=2)"]


def test_other_parameter_other_decision(market: Path) -> None:
    """RSI is never below zero: the other action applies."""
    words = ("evaluate", "rsi.script", "--data", "hours.csv", "--set", "limit=-1.0")

    assert run_milobot(*words, cwd=market).out.endswith("condition_true: False\ndecision: close\n")


def test_it_decides_as_the_backtest_would(market: Path) -> None:
    """Evaluated after each of the last closes of an entry, it says what the back-test did there."""
    script = ROOT / "samples/stochastic_rsi.script"
    trips = backtest(script, "--data", "hours.csv", cwd=market)["round_trips"]
    lines = (market / "hours.csv").read_text().splitlines()

    for trip in trips[-2:]:
        known = (trip["signal_time"] - START_MS) // HOUR_MS + 1
        (market / "now.csv").write_text("\n".join(lines[: known + 1]) + "\n")
        ended = run_milobot("evaluate", script, "--data", "now.csv", cwd=market)
        assert "decision: long(1%risk@5x, sl=2.5%, rr=1.5)" in ended.out


def test_warm_up_decides_nothing(market: Path) -> None:
    """A script that has no value yet says so instead of taking its second action."""
    words = ("evaluate", "rsi.script", "--data", "hours.csv", "--set", "period=2000")
    ended = run_milobot(*words, cwd=market)

    assert ended.code == 0, ended.err
    assert ended.out.endswith("condition_true: warming up\ndecision: donothing\n")


def test_failure_on_the_last_candle_is_refused(market: Path) -> None:
    """No decision is printed that was not made; the candle is that of the file."""
    text = SCRIPT.replace("limit = 50.0", "limit = 50.0 / (960 - len(data))")
    (market / "fails.script").write_text(text)

    ended = run_milobot("evaluate", "fails.script", "--data", "hours.csv", cwd=market)

    assert (ended.code, ended.out) == (2, "")
    assert "fails.script, line 6, column " in ended.err
    assert "division by zero" in ended.err
    assert "(at candle 959, 2024-02-09 23:00 UTC)" in ended.err


def test_no_candles_no_decision(tmp_path: Path) -> None:
    """The sentence says how to get some."""
    (tmp_path / "rsi.script").write_text(SCRIPT)

    ended = run_milobot("evaluate", "rsi.script", cwd=tmp_path)

    assert (ended.code, ended.out) == (2, "")
    assert "milobot data import FILE" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["rsi.script"]


def test_one_candle_is_enough_to_decide(tmp_path: Path) -> None:
    """The first candle of a new market: no history, yet a decision."""
    text = SCRIPT.replace("rsi = await calculate_rsi(data, period)", "rsi = [1]")
    (tmp_path / "first.script").write_text(text)
    price = "104123.45678"
    minutes = [f"{START_MS + at * 60_000},{','.join([price] * 4)},1" for at in range(60)]
    (tmp_path / "one.csv").write_text("\n".join(["time,open,high,low,close,volume", *minutes]))

    ended = run_milobot("evaluate", "first.script", "--data", "one.csv", cwd=tmp_path)

    assert ended.code == 0, ended.err
    assert "script: RSI 1.000 of 1" in ended.out
    assert f"close {price} (one.csv)" in ended.out

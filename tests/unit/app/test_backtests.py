"""A back-test put together: anchor, span, warm-up, failures and settings."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from tests.support.candle_files import HOUR_MS, START_MS

from milobot.app.backtest_page import backtest_state
from milobot.app.backtests import BacktestRequest, Span, run_backtest
from milobot.app.demo import Demo, DemoRequest
from milobot.app.preparation import Source, prepare, worker_for
from milobot.backtest.core import Funding
from milobot.backtest.runner import Terms
from milobot.backtest.statistics import summarise
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError, ScriptError
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.resample import resample
from milobot.marketdata.writers import save_candles

SCRIPT = """\
timeframe = "1h"
coin = "BTCUSDT"
action_if_true = "long(1%risk@5x,sl=2%)"
action_if_false = "donothing"
period = 5
mean = await calculate_sma(data, period)
condition_true = lastclose > mean[-1]
print(f"{len(data)}")
"""


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Return a script and 60 hours to run it on."""
    hours = resample(generate_candles(minutes=3600), Timeframe.M1, Timeframe.H1)
    save_candles(tmp_path / "hours.csv", hours)
    (tmp_path / "some.script").write_text(SCRIPT)
    return Source(tmp_path / "some.script", tmp_path / "hours.csv")


def rewritten(source: Source, old: str, new: str) -> Source:
    """Return the source with its script changed."""
    text = source.script.read_text()
    assert old in text
    source.script.write_text(text.replace(old, new))
    return source


def test_script_sees_candles_before_the_span(source: Source) -> None:
    """The first line printed in the span counts all candles since the anchor."""
    result = run_backtest(BacktestRequest(source, span=Span(START_MS + 30 * HOUR_MS)))

    assert len(result.candles) == 30
    assert result.history is not None
    assert len(result.history) == 60
    assert result.prints[0] == (START_MS + 30 * HOUR_MS, "31")
    assert result.warm_up == 4


def test_script_never_sees_candles_after_the_span(source: Source) -> None:
    """``--to`` cuts the data, not only the trades."""
    result = run_backtest(BacktestRequest(source, span=Span(None, START_MS + 9 * HOUR_MS)))

    assert result.prints[-1] == (START_MS + 9 * HOUR_MS, "10")
    assert len(result.candles) == 10


def test_settings_say_all_that_the_result_depends_on(source: Source) -> None:
    """A report that cannot be repeated proves nothing."""
    changed = Source(source.script, source.data, parameters=["period=7"])

    settings = run_backtest(BacktestRequest(changed)).settings

    assert settings["data"] == "hours.csv (1h)"
    assert settings["symbol_rules"] == "none: prices unrounded, quantity step 1e-8"
    assert settings["set period"] == "7"
    assert settings["action_if_true"] == "long(1%risk@5x,sl=2%)"
    assert settings["default_stop"] == "5%"


def test_failure_in_the_middle_fails_the_backtest(source: Source) -> None:
    """A result with a hole would look like a result."""
    rewritten(source, "lastclose >", "1 / (len(data) - 40) >")

    with pytest.raises(ScriptError, match=r"some.script, line 7.*at candle 39, 2024-01-02 15:00"):
        run_backtest(BacktestRequest(source))


async def test_failure_in_the_middle_of_a_demo_does_nothing_there(source: Source) -> None:
    """A script that runs lives on: no trade on that candle, and the page says why."""
    rewritten(source, "lastclose >", "1 / (len(data) - 40) >")
    with worker_for(source) as worker:
        demo = Demo(worker, DemoRequest(source, speed=0))
        await demo.run()
        errors = [line for line in demo.state.snapshot()["log"] if line["level"] == "error"]

    assert len(errors) == 1
    assert errors[0]["time"] == START_MS + 39 * HOUR_MS
    assert "division by zero" in errors[0]["text"]


def test_warm_up_that_never_ends_is_refused(source: Source) -> None:
    """Nothing traded because nothing could be decided is not a strategy that did not trade."""
    rewritten(source, "period = 5", "period = 61")

    with pytest.raises(DataError, match=r"60 candles are fewer than .* \(its indicators need 61\)"):
        run_backtest(BacktestRequest(source))


def test_warm_up_that_ends_with_the_last_candle_is_allowed(source: Source) -> None:
    """One decision is enough to be honest about."""
    rewritten(source, "period = 5", "period = 60")

    assert run_backtest(BacktestRequest(source)).warm_up == 59


def test_leverage_is_refused_before_anything_runs(source: Source) -> None:
    """In the action that is never taken, too: it would fail on the day it is."""
    rewritten(source, '"donothing"', '"short(1%risk@126x,sl=2%)"')

    with (
        worker_for(source) as worker,
        pytest.raises(ScriptError, match=r"some.script: action_if_false asks for 126x, .* 125x"),
    ):
        prepare(worker, source)


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [(0, 60, 0), (-500, 500, 0), (20, 40, 0), (30, 60, 1), (0, 30, 1)],
)
def test_missing_funding_rates_are_said(first: int, last: int, count: int, source: Source) -> None:
    """A year without rates costs nothing in the report, and a lot in life."""
    times = np.array([START_MS + first * HOUR_MS, START_MS + last * HOUR_MS], dtype=np.int64)
    terms = Terms(funding=Funding(times, np.array([0.0001, 0.0001])))

    result = run_backtest(BacktestRequest(source, terms))
    with worker_for(source) as worker:
        demo = Demo(worker, DemoRequest(source, terms, speed=0))
        asyncio.run(demo.run())
        shown = demo.result()

    for warnings in (result.warnings, shown.warnings):
        found = [w for w in warnings if w.startswith("funding rates are there from 20")]
        assert len(found) == count


def test_history_too_short_to_settle_is_said_on_the_page_of_a_demo(source: Source) -> None:
    """The chart shows trades on values that depend on where the file begins: say so beside it."""
    rewritten(source, "calculate_sma(data, period)", "calculate_ema(data, period)")
    with worker_for(source) as worker:
        demo = Demo(worker, DemoRequest(source, speed=0, history=20))
        asyncio.run(demo.run())
        shown = demo.result()
        log = demo.state.snapshot()["log"]

    told = [line["text"] for line in log if line["level"] == "warning"]
    assert [text.partition(": its")[0] for text in told] == [
        "calculate_ema(5) settles after 100 candles, and there are 20",
        "calculate_ema(5) settles after 100 candles, and there are 60",
    ]
    assert shown.warnings == run_backtest(BacktestRequest(source)).warnings == (told[-1],)


def test_history_too_short_to_settle_is_said_on_the_page_of_a_backtest(source: Source) -> None:
    """A chart that is shown around without its terminal carries its own doubts."""
    rewritten(source, "calculate_sma(data, period)", "calculate_ema(data, period)")
    result = run_backtest(BacktestRequest(source))

    log = backtest_state(result, summarise(result)).snapshot()["log"]

    told = [line["text"] for line in log if line["level"] == "warning"]
    assert told == list(result.warnings)
    assert told[0].startswith("calculate_ema(5) settles after 100 candles, and there are 60")


def test_history_long_enough_warns_of_nothing(source: Source) -> None:
    """A warning that is always there is read by nobody."""
    assert run_backtest(BacktestRequest(source)).warnings == ()

"""Back-test and paper run of the same candles: the same trades, to the last digit.

A quarter of the minutes in the suite, all 131,040 in ``make prove-parity``.
"""

import asyncio
import gzip
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from tests.support.shared_data import shared_file

from milobot.app.backtests import BacktestRequest, run_backtest
from milobot.app.demo import Demo, DemoRequest
from milobot.app.preparation import Source
from milobot.backtest.result import BacktestResult
from milobot.scripting.client import ScriptWorker

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.script"))
HOURS = "klines/um_BTCUSDT_1h_2024.csv.gz"
MINUTES = "klines/um_FILUSDT_1m_2023-04_06_vision.csv.gz"
A_QUARTER = 131_040 // 4


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of recorded minutes."""
    whole = shared_file(MINUTES)
    if os.environ.get("PROVE_PARITY") == "1":
        return whole
    part = tmp_path_factory.mktemp("minutes") / "minutes.csv"
    with gzip.open(whole, "rt") as rows:
        part.write_text("".join(islice(rows, 1 + A_QUARTER)))
    return part


@pytest.fixture(scope="module")
def worker() -> Iterator[ScriptWorker]:
    """Give a worker that plays one script after the other; each back-test starts one of its own."""
    with ScriptWorker() as started:
        yield started


def replayed(source: Source, worker: ScriptWorker) -> BacktestResult:
    """Return what the demo trades over the candles of a source, as fast as it can."""
    demo = Demo(worker, DemoRequest(source, speed=0))
    asyncio.run(demo.run())
    return demo.result()


def assert_same(source: Source, worker: ScriptWorker) -> None:
    """Compare both ways of running a script in all that a trader would look at."""
    tested = run_backtest(BacktestRequest(source))

    shown = replayed(source, worker)

    assert tested.round_trips
    assert shown.round_trips == tested.round_trips
    assert shown.end_equity == tested.end_equity
    closes, start = tested.candles.close, tested.start_equity
    assert shown.equity.exact(closes, start) == tested.equity.exact(closes, start)
    assert (len(shown.decisions), shown.repeated) == (len(tested.decisions), tested.repeated)


@pytest.mark.parametrize("script", SAMPLES, ids=lambda path: path.stem)
def test_demo_trades_as_the_backtest_over_hours(script: Path, worker: ScriptWorker) -> None:
    """A trader who believes a back-test must see the same trades when it runs."""
    assert_same(Source(script, shared_file(HOURS)), worker)


@pytest.mark.parametrize("script", SAMPLES, ids=lambda path: path.stem)
def test_demo_trades_as_the_backtest_over_minutes(
    script: Path, minutes: Path, worker: ScriptWorker
) -> None:
    """Many candles leave room for the rare cases: gaps, ties, candles that touch two levels."""
    assert_same(Source(script, minutes, symbol="FILUSDT", timeframe="1m"), worker)


@pytest.mark.parametrize("name", ["macd_crossover.script", "breakout_exits.script"])
def test_demo_trades_as_the_backtest_with_finer_candles(
    name: str, minutes: Path, worker: ScriptWorker
) -> None:
    """Where minutes decide the fills of an hourly script, both must look at the same minutes."""
    script = next(path for path in SAMPLES if path.name == name)
    assert_same(Source(script, minutes, symbol="FILUSDT", timeframe="1h"), worker)

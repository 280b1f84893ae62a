"""``milobot demo`` and ``backtest --open`` as real processes: the page, the end, the same trades."""

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.backtest_runs import HOUR_MS, START_MS, backtest, write_sample_market
from tests.support.process import ROOT, run_milobot
from tests.support.talking import Talking, talking

SAMPLE = ROOT / "samples/macd_crossover.script"
LIMIT_S = 30


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a made-up market as minutes and as hours."""
    return write_sample_market(tmp_path_factory.mktemp("market"))


class Page:
    """A running command and the page that it serves."""

    def __init__(self, process: Talking) -> None:
        """Wait until the command names its page."""
        self.process = process
        for line in process.stdout:
            found = re.search(r"http://localhost:(\d+)", line)
            if found:
                self.port = int(found[1])
                break
        else:
            pytest.fail("the command never named its page")

    def get(self, path: str) -> Any:
        """Return the JSON of an answer."""
        answer = httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def end(self, ending: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        """Ask the command to end; return code, the rest of its output and its errors."""
        self.process.send_signal(ending)
        out, err = self.process.communicate(timeout=LIMIT_S)
        return self.process.wait(), out, err


@contextmanager
def started(*words: str | Path, cwd: Path, **environment: str) -> Iterator[Page]:
    """Run a command with its page on a free port; nothing of it stays behind."""
    with talking(*words, "--port", "0", cwd=cwd, **environment) as process:
        yield Page(process)


@pytest.mark.parametrize("data", ["hours.csv", "minutes.csv"])
def test_demo_ends_with_the_trades_of_the_backtest(data: str, market: Path) -> None:
    """What a trader watched is what the report says, to the last digit, whatever the chunks were."""
    words = ("--data", data, "--fee", "0.04%", "--slippage", "0.01%")
    tested = backtest(SAMPLE, *words, cwd=market)

    demo = ("demo", "--script", SAMPLE, *words, "--speed", "0", "--exit", "--port", "0")
    ended = run_milobot(*demo, "--json", "demo.json", cwd=market)

    assert ended.code == 0, ended.err
    shown = json.loads((market / "demo.json").read_bytes())
    assert tested["round_trips"]
    assert shown == tested


@pytest.mark.parametrize("command", [("backtest",), ("demo", "--speed", "0", "--exit", "--script")])
def test_history_too_short_to_settle_heads_the_report(
    command: tuple[str, ...], market: Path, tmp_path: Path
) -> None:
    """Who reads the result must see that an average never settled: another file, other trades."""
    script = tmp_path / "slow.script"
    script.write_text(
        SAMPLE.read_text().replace("calculate_macd(data", "calculate_macd(data, 120, 260")
    )
    words = ("--data", "hours.csv", *(("--port", "0") if command[0] == "demo" else ()))

    ended = run_milobot(*command, script, *words, cwd=market)

    assert ended.code == 0, ended.err
    said = " ".join(ended.out.split())
    assert re.search(r"warning: calculate_macd\(120, 260.*\) settles after [\d,]+ candles", said)


def test_page_answers_while_candles_arrive(market: Path) -> None:
    """The chart is there from the first moment, and grows."""
    words = ("--script", SAMPLE, "--data", "minutes.csv", "--history", "300", "--speed", "600")
    with started("demo", *words, cwd=market) as page:
        assert page.get("/health")
        first = wait_for_candles(page, 300)
        later = wait_for_candles(page, len(first["candles"]) + 2)

        assert first["candles"] == later["candles"][: len(first["candles"])]
        assert (page.process.poll(), later["mode"]) == (None, "demo")


def wait_for_candles(page: Page, count: int) -> Any:
    """Return the chart once it shows so many candles."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        chart = page.get("/api/chart")
        if len(chart["candles"]) >= count:
            return chart
        time.sleep(0.05)
    pytest.fail(f"the chart never showed {count} candles")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_demo_cut_short_says_how_it_stands(ending: signal.Signals, market: Path) -> None:
    """Ctrl-C and a supervisor's stop end in the table of what was traded, not in a traceback."""
    words = ("--script", SAMPLE, "--data", "hours.csv", "--history", "700", "--speed", "1")
    with started("demo", *words, "--json", "cut.json", cwd=market) as page:
        wait_for_candles(page, 700)
        code, out, err = page.end(ending)

    assert (code, err) == (0, "")
    assert "macd_crossover.script" in out
    report = json.loads((market / "cut.json").read_bytes())
    last = START_MS + (report["candles"] - 1) * HOUR_MS
    assert report["last"] == last
    whole = backtest(SAMPLE, "--data", "hours.csv", cwd=market)
    assert report["round_trips"] == [t for t in whole["round_trips"] if t["exit_time"] <= last]
    assert report["equity"] == whole["equity"][: report["candles"]]
    # An open loss must not be hidden by stopping before it is booked.
    assert report["summary"]["end_equity"] == report["equity"][-1][1]


def test_demo_without_a_word_plays_a_made_up_market(tmp_path: Path) -> None:
    """The newcomer's first command needs no file, no key and no network."""
    with started("demo", cwd=tmp_path) as page:
        chart = wait_for_candles(page, 400)
        code, _, err = page.end()

    assert (code, err) == (0, "")
    assert chart["symbol"] == "BTCUSDT"
    assert chart["fills"]
    assert list(tmp_path.iterdir()) == []


def test_page_stays_after_the_last_candle(market: Path) -> None:
    """Whoever looks away for a minute still finds the result."""
    with started("demo", "--data", "hours.csv", "--speed", "0", cwd=market) as page:
        line = page.process.stdout.readline()
        assert "replay finished, the page stays until Ctrl-C" in line
        assert len(page.get("/api/chart")["candles"]) == 960
        code, out, _ = page.end()

    assert code == 0
    assert "macd_crossover" in out


def test_open_shows_the_backtest_in_a_browser(market: Path, tmp_path: Path) -> None:
    """``--open`` calls the browser with the address at which the chart answers."""
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\necho "$1" > {tmp_path}/opened.part\nmv {tmp_path}/opened.part {tmp_path}/opened\n'
    )
    browser.chmod(0o755)
    report = backtest(SAMPLE, "--data", "hours.csv", cwd=market)

    words = ("backtest", SAMPLE, "--data", "hours.csv", "--open")
    with started(*words, cwd=market, BROWSER=str(browser)) as page:
        chart = page.get("/api/chart")
        deadline = time.monotonic() + LIMIT_S
        while not (tmp_path / "opened").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        code, _, err = page.end()

    assert (code, err) == (0, "")
    assert (tmp_path / "opened").read_text() == f"http://localhost:{page.port}\n"
    assert chart["mode"] == "backtest"
    assert [value for _, value in chart["equity"]] == [value for _, value in report["equity"]]
    assert [t["entry_price"] for t in chart["round_trips"]] == [
        t["entry_price"] for t in report["round_trips"]
    ]
    fall = 100 * report["summary"]["max_drawdown"]
    assert chart["summary"]["Max drawdown"] == f"{fall:.2f} %"


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "--data", "hours.csv", "--exit"),
        ("backtest", str(SAMPLE), "--data", "hours.csv", "--open", "--json", "never.json"),
    ],
)
def test_port_that_is_taken_is_said_before_the_work(words: tuple[str, ...], market: Path) -> None:
    """A sentence at once, with another port to try; no report, no table."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_milobot(*words, "--port", str(port), cwd=market)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"milobot: port {port} is taken: stop the other program or choose")
    assert not (market / "never.json").exists()


def test_two_at_once_do_not_disturb_each_other(market: Path) -> None:
    """Two terminals, one folder, one report file: each run is whole, and so is the file."""
    words = ("backtest", SAMPLE, "--data", "minutes.csv", "--json", "both.json")
    with talking(*words, cwd=market) as one, talking(*words, cwd=market) as other:
        outputs = [run.communicate(LIMIT_S) for run in (one, other)]

    assert (one.returncode, other.returncode) == (0, 0)
    assert outputs[0] == outputs[1]
    both = json.loads((market / "both.json").read_bytes())
    assert both == backtest(SAMPLE, "--data", "minutes.csv", cwd=market)
    assert not list(market.glob(".*.part"))

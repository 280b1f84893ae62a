"""``milobot initdb`` over the wire: only what is missing, resumable, gaps named, nothing half done."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.support.process import run_classic, run_milobot
from tests.support.served_exchange import served
from tests.support.talking import Talking, talking
from tests.support.wire import setup_of

from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.faults import FaultPlan, parse_rule_text
from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET
from milobot.marketdata.generated import generate_candles
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore

MINUTES = 3000


@contextmanager
def serving(*faults: str) -> Iterator[str]:
    """Serve a market of minutes on a thread of its own; yield the address."""
    plan = FaultPlan(parse_rule_text(text) for text in faults)
    market = generate_candles(minutes=MINUTES + 10)
    setup = setup_of(market, history=MINUTES, faults=plan)
    with served(setup) as exchange:
        yield exchange.binance_url


def stored(folder: Path, source: str, timeframe: Timeframe) -> list[int]:
    """Return the open times in the database."""
    with SqliteCandleStore(folder / "binance_data.db", must_exist=True) as store:
        found = store.load_candles(CandleKey(source, "BTCUSDT", timeframe))
        return [int(time_ms) for time_ms in found.time]


def assert_whole(times: list[int], timeframe: Timeframe, count: int) -> None:
    """Assert that candles are without gap and as many as said."""
    assert len(times) == count
    assert [timeframe.next_open(time_ms) for time_ms in times[:-1]] == times[1:]


def test_classic_words_fill_the_database(tmp_path: Path) -> None:
    """The first command that the specification names, with the limit it names."""
    with serving() as url:
        ended = run_classic(
            "--initdb", "BTCUSDT", "--timeframes", "1m,1h", "--limit", "2500",
            cwd=tmp_path, BINANCE_BASE_URL=url,
        )  # fmt: skip

    assert ended.code == 0, ended.err
    assert "BTCUSDT: 2550 new candles, 2550 in 2 timeframes of binance-local" in ended.out
    assert "leverage brackets were not stored" in ended.out
    assert "no gaps" in ended.out
    assert_whole(stored(tmp_path, "binance-local", Timeframe.M1), Timeframe.M1, 2500)
    assert_whole(stored(tmp_path, "binance-local", Timeframe.H1), Timeframe.H1, 50)
    with SqliteCandleStore(tmp_path / "binance_data.db") as store:
        assert store.load_rules("binance-local", "BTCUSDT") is not None


@pytest.mark.parametrize("exchange", ["binance", "bingx"])
def test_key_brings_the_leverage_brackets(exchange: str, tmp_path: Path) -> None:
    """Without them nobody can say where a position would be liquidated."""
    name = exchange.upper()
    with serving() as url:
        keys = {
            f"{name}_BASE_URL": url,
            f"{name}_API_KEY": DEFAULT_KEY,
            f"{name}_SECRET_KEY": DEFAULT_SECRET,
        }
        words = ("initdb", "BTCUSDT", "--exchange", exchange, "--timeframes", "1h", "--limit", "20")
        ended = run_milobot(*words, cwd=tmp_path, **keys)

    assert ended.code == 0, ended.err
    assert "brackets" not in ended.out
    assert_whole(stored(tmp_path, f"{exchange}-local", Timeframe.H1), Timeframe.H1, 20)
    with SqliteCandleStore(tmp_path / "binance_data.db") as store:
        rules = store.load_rules(f"{exchange}-local", "BTCUSDT")
        assert rules is not None
        assert rules.brackets


def test_pages_are_as_large_as_the_setting_says(tmp_path: Path) -> None:
    """KLINES_BATCH_SIZE is for those whose line is thin: 250 candles are one page, or three."""
    calls = {size: _calls_for_250_candles(tmp_path / size, size) for size in ("1000", "100")}

    assert calls["100"] - calls["1000"] == 2


def _calls_for_250_candles(folder: Path, batch_size: str) -> int:
    """Return how often the exchange was asked for public data."""
    folder.mkdir()
    with serving("latency:on=market,times=99,p50_ms=1,p95_ms=1") as url:  # it notes what it delays
        words = ("initdb", "BTCUSDT", "--timeframes", "1m", "--limit", "250")
        ended = run_milobot(*words, cwd=folder, BINANCE_BASE_URL=url, KLINES_BATCH_SIZE=batch_size)
        ledger = httpx.get(f"{url}/control/ledger", trust_env=False).json()
    assert ended.code == 0, ended.err
    assert_whole(stored(folder, "binance-local", Timeframe.M1), Timeframe.M1, 250)
    return len(ledger["requests"])


def test_log_goes_beside_the_results(tmp_path: Path) -> None:
    """Results may be piped on: what is logged, as JSON lines, is not among them."""
    with serving() as url:
        words = ("initdb", "BTCUSDT", "--timeframes", "1h", "--limit", "20")
        ended = run_milobot(*words, cwd=tmp_path, BINANCE_BASE_URL=url, LOG_LEVEL="DEBUG")

    assert ended.code == 0, ended.err
    events = [json.loads(line)["event_type"] for line in ended.err.splitlines()]
    assert "brackets_need_a_key" in events
    assert "brackets_need_a_key" not in ended.out
    assert ended.out.startswith("BTCUSDT: ")


def test_second_run_asks_for_nothing(tmp_path: Path) -> None:
    """A cron job every night must not fetch five thousand candles again."""
    words = ("initdb", "BTCUSDT", "--timeframes", "1m")
    with serving() as url:
        first = run_milobot(*words, cwd=tmp_path, BINANCE_BASE_URL=url, DATA_LIMIT="2000")
        second = run_milobot(*words, cwd=tmp_path, BINANCE_BASE_URL=url, DATA_LIMIT="2000")

    assert "2000 new candles" in first.out, first.err
    assert "BTCUSDT: 0 new candles, 2000 in 1 timeframe of" in second.out, second.err


def test_interrupted_download_keeps_what_is_complete(tmp_path: Path) -> None:
    """Ctrl-C after an hour must not cost the hour."""
    words = ("initdb", "BTCUSDT", "--timeframes", "1m")
    slow = {"KLINES_BATCH_SIZE": "10", "API_DELAY": "0.5"}
    with serving() as url:
        with talking(*words, cwd=tmp_path, BINANCE_BASE_URL=url, **slow) as process:
            _wait_for_candles(tmp_path, process)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
        kept = stored(tmp_path, "binance-local", Timeframe.M1)
        resumed = run_milobot(*words, cwd=tmp_path, BINANCE_BASE_URL=url)

    assert process.returncode == 130, said
    assert said == ""
    assert 0 < len(kept) < MINUTES
    assert resumed.code == 0, resumed.err
    assert f"BTCUSDT: {MINUTES - len(kept)} new candles, {MINUTES} in 1 timeframe" in resumed.out


def _wait_for_candles(folder: Path, process: Talking) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
        if (folder / "binance_data.db").exists() and _is_begun(folder):
            return
    raise AssertionError("nothing was stored")


def _is_begun(folder: Path) -> bool:
    try:
        return len(stored(folder, "binance-local", Timeframe.M1)) > 20
    except Exception:  # noqa: BLE001 - the other process is still making the file
        return False


def test_unknown_symbol_is_told_the_nearest(tmp_path: Path) -> None:
    """A typo must not load half of what was asked for."""
    with serving() as url:
        ended = run_milobot("initdb", "BTCUSDT", "BTCUSD", cwd=tmp_path, BINANCE_BASE_URL=url)

    assert ended.code == 2
    assert "Binance does not trade 'BTCUSD': did you mean BTCUSDT?" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_rate_limit_is_waited_out_and_logged(tmp_path: Path) -> None:
    """The specification wants every 429 as a WARNING in the log, and the data all the same."""
    with serving("rate_limited:on=*,times=1,skip=3,seconds=1") as url:
        ended = run_milobot(
            "initdb", "BTCUSDT", "--timeframes", "1h", cwd=tmp_path, BINANCE_BASE_URL=url
        )

    assert ended.code == 0, ended.err
    assert '"level":"WARNING"' in ended.err
    assert "429" in ended.err
    assert_whole(stored(tmp_path, "binance-local", Timeframe.H1), Timeframe.H1, 50)


def test_indicators_are_fetched_when_nothing_is_stored(tmp_path: Path) -> None:
    """``--print-indicators`` is the first thing that a newcomer types."""
    words = ("--print-indicators", "--symbol", "BTCUSDT", "--interval", "1h")
    with serving() as url:
        ended = run_classic(*words, cwd=tmp_path, BINANCE_BASE_URL=url)
    again = run_classic(*words, cwd=tmp_path)  # from the database: no exchange any more

    assert ended.code == 0, ended.err
    assert "50 candles of binance_data.db, source binance-local" in ended.out
    assert again.out == ended.out

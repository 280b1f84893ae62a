"""Where the indicators' candles come from, and what is said when there are none."""

import re
from pathlib import Path

import pytest

from milobot.cli.main import main
from milobot.domain.market import Candle, CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.marketdata.writers import save_candles
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore

START_MS = 1704067200000


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work where neither a database nor settings lie."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CANDLE_DATABASE", raising=False)
    monkeypatch.setenv("BINANCE_BASE_URL", "http://127.0.0.1:9")  # nobody listens there


def candles(timeframe: Timeframe, count: int) -> CandleSeries:
    """Return candles that climb by 1 each."""
    step = timeframe.milliseconds
    return CandleSeries.from_candles(
        [Candle(START_MS + i * step, i, i + 2.0, i - 1.0, i + 1.0, 1.0) for i in range(10, count)]
    )


def test_stored_candles_are_found_by_symbol_and_interval(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The classic flag names nothing else; small letters are a slip everybody makes."""
    with SqliteCandleStore(Path("binance_data.db")) as store:
        store.save_candles(CandleKey("file", "BTCUSDT", Timeframe.H1), candles(Timeframe.H1, 70))

    assert main(["indicators", "--symbol", "btcusdt", "--interval", "1h"]) == 0

    shown = capsys.readouterr().out
    assert "BTCUSDT 1h" in shown
    assert "60 candles of binance_data.db, source file" in shown
    assert re.search(r"RSI +14 +100\.0000", shown)


def test_setting_names_the_database(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CANDLE_DATABASE would be worse than nothing if only some commands obeyed it."""
    monkeypatch.setenv("CANDLE_DATABASE", "mine.db")

    assert main(["data", "info"]) == 2
    assert "mine.db" in capsys.readouterr().err


@pytest.mark.parametrize(("interval", "count"), [("", 60), ("1h", 60), ("4h", 14)])
def test_file_is_resampled_or_taken_as_it_is(
    interval: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --interval the file decides."""
    save_candles(Path("hours.csv"), candles(Timeframe.H1, 70))
    words = ["--interval", interval] if interval else []

    assert main(["indicators", "--data", "hours.csv", *words]) == 0
    assert f"{count} candles of hours.csv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data", "nothing.csv"], "nothing.csv does not exist"),
        (["--data", "hours.csv", "--interval", "1M"], "make no whole 1M candle"),
        (["--data", "hours.csv", "--interval", "5m"], "5m candles cannot be made from 1h"),
        (["--data", "hours.csv", "--interval", "7h"], "unknown timeframe '7h'"),
        (["--symbol", "BTCUSDT"], "name --symbol and --interval"),
        (["--interval", "1h"], "name --symbol and --interval"),
        (["--symbol", "BTCUSDT", "--interval", "1h"], "Binance does not answer"),
    ],
)
def test_missing_candles_are_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty table would look like a calm market."""
    save_candles(Path("hours.csv"), candles(Timeframe.H1, 70))

    assert main(["indicators", *words]) == 2

    said = capsys.readouterr()
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""
    assert not Path("binance_data.db").exists()

"""Which candles a set-up is played on, and where there are none."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.audit_scene import Prices, minute, source, tracks
from tests.support.candle_files import candle_rows, write_rows

from milobot.domain.market import SymbolRules
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.ports import CandleKey
from milobot.signals.audit.candle_files import load_sources, load_stored, symbol_of
from milobot.signals.audit.tracks import build_tracks, too_coarse
from milobot.storage.candles import SqliteCandleStore

ROW: Prices = (100, 101, 99, 100)


def test_finest_candles_count_where_there_are_any() -> None:
    """An hour that minutes cover is played by the minute; the hours around it stay."""
    hours = source([ROW] * 3, timeframe=Timeframe.H1)
    minutes = source([ROW] * 60, first=60)

    track = tracks(hours, minutes)["BTCUSDT"]

    assert len(track.candles) == 62
    assert [track.length_ms(n) // 60_000 for n in (0, 1, 60, 61)] == [60, 1, 1, 60]
    assert track.stretches.tolist() == [0, 62]


def test_message_in_a_gap_has_no_candles() -> None:
    """What happened between two files nobody knows: such a set-up is counted, not guessed."""
    track = tracks(source([ROW] * 3), source([ROW] * 3, first=100))["BTCUSDT"]

    assert track.stretches.tolist() == [0, 3, 6]
    assert track.find(minute(0.5)) == 1
    assert track.find(minute(2.5)) is None
    assert track.find(minute(50)) is None
    assert track.find(minute(99.5)) == 3
    assert track.find(minute(103)) is None
    assert track.find(minute(-5)) is None


def test_a_few_lost_candles_are_no_gap() -> None:
    """An exchange that paused for minutes does not end every trade."""
    track = tracks(source([ROW] * 3), source([ROW] * 3, first=6))["BTCUSDT"]

    assert track.stretches.tolist() == [0, 6]
    assert track.find(minute(4)) == 3


def test_long_candles_are_left_out_and_named() -> None:
    """Inside a day nobody can tell stop from target."""
    days = source([ROW], timeframe=Timeframe.D1)

    assert not build_tracks([days], Timeframe.H1)
    assert "1d candles are longer than 1h" in too_coarse([days], Timeframe.H1)[0]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("um_BTCUSDT_1m_2023-07_ft.csv.gz", "BTCUSDT"),
        ("1000PEPEUSDT-5m.parquet", "1000PEPEUSDT"),
        ("btc_usdt.csv", "BTCUSDT"),
        ("market.csv", None),
    ],
)
def test_file_names_tell_the_symbol(name: str, symbol: str | None) -> None:
    """Candle files hold no symbol: their names do."""
    assert symbol_of(Path(name)) == symbol


def test_folder_gives_what_are_traded_prices(tmp_path: Path) -> None:
    """A mark price looks like a candle, and nobody can trade at it."""
    for name in ("BTCUSDT_1h.csv", "BTCUSDT_mark_1h.csv", "market.csv", "ETHUSDT_1h.csv"):
        write_rows(tmp_path / name, candle_rows(3))
    (tmp_path / "README.txt").write_text("no candles")

    found = load_sources([tmp_path], wanted=lambda symbol: symbol == "BTCUSDT")

    assert [s.origin for s in found.sources] == ["BTCUSDT_1h.csv"]
    assert found.notes == (
        "BTCUSDT_mark_1h.csv is left out: it holds no traded prices",
        "market.csv is left out: its name tells no symbol",
    )


def test_named_file_without_a_symbol_is_refused(tmp_path: Path) -> None:
    """Playing a channel on an unknown market would be worse than not playing it."""
    path = write_rows(tmp_path / "market.csv", candle_rows(3))

    with pytest.raises(DataError, match="does not tell its symbol"):
        load_sources([path], wanted=lambda _symbol: True)


@pytest.mark.parametrize("make", [False, True])
def test_path_without_candles_is_refused(tmp_path: Path, *, make: bool) -> None:
    """A slip in a path must not end as a report over nothing."""
    path = tmp_path / "data"
    if make:
        path.mkdir()

    with pytest.raises(DataError, match="--data"):
        load_sources([path], wanted=lambda _symbol: True)


def test_stored_candles_bring_their_rules(tmp_path: Path) -> None:
    """The database knows the price grid of a symbol; a set-up is rounded as live."""
    path = tmp_path / "candles.db"
    candles = source([ROW] * 3).candles
    rules = SymbolRules("BTCUSDT", tick_size=Decimal("0.1"))
    with SqliteCandleStore(path) as store:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            store.save_candles(CandleKey("binance", symbol, Timeframe.M1), candles)
        store.save_rules("binance", rules)

    found = load_stored(path, wanted=lambda symbol: symbol == "BTCUSDT")

    (stored,) = found.sources
    assert stored.origin == "candles.db, source binance"
    assert build_tracks(found.sources, Timeframe.H1)["BTCUSDT"].rules.tick_size == rules.tick_size

"""Which candles a command works on when several would do."""

from pathlib import Path

import pytest

from milobot.cli.stored_candles import candles_from_file, candles_from_store
from milobot.domain.market import Candle, CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError, DataError
from milobot.marketdata.writers import save_candles
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore

START_MS = 1704067200000


def candles(timeframe: Timeframe, count: int, price: float = 100.0) -> CandleSeries:
    """Return quiet candles."""
    step = timeframe.milliseconds
    return CandleSeries.from_candles(
        [Candle(START_MS + i * step, price, price + 1, price - 1, price, 1.0) for i in range(count)]
    )


def store_with(path: Path, *series: tuple[str, Timeframe, float]) -> Path:
    """Return a candle database that holds these series of BTCUSDT."""
    with SqliteCandleStore(path) as store:
        for source, timeframe, price in series:
            store.save_candles(
                CandleKey(source, "BTCUSDT", timeframe), candles(timeframe, 120, price)
            )
    return path


def test_coarsest_series_that_fits_is_taken(tmp_path: Path) -> None:
    """Hours make 4h candles as well as minutes do, and reach further back."""
    database = store_with(
        tmp_path / "c.db",
        ("file", Timeframe.M1, 1.0),
        ("file", Timeframe.H1, 2.0),
        ("file", Timeframe.D1, 3.0),
    )

    found = candles_from_store(database, "BTCUSDT", Timeframe.H4)

    assert found.timeframe is Timeframe.H4
    assert found.candles.close.tolist() == [2.0] * 30


def test_candles_of_an_exchange_beat_imported_ones(tmp_path: Path) -> None:
    """An import may be anything; an exchange's own candles are what it traded."""
    database = store_with(
        tmp_path / "c.db", ("file", Timeframe.H1, 1.0), ("binance", Timeframe.H1, 2.0)
    )

    found = candles_from_store(database, "BTCUSDT", Timeframe.H1)

    assert found.origin == "c.db, source binance"
    assert found.candles.close[0] == 2.0


@pytest.mark.parametrize("symbol", ["ETHUSDT", "BTCUSDT"])
def test_nothing_stored_says_how_to_get_candles(tmp_path: Path, symbol: str) -> None:
    """Neither another symbol nor coarser candles will do."""
    database = store_with(tmp_path / "c.db", ("file", Timeframe.D1, 1.0))

    with pytest.raises(ConfigurationError, match="milobot data import FILE"):
        candles_from_store(database, symbol, Timeframe.H1)


def test_missing_database_is_not_created(tmp_path: Path) -> None:
    """Asking for indicators must not leave an empty database behind."""
    with pytest.raises(ConfigurationError, match="no exchange connection"):
        candles_from_store(tmp_path / "c.db", "BTCUSDT", Timeframe.H1)

    assert not list(tmp_path.iterdir())


def test_too_few_stored_candles_are_nothing(tmp_path: Path) -> None:
    """120 minutes hold no whole day."""
    database = store_with(tmp_path / "c.db", ("file", Timeframe.M1, 1.0))

    with pytest.raises(ConfigurationError, match="no candles of BTCUSDT 1d"):
        candles_from_store(database, "BTCUSDT", Timeframe.D1)


def test_file_is_resampled_or_taken_as_it_is(tmp_path: Path) -> None:
    """Without --interval the file decides."""
    path = tmp_path / "hours.csv"
    save_candles(path, candles(Timeframe.H1, 8))

    assert candles_from_file(path, None).timeframe is Timeframe.H1
    assert len(candles_from_file(path, Timeframe.H4).candles) == 2


def test_file_without_a_whole_candle_is_refused(tmp_path: Path) -> None:
    """An empty table would look like a calm market."""
    path = tmp_path / "hours.csv"
    save_candles(path, candles(Timeframe.H1, 8))

    with pytest.raises(DataError, match="no whole 1d candle"):
        candles_from_file(path, Timeframe.D1)

"""Which candles a command works on, when there is a choice."""

from pathlib import Path

import pytest
from tests.support.trading import rules

from milobot.app.markets import market_from_file, market_from_store
from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError, DataError
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.resample import resample
from milobot.marketdata.writers import save_candles
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore

MINUTES = generate_candles(minutes=600)


def stored(path: Path, *series: tuple[str, Timeframe]) -> Path:
    """Return a database that holds the same market in several forms."""
    with SqliteCandleStore(path) as store:
        for source, timeframe in series:
            candles = resample(MINUTES, Timeframe.M1, timeframe)
            store.save_candles(CandleKey(source, "BTCUSDT", timeframe), candles)
    return path


def test_coarsest_candles_that_fit_are_taken(tmp_path: Path) -> None:
    """An hourly script gets stored hours; 15m for 45m would fit nothing, 1m fit everything."""
    path = stored(
        tmp_path / "c.db", ("file", Timeframe.M1), ("file", Timeframe.M15), ("file", Timeframe.H4)
    )

    assert market_from_store(path, "BTCUSDT", Timeframe.H1).timeframe is Timeframe.M15
    assert market_from_store(path, "BTCUSDT", Timeframe.H4).timeframe is Timeframe.H4
    assert market_from_store(path, "BTCUSDT", Timeframe.M5).timeframe is Timeframe.M1


def test_candles_of_an_exchange_come_before_imported_ones(tmp_path: Path) -> None:
    """A file may be anything; its rules are not known either."""
    path = stored(tmp_path / "c.db", ("binance-production", Timeframe.H1), ("file", Timeframe.H1))
    with SqliteCandleStore(path) as store:
        store.save_rules("binance-production", rules())

    market = market_from_store(path, "BTCUSDT", Timeframe.H1)

    assert market.origin == "c.db, source binance-production"
    assert market.rules == rules()


@pytest.mark.parametrize(
    ("symbol", "timeframe"), [("ETHUSDT", Timeframe.H1), ("BTCUSDT", Timeframe.M30)]
)
def test_nothing_that_fits_is_said(symbol: str, timeframe: Timeframe, tmp_path: Path) -> None:
    """Another symbol and coarser candles are no replacement."""
    path = stored(tmp_path / "c.db", ("file", Timeframe.H1))

    with pytest.raises(ConfigurationError, match=f"no candles of {symbol} {timeframe} are stored"):
        market_from_store(path, symbol, timeframe)


def test_missing_database_is_not_made(tmp_path: Path) -> None:
    """Looking must not leave an empty file behind."""
    with pytest.raises(ConfigurationError, match="are stored in"):
        market_from_store(tmp_path / "none.db", "BTCUSDT", Timeframe.H1)

    assert list(tmp_path.iterdir()) == []


def test_file_with_a_gap_warns_or_is_refused(tmp_path: Path) -> None:
    """What the user asks for decides."""
    path = tmp_path / "gap.csv"
    save_candles(path, CandleSeries.empty().joined(MINUTES.part(0, 9)).joined(MINUTES.part(12, 30)))

    market = market_from_file(path)

    assert len(market.warnings) == 1
    assert (market.origin, market.rules, market.timeframe) == ("gap.csv", None, Timeframe.M1)
    with pytest.raises(DataError, match="3 candles missing"):
        market_from_file(path, strict=True)

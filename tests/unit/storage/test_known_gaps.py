"""What an exchange is known to lack survives a restart, series by series."""

from pathlib import Path

import pytest

from milobot.domain.spans import CandleSpan
from milobot.domain.timeframes import Timeframe
from milobot.errors import StorageError
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore

KEY = CandleKey("binance", "BTCUSDT", Timeframe.H1)
HOUR_MS = 3_600_000


def span(first: int, last: int) -> CandleSpan:
    return CandleSpan(first * HOUR_MS, last * HOUR_MS)


def test_gaps_come_back_in_order_and_do_not_mix(tmp_path: Path) -> None:
    """A gap of one series that hid another's candles would be a hole of our own."""
    others = [
        CandleKey("bingx", "BTCUSDT", Timeframe.H1),
        CandleKey("binance", "ETHUSDT", Timeframe.H1),
        CandleKey("binance", "BTCUSDT", Timeframe.M1),
    ]
    with SqliteCandleStore(tmp_path / "candles.db") as store:
        store.save_gap(KEY, span(30, 31))
        store.save_gap(KEY, span(5, 9))
        assert all(store.load_gaps(other) == () for other in others)

    with SqliteCandleStore(tmp_path / "candles.db") as store:
        assert store.load_gaps(KEY) == (span(5, 9), span(30, 31))


def test_same_gap_again_changes_nothing_and_a_longer_one_grows_it(tmp_path: Path) -> None:
    """An outage is noted while it lasts, more than once."""
    with SqliteCandleStore(tmp_path / "candles.db") as store:
        for last in (9, 9, 12, 7):
            store.save_gap(KEY, span(5, last))

        assert store.load_gaps(KEY) == (span(5, 12),)


def test_closed_store_says_so(tmp_path: Path) -> None:
    """Like every other call on it."""
    store = SqliteCandleStore(tmp_path / "candles.db")
    store.close()
    with pytest.raises(StorageError, match="has been closed"):
        store.save_gap(KEY, span(0, 1))

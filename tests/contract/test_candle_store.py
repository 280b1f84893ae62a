"""What every candle store owes its users (port CandleStore)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path

import pytest

from milobot.domain.market import CandleSeries, LeverageBracket, SymbolRules
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.marketdata.generated import generate_candles
from milobot.ports import CandleKey, CandleStore
from milobot.storage.candles import SqliteCandleStore

OpenStore = Callable[[], AbstractContextManager[CandleStore]]

KEY = CandleKey("binance", "BTCUSDT", Timeframe.M1)
CANDLES = generate_candles(minutes=300)
RULES = SymbolRules(
    symbol="BTCUSDT",
    tick_size=Decimal("0.10"),
    quantity_step=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    max_market_quantity=Decimal("1E+2"),
    min_notional=Decimal(100),
    brackets=(
        LeverageBracket(Decimal(0), Decimal(50_000), 125, Decimal("0.004"), Decimal(0)),
        LeverageBracket(Decimal(50_000), Decimal(600_000), 100, Decimal("0.005"), Decimal(50)),
    ),
)


@pytest.fixture(params=[SqliteCandleStore])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Give a function that opens one and the same store of each implementation."""
    return lambda: request.param(tmp_path / "candles.db")


def test_saved_candles_come_back_to_the_last_bit(open_store: OpenStore) -> None:
    """A back-test from the store equals one from the file."""
    with open_store() as store:
        assert store.save_candles(KEY, CANDLES) == 300
        assert store.load_candles(KEY).equals(CANDLES)

    with open_store() as store:
        assert store.load_candles(KEY).equals(CANDLES)


def test_stored_candles_stay_as_they_are(open_store: OpenStore) -> None:
    """A closed candle is history: a second import fills holes and changes nothing."""
    shifted = CandleSeries(
        CANDLES.time, CANDLES.open, CANDLES.high * 2, CANDLES.low, CANDLES.close, CANDLES.volume
    )
    with open_store() as store:
        assert store.save_candles(KEY, CANDLES.part(100, 200)) == 100
        assert store.save_candles(KEY, shifted) == 200
        assert store.save_candles(KEY, shifted) == 0
        loaded = store.load_candles(KEY)

    assert loaded.part(100, 200).equals(CANDLES.part(100, 200))
    assert loaded.part(0, 100).equals(shifted.part(0, 100))


def test_range_is_inclusive_and_limit_keeps_the_last(open_store: OpenStore) -> None:
    """A chart asks for the newest, a back-test for a span."""
    first, last = int(CANDLES.time[10]), int(CANDLES.time[19])
    with open_store() as store:
        store.save_candles(KEY, CANDLES)

        def load(
            first_ms: int | None = None, last_ms: int | None = None, limit: int | None = None
        ) -> CandleSeries:
            return store.load_candles(KEY, first_ms=first_ms, last_ms=last_ms, limit=limit)

        assert load(first, last).equals(CANDLES.part(10, 20))
        assert load(first).equals(CANDLES.part(10, 300))
        assert load(None, last).equals(CANDLES.part(0, 20))
        assert load(limit=5).equals(CANDLES.part(295, 300))
        assert load(first, last, 3).equals(CANDLES.part(17, 20))
        assert load(limit=1000).equals(CANDLES)
        assert len(load(limit=0)) == 0
        assert len(load(last, first)) == 0


def test_unknown_series_is_empty(open_store: OpenStore) -> None:
    """Nothing stored is an answer, not an error."""
    with open_store() as store:
        assert len(store.load_candles(KEY)) == 0
        assert store.list_series() == []


def test_series_do_not_mix(open_store: OpenStore) -> None:
    """Source, symbol and timeframe are all part of the name."""
    keys = [
        KEY,
        CandleKey("file", "BTCUSDT", Timeframe.M1),
        CandleKey("binance", "ETHUSDT", Timeframe.M1),
        CandleKey("binance", "BTCUSDT", Timeframe.MONTH),
    ]
    with open_store() as store:
        for count, key in enumerate(keys, start=1):
            store.save_candles(key, CANDLES.part(0, count))
        store.save_candles(CandleKey("file", "NONE", Timeframe.H1), CandleSeries.empty())

        assert [len(store.load_candles(key)) for key in keys] == [1, 2, 3, 4]
        assert set(store.list_series()) == set(keys)
        assert len(store.list_series()) == len(keys)


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
def test_number_that_is_none_is_refused(open_store: OpenStore, column: str) -> None:
    """A database would store NaN as nothing, and leave the candle out without a word."""
    columns = {n: getattr(CANDLES, n) for n in ("time", "open", "high", "low", "close", "volume")}
    columns[column] = columns[column].copy()
    columns[column][7] = float("nan")
    with open_store() as store:
        with pytest.raises(DataError, match=f"^BTCUSDT 1m: a {column} is not a finite number"):
            store.save_candles(KEY, CandleSeries(**columns))
        assert len(store.load_candles(KEY)) == 0


def test_rules_come_back_as_they_were(open_store: OpenStore) -> None:
    """Decimals keep value and digits: a step that became a float would round orders wrongly."""
    bare = SymbolRules(symbol="ETHUSDT")
    with open_store() as store:
        store.save_rules("binance", RULES)
        store.save_rules("binance", bare)

        loaded = store.load_rules("binance", "BTCUSDT")
        assert loaded == RULES
        assert str(loaded.tick_size) == "0.10"
        assert store.load_rules("binance", "ETHUSDT") == bare
        assert store.load_rules("file", "BTCUSDT") is None


def test_newer_rules_replace_older_ones(open_store: OpenStore) -> None:
    """A bracket that no longer exists must not stay behind."""
    newer = SymbolRules(symbol="BTCUSDT", tick_size=Decimal("0.01"), brackets=RULES.brackets[1:])
    with open_store() as store:
        store.save_rules("binance", RULES)
        store.save_rules("binance", newer)

        assert store.load_rules("binance", "BTCUSDT") == newer

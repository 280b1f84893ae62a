"""Finds the candles that a command works on: in a file, or in the candle store."""

from dataclasses import dataclass
from pathlib import Path

from milobot.domain.market import CandleSeries, SymbolRules
from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError
from milobot.marketdata.files import load_candles
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore


@dataclass(frozen=True, slots=True)
class Market:
    """Candles, where they come from, and what is known of their symbol.

    Attributes:
        timeframe: Of the candles as they were found; finer than asked for, perhaps.
        origin: File name, or database and source, for the user.
        rules: Rules of the symbol; None where nothing is known of it.
        warnings: Sentences about what is tolerated, such as gaps.
    """

    candles: CandleSeries
    timeframe: Timeframe
    origin: str
    rules: SymbolRules | None = None
    warnings: tuple[str, ...] = ()


def market_from_file(path: Path, *, strict: bool = False) -> Market:
    """Return the market that a file holds; its rules are not known.

    Raises:
        DataError: The file is missing or wrong, or has gaps and ``strict`` is set.
    """
    loaded = load_candles(path, strict=strict)
    return Market(loaded.candles, loaded.timeframe, path.name, None, loaded.warnings)


def market_from_store(database: Path, symbol: str, timeframe: Timeframe) -> Market:
    """Return the stored market of a symbol: of ``timeframe``, or the coarsest that adds up to it.

    Raises:
        ConfigurationError: Nothing is stored that would do.
        StorageError: The database cannot be read.
    """
    market = find_stored_market(database, symbol, timeframe)
    if market is None:
        raise ConfigurationError(
            f"no candles of {symbol} {timeframe} are stored in {database}: fetch them with "
            f"'milobot initdb {symbol}', name a file with --data FILE, or load one with "
            f"'milobot data import FILE --symbol {symbol}'"
        )
    return market


def find_stored_market(database: Path, symbol: str, timeframe: Timeframe) -> Market | None:
    """Return the same, or None when nothing is stored that would do.

    Raises:
        StorageError: The database cannot be read.
    """
    if not database.exists():
        return None
    with SqliteCandleStore(database, must_exist=True) as store:
        key = _best_series(store.list_series(), symbol, timeframe)
        if key is None:
            return None
        return Market(
            store.load_candles(key),
            key.timeframe,
            f"{database.name}, source {key.source}",
            store.load_rules(key.source, symbol),
        )


def _best_series(keys: list[CandleKey], symbol: str, timeframe: Timeframe) -> CandleKey | None:
    """Return the series to use: the coarsest that fits; an exchange's own before an imported one."""
    fitting = [k for k in keys if k.symbol == symbol and timeframe.is_multiple_of(k.timeframe)]
    return max(
        fitting,
        key=lambda k: (k.timeframe.milliseconds, k.source != "file", k.source),
        default=None,
    )

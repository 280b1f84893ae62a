"""Finds the candles that a command works on: in a file, or in the candle store."""

from dataclasses import dataclass
from pathlib import Path

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError, DataError
from milobot.marketdata.files import load_candles
from milobot.marketdata.resample import resample
from milobot.ports import CandleKey
from milobot.storage.candles import SqliteCandleStore


@dataclass(frozen=True, slots=True)
class FoundCandles:
    """Candles and where they come from.

    Attributes:
        origin: File name, or database and source, for the user.
        warnings: Sentences about what is tolerated, such as gaps.
    """

    candles: CandleSeries
    timeframe: Timeframe
    origin: str
    warnings: tuple[str, ...] = ()


def candles_from_file(path: Path, timeframe: Timeframe | None) -> FoundCandles:
    """Return the candles of a file, resampled when it holds finer ones; None takes them as they are.

    Raises:
        DataError: The file is missing or wrong, holds coarser candles, or none that is complete.
    """
    loaded = load_candles(path)
    target = timeframe or loaded.timeframe
    candles = resample(loaded.candles, loaded.timeframe, target)
    if not len(candles):
        raise DataError(
            f"{path.name}: its {loaded.timeframe} candles make no whole {target} candle"
        )
    return FoundCandles(candles, target, path.name, loaded.warnings)


def candles_from_store(database: Path, symbol: str, timeframe: Timeframe) -> FoundCandles:
    """Return the stored candles of a symbol, resampled from finer ones when there are only those.

    Raises:
        ConfigurationError: Nothing is stored that would do.
        StorageError: The database cannot be read.
    """
    missing = ConfigurationError(
        f"no candles of {symbol} {timeframe} are stored in {database}, and this version has no "
        "exchange connection to fetch them: name a file with --data FILE, or load one with "
        "'milobot data import FILE --symbol BTCUSDT'"
    )
    if not database.exists():
        raise missing
    with SqliteCandleStore(database, must_exist=True) as store:
        key = _best_series(store.list_series(), symbol, timeframe)
        if key is None:
            raise missing
        candles = resample(store.load_candles(key), key.timeframe, timeframe)
    if not len(candles):
        raise missing
    return FoundCandles(candles, timeframe, f"{database.name}, source {key.source}")


def _best_series(keys: list[CandleKey], symbol: str, timeframe: Timeframe) -> CandleKey | None:
    """Return the series to use: the coarsest that fits; an exchange's own before an imported one."""
    fitting = [k for k in keys if k.symbol == symbol and timeframe.is_multiple_of(k.timeframe)]
    return max(
        fitting,
        key=lambda k: (k.timeframe.milliseconds, k.source != "file", k.source),
        default=None,
    )

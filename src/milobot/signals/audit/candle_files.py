"""Candles for an audit: files whose names tell the symbol, folders of them, and the database."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.marketdata.files import SUFFIXES, load_candles
from milobot.signals.audit.tracks import CandleSource
from milobot.storage.candles import SqliteCandleStore

_SYMBOL = re.compile(r"(?<![A-Z0-9])([A-Z0-9]{1,20}USDT)(?![A-Z0-9])")
# Series that look like candles and are no traded prices, by what their names say.
_NO_TRADES = re.compile(r"(?i)(?<![a-z])(mark|index|premium|funding)")
_SPOT = re.compile(r"(?i)(?<![a-z])spot(?![a-z])")


@dataclass(frozen=True, slots=True)
class FoundCandles:
    """Candles and what was left out.

    Attributes:
        notes: One sentence for each file of a folder that was not taken.
    """

    sources: tuple[CandleSource, ...]
    notes: tuple[str, ...] = ()


def symbol_of(path: Path) -> str | None:
    """Return the symbol that a file's name tells, such as BTCUSDT; None without one.

    >>> symbol_of(Path("um_BTCUSDT_1m_2023-07.csv.gz")), symbol_of(Path("ETH_USDT-1h.csv"))
    ('BTCUSDT', 'ETHUSDT')
    """
    name = path.name.partition(".")[0].upper()
    found = _SYMBOL.search(name.replace("_", "-")) or _SYMBOL.search(
        re.sub(r"[-_]USDT(?![A-Z0-9])", "USDT", name, count=1).replace("_", "-")
    )
    return found.group(1) if found else None


def load_sources(
    paths: Sequence[Path],
    *,
    wanted: Callable[[str], bool],
    progress: Callable[[float], None] | None = None,
) -> FoundCandles:
    """Return the candles of files and folders, those of wanted symbols only.

    Raises:
        DataError: A path is missing, a named file is wrong, or nothing holds candles.
    """
    files = list(_files(paths))
    found: list[CandleSource] = []
    notes: list[str] = []
    for place, (path, is_named) in enumerate(files):
        symbol = symbol_of(path)
        reason = "" if is_named else _why_not(path, symbol)
        if symbol is None and not reason:
            raise DataError(f"{path.name} does not tell its symbol: name it like BTCUSDT_1m.csv")
        if reason:
            notes.append(f"{path.name} is left out: {reason}")
        elif symbol is not None and wanted(symbol):
            found.append(_load(path, symbol))
        if progress is not None:
            progress((place + 1) / len(files))
    return FoundCandles(tuple(found), tuple(notes))


def load_stored(database: Path, *, wanted: Callable[[str], bool]) -> FoundCandles:
    """Return the stored candles of wanted symbols with their rules, an exchange's own first.

    Raises:
        StorageError: The database is missing or cannot be read.
    """
    with SqliteCandleStore(database, must_exist=True) as store:
        keys = [key for key in store.list_series() if wanted(key.symbol)]
        found = [
            CandleSource(
                key.symbol,
                store.load_candles(key),
                key.timeframe,
                f"{database.name}, source {key.source}",
                int(key.source == "file"),
                store.load_rules(key.source, key.symbol),
            )
            for key in keys
            if key.timeframe.milliseconds <= Timeframe.D1.milliseconds
        ]
    return FoundCandles(tuple(found))


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield candle files, each with whether it was named itself."""
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise DataError(f"--data: {path} holds no {', '.join(SUFFIXES)} file")
            yield from ((p, False) for p in inside)
        elif path.exists():
            yield path, True
        else:
            raise DataError(f"--data: {path} does not exist: name a candle file or a folder")


def _why_not(path: Path, symbol: str | None) -> str:
    if symbol is None:
        return "its name tells no symbol"
    if _NO_TRADES.search(path.name):
        return "it holds no traded prices"
    return ""


def _load(path: Path, symbol: str) -> CandleSource:
    loaded = load_candles(path)
    is_spot = bool(_SPOT.search(path.name))
    return CandleSource(symbol, loaded.candles, loaded.timeframe, path.name, int(is_spot))

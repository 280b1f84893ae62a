"""Candles as rows: plain functions of a connection."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np

from milobot.domain.market import COLUMNS, CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.ports import CandleKey

ROWS_AT_ONCE = 20_000
"""Rows between two reports of progress."""

_WIDTH = 6


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """Size and reach of one stored series; times are open times in UTC milliseconds."""

    key: CandleKey
    count: int
    first_ms: int
    last_ms: int


def insert_candles(
    connection: sqlite3.Connection,
    key: CandleKey,
    candles: CandleSeries,
    progress: Callable[[int], None],
) -> int:
    """Insert the candles that are not there yet; call it inside a transaction.

    Args:
        connection: Where to write.
        key: Series the candles belong to.
        candles: Closed candles with finite numbers.
        progress: Called now and then with the number of candles done.

    Returns:
        How many candles were new.
    """
    series = _series_id(connection, key)
    before = connection.total_changes
    for start in range(0, len(candles), ROWS_AT_ONCE):
        chunk = candles.part(start, start + ROWS_AT_ONCE)
        connection.executemany(
            f"INSERT OR IGNORE INTO candles VALUES ({series}, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own integer
            zip(*(getattr(chunk, name).tolist() for name in COLUMNS), strict=True),
        )
        progress(start + len(chunk))
    return connection.total_changes - before


def select_candles(
    connection: sqlite3.Connection,
    key: CandleKey,
    first_ms: int | None,
    last_ms: int | None,
    limit: int | None,
) -> CandleSeries:
    """Return the candles of ``key`` with open time in [first_ms, last_ms], the last ``limit``."""
    lowest, highest = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    cursor = connection.execute(
        "SELECT open_time, open, high, low, close, volume FROM candles"
        " WHERE series_id = (SELECT series_id FROM series"
        " WHERE source = ? AND symbol = ? AND timeframe = ?)"
        " AND open_time BETWEEN ? AND ? ORDER BY open_time DESC LIMIT ?",
        (
            key.source,
            key.symbol,
            str(key.timeframe),
            int(lowest) if first_ms is None else first_ms,
            int(highest) if last_ms is None else last_ms,
            -1 if limit is None else limit,
        ),
    )
    # One flat pass is the fastest way from rows to numpy; times are below 2**53, so exact.
    flat = np.fromiter(chain.from_iterable(cursor), dtype=np.float64)
    rows = flat.reshape(-1, _WIDTH)[::-1]
    columns = (np.ascontiguousarray(rows[:, i]) for i in range(1, _WIDTH))
    return CandleSeries(rows[:, 0].astype(np.int64), *columns)


def summarise_series(connection: sqlite3.Connection) -> list[SeriesSummary]:
    """Return every series that has candles, in order of its key."""
    rows = connection.execute(
        "SELECT source, symbol, timeframe, COUNT(*), MIN(open_time), MAX(open_time)"
        " FROM series JOIN candles USING (series_id) GROUP BY series_id"
    )
    order = list(Timeframe)
    summaries = [
        SeriesSummary(CandleKey(source, symbol, Timeframe(timeframe)), *numbers)
        for source, symbol, timeframe, *numbers in rows
    ]
    return sorted(
        summaries, key=lambda s: (s.key.source, s.key.symbol, order.index(s.key.timeframe))
    )


def select_keys(connection: sqlite3.Connection) -> list[CandleKey]:
    """Return the key of every series that has candles, without counting them."""
    rows = connection.execute(
        "SELECT source, symbol, timeframe FROM series WHERE EXISTS"
        " (SELECT 1 FROM candles WHERE candles.series_id = series.series_id)"
        " ORDER BY source, symbol, series_id"
    )
    return [CandleKey(source, symbol, Timeframe(timeframe)) for source, symbol, timeframe in rows]


def _series_id(connection: sqlite3.Connection, key: CandleKey) -> int:
    names = (key.source, key.symbol, str(key.timeframe))
    connection.execute(
        "INSERT OR IGNORE INTO series (source, symbol, timeframe) VALUES (?, ?, ?)", names
    )
    row = connection.execute(
        "SELECT series_id FROM series WHERE source = ? AND symbol = ? AND timeframe = ?", names
    ).fetchone()
    return int(row[0])

"""Candles that an exchange does not have, as rows: plain functions of a connection.

What is known to be missing is not asked for again, and a report can tell it from what
was never asked for.
"""

import sqlite3

from milobot.domain.spans import CandleSpan
from milobot.ports import CandleKey


def write_gap(connection: sqlite3.Connection, key: CandleKey, gap: CandleSpan) -> None:
    """Note that a series lacks some candles; call it inside a transaction."""
    connection.execute(
        "INSERT INTO known_gaps VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET last_ms = MAX(last_ms, excluded.last_ms)",
        (key.source, key.symbol, str(key.timeframe), gap.first_ms, gap.last_ms),
    )


def read_gaps(connection: sqlite3.Connection, key: CandleKey) -> tuple[CandleSpan, ...]:
    """Return what a series is known to lack, in order of time."""
    rows = connection.execute(
        "SELECT first_ms, last_ms FROM known_gaps"
        " WHERE source = ? AND symbol = ? AND timeframe = ? ORDER BY first_ms",
        (key.source, key.symbol, str(key.timeframe)),
    )
    return tuple(CandleSpan(first_ms, last_ms) for first_ms, last_ms in rows)

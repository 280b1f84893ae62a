"""What became of signals since somebody looked last, whichever process has put it on record.

Queries; ``ledger.read`` runs them.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from milobot.storage import tables
from milobot.storage.signal_records import EventRow

_signals, _events = tables.signals, tables.signal_events


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One line of the history of a signal, and whose it is.

    Attributes:
        number: Of the line; later lines have higher ones, but may come on record sooner.
        symbol: What the signal trades; empty for what trades nothing.
    """

    number: int
    account: str
    source: str
    symbol: str
    event: EventRow


def last_line(connection: Connection) -> int:
    """Return the number of the latest line; 0 before the first."""
    number: int | None = connection.execute(select(func.max(_events.c.id))).scalar_one()
    return number or 0


def lines_after(connection: Connection, number: int, *, limit: int) -> list[SignalLine]:
    """Return the lines after a number, oldest first."""
    found = (
        select(_events, _signals.c.account, _signals.c.source, _signals.c.symbol)
        .join_from(_events, _signals, _events.c.signal_id == _signals.c.id)
        .where(_events.c.id > number)
        .order_by(_events.c.id)
        .limit(limit)
    )
    return [
        SignalLine(
            number=row["id"],
            account=row["account"],
            source=row["source"],
            symbol=row["symbol"],
            event=EventRow(row["time_ms"], row["kind"], row["state"], row["code"], row["sentence"]),
        )
        for row in connection.execute(found).mappings()
    ]

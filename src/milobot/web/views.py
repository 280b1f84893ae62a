"""Rows of the page's tables and cards; money travels as plain decimal text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from milobot.domain.intents import PositionSide, Side
from milobot.domain.money import format_decimal

LONGEST_TEXT = 2_000
"""Characters of one text a script may put on the page."""
LONGEST_NOTE = 300
"""Characters of a text in a table."""
LONGEST_NAME = 100
"""Characters of the name of a source, an account or an owner."""
MOST_POSITIONS = 50
"""Positions on the page; of more only the number is told, and those least safe are shown."""
MOST_MESSAGES = 30
"""Messages on the page: the newest ones."""
NOT_OURS = "NOT OURS"
"""State of what is held and was not opened here: it is never touched."""


@dataclass(frozen=True, slots=True)
class SignalView:
    """A decision, shown hollow at the deciding candle.

    Attributes:
        time_ms: Open time of that candle.
        side: LONG or SHORT; None is a decision to close.
        price: Reference price.
        note: What else is worth knowing, such as the action.
    """

    time_ms: int
    side: PositionSide | None
    price: Decimal
    note: str = ""

    def row(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "time": self.time_ms,
            "side": self.side.value if self.side else "CLOSE",
            "price": format_decimal(self.price),
            "note": self.note[:LONGEST_TEXT],
        }


@dataclass(frozen=True, slots=True)
class FillView:
    """An execution, shown solid at its price.

    Attributes:
        time_ms: Open time of the candle in which it happened.
        reason: Such as ``entry``, ``stop``, ``target``.
        pnl: What it realized; None for an entry.
    """

    time_ms: int
    side: Side
    price: Decimal
    quantity: Decimal
    reason: str
    pnl: Decimal | None = None

    def row(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "time": self.time_ms,
            "side": self.side.value,
            "price": format_decimal(self.price),
            "quantity": format_decimal(self.quantity),
            "reason": self.reason,
            "pnl": _text(self.pnl),
        }


@dataclass(frozen=True, slots=True)
class PositionView:
    """What is held of one symbol, or about to be, and its levels.

    Attributes:
        side: None where only the symbol is known, as of a position that is not ours.
        entry: Average price; None while no fill has told it.
        state: OPENING, UNPROTECTED, PROTECTED, CLOSING, or ``NOT OURS``.
        unrealized_pnl: Open gain in USDT; None without a price to value it at.
        targets: Where gains are taken, the nearest first.
        owner: Script session or source of signals that trades the symbol.
        account: Where it is held; empty where there is one account only.
        note: What else is worth knowing, such as why nobody may enter.
        on_chart: Whether its levels are drawn on the chart.
    """

    symbol: str
    side: PositionSide | None
    quantity: Decimal
    entry: Decimal | None
    state: str
    unrealized_pnl: Decimal | None
    stop: Decimal | None = None
    targets: tuple[Decimal, ...] = ()
    liquidation: Decimal | None = None
    owner: str = ""
    account: str = ""
    note: str = ""
    on_chart: bool = False

    def row(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "symbol": self.symbol,
            "side": self.side.value if self.side else None,
            "quantity": format_decimal(self.quantity),
            "entry": _text(self.entry),
            "stop": _text(self.stop),
            "targets": [format_decimal(target) for target in self.targets],
            "liquidation": _text(self.liquidation),
            "unrealized_pnl": _text(self.unrealized_pnl),
            "state": self.state,
            "owner": self.owner[:LONGEST_NAME],
            "account": self.account[:LONGEST_NAME],
            "note": self.note[:LONGEST_NOTE],
            "on_chart": self.on_chart,
        }


_WORST_FIRST = ("UNPROTECTED", "CLOSING", "OPENING", "PROTECTED", NOT_OURS)


def positions_value(
    positions: Iterable[PositionView], unknown: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the JSON form of everything that is held, the least safe first.

    Args:
        positions: Of all accounts.
        unknown: Accounts of which nobody here knows what they hold.
    """
    rows = sorted(positions, key=lambda one: (_danger(one.state), one.symbol, one.account))
    return {
        "rows": [one.row() for one in rows[:MOST_POSITIONS]],
        "hidden": max(0, len(rows) - MOST_POSITIONS),
        "unknown": [name[:LONGEST_NAME] for name in unknown],
    }


def _danger(state: str) -> int:
    """Return the rank of a state; one that is not known here is looked at first."""
    return _WORST_FIRST.index(state) if state in _WORST_FIRST else -1


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message that was handed in as a signal; its text is a stranger's.

    Attributes:
        signal_id: Number under which its history is kept.
        time_ms: When it was received.
        read: What it was read as, in words.
        state: Where it stands.
    """

    signal_id: int
    time_ms: int
    source: str
    text: str
    read: str
    state: str
    code: str = ""
    reason: str = ""

    def row(self) -> dict[str, Any]:
        """Return the JSON form, every text cut to what a line can show."""
        return {
            "id": self.signal_id,
            "time": self.time_ms,
            "source": self.source[:LONGEST_NAME],
            "text": self.text[:LONGEST_NOTE],
            "read": self.read[:LONGEST_NOTE],
            "state": self.state,
            "code": self.code[:LONGEST_NAME],
            "reason": self.reason[:LONGEST_NOTE],
        }


ROUND_TRIP_KEYS = (
    "symbol", "side", "quantity", "signal_time", "entry_time", "entry_price", "stop", "target",
    "exit_time", "exit_price", "exit_reason", "fees", "funding", "pnl",
)  # fmt: skip
"""Keys of a round trip, as in the report of a back-test."""


def round_trip_row(round_trip: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON form of a round trip given as the back-test report gives it.

    Money may come as ``Decimal`` or as text.
    """
    values = ((key, round_trip.get(key)) for key in ROUND_TRIP_KEYS)
    return {k: format_decimal(v) if isinstance(v, Decimal) else v for k, v in values}


def log_row(time_ms: int, level: str, text: str) -> dict[str, Any]:
    """Return the JSON form of a log line, cut to a length that a page can show."""
    return {"time": time_ms, "level": level.lower(), "text": text[:LONGEST_TEXT]}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format_decimal(value)

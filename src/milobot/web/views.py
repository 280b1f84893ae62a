"""Rows of the page's tables and cards; money travels as plain decimal text."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from milobot.domain.intents import PositionSide, Side
from milobot.domain.money import format_decimal

LONGEST_TEXT = 2_000
"""Characters of one text a script may put on the page."""


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
    """What is held, and its levels.

    Attributes:
        state: OPENING, UNPROTECTED, PROTECTED or CLOSING.
    """

    side: PositionSide
    quantity: Decimal
    entry: Decimal
    state: str
    unrealized_pnl: Decimal
    stop: Decimal | None = None
    target: Decimal | None = None
    liquidation: Decimal | None = None

    def row(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "side": self.side.value,
            "quantity": format_decimal(self.quantity),
            "entry": format_decimal(self.entry),
            "stop": _text(self.stop),
            "target": _text(self.target),
            "liquidation": _text(self.liquidation),
            "unrealized_pnl": format_decimal(self.unrealized_pnl),
            "state": self.state,
        }


ROUND_TRIP_KEYS = (
    "side", "quantity", "signal_time", "entry_time", "entry_price", "stop", "target",
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

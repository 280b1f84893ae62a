"""Reading the parameters of a request; what is wrong is named in the refusal."""

from decimal import Decimal, InvalidOperation

from milobot.domain.intents import Side
from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.core.orders import Refusal, RefusedError

_MOST_DIGITS = 30


def required(params: dict[str, str], name: str) -> str:
    """Return a parameter that must be there.

    Raises:
        RefusedError: It is not; ``MALFORMED`` with its name.
    """
    value = params.get(name, "")
    if not value:
        raise malformed(name)
    return value


def number(params: dict[str, str], name: str) -> Decimal | None:
    """Return a decimal parameter; None when it is absent or empty."""
    text = params.get(name, "")
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise malformed(name) from None
    if not value.is_finite() or len(text) > _MOST_DIGITS:
        raise malformed(name)
    return value


def integer(params: dict[str, str], name: str) -> int | None:
    """Return a whole-number parameter; None when it is absent or empty."""
    text = params.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise malformed(name) from None


def limit(params: dict[str, str], default: int, most: int) -> int:
    """Return how many rows are wanted, at most ``most``."""
    asked = integer(params, "limit")
    return default if asked is None else max(1, min(asked, most))


def flag(params: dict[str, str], name: str) -> bool:
    """Return a boolean parameter; absent is False."""
    text = params.get(name, "").lower()
    if text not in {"", "true", "false"}:
        raise malformed(name)
    return text == "true"


def side(params: dict[str, str]) -> Side:
    """Return the side of an order."""
    text = required(params, "side").upper()
    if text not in {"BUY", "SELL"}:
        raise malformed("side")
    return Side(text)


def timeframe(params: dict[str, str], name: str = "interval") -> Timeframe:
    """Return the timeframe of candles."""
    text = required(params, name)
    if text not in set(Timeframe):
        raise malformed(name)
    return Timeframe(text)


def malformed(name: str) -> RefusedError:
    """Return the refusal of a parameter that is missing or wrong."""
    return RefusedError(Refusal.MALFORMED, name)

"""An alert that says it in fields, written as a message: ``{"action": "buy", "symbol": …}``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from milobot.domain.intents import PositionSide, Side, Size, SizeKind
from milobot.domain.money import format_decimal
from milobot.errors import SignalFormatError
from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind, SignalReading

_NAMES = {
    "action": ("action", "side"),
    "symbol": ("symbol", "ticker"),
    "quantity": ("quantity", "qty", "contracts"),
    "price": ("price", "entry", "limit"),
    "stop": ("sl", "stop", "stop_loss"),
    "targets": ("tp", "target", "targets", "take_profit"),
    "leverage": ("leverage",),
    "risk": ("risk",),
    "type": ("type", "order_type"),
}
_ACTIONS = {
    "buy": "BUY", "long": "LONG", "sell": "SELL", "short": "SHORT",
    "close": "CLOSE", "exit": "CLOSE", "flat": "CLOSE",
}  # fmt: skip
_LONGS = frozenset({"BUY", "LONG"})
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,4})?) ?%")
_SYMBOL = re.compile(r"(?:[A-Z0-9_]{1,20}:)?(?P<name>[A-Z0-9]{2,20}[/_-]?[A-Z]{0,5})(?:\.P)?")
_PERPETUAL = re.compile(r"(?<=USDT)[_-]?PERP$")
_MOST_TARGETS = 10


@dataclass(frozen=True, slots=True)
class _Wish:
    action: str
    symbol: str
    quantity: Decimal | None
    price: Decimal | None
    stop: str
    targets: tuple[str, ...]
    leverage: str
    risk: str

    @property
    def is_set_up(self) -> bool:
        return bool(self.stop or self.targets or self.risk or self.leverage) or (
            self.price is not None
        )


def write_message(fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the message that fields amount to, and the fields that have no part in it.

    >>> write_message({"action": "buy", "symbol": "BINANCE:BTCUSDT.P", "quantity": 0.001})[0]
    'BUY BTCUSDT 0.001'

    Raises:
        SignalFormatError: A field is missing, doubled or no plain number, or the message
            would be read as something else.
    """
    given, others = _sort(fields)
    wish = _wish(given)
    if wish.action == "CLOSE":
        return _close(wish), others
    text = _set_up(wish) if wish.is_set_up else _order(wish)
    _prove(wish, read(text))
    return text, others


def plain_symbol(text: str) -> str:
    """Return a symbol as exchanges spell it.

    >>> plain_symbol("BINANCE:BTCUSDT.P"), plain_symbol("BTCUSDTPERP"), plain_symbol("eth/usdt")
    ('BTCUSDT', 'BTCUSDT', 'ETHUSDT')

    Raises:
        SignalFormatError: It is no symbol.
    """
    match = _SYMBOL.fullmatch(text.strip().upper())
    if match is None:
        _refuse("bad_field", f'The symbol {text[:40]!r} is none: write "symbol": "{{{{ticker}}}}".')
    return re.sub(r"[/_-]", "", _PERPETUAL.sub("", match["name"]))


def _sort(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    given: dict[str, Any] = {}
    others = {name: value for name, value in fields.items() if value is not None}
    for meaning, names in _NAMES.items():
        found = [name for name in names if name in others]
        if len(found) > 1:
            _refuse("two_fields", f"The alert has {' and '.join(found)}: use one of them.")
        if found:
            given[meaning] = others.pop(found[0])
    if str(given.get("type", "")).lower() == "market" and "price" in given:
        others["price"] = given.pop("price")
    return given, others


def _wish(given: Mapping[str, Any]) -> _Wish:
    action = given.get("action")
    if not isinstance(action, str) or action.strip().lower() not in _ACTIONS:
        _refuse("no_action", "An alert needs a message, or an action: buy, sell or close.")
    if not isinstance(given.get("symbol"), str):
        _refuse("no_symbol", 'An alert with an action needs "symbol": "{{ticker}}".')
    if str(given.get("type", "market")).lower() not in {"market", "limit"}:
        _refuse("bad_field", "The type of an order must be market or limit.")
    if "risk" in given and "quantity" in given:
        _refuse("two_fields", "The alert has a risk and a quantity: its size follows from one.")
    targets = given.get("targets", ())
    listed = targets if isinstance(targets, list | tuple) else (targets,)
    if len(listed) > _MOST_TARGETS:
        _refuse("bad_field", f"An alert may have {_MOST_TARGETS} targets.")
    leverage = _optional(given, "leverage")
    return _Wish(
        action=_ACTIONS[action.strip().lower()],
        symbol=plain_symbol(given["symbol"]),
        quantity=_optional(given, "quantity"),
        price=_optional(given, "price"),
        stop=_level("stop", given["stop"]) if "stop" in given else "",
        targets=tuple(_level("target", target) for target in listed),
        leverage="" if leverage is None else format_decimal(leverage),
        risk=_percentage(given["risk"]) if "risk" in given else "",
    )


def _optional(given: Mapping[str, Any], name: str) -> Decimal | None:
    return _number(name, given[name]) if name in given else None


def _number(name: str, value: Any) -> Decimal:
    """Return a plain number above zero; what could be read in two ways is refused."""
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = format_decimal(Decimal(str(value)))
    if not _NUMBER.fullmatch(text) or Decimal(text) == 0:
        _refuse("bad_field", f"{name} must be a plain number above zero, not {str(value)[:40]!r}.")
    return Decimal(text)


def _level(name: str, value: Any) -> str:
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value.strip())):
        return f"{match[1]}%"
    return format_decimal(_number(name, value))


def _percentage(value: Any) -> str:
    return _level("risk", value).removesuffix("%") + "%"


def _close(wish: _Wish) -> str:
    if wish.quantity is not None or wish.is_set_up:
        _refuse(
            "bad_field", "To close takes a symbol alone: to reduce by a quantity send buy or sell."
        )
    return f"close {wish.symbol}"


def _order(wish: _Wish) -> str:
    if wish.quantity is None:
        _refuse("bad_field", "An order needs a quantity, or a stop that its size follows from.")
    side = "BUY" if wish.action in _LONGS else "SELL"
    if wish.action != side:
        _refuse("bad_field", f"For an order of a quantity alone write {side.lower()} as action.")
    return f"{side} {wish.symbol} {format_decimal(wish.quantity)}"


def _set_up(wish: _Wish) -> str:
    lines = [
        f"{'LONG' if wish.action in _LONGS else 'SHORT'} {wish.symbol}",
        f"Entry: {'market' if wish.price is None else format_decimal(wish.price)}",
        wish.stop and f"Stop: {wish.stop}",
        *(f"Target {n}: {target}" for n, target in enumerate(wish.targets, start=1)),
        wish.leverage and f"Leverage: {wish.leverage}x",
        wish.risk and f"Risk: {wish.risk}",
        wish.quantity is not None and f"Quantity: {format_decimal(wish.quantity)}",
    ]
    return "\n".join(line for line in lines if line)


def _prove(wish: _Wish, reading: SignalReading) -> None:
    """Refuse what would be read as something else than the fields say.

    What the reader itself refuses passes: it goes on record with the reader's reason.
    """
    if reading.kind in {ReadingKind.REFUSED, ReadingKind.NOT_A_SIGNAL}:
        return
    if reading.symbol != wish.symbol or not (
        _is_same_order(wish, reading) or _is_same_set_up(wish, reading)
    ):
        _refuse("not_certain", "The fields of the alert cannot be written as one message.")


def _is_same_order(wish: _Wish, reading: SignalReading) -> bool:
    return (
        reading.kind is ReadingKind.ORDER
        and not wish.is_set_up
        and reading.quantity == wish.quantity
        and reading.side is (Side.BUY if wish.action in _LONGS else Side.SELL)
    )


def _is_same_set_up(wish: _Wish, reading: SignalReading) -> bool:
    side = PositionSide.LONG if wish.action in _LONGS else PositionSide.SHORT
    prices = () if wish.price is None else (wish.price,)
    return (
        reading.kind is ReadingKind.SETUP
        and reading.position_side is side
        and reading.entry is not None
        and reading.entry.prices == prices
        and _same_stop(wish.stop, reading)
        and _same_targets(wish.targets, reading)
        and wish.leverage in {"", str(reading.leverage)}
        and reading.size == _size(wish)
    )


def _same_stop(stop: str, reading: SignalReading) -> bool:
    if not stop or reading.stop is None:
        return not stop and reading.stop is None
    if stop.endswith("%"):
        return reading.stop.fraction == Decimal(stop[:-1]) / 100
    return reading.stop.price == Decimal(stop)


def _same_targets(targets: tuple[str, ...], reading: SignalReading) -> bool:
    if any(target.endswith("%") for target in targets):
        return len(reading.targets) == len(targets)
    return {target.price for target in reading.targets} == {Decimal(text) for text in targets}


def _size(wish: _Wish) -> Size | None:
    if wish.quantity is not None:
        return Size(SizeKind.BASE, wish.quantity)
    return Size(SizeKind.RISK, Decimal(wish.risk[:-1]) / 100) if wish.risk else None


def _refuse(code: str, sentence: str) -> NoReturn:
    raise SignalFormatError(code, sentence)

"""A reading in words: its fields as people write them."""

from decimal import Decimal

from milobot.domain.intents import Size, SizeKind
from milobot.domain.money import format_decimal
from milobot.signals.reading import Entry, SignalReading, Stop, Target

_UNITS = {SizeKind.QUOTE: " USDT", SizeKind.BASE: " of the coin"}


def fields_of(reading: SignalReading) -> list[tuple[str, str]]:
    """Return the fields that a reading has, each as people write it."""
    side = reading.position_side or reading.side
    fields = [
        ("symbol", reading.symbol or ""),
        ("side", _side(side, is_implied=reading.is_side_implied)),
        ("quantity", _number(reading.quantity)),
        ("entry", "" if reading.entry is None else _entry(reading.entry)),
        ("stop", "entry price" if reading.is_to_entry else _stop(reading.stop)),
        ("targets", ", ".join(map(_target, reading.targets))),
        ("leverage", f"{reading.leverage}x" if reading.leverage else ""),
        ("margin mode", (reading.margin_mode or "").lower()),
        ("size", "" if reading.size is None else _size(reading.size)),
        ("close", "" if reading.share is None else _closed(reading.share, reading)),
        ("cancel", "all" if reading.is_everything and not reading.share else ""),
    ]
    return [(name, value) for name, value in fields if value]


def _closed(share: Decimal, reading: SignalReading) -> str:
    return _percent(share) + (" of everything" if reading.is_everything else "")


def _percent(fraction: Decimal) -> str:
    return f"{fraction * 100:.2f} %"


def _number(value: Decimal | None) -> str:
    return "" if value is None else format_decimal(value)


def _side(side: str | None, *, is_implied: bool) -> str:
    if side is None:
        return ""
    return f"{side} (implied by its levels)" if is_implied else str(side)


def _entry(entry: Entry) -> str:
    prices = [format_decimal(price) for price in entry.prices]
    if entry.shares:
        prices = [f"{p} ({_percent(s)})" for p, s in zip(prices, entry.shares, strict=True)]
    now = ", also at the market" if entry.is_at_market and len(prices) > 1 else ""
    return f"{entry.kind.value} {' / '.join(prices)}{now}".strip()


def _stop(stop: Stop | None) -> str:
    if stop is None:
        return ""
    level = _percent(stop.fraction) if stop.fraction is not None else _number(stop.price)
    return f"{level} (the message waits for a candle's close)" if stop.is_on_close else level


def _target(target: Target) -> str:
    share = "" if target.share is None else f" ({_percent(target.share)})"
    return format_decimal(target.price) + share


def _size(size: Size) -> str:
    if size.kind in _UNITS:
        return format_decimal(size.value) + _UNITS[size.kind]
    of = "at risk" if size.kind is SizeKind.RISK else "of the account"
    return f"{_percent(size.value)} {of}"

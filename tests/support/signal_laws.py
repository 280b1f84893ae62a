"""What must hold for every reading, written down once more, without the reader's own code."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from milobot.domain.intents import PositionSide
from milobot.signals.reading import EntryKind, ReadingKind, SignalReading

_KINDS_WITH_CODE = {ReadingKind.REFUSED, ReadingKind.NOT_A_SIGNAL}
_MOST_TARGETS = 10
_MOST_LEVERAGE = 150
_BOTH_ENDS = 2


def violations(reading: SignalReading) -> list[str]:
    """Return what a reading breaks; nothing when it keeps every law."""
    found = list(_span_faults(reading))
    if reading.kind in _KINDS_WITH_CODE:
        if not reading.code or not reading.reason.endswith("."):
            found.append("refused without a code and a sentence")
        if reading.symbol or reading.entry or reading.targets or reading.stop or reading.quantity:
            found.append("refused and yet with content")
        return found
    if reading.code:
        found.append("a code without a refusal")
    found += _number_faults(reading)
    if reading.symbol is not None and not reading.symbol.endswith("USDT"):
        found.append(f"symbol {reading.symbol}")
    return found + _kind_faults(reading)


def _kind_faults(reading: SignalReading) -> list[str]:
    """Return what a reading lacks that its kind promises."""
    match reading.kind:
        case ReadingKind.SETUP:
            return _setup_faults(reading)
        case ReadingKind.ORDER:
            is_whole = bool(reading.side and reading.quantity and reading.symbol)
        case ReadingKind.CHANGE:
            is_whole = bool(reading.targets)
        case ReadingKind.MOVE_STOP:
            is_whole = reading.stop is not None or reading.is_to_entry
        case ReadingKind.CLOSE:
            is_whole = reading.share is not None and 0 < reading.share <= 1
        case _:
            return []
    return [] if is_whole else [f"{reading.kind.value} without its content"]


def _span_faults(reading: SignalReading) -> Iterator[str]:
    for span in reading.spans:
        if not 0 <= span.start < span.end <= len(reading.text):
            yield f"span {span}"


def _number_faults(reading: SignalReading) -> list[str]:
    numbers = [target.price for target in reading.targets]
    numbers += reading.entry.prices if reading.entry else ()
    numbers += [reading.quantity] if reading.quantity is not None else []
    numbers += [reading.size.value] if reading.size is not None else []
    if reading.stop is not None:
        stop = (reading.stop.price, reading.stop.fraction)
        if (stop[0] is None) == (stop[1] is None):
            return ["a stop that is both price and per cent, or neither"]
        numbers += [number for number in stop if number is not None]
    found = [f"number {n}" for n in numbers if not n.is_finite() or n <= 0]
    if reading.leverage is not None and not 1 <= reading.leverage <= _MOST_LEVERAGE:
        found.append(f"leverage {reading.leverage}")
    shares = [target.share for target in reading.targets if target.share is not None]
    if shares and (sum(shares) != 1 or len(shares) != len(reading.targets)):
        found.append("shares of targets that make no whole")
    return found


def _setup_faults(reading: SignalReading) -> list[str]:
    if reading.symbol is None or reading.position_side is None or reading.entry is None:
        return ["a set-up without symbol, direction or entry"]
    if reading.stop is None and not reading.targets:
        return ["a set-up without stop and targets"]
    entries, sign = reading.entry.prices, reading.position_side.sign
    targets = [target.price for target in reading.targets]
    found = _shape_faults(reading.entry.kind, entries)
    if len(targets) > _MOST_TARGETS:
        found.append("more than ten targets")
    if any(sign * (second - first) <= 0 for first, second in pairwise(targets)):
        found.append("targets out of order")
    if any(sign * (target - entry) <= 0 for target in targets for entry in entries):
        found.append("target on the wrong side")
    return found + _stop_faults(reading, [*entries, *targets], reading.position_side)


def _stop_faults(
    reading: SignalReading, levels: Sequence[Decimal], side: PositionSide
) -> list[str]:
    stop = reading.stop.price if reading.stop else None
    if stop is not None and any(side.sign * (level - stop) <= 0 for level in levels):
        return ["stop on the wrong side"]
    fraction = reading.stop.fraction if reading.stop else None
    return ["stop beyond zero"] if fraction is not None and fraction >= 1 else []


def _shape_faults(kind: EntryKind, prices: Sequence[Decimal]) -> list[str]:
    fits = {
        EntryKind.MARKET: len(prices) <= 1,
        EntryKind.LIMIT: len(prices) == 1,
        EntryKind.BREAKOUT: len(prices) == 1,
        EntryKind.ZONE: len(prices) == _BOTH_ENDS,
        EntryKind.LADDER: len(prices) >= _BOTH_ENDS,
    }
    return [] if fits[kind] else [f"{kind.value} with {len(prices)} prices"]

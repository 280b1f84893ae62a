"""A reading as a table with the words behind each field, as a marked text, and as JSON."""

from decimal import Decimal
from typing import Any

from rich.cells import cell_len

from milobot.cli.tables import console, print_table
from milobot.domain.money import format_decimal
from milobot.signals.reading import ReadingKind, SignalReading
from milobot.signals.words import fields_of

_KINDS = {
    ReadingKind.ORDER: "an order",
    ReadingKind.SETUP: "a set-up",
    ReadingKind.CLOSE: "a close",
    ReadingKind.MOVE_STOP: "a moved stop",
    ReadingKind.CANCEL: "a cancellation",
    ReadingKind.CHANGE: "changed targets",
    ReadingKind.NOT_A_SIGNAL: "not a signal",
    ReadingKind.REFUSED: "refused",
}


def print_reading(reading: SignalReading) -> None:
    """Print what a message says, field by field, and the message with its words marked."""
    out = console()
    out.print(f"This is {_KINDS[reading.kind]}.", style="bold", soft_wrap=True)
    if reading.code:
        out.print(f"{reading.code}: {reading.reason}", soft_wrap=True)
        return
    rows = [(name, value, _words(reading, name)) for name, value in fields_of(reading)]
    print_table("", ("field", "value", "words"), rows, out)
    out.print()
    for line in marked(reading):
        out.print(line, soft_wrap=True)


def marked(reading: SignalReading) -> list[str]:
    """Return the lines of a message, each with carets under the words that were read."""
    result: list[str] = []
    start = 0
    for line in reading.text.splitlines(keepends=True):
        shown = line.rstrip("\r\n")
        carets = "".join(
            ("^" if any(span.start <= start + at < span.end for span in reading.spans) else " ")
            * cell_len(sign)
            for at, sign in enumerate(shown)
        )
        result.append(shown)
        if carets.strip():
            result.append(carets.rstrip())
        start += len(line)
    return result


def reading_to_json(reading: SignalReading) -> dict[str, Any]:
    """Return a reading for programs: numbers as text, places as offsets into the message."""
    entry, stop, size = reading.entry, reading.stop, reading.size
    return {
        "kind": reading.kind.value,
        "code": reading.code,
        "reason": reading.reason,
        "symbol": reading.symbol,
        "side": reading.side.value if reading.side else None,
        "quantity": _text(reading.quantity),
        "position_side": reading.position_side.value if reading.position_side else None,
        "is_side_implied": reading.is_side_implied,
        "entry": None
        if entry is None
        else {
            "kind": entry.kind.value,
            "prices": [_text(price) for price in entry.prices],
            "shares": [_text(share) for share in entry.shares],
            "is_at_market": entry.is_at_market,
        },
        "targets": [{"price": _text(t.price), "share": _text(t.share)} for t in reading.targets],
        "stop": None
        if stop is None
        else {
            "price": _text(stop.price),
            "fraction": _text(stop.fraction),
            "is_on_close": stop.is_on_close,
        },
        "leverage": reading.leverage,
        "margin_mode": reading.margin_mode.value if reading.margin_mode else None,
        "size": None if size is None else {"kind": size.kind.value, "value": _text(size.value)},
        "share": _text(reading.share),
        "is_everything": reading.is_everything,
        "is_to_entry": reading.is_to_entry,
        "spans": [
            {
                "field": span.field,
                "start": span.start,
                "end": span.end,
                "words": reading.text[span.start : span.end],
            }
            for span in reading.spans
        ],
    }


def _words(reading: SignalReading, name: str) -> str:
    """Return the words that a field came from."""
    words = [reading.text[s.start : s.end] for s in reading.spans if s.field == name]
    return " … ".join(" ".join(word.split()) for word in words)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format_decimal(value)

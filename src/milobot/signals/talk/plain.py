"""Plain text for people: nothing in it is markup, a link, a command or an invisible letter."""

import re
import unicodedata
from decimal import ROUND_HALF_EVEN, Decimal

from milobot.domain.money import format_decimal

_DIGITS = 6
_CENT = Decimal("0.01")
_MOST_PLACES = 8
_ROOM = 40  # for the line that counts
_JOINER = "\u2060"
# A messenger makes links of names and addresses, and buttons of commands, in plain text too.
_LINKS = re.compile(r"(?<=[@/])(?=\w)|(?<=\w\.)(?=[^\W\d])")


def plain(text: str, most: int = 300) -> str:
    r"""Return foreign text as one line of visible characters in which nothing can be tapped.

    >>> plain("stop\n\u202e  hit")
    'stop hit'
    """
    visible = "".join(letter if _is_visible(letter) else " " for letter in text[: 4 * most])
    line = " ".join(visible.split())
    cut = line if len(line) <= most else f"{line[: most - 1]}…"
    return _LINKS.sub(_JOINER, cut)


def cut_lines(text: str, most: int = 3_500) -> str:
    """Return a text that fits into one message; what is cut off is counted.

    Args:
        text: Lines.
        most: Bound in UTF-16 units, in which messengers count.
    """
    if _length(text) <= most:
        return text
    lines, kept, length = text.split("\n"), 0, 0
    while kept < len(lines) and length + _length(lines[kept]) + 1 <= most - _ROOM:
        length += _length(lines[kept]) + 1
        kept += 1
    if not kept:
        return f"{text[: most // 2 - 1]}…"
    return "\n".join([*lines[:kept], f"…and {len(lines) - kept} more lines"])


def price(value: Decimal) -> str:
    """Return a price with seven significant digits, its whole part complete, without mills.

    >>> price(Decimal("60000.3333333")), price(Decimal("0.000012345674"))
    ('60,000.33', '0.00001234567')
    """
    places = max(_DIGITS - max(value.adjusted(), -12), 0) if value else 0
    places = min(places, 2) if abs(value) >= 1000 else places  # noqa: PLR2004 - cents
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    return _grouped(rounded)


def quantity(value: Decimal) -> str:
    """Return a quantity as it is, grouped by thousands.

    >>> quantity(Decimal("12345.6700"))
    '12,345.67'
    """
    return _grouped(round(value, _MOST_PLACES))


def money(value: Decimal) -> str:
    """Return USDT to the cent.

    >>> money(Decimal("1234.5"))
    '1,234.50'
    """
    return f"{value.quantize(_CENT, rounding=ROUND_HALF_EVEN):,f}"


def signed(value: Decimal) -> str:
    """Return a gain or a loss in USDT with its sign, to the cent.

    >>> signed(Decimal("-0.001")), signed(Decimal("12.5"))
    ('0.00', '+12.50')
    """
    cents = value.quantize(_CENT, rounding=ROUND_HALF_EVEN)
    return f"{cents:+,f}" if cents else "0.00"


def percent(fraction: Decimal) -> str:
    """Return a fraction in per cent.

    >>> percent(Decimal("0.0123"))
    '1.23 %'
    """
    return f"{fraction * 100:.2f} %"


def lasting(ms: int) -> str:
    """Return a duration in its two largest units.

    >>> lasting(45_000), lasting(7_500_000), lasting(180_000_000)
    ('45 s', '2 h 5 min', '2 d 2 h')
    """
    minutes, seconds = divmod(max(ms, 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _grouped(value: Decimal) -> str:
    whole, point, rest = format_decimal(value).partition(".")
    return f"{int(whole):,}{point}{rest}" if whole not in {"-0", ""} else f"{whole}{point}{rest}"


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _is_visible(letter: str) -> bool:
    return not unicodedata.category(letter).startswith("C")

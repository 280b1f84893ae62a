"""Numbers of a back-test as a trader reads them; a hyphen where one is not defined."""

from collections.abc import Sequence
from decimal import Decimal

from milobot.domain.money import format_decimal
from milobot.domain.times import format_time

UNDEFINED = "-"
_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000
# From here on hours no longer matter.
_LONG_DAYS = 100
_PRICE_DIGITS = 8
_MOST_DECIMALS = 18
# Beyond these a percentage or a ratio is read by its order of magnitude.
_MOST_PLAIN = 1e7


def percent(fraction: float | None, *, signed: bool = False) -> str:
    """Return a fraction in percent.

    >>> percent(0.0467), percent(-0.00001, signed=True), percent(None)
    ('4.67 %', '+0.00 %', '-')
    """
    if fraction is None:
        return UNDEFINED
    return f"{_number(fraction * 100, signed=signed)} %"


def ratio(value: float | None, *, signed: bool = False) -> str:
    """Return a ratio with two digits.

    >>> ratio(1.75239), ratio(-0.116, signed=True), ratio(12.5e9)
    ('1.75', '-0.12', '1.25e+10')
    """
    return UNDEFINED if value is None else _number(value, signed=signed)


def money(value: Decimal | None, *, signed: bool = False) -> str:
    """Return an amount in USDT to the cent.

    >>> money(Decimal("9533.2596")), money(Decimal("32.5"), signed=True)
    ('9,533.26', '+32.50')
    """
    if value is None:
        return UNDEFINED
    return f"{value:+z,.2f}" if signed else f"{value:z,.2f}"


def duration(milliseconds: int | None) -> str:
    """Return a length of time in its two largest units.

    >>> duration(164_604_255), duration(5_400_000), duration(295 * 86_400_000)
    ('1d 21h', '1h 30m', '295d')
    """
    if milliseconds is None:
        return UNDEFINED
    days, rest = divmod(milliseconds, _DAY_MS)
    hours, minutes = rest // _HOUR_MS, rest % _HOUR_MS // _MINUTE_MS
    if days >= _LONG_DAYS:
        return f"{days}d"
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m"


def moment(time_ms: int | None) -> str:
    """Return a time as ``2024-01-31 13:05``."""
    return UNDEFINED if time_ms is None else format_time(time_ms)


def prices(values: Sequence[Decimal | None]) -> list[str]:
    """Return prices with as many decimals each as the highest needs for 8 digits.

    >>> prices([Decimal("92819.5"), None, Decimal("100963.20812345")])
    ['92819.50', '-', '100963.21']
    """
    known = [v for v in values if v is not None]
    decimals = _PRICE_DIGITS - 1 - max((v.adjusted() for v in known), default=0)
    return _column(values, max(decimals, 0))


def quantities(values: Sequence[Decimal]) -> list[str]:
    """Return quantities exactly, with the same number of decimals each.

    >>> quantities([Decimal("0.0515"), Decimal(2)])
    ['0.0515', '2.0000']
    """
    return _column(values, _MOST_DECIMALS)


def plain(text: str) -> str:
    """Return text from a script or a file with nothing in it that steers a terminal.

    >>> plain("a" + chr(27) + "[2Jb")
    'a?[2Jb'
    """
    return "".join(c if c.isprintable() else "?" for c in text)


def _number(value: float, *, signed: bool) -> str:
    if abs(value) >= _MOST_PLAIN:
        return f"{value:+.2e}" if signed else f"{value:.2e}"
    return f"{value:+z,.2f}" if signed else f"{value:z,.2f}"


def _column(values: Sequence[Decimal | None], most: int) -> list[str]:
    """Return numbers with at most so many decimals, fewer where all can do without."""
    written = [v if v is None else format_decimal(Decimal(f"{v:.{most}f}")) for v in values]
    decimals = max((len(t.partition(".")[2]) for t in written if t is not None), default=0)
    return [UNDEFINED if t is None else f"{Decimal(t):.{decimals}f}" for t in written]

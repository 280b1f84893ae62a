"""Decimal arithmetic: the one place where floats become money and money is rounded."""

from decimal import ROUND_HALF_EVEN, Decimal

ZERO = Decimal(0)
ONE = Decimal(1)
MONEY_STEP = Decimal("0.00000001")


def decimal_from_float(value: float) -> Decimal:
    """Return the decimal number that a float was written as.

    The shortest text that reads back as the same float is the number a file or
    an exchange stated, for up to 15 significant digits.

    >>> decimal_from_float(42314.1)
    Decimal('42314.1')
    """
    return Decimal(repr(float(value)))


def to_money(value: Decimal) -> Decimal:
    """Round a booking to 1e-8 USDT, half to even, as both exchanges book.

    Bookings rounded once add up exactly ever after.

    >>> to_money(Decimal("1") / Decimal("3"))
    Decimal('0.33333333')
    """
    return value.quantize(MONEY_STEP, rounding=ROUND_HALF_EVEN)


def round_down(value: Decimal, step: Decimal | None) -> Decimal:
    """Return ``value`` on the grid of ``step``, towards minus infinity; unchanged without a step."""
    if step is None:
        return value
    # Whole steps by integer division: a quotient rounded to 28 digits could round up.
    steps, rest = divmod(value, step)
    return (steps - 1 if rest < 0 else steps) * step


def round_up(value: Decimal, step: Decimal | None) -> Decimal:
    """Return ``value`` on the grid of ``step``, towards plus infinity; unchanged without a step."""
    if step is None:
        return value
    steps, rest = divmod(value, step)
    return (steps + 1 if rest > 0 else steps) * step


def format_decimal(value: Decimal) -> str:
    """Write a number plainly: no exponent, no trailing zeros.

    >>> format_decimal(Decimal("1E+3")), format_decimal(Decimal("0.00010"))
    ('1000', '0.0001')
    """
    text = str(value)  # several times as fast as a format
    if "E" in text:
        text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text

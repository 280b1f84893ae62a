"""The strict form of an order: ``BUY BTCUSDT 0.001``."""

import re
from decimal import Decimal

from milobot.domain.intents import Side
from milobot.signals.naming import Symbols, check_symbol
from milobot.signals.reading import ReadingKind, SignalReading, Span
from milobot.signals.refusals import Reason, refuse
from milobot.signals.symbols import Strength, bare_coin, find_pairs
from milobot.signals.text import Folded

_FORM = re.compile(
    r"\s{0,20}(?P<side>BUY|SELL)\s{1,20}(?P<symbol>[#$]?[^\s]{1,40})\s{1,20}"
    r"(?P<quantity>[^\s]{1,60})\s{0,20}",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"\d{1,12}(?:\.\d{1,12})?|\.\d{1,12}")
_LOOKS_LIKE_QUANTITY = re.compile(
    r"[-+]?[\d.,]+(?:e[-+]?\d+)?|[-+]?(?:nan|inf|infinity)", re.IGNORECASE
)
LARGEST = Decimal(10) ** 9


def read_order(folded: Folded, known: Symbols, original: str) -> SignalReading | None:
    """Return the order that a message of three words is; None when it has another form.

    Raises:
        SignalFormatError: It has the form, and its symbol or quantity is wrong.
    """
    match = _FORM.fullmatch(folded.text)
    if match is None:
        return None
    if _LOOKS_LIKE_QUANTITY.fullmatch(match["quantity"]) is None:
        return None
    names = find_pairs(match["symbol"])
    if len(names) != 1 or names[0].strength is not Strength.PAIR:
        _refuse_half_symbol(match["symbol"])
        return None
    return SignalReading(
        text=original,
        kind=ReadingKind.ORDER,
        symbol=check_symbol(names[0], known),
        side=Side(match["side"].upper()),
        quantity=_quantity(match["quantity"]),
        spans=tuple(
            Span(name, *folded.span(*match.span(name))) for name in ("side", "symbol", "quantity")
        ),
    )


def _refuse_half_symbol(word: str) -> None:
    """Refuse a coin where the symbol belongs: an order says all of it, or nothing is sent.

    Raises:
        SignalFormatError: The word is a coin, or something that is not traded here.
    """
    naming = bare_coin(word.lstrip("#$"), 0, len(word))
    if naming is None:
        return
    check_symbol(naming, None)
    refuse(
        Reason.NO_SYMBOL,
        f"An order names the whole symbol: write {naming.symbol} in place of {word}.",
    )


def _quantity(text: str) -> Decimal:
    """Return a quantity that is certain: a plain decimal above zero.

    Raises:
        SignalFormatError: It is anything else.
    """
    if _QUANTITY.fullmatch(text) is None or not 0 < Decimal(text) < LARGEST:
        refuse(
            Reason.BAD_QUANTITY,
            f"The quantity {text!r} is not one: write a plain number above zero, such as 0.001.",
        )
    return Decimal(text)

"""What people and machines send that must not be traded, each with its reason."""

import pytest

from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind
from milobot.signals.refusals import Reason

KNOWN = frozenset({"BTCUSDT", "ETHUSDT", "1000PEPEUSDT"})
SET_UP = "Long BTCUSDT\nEntry: 65000\nSL: 63000\nTP: 66000, 67000"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Reason.EMPTY),
        (" \n\t\u00a0", Reason.EMPTY),
        ("x" * 100_000, Reason.TOO_LONG),
        ("BUY BTCUSDT 0.001\x00", Reason.CONTROL_CHARACTERS),
        ("BUY BTCUSDT \u202e100.0", Reason.CONTROL_CHARACTERS),
        ("BUY BTCUSDT 0", Reason.BAD_QUANTITY),
        ("BUY BTCUSDT -1", Reason.BAD_QUANTITY),
        ("BUY BTCUSDT 1e9", Reason.BAD_QUANTITY),
        ("BUY BTCUSDT 1000000000", Reason.BAD_QUANTITY),
        ("BUY BTCUSDT 0,001", Reason.BAD_QUANTITY),
        ("BUY BTCUSDT NaN", Reason.BAD_QUANTITY),
        ("BUY BTCUSDT inf", Reason.BAD_QUANTITY),
        ("BUY BTC 0.001", Reason.NO_SYMBOL),
        ("SELL $eth 0.5", Reason.NO_SYMBOL),
        ("BUY gold 1", Reason.NOT_TRADABLE),
        ("BUY FOOUSDT 1", Reason.UNKNOWN_SYMBOL),
        (SET_UP.replace("BTC", "FOO"), Reason.UNKNOWN_SYMBOL),
        (SET_UP.replace("BTCUSDT", "PEPE/USDT"), Reason.UNKNOWN_SYMBOL),
        (SET_UP.replace("BTCUSDT", "BTC/EUR"), Reason.NOT_TRADABLE),
        (SET_UP.replace("BTCUSDT", "XAUUSD"), Reason.NOT_TRADABLE),
        (SET_UP.replace("BTCUSDT", "GBPJPY"), Reason.NOT_TRADABLE),
        (SET_UP.replace("63000", "66000"), Reason.STOP_WRONG_SIDE),
        (SET_UP.replace("63000", "65000"), Reason.STOP_WRONG_SIDE),
        (SET_UP.replace("66000", "64000"), Reason.TARGETS_WRONG_SIDE),
        (SET_UP.replace("67000", "64000"), Reason.TARGETS_WRONG_SIDE),
        (SET_UP.replace("66000", "68000"), Reason.TARGETS_OUT_OF_ORDER),
        (SET_UP + "\nand ETHUSDT", Reason.TWO_SYMBOLS),
        (SET_UP + "\nBuy #ETH too", Reason.TWO_SYMBOLS),
        (SET_UP + "\nShort", Reason.TWO_DIRECTIONS),
        (SET_UP.replace("Long", "Buy / Sell"), Reason.TWO_DIRECTIONS),
        (SET_UP.replace("Long ", "").replace("63000", "66500"), Reason.NO_DIRECTION),
        (SET_UP.replace("BTCUSDT", ""), Reason.NO_SYMBOL),
        (SET_UP.replace("67000", "1000000"), Reason.PRICES_FAR_APART),
        (SET_UP.replace("65000", "65000 - 15000"), Reason.PRICES_FAR_APART),
        (SET_UP.replace("63000", "0"), Reason.AMBIGUOUS_NUMBER),
        (SET_UP.replace("63000", "63,000").replace("65000", "65,000"), Reason.AMBIGUOUS_NUMBER),
        (SET_UP.replace("63000", "150%"), Reason.BAD_PERCENT),
        (SET_UP.replace("SL: 63000", "SL: to be told"), Reason.UNCLEAR_STOP),
        (SET_UP.replace("63000", "63000 or 62000"), Reason.TWO_STOPS),
        (SET_UP.replace("65000", "at the support"), Reason.UNCLEAR_ENTRY),
        (SET_UP + "\nEntry: 64000", Reason.TWO_ENTRIES),
        (SET_UP + "\nLeverage 1000x", Reason.BAD_LEVERAGE),
        (SET_UP + "\nLeverage 0x", Reason.BAD_LEVERAGE),
        (SET_UP.replace("66000, 67000", " ".join(str(66000 + n) for n in range(11))), Reason.TOO_MANY_TARGETS),
        ("Long BTCUSDT", Reason.NO_LEVELS),
        ("Long BTCUSDT entry 65000", Reason.NO_LEVELS),
        ("Long BTCUSDT TP 66000 67000", Reason.NO_ENTRY),
        ("Don't " + SET_UP, Reason.NEGATED),
        (SET_UP.replace("Long BTCUSDT", "Long BTCUSDT?"), Reason.QUESTION),
        ("Close BTC and ETH", Reason.UNCLEAR_COMMAND),
        ("Set break-even at the lower part", Reason.UNCLEAR_COMMAND),
    ],
)  # fmt: skip
def test_refused_with_its_code(text: str, code: Reason) -> None:
    """A wrong reading costs money, and a refusal without its reason costs trust."""
    reading = read(text, known_symbols=KNOWN)

    assert (reading.kind, reading.code) == (ReadingKind.REFUSED, code.value)
    assert reading.reason.endswith(".")
    assert reading.symbol is None


def test_set_up_that_the_cases_start_from_is_fine() -> None:
    """Otherwise they would be refused for another reason than theirs."""
    assert read(SET_UP, known_symbols=KNOWN).kind is ReadingKind.SETUP


def test_unknown_symbol_hints_at_contracts_of_a_thousand() -> None:
    """Their price is a thousand times that of the coin: never switched silently."""
    reading = read("BUY PEPEUSDT 1", known_symbols=KNOWN)

    assert "1000PEPEUSDT" in reading.reason

"""What a message is made of, as the reader sees it: words with a meaning, numbers, names."""

from decimal import Decimal
from enum import StrEnum

from milobot.signals.symbols import Naming
from milobot.signals.vocabulary import Meaning


class Kind(StrEnum):
    """What an element is."""

    __hash__ = str.__hash__

    WORD = "word"
    NUMBER = "number"
    INDEX = "index"
    """A circled number, or one with a bracket: the place of a level, never a level."""
    NAME = "name"
    TICK = "tick"
    MARK = "mark"
    """A sign of punctuation."""


class Unit(StrEnum):
    """What a number counts."""

    __hash__ = str.__hash__

    PRICE = "price"
    """A price, or a plain number: nothing says otherwise."""
    PERCENT = "percent"
    LEVERAGE = "leverage"
    NONE = "none"
    """Hours, pips, dates, identities: never a level."""


class Element:
    """One part of a message; made by the hundred, so what is rare stays with the class.

    Attributes:
        start: First sign, in the plain text.
        end: Sign after the last.
        text: The word in lower case, the digits, or the sign.
        meaning: Of a word; None when it means nothing to us.
        value: Of a number; None when it cannot be read for certain.
        unit: Of a number.
        naming: Of a name.
        depth: How many brackets it stands in.
        has_money: A currency sign stands at the number.
    """

    meaning: Meaning | None = None
    value: Decimal | None = None
    unit: Unit = Unit.PRICE
    naming: Naming | None = None
    depth: int = 0
    has_money: bool = False

    def __init__(self, kind: Kind, start: int, end: int, text: str) -> None:
        """Begin with what the signs themselves tell."""
        self.kind = kind
        self.start = start
        self.end = end
        self.text = text


Line = list[Element]

LEVELS = frozenset({Meaning.ENTRY, Meaning.STOP, Meaning.TARGET})
"""Labels whose numbers are prices of a set-up."""

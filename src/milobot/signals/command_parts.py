"""The parts of a short message that may be a command: verbs, what they bear on, numbers."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from milobot.signals.elements import Element, Kind, Line, Unit
from milobot.signals.naming import Symbols
from milobot.signals.symbols import Naming, bare_coin
from milobot.signals.vocabulary import Meaning

_MOST_ELEMENTS = 40
_HIGHEST_COUNT = 20
_LONGEST_COIN = 12


@dataclass(frozen=True, slots=True)
class Command:
    """The parts of a short message.

    Attributes:
        said: What its words mean.
        begins_with: What its first word means.
        naming: The market it names.
        strangers: How many of its words and signs mean nothing here.
    """

    elements: Sequence[Element]
    said: AbstractSet[Meaning]
    begins_with: Meaning | None
    naming: Naming | None
    strangers: int

    def has_word(self, *words: str) -> bool:
        """Tell whether one of some words stands in the message."""
        return any(
            e.kind is Kind.WORD and w in e.text.split() for e in self.elements for w in words
        )

    def comes_before(self, first: Meaning, second: Meaning) -> bool:
        """Tell whether one meaning stands before another."""
        meanings = [element.meaning for element in self.elements]
        return first in meanings and second in meanings[meanings.index(first) + 1 :]


def parts_of(lines: Sequence[Line], known: Symbols) -> Command | None:
    """Return the parts of a message; None when it is too long or names two markets."""
    elements = [element for line in lines for element in line]
    if not elements or len(elements) > _MOST_ELEMENTS:
        return None
    words = [e for e in elements if e.kind is Kind.WORD]
    namings = [e.naming for e in elements if e.naming is not None]
    strangers = [e for e in words if e.meaning is None]
    if len({naming.symbol for naming in namings}) > 1:
        return None
    if not namings and len(strangers) == 1:
        coin = bare_coin(strangers[0].text, strangers[0].start, strangers[0].end)
        is_free = not _is_part_of_name(strangers[0], elements)
        if coin is not None and is_free and _may_be_coin(strangers[0], coin, known):
            namings, strangers = [coin], []
    said = {e.meaning for e in words if e.meaning is not None}
    first = next((e for e in elements if e.kind in {Kind.WORD, Kind.NAME}), None)
    return Command(
        elements, said, first.meaning if first is not None else None,
        namings[0] if namings else None, len(strangers) + _ticks(elements),
    )  # fmt: skip


def _may_be_coin(word: Element, coin: Naming, known: Symbols) -> bool:
    """Tell whether the one unknown word of a command is a coin: known, or nothing speaks against."""
    if known is not None:
        return coin.symbol in known or word.text.isupper()
    return len(word.text) <= _LONGEST_COIN


def _ticks(elements: Sequence[Element]) -> int:
    return sum(element.kind is Kind.TICK for element in elements)


def _is_part_of_name(word: Element, elements: Sequence[Element]) -> bool:
    """Tell whether a dash or an underscore ties a word to its neighbour: my_tag is no coin."""
    return any(
        element.text == "-" and (element.end == word.start or element.start == word.end)
        for element in elements
    )


def numbers_of(command: Command) -> list[Element]:
    """Return the numbers that count something of ours."""
    return [e for e in command.elements if e.kind is Kind.NUMBER and e.unit is not Unit.NONE]


def prices_of(command: Command) -> list[Element]:
    """Return the numbers that are no small counts, such as that of a target."""
    return [e for e in numbers_of(command) if e.unit is Unit.PRICE and not is_count(e)]


def counts_only(command: Command) -> bool:
    """Tell whether no number of a message can be a price."""
    return all(is_count(number) or number.unit is Unit.PERCENT for number in numbers_of(command))


def is_count(element: Element) -> bool:
    """Tell whether a number may be that of a target, and no price."""
    return element.text.isdigit() and int(element.text[:4]) <= _HIGHEST_COUNT

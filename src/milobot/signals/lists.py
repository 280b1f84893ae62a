"""The shape of lines: lists of levels, labels behind their number, numbers in groups."""

import re
from decimal import Decimal

from milobot.signals.elements import LEVELS, Element, Kind, Line, Unit
from milobot.signals.fields import Level
from milobot.signals.text import TICK
from milobot.signals.vocabulary import Meaning

# Taken out of their classes once: a look-up there costs more than what is done with it.
_NUMBER = Kind.NUMBER
_NAME = Kind.NAME
_WORD = Kind.WORD
_MARK = Kind.MARK
_PRICE = Unit.PRICE

_FIRST_GROUP = re.compile(r"[1-9]\d{0,2}(?: \d{3})*")
_NEXT_GROUP = re.compile(r"\d{3}(?:\.\d+)?")
_FAR = 3
_LABEL_AND_NUMBER = 2


def is_list_line(line: Line) -> bool:
    """Tell whether a line holds levels alone: numbers, their index, share and ticks."""
    has_number = False
    for element in line:
        if element.kind is _NUMBER:
            if not has_number and element.unit is not _PRICE:
                return False
            has_number = True
        elif element.kind is _NAME or (element.kind is _WORD and not _may_stand_in_list(element)):
            return False
    return has_number


def _may_stand_in_list(element: Element) -> bool:
    if element.depth:
        return element.meaning not in LEVELS
    return element.meaning in {
        Meaning.FILLER, Meaning.TO, Meaning.BELOW, Meaning.ABOVE, Meaning.NONE, Meaning.MARKET,
    }  # fmt: skip


def label_first(line: Line) -> Line:
    """Return a line that ends with the label of its one number with that label in front.

    ``0.06$ can be stop`` says what ``stop 0.06$`` says.
    """
    content = [element for element in line if element.kind is not _MARK]
    if len(content) < _LABEL_AND_NUMBER:
        return line
    first, last = content[0], content[-1]
    is_turned = (
        first.kind is _NUMBER
        and first.unit is _PRICE
        and last.meaning in LEVELS
        and all(element.meaning is Meaning.FILLER for element in content[1:-1])
    )
    return [last, *(element for element in line if element is not last)] if is_turned else line


def starts_with_tick(line: Line) -> bool:
    """Tell whether a tick (not a box) stands at the beginning of a line."""
    return bool(line) and line[0].kind is Kind.TICK and line[0].text == TICK


def is_next_group(level: Level, element: Element) -> bool:
    """Tell whether three digits behind a space go on with the number before: ``38 500``.

    Prices of one list lie near each other, groups of one number do not.
    """
    if element.start - level.end != 1 or level.unit is not _PRICE or element.has_money:
        return False
    if not _FIRST_GROUP.fullmatch(level.text) or not _NEXT_GROUP.fullmatch(element.text):
        return False
    if level.value is None or element.value is None:
        return False
    return not level.value / _FAR < element.value < level.value * _FAR


def join(level: Level, element: Element) -> None:
    """Let a level go on with the next three digits of its number."""
    level.text += " " + element.text
    level.value = Decimal(level.text.replace(" ", ""))
    level.end = element.end

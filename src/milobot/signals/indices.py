"""Numbers that are places in a list, and no levels: ``1)``, ``TP1``, ``Target 1 :``."""

from milobot.signals.elements import LEVELS, Element, Kind, Line, Unit
from milobot.signals.fields import Section
from milobot.signals.text import AIM, HALT
from milobot.signals.vocabulary import Meaning

# Taken out of their classes once: a look-up there costs more than what is done with it.
_NUMBER = Kind.NUMBER
_MARK = Kind.MARK
_WORD = Kind.WORD
_PRICE = Unit.PRICE
_PERCENT = Unit.PERCENT
_IS_ENTRY = Meaning.ENTRY
_IS_TARGET = Meaning.TARGET
_LAST_INDEX = 20
_BEFORE_NUMBERS = frozenset(":.=)-]$@>" + AIM + HALT)


def is_index(element: Element, line: Line, place: int, section: Section) -> bool:
    """Tell whether a number is the place of a level: ``1)``, ``TP1``, ``Target 1 :``."""
    if section.meaning not in LEVELS or not element.text.isdigit() or element.has_money:
        return False
    if not 0 < int(element.text[:4]) <= _LAST_INDEX or element.unit is not _PRICE:
        return False
    if not _is_followed_by_number(line, place):
        return _is_bare_index(element, line, place, section)
    after = line[place + 1]
    before = line[place - 1] if place else None
    if after.kind is _MARK and after.text in ")]" and not _is_in_brackets(element, after):
        return True
    if after.kind is _MARK and after.text in ":.=":
        return before is None or before.kind is not _NUMBER
    is_first = not section.levels and section.side is None
    return is_first and before is not None and _is_right_behind_label(before, element)


def _is_bare_index(element: Element, line: Line, place: int, section: Section) -> bool:
    """Tell whether a number right behind its label, with nothing after it, is an index."""
    before = line[place - 1] if place else None
    return (
        before is not None
        and before.kind is _WORD
        and before.meaning in {_IS_TARGET, _IS_ENTRY}
        and (before.end == element.start or _has_colon_behind(line, place))
        and not section.levels
    )


def is_before_number(line: Line, place: int) -> bool:
    """Tell whether a number follows a word, with nothing but signs between."""
    return _is_followed_by_number(line, place)


def _has_colon_behind(line: Line, place: int) -> bool:
    """Tell whether a colon follows a number: ``TP 3: open``."""
    after = line[place + 1] if place + 1 < len(line) else None
    return after is not None and after.kind is _MARK and after.text in ":)"


def _is_right_behind_label(before: Element, element: Element) -> bool:
    return (
        before.kind is _WORD
        and before.meaning in {_IS_TARGET, _IS_ENTRY, Meaning.STOP, Meaning.TERM}
        and element.start - before.end <= 1
    )


def _is_in_brackets(element: Element, after: Element) -> bool:
    """Tell whether a closing bracket closes one that was opened: ``(2)`` is no list sign."""
    return element.depth > after.depth


def _is_followed_by_number(line: Line, place: int) -> bool:
    """Tell whether another number follows, with nothing but signs between."""
    for element in line[place + 1 :]:
        if element.kind is _NUMBER:
            return element.unit in {_PRICE, _PERCENT}
        if element.kind is not _MARK or element.text not in _BEFORE_NUMBERS:
            return False
    return False


def is_loose(line: Line, place: int) -> bool:
    """Tell whether an index stands apart from its label, and without the sign of one."""
    before, after = line[place - 1], line[place + 1] if place + 1 < len(line) else None
    if place and before.end == line[place].start:
        return False
    return after is None or after.kind is not _MARK or after.text not in ":.=)]"

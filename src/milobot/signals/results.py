"""Messages about what has happened already: ticks behind targets, hit, reached, closed."""

from collections.abc import Sequence

from milobot.signals.elements import LEVELS, Kind, Line
from milobot.signals.fields import Section
from milobot.signals.lists import is_list_line, starts_with_tick
from milobot.signals.phrases import fold_words
from milobot.signals.vocabulary import TABLE, Meaning

# Taken out of their classes once: a look-up there costs more than what is done with it.
_WORD = Kind.WORD
_NUMBER = Kind.NUMBER
_IS_TARGET = Meaning.TARGET
_IS_RESULT = Meaning.RESULT

_CONDITIONS = fold_words(TABLE[Meaning.CONDITION])


def is_result(lines: Sequence[Line], sections: Sequence[Section]) -> bool:
    """Tell whether a message reports that levels of it have been reached already."""
    if any(section.is_ticked for section in sections):
        return True
    return _has_some_ticked_targets(lines) or any(_says_reached(line) for line in lines)


def _has_some_ticked_targets(lines: Sequence[Line]) -> bool:
    """Tell whether ticks stand before some targets and not before others: no bullets then."""
    priced = [line for line in lines if _is_target_line(line)]
    ticked = [line for line in priced if starts_with_tick(line)]
    return 0 < len(ticked) < len(priced)


def _is_target_line(line: Line) -> bool:
    if is_list_line(line):
        return True
    has_label = any(element.meaning is _IS_TARGET for element in line)
    return has_label and any(element.kind is _NUMBER for element in line)


def _says_reached(line: Line) -> bool:
    """Tell whether a line says, without a condition, that a level was reached."""
    has_level = has_result = False
    for element in line:
        if element.kind is not _WORD:
            continue
        if element.text.lower() in _CONDITIONS:
            return False
        has_level = has_level or element.meaning in LEVELS
        has_result = has_result or element.meaning is _IS_RESULT
    return has_level and has_result

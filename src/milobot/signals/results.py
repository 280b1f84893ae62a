"""Messages that name levels and call nothing: of what happened, is under way, or is off."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from milobot.signals.elements import LEVELS, Element, Kind, Line, Unit
from milobot.signals.fields import Section
from milobot.signals.lists import is_list_line, starts_with_tick
from milobot.signals.phrases import fold_words
from milobot.signals.refusals import Reason, refuse
from milobot.signals.vocabulary import TABLE, Meaning

# Taken out of their classes once: a look-up there costs more than what is done with it.
_WORD = Kind.WORD
_NUMBER = Kind.NUMBER
_IS_TARGET = Meaning.TARGET

_TOLD = frozenset(
    {Meaning.RESULT, Meaning.UNDER_WAY, Meaning.NEGATION, Meaning.GAIN, Meaning.STOP_ORDER}
)
_CALLS = frozenset({Meaning.LONG, Meaning.SHORT, Meaning.BUY, Meaning.SELL}) | LEVELS
_EXITS = frozenset({Meaning.STOP, Meaning.TARGET})
_FEW = 3
_BESIDE = 2
_ASKED = frozenset({"?", "؟"})
_CONDITIONS = fold_words(TABLE[Meaning.CONDITION])


def check_standing(lines: Sequence[Line], sections: Sequence[Section]) -> None:
    """Refuse what names the levels of a trade and does not call it now.

    Raises:
        SignalFormatError: Levels are ticked or said to be reached, the trade runs
            already or is called off, or the message only asks.
    """
    if any(section.is_ticked for section in sections) or _has_some_ticked_targets(lines):
        refuse(Reason.RESULT, "It ticks levels as reached: the trade is under way or over.")
    for line in lines:
        meanings = {element.meaning for element in line}
        if _TOLD & meanings or _ASKED & {element.text for element in line}:
            _check_line(line, meanings)


def _check_line(line: Line, meanings: AbstractSet[Meaning | None]) -> None:
    is_call = any(map(_is_call, line))
    if _ASKED & {element.text for element in line} and is_call:
        refuse(Reason.QUESTION, "It asks about a trade and does not call one.")
    if any(element.text.lower() in _CONDITIONS for element in line):
        return
    if (Meaning.RESULT in meanings and meanings & LEVELS) or _tells_gain(line):
        refuse(Reason.RESULT, "It reports what a trade has reached.")
    if Meaning.STOP_ORDER in meanings:
        refuse(Reason.UNCLEAR_ENTRY, "It enters by a stop order, which is not read.")
    if Meaning.UNDER_WAY in meanings and is_call and _bears_on_call(line, Meaning.UNDER_WAY):
        refuse(Reason.RESULT, "It speaks of a trade that is under way, over, or an example.")
    if Meaning.NEGATION in meanings and is_call and _bears_on_call(line, Meaning.NEGATION):
        refuse(Reason.NEGATED, "It calls a trade off, or says what not to do.")


def _tells_gain(line: Line) -> bool:
    """Tell whether a line states a gain in per cent before it comes to stop or targets."""
    has_gain = has_percent = False
    for element in line:
        if element.meaning in _EXITS:
            break
        has_gain = has_gain or element.meaning is Meaning.GAIN
        has_percent = has_percent or (element.kind is _NUMBER and element.unit is Unit.PERCENT)
    return has_gain and has_percent


def _bears_on_call(line: Line, meaning: Meaning) -> bool:
    """Tell whether a word stands in a headline, or right beside what the line calls."""
    unknown = sum(element.kind is _WORD and element.meaning is None for element in line)
    if unknown <= _FEW:
        return True
    places = [at for at, element in enumerate(line) if element.meaning is meaning]
    calls = [at for at, element in enumerate(line) if _is_call(element)]
    return any(abs(place - call) <= _BESIDE for place in places for call in calls)


def _is_call(element: Element) -> bool:
    return element.meaning in _CALLS or element.kind is Kind.NAME


def _has_some_ticked_targets(lines: Sequence[Line]) -> bool:
    """Tell whether ticks stand before some targets and not before others: no bullets then."""
    if not any(starts_with_tick(line) for line in lines):
        return False
    priced = [line for line in lines if _is_target_line(line)]
    ticked = [line for line in priced if starts_with_tick(line)]
    return 0 < len(ticked) < len(priced)


def _is_target_line(line: Line) -> bool:
    if is_list_line(line):
        return True
    has_label = any(element.meaning is _IS_TARGET for element in line)
    return has_label and any(element.kind is _NUMBER for element in line)

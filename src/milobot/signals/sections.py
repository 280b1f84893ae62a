"""Which numbers belong to which field: labels open sections, other words close them."""

import re
from collections.abc import Sequence
from decimal import Decimal

from milobot.signals.elements import LEVELS, Element, Kind, Line, Unit
from milobot.signals.fields import Level, Section
from milobot.signals.indices import is_before_number, is_index, is_loose
from milobot.signals.lists import is_list_line, is_next_group, join, label_first
from milobot.signals.text import AIM, HALT
from milobot.signals.vocabulary import Meaning

# Taken out of their classes once: a look-up there costs more than what is done with it.
_PRICE = Unit.PRICE
_LEVERAGE = Unit.LEVERAGE
_PERCENT = Unit.PERCENT
_UNCOUNTED = Unit.NONE
_NUMBER = Kind.NUMBER
_WORD = Kind.WORD
_MARK = Kind.MARK
_IS_ENTRY = Meaning.ENTRY
_IS_TARGET = Meaning.TARGET

_SIDES = frozenset({Meaning.LONG, Meaning.SHORT, Meaning.BUY, Meaning.SELL})
_OPENING = LEVELS | {
    Meaning.LEVERAGE, Meaning.RISK, Meaning.FUNDS, Meaning.AMOUNT, Meaning.QUANTITY,
    Meaning.OTHER, Meaning.REST,
}  # fmt: skip
_STRANGE = frozenset(
    {
        Meaning.RESULT, Meaning.SYMBOL, Meaning.CONDITION, Meaning.UNDER_WAY, Meaning.NEGATION,
        Meaning.GAIN,
    }
)  # fmt: skip
_PICTURES = {AIM: Meaning.TARGET, HALT: Meaning.STOP}
_TO = frozenset({"to", "до", "bis", "hasta", "تا"})
_PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NEARBY = 3
"""Unknown words up to which a number may still have been meant for the label before them."""


class Sectioner:
    """Walks through the lines of a message once and collects its sections.

    Attributes:
        sections: All that were opened, in the order of the message.
        strays: Prices that belong to none.
        listed: Those of them that stand on lines of numbers alone.
    """

    def __init__(self) -> None:
        """Begin outside of any section."""
        self.sections: list[Section] = []
        self.strays: list[Decimal] = []
        self.listed: list[Decimal] = []
        self._is_list = False
        self._open: Section | None = None
        self._index: int | None = None
        self._is_loose = False
        self._last_label: Meaning | None = None
        self._stale = False

    def read(self, lines: Sequence[Line]) -> None:
        """Collect the sections of a message."""
        for line in lines:
            if not line:
                continue
            self._begin_line(line)
            ordered = label_first(line)
            for place, element in enumerate(ordered):
                self._take(element, ordered, place)
                if self._open is not None and self._open.meaning is Meaning.REST:
                    return

    def _begin_line(self, line: Line) -> None:
        """Let a list go on in a line of numbers alone; end it before anything else."""
        self._stale = False
        self._is_list = is_list_line(line)
        section = self._open
        if section is None:
            return
        may_go_on = (
            section.meaning in LEVELS
            and not section.words_before
            and not section.words_after
            and not section.is_market
            and not _has_sign_of_another(line, section)
            and not (section.levels and (section.side or section.meaning is Meaning.STOP))
        )
        if not (may_go_on and self._is_list):
            self._open = None

    def _take(self, element: Element, line: Line, place: int) -> None:
        kind = element.kind
        if kind is _WORD:
            self._word(element, line, place)
        elif kind is _MARK:
            self._mark(element, line, place)
        elif kind is _NUMBER:
            self._number(element, line, place)
        elif kind is Kind.NAME:
            self._name(element)
        elif kind is Kind.INDEX:
            self._index = int(element.text)
        else:
            self._tick(element, line, place)

    def _word(self, element: Element, line: Line, place: int) -> None:
        meaning = element.meaning
        if (
            meaning is Meaning.TERM and (self._continues_targets() or is_before_number(line, place))
        ) or meaning in _OPENING:
            self._open_section(element)
        elif meaning in _SIDES:
            self._side(element)
        elif meaning is Meaning.STALE:
            self._stale = True
            self._unknown(element)
        elif meaning is Meaning.MARKET and self._open is None:
            self._open_section(element, _IS_ENTRY)
            self._flag(Meaning.MARKET)
        elif meaning is None or meaning in _STRANGE:
            self._unknown(element)
        else:
            self._flag(meaning)

    def _continues_targets(self) -> bool:
        return self._last_label is _IS_TARGET

    def _open_section(self, element: Element, meaning: Meaning | None = None) -> None:
        found = meaning or element.meaning
        if found is None or found is Meaning.TERM:
            found = _IS_TARGET
        self._last_label = found
        self._index = None
        self._begin(Section(found, element.start, element.end, text=element.text))
        if self._stale and self._open is not None:
            self._open.is_stale = True

    def _begin(self, section: Section) -> None:
        self._open = section
        self.sections.append(section)

    def _side(self, element: Element) -> None:
        """Begin a section of a direction, unless it only stands between a label and its number."""
        if element.depth or (
            self._open is not None and not self._open.levels and self._open.meaning is _IS_ENTRY
        ):
            if self._open is not None and self._open.side is not None:
                self._open.side = element.meaning
            return
        self._begin(
            Section(_IS_ENTRY, element.start, element.end, element.meaning, text=element.text)
        )

    def _name(self, element: Element) -> None:
        """Begin a section after a name: a price may follow it without a label."""
        if self._open is not None and not self._open.levels and self._open.meaning in LEVELS:
            return
        self._begin(Section(_IS_ENTRY, element.start, element.end, Meaning.SYMBOL))

    def _unknown(self, element: Element) -> None:
        if self._open is None or element.depth:
            return
        if self._open.levels:
            self._open.words_after += 1
        else:
            self._open.words_before += 1
        if self._open.side is not None:
            self._open = None

    def _flag(self, meaning: Meaning) -> None:
        section = self._open
        if section is None or section.words_before or section.words_after:
            return
        match meaning:
            case Meaning.MARKET:
                section.is_market = True
            case Meaning.BELOW:
                section.is_below = True
            case Meaning.ABOVE:
                section.is_above = True
            case Meaning.ON_CLOSE:
                section.is_on_close = True
            case Meaning.NONE:
                section.is_none = section.is_none or not section.levels
            case _:
                pass

    def _mark(self, element: Element, line: Line, place: int) -> None:
        section = self._open
        if element.text in _PICTURES and _stands_for_label(line, place, section):
            self._begin(Section(_PICTURES[element.text], element.start, element.end))
            self._index = None
            return
        if section is not None and not section.levels and element.text in ":=-@.>":
            section.has_mark = True

    def _number(self, element: Element, line: Line, place: int) -> None:
        section = self._open
        if (
            section is not None
            and section.side
            and not section.levels
            and _is_behind_to(line, place)
        ):
            self._open = section = None  # long to 70000: that is where it goes, not where it begins
        if element.unit is _UNCOUNTED or element.unit is _LEVERAGE:
            if section is not None and not section.levels:
                section.has_mark = True  # stop 200 points: announced, and not read
            return
        if section is None:
            self._stray(element)
            return
        if is_index(element, line, place, section):
            self._index = int(element.text)
            self._is_loose = is_loose(line, place)
        elif _has_bracket_grown_to_it(element, line, place):
            self._level_and_index(element, section)
        elif element.unit is _PERCENT and section.levels and section.meaning in LEVELS:
            self._percent(element, section)
        else:
            self._level(element, section)

    def _level_and_index(self, element: Element, section: Section) -> None:
        """Take the next index off a level that it has grown to: ``1) 1.5602) 1.650``."""
        last = self._index if self._index is not None else _last_index(section)
        following = str((last or 0) + 1)
        digits = element.text.removesuffix(following)
        is_certain = last is not None and digits != element.text
        is_number = _PLAIN_NUMBER.fullmatch(digits) is not None
        element.value = Decimal(digits) if is_certain and is_number else None
        self._level(element, section)
        self._index = int(following)

    def _stray(self, element: Element) -> None:
        """Keep a price that belongs to no field: beside an entry that goes unsaid it matters."""
        if element.unit is _PRICE and element.value is not None:
            self.strays.append(element.value)
            if self._is_list:
                self.listed.append(element.value)

    def _percent(self, element: Element, section: Section) -> None:
        last = section.levels[-1]
        if last.unit is _PERCENT:
            self._level(element, section)
        elif element.value is not None:
            last.percents.append(element.value)

    def _level(self, element: Element, section: Section) -> None:
        """Add a number to the section, or keep it as a doubt.

        It is one behind unknown words, or in brackets behind a level: that says
        something about the level before, or names another one.
        """
        is_aside = (
            bool(section.levels)
            and element.depth > section.levels[-1].depth
            and element.unit is _PRICE
        )
        if section.words_before or section.words_after or is_aside:
            near = section.words_before + section.words_after <= _NEARBY
            if near and element.value is not None and element.unit is _PRICE:
                section.doubts.append(element.value)
            self._stray(element)
            return
        section.start = min(section.start, element.start)
        section.end = max(section.end, element.end)
        if section.levels and is_next_group(section.levels[-1], element):
            join(section.levels[-1], element)
            return
        level = _level(element)
        level.index, self._index = self._index, None
        level.is_loose = level.index is not None and self._is_loose
        section.levels.append(level)

    def _tick(self, element: Element, line: Line, place: int) -> None:
        """Note a tick behind a level; one that stands right before a word belongs to that."""
        section = self._open
        if not place or section is None or not section.levels or section.meaning not in LEVELS:
            return  # at the beginning of a line ticks are bullets, unless only some lines have one
        after = line[place + 1] if place + 1 < len(line) else None
        is_bullet = (
            after is not None
            and after.start == element.end
            and after.kind in {_WORD, Kind.NAME}
            and line[place - 1].end < element.start
        )
        if not is_bullet:
            section.is_ticked = True


def _has_sign_of_another(line: Line, section: Section) -> bool:
    """Tell whether the picture before a line's numbers is that of another field."""
    signs = {element.text for element in line if element.kind is _MARK}
    is_target, is_stop = section.meaning is _IS_TARGET, section.meaning is Meaning.STOP
    return (AIM in signs and not is_target) or (HALT in signs and not is_stop)


def _has_bracket_grown_to_it(element: Element, line: Line, place: int) -> bool:
    """Tell whether a list's closing bracket stands right behind a level, with none open."""
    after = line[place + 1] if place + 1 < len(line) else None
    return (
        after is not None
        and after.kind is _MARK
        and after.text == ")"
        and after.start == element.end
        and not element.depth
        and element.unit is _PRICE
    )


def _last_index(section: Section) -> int | None:
    return section.levels[-1].index if section.levels else None


def _stands_for_label(line: Line, place: int, section: Section | None) -> bool:
    """Tell whether a picture stands before a number where no label has asked for one."""
    after = line[place + 1] if place + 1 < len(line) else None
    if after is None or after.kind is not _NUMBER or after.unit is not _PRICE:
        return False
    return section is None or bool(section.levels) or (not place and section.side is not None)


def _is_behind_to(line: Line, place: int) -> bool:
    before = line[place - 1] if place else None
    return before is not None and before.text in _TO


def _level(element: Element) -> Level:
    return Level(
        element.value, element.unit, element.start, element.end,
        text=element.text, depth=element.depth,
    )  # fmt: skip

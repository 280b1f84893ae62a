"""What a number counts, told by what stands beside it: %, x, hours, pips, a date."""

import re
from decimal import Decimal

from milobot.signals.elements import Element, Kind, Line, Unit
from milobot.signals.text import word_set
from milobot.signals.vocabulary import Meaning

# Taken out of their classes once: a look-up there costs more than what is done with it.
_WORD = Kind.WORD
_MARK = Kind.MARK
_NUMBER = Kind.NUMBER
_PRICE = Unit.PRICE
_PERCENT = Unit.PERCENT
_LEVERAGE = Unit.LEVERAGE

_TIMES = "x"
_LEVERAGES = frozenset(map(str, range(1, 151)))
_THOUSANDS = frozenset({"k", "к"})
_DURATIONS = word_set("""
    h hr hrs hour hours m min mins minute minutes d day days w week weeks month months s sec
    seconds ч час часа часов м мин минут минуты д дня дней н неделя недели сек std stunden stunde
    minuten tage tag horas hora minutos dias dia saat dakika gun ساعت دقیقه روز
    """)
_ONLY_GLUED = frozenset({"h", "m", "d", "w", "s", "м", "ч", "д", "н"})
_COUNTS = word_set("""
    pips pip points pts ticks bps st nd rd th am pm likes members users people trades
    signals coins setups wins times r sats
    """)
_COUNTED = _DURATIONS | _COUNTS
_DOLLARS = frozenset({"usd", "usdt", "dollar", "dollars"})
_FRAMES = frozenset({"h", "m", "d", "w", "м", "ч", "н"})
_MONEY = frozenset("$€£")
_THOUSAND = Decimal(1000)
_CLOSE = Decimal("0.5")
_RANGES = frozenset({"-", "/"})
_IN_CLOCKS = frozenset(":/.-")
_CLOCK = re.compile(r"[0-2]?\d:[0-5]\d(?::[0-5]\d)?(?!\d)(?!\.\d)")
_YEARS = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-](?:19|20)\d\d")


def set_units(line: Line, text: str) -> None:
    """Note for each number of a line what it counts, and multiply what is in thousands."""
    for place, element in enumerate(line):
        if element.kind is _NUMBER:
            _set_unit(line, place)
    if any(mark.kind is _MARK and mark.text in _IN_CLOCKS for mark in line):
        _set_clocks(line, text)
    _share_with_range(line)


def _set_unit(line: Line, place: int) -> None:
    """Note what one number counts, by its neighbours."""
    element = line[place]
    before = line[place - 1] if place else None
    after = line[place + 1] if place + 1 < len(line) else None
    if after is not None:
        _look_after(element, after)
    if before is not None and element.unit is _PRICE:
        _look_before(element, before)


def _look_after(element: Element, after: Element) -> None:
    gap = after.start - element.end
    if after.kind is _MARK:
        if after.text == "%" and gap <= 1:
            element.unit = _PERCENT
        elif after.text in _MONEY and gap == 0:
            element.has_money = True
    elif after.kind is _WORD:
        word = after.text.lower()
        if word in _THOUSANDS and gap == 0 and element.value is not None:
            element.value *= _THOUSAND
            element.end = after.end
            after.kind, after.text, after.meaning = _MARK, "k", None
        else:
            _look_at_word(element, after, word, gap)


def _look_at_word(element: Element, after: Element, word: str, gap: int) -> None:
    """Note what the word behind a number makes of it."""
    if word == _TIMES and gap <= 1:
        _times(element, after)
    elif after.meaning is Meaning.LEVERAGE and gap == 0 and element.text in _LEVERAGES:
        element.unit = _LEVERAGE
    elif word in _DOLLARS:
        element.has_money = True
    elif (gap == 0 or word not in _ONLY_GLUED) and gap <= 1 and word in _COUNTED:
        element.unit = Unit.NONE
        after.meaning = Meaning.FILLER


def _times(element: Element, after: Element) -> None:
    element.unit = _LEVERAGE
    after.meaning = Meaning.FILLER


def _look_before(element: Element, before: Element) -> None:
    gap = element.start - before.end
    if before.kind is _MARK:
        if before.text in _MONEY and gap <= 1:
            element.has_money = True
        elif before.text == "#" and gap <= 1:
            element.unit = Unit.NONE
        return
    if before.kind is not _WORD or gap:
        return
    word = before.text.lower()
    if word == _TIMES:
        _times(element, before)
    elif word in _FRAMES:
        element.unit = Unit.NONE
        before.meaning = Meaning.FILLER
    elif before.meaning is None:
        element.unit = Unit.NONE  # part of a name: C98, B2


def _set_clocks(line: Line, text: str) -> None:
    """Take times of day and dates out of the numbers."""
    place = 0
    while place < len(line):
        element = line[place]
        is_joined = element.kind is _NUMBER and text[element.end : element.end + 1] in _IN_CLOCKS
        if is_joined and not _is_glued_to_label(line, place):
            end = _end_of_clock(text, element.start)
            while place < len(line) and line[place].start < end:
                if line[place].kind is _NUMBER:
                    line[place].unit = Unit.NONE
                place += 1
        place += 1


def _end_of_clock(text: str, start: int) -> int:
    for pattern in (_CLOCK, _YEARS):
        match = pattern.match(text, start)
        if match is not None:
            return match.end()
    return start


def _is_glued_to_label(line: Line, place: int) -> bool:
    """Tell whether a label stands right before a number: its digits are an index or a level."""
    before = line[place - 1] if place else None
    return before is not None and before.kind is _WORD and before.meaning is not None


def _share_with_range(line: Line) -> None:
    """Give the first number of a range the unit of the second: 5-10x, 3 to 5 %, 38-39k."""
    for place in range(len(line) - 2, 0, -1):
        between = line[place]
        first, second = line[place - 1], line[place + 1]
        if first.kind is not _NUMBER or second.kind is not _NUMBER:
            continue
        if not (between.text in _RANGES or between.meaning is Meaning.TO):
            continue
        if first.unit is _PRICE and _shares_unit(first, between, second):
            first.unit = second.unit
        elif first.value is not None and _is_in_thousands(first.value, second, line, place + 2):
            first.value *= _THOUSAND


def _shares_unit(first: Element, between: Element, second: Element) -> bool:
    """Tell whether the unit of the second number is the first's: not in ``1.560 - 20 %``."""
    if second.unit is _LEVERAGE:
        return True
    if second.unit is not _PERCENT or first.value is None or second.value is None:
        return False
    is_tight = second.start - first.end == 1 or between.kind is _WORD
    return is_tight and first.value < second.value


def _is_in_thousands(first: Decimal, second: Element, line: Line, after: int) -> bool:
    """Tell whether the K of the second number of a range belongs to the first as well."""
    if after >= len(line) or line[after].text != "k" or line[after].kind is not _MARK:
        return False
    if not second.value:
        return False
    return _CLOSE < first * _THOUSAND / second.value < 1 / _CLOSE

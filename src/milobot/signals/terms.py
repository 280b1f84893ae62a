"""Leverage, margin mode and size, as far as a message names them."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from milobot.domain.intents import Size, SizeKind
from milobot.domain.reports import MarginMode
from milobot.signals.elements import Element, Kind, Line, Unit
from milobot.signals.laws import HIGHEST_LEVERAGE
from milobot.signals.refusals import Reason, refuse
from milobot.signals.vocabulary import Meaning

# Taken out of their classes once: a look-up there costs more than what is done with it.
_NUMBER = Kind.NUMBER
_WORD = Kind.WORD
_MARK = Kind.MARK
_PERCENT = Unit.PERCENT
_PRICE = Unit.PRICE
_LEVERAGE = Unit.LEVERAGE
_IS_LEVERAGE = Meaning.LEVERAGE
_IS_FUNDS = Meaning.FUNDS
_IS_TO = Meaning.TO

_MODES = {Meaning.CROSS: MarginMode.CROSS, Meaning.ISOLATED: MarginMode.ISOLATED}
_LABELS = frozenset({Meaning.RISK, Meaning.FUNDS, Meaning.AMOUNT, Meaning.QUANTITY})
_HUNDRED = Decimal(100)
_WITHIN = 4
"""Elements within which ``fund`` or ``balance`` gives a per cent its meaning."""

Place = tuple[int, int]


def find_leverage(lines: Sequence[Line]) -> tuple[int, Place] | None:
    """Return the lowest leverage of the first line that names one; labelled lines come first.

    Raises:
        SignalFormatError: It is below 1 or higher than any exchange grants.
    """
    labelled = [line for line in lines if any(e.meaning is _IS_LEVERAGE for e in line)]
    for line in (*labelled, *lines):
        numbers = list(_leverages(line))
        if numbers:
            return _lowest(numbers)
    return None


def _leverages(line: Line) -> Iterator[Element]:
    """Yield the numbers with an x, and plain ones right behind the label."""
    is_labelled = False
    for element in line:
        if element.kind is _NUMBER:
            is_plain = is_labelled and element.unit is _PRICE
            if element.value is not None and (element.unit is _LEVERAGE or is_plain):
                yield element
        elif element.kind is _WORD and element.meaning is not _IS_TO:
            is_labelled = element.meaning is _IS_LEVERAGE or (
                is_labelled and (element.meaning in _MODES or element.meaning is Meaning.FILLER)
            )


def _lowest(numbers: Sequence[Element]) -> tuple[int, Place]:
    values = [number.value for number in numbers if number.value is not None]
    if min(values) < 1 or max(values) > HIGHEST_LEVERAGE:
        refuse(Reason.BAD_LEVERAGE, f"Its leverage must lie between 1 and {HIGHEST_LEVERAGE}.")
    return int(min(values)), (numbers[0].start, numbers[-1].end)


def find_margin_mode(lines: Sequence[Line]) -> tuple[MarginMode, Place] | None:
    """Return the margin mode that a message names; None when it names none or both."""
    found = [e for line in lines for e in line if e.meaning in _MODES]
    modes = {_MODES[element.meaning] for element in found if element.meaning is not None}
    return (modes.pop(), (found[0].start, found[0].end)) if len(modes) == 1 else None


def find_size(lines: Sequence[Line]) -> tuple[Size, Place] | None:
    """Return the risk, the share of the account or the amount that a message names.

    A share of the account is its notional, the smaller of what people mean by it.
    Of a range the lower end counts, of several kinds the risk.
    """
    found: dict[SizeKind, list[Element]] = {}
    for line in lines:
        if not any(element.meaning in _LABELS for element in line):
            continue
        in_line: dict[SizeKind, list[Element]] = {}
        for place, element in enumerate(line):
            if element.kind is _NUMBER and (kind := _kind_of(line, place)) is not None:
                in_line.setdefault(kind, []).append(element)
        found = in_line | found  # the first line that names a kind counts
    for kind in SizeKind:
        if kind in found:
            return _smallest(kind, found[kind])
    return None


def _smallest(kind: SizeKind, numbers: Sequence[Element]) -> tuple[Size, Place] | None:
    values = [number.value for number in numbers if number.value is not None]
    scale = _HUNDRED if kind in {SizeKind.RISK, SizeKind.EQUITY} else Decimal(1)
    value = min(values, default=Decimal(0)) / scale
    if value <= 0 or (scale == _HUNDRED and value > 1):
        return None
    return Size(kind, value), (numbers[0].start, numbers[-1].end)


def _kind_of(line: Line, place: int) -> SizeKind | None:
    """Return what size a number states, by the label before it or the word behind."""
    element = line[place]
    label = _label_before(line, place)
    if element.unit is _PERCENT or (label is _IS_FUNDS and _says_percent(line, place)):
        if label is Meaning.RISK:
            return None if _tells_distance(line, element) else SizeKind.RISK
        behind = line[place + 1 : place + 1 + _WITHIN + 1]
        has_funds = any(other.meaning is _IS_FUNDS for other in behind)
        return SizeKind.EQUITY if label is _IS_FUNDS or has_funds else None
    if element.unit is not _PRICE:
        return None
    if label is Meaning.AMOUNT and element.has_money:
        return SizeKind.QUOTE
    return SizeKind.BASE if label is Meaning.QUANTITY else None


def _tells_distance(line: Line, element: Element) -> bool:
    """Tell whether a risk is the distance of the stop: in brackets behind it, or beside a reward."""
    if any(other.text.startswith("reward") for other in line if other.kind is _WORD):
        return True
    return element.depth > 0 and any(other.meaning in _EXITS for other in line)


_EXITS = frozenset({Meaning.STOP, Meaning.TARGET})
_PASSED_OVER = frozenset({Meaning.FILLER, _IS_TO, Meaning.BELOW, None})


def _label_before(line: Line, place: int) -> Meaning | None:
    """Return the nearest label before a number in its line, a few words back at most."""
    for element in reversed(line[max(0, place - _WITHIN * 2) : place]):
        if element.kind is _WORD and element.meaning not in _PASSED_OVER:
            return element.meaning
    return None


def _says_percent(line: Line, place: int) -> bool:
    """Tell whether the label itself is in per cent: ``Capital %: 3``."""
    return any(e.kind is _MARK and e.text == "%" for e in line[max(0, place - 2) : place])

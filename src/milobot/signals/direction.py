"""Long or short: what the message says, by where it says it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.signals.elements import Element, Kind, Line
from milobot.signals.fields import Section
from milobot.signals.refusals import Reason, refuse
from milobot.signals.vocabulary import Meaning

# Taken out of their classes once: a look-up there costs more than what is done with it.
_NAME = Kind.NAME
_WORD = Kind.WORD
_IS_DIRECTION = Meaning.DIRECTION

_POSITIONS = {Meaning.LONG: PositionSide.LONG, Meaning.SHORT: PositionSide.SHORT}
_TRADES = {Meaning.BUY: PositionSide.LONG, Meaning.SELL: PositionSide.SHORT}
_SIDES = _POSITIONS | _TRADES
_FEW = 3
"""Unknown words up to which a line is a headline and not prose."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A direction that the message states, and where."""

    side: PositionSide
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Mention:
    """A word of direction.

    Attributes:
        is_plain: It stands in a headline, beside the market's name or behind a label.
        is_priced: Prices follow it, so it may be the label of the entry or the targets.
    """

    side: PositionSide
    element: Element
    line: int
    is_position: bool
    is_plain: bool
    is_priced: bool


def stated_direction(lines: Sequence[Line], sections: Sequence[Section]) -> Stated | None:
    """Return the direction that a message states; None when no word does.

    Long and short count before buy and sell, headlines before prose; buy or sell
    with prices behind it may only be a label, so it counts after those without.

    Raises:
        SignalFormatError: The message states both.
    """
    mentions = list(_mentions(lines, sections))
    positions = [m for m in mentions if m.is_position and m.is_plain]
    trades = [m for m in mentions if not m.is_position and m.is_plain]
    if positions:
        stated = _only(positions)
        lines_of = {m.line for m in positions}
        _only([*positions, *(m for m in trades if m.line in lines_of and not m.is_priced)])
        return stated
    if trades:
        return _by_trade_words(trades, sections)
    prose = [m for m in mentions if m.is_position] or mentions
    return _only(prose) if prose else None


def _by_trade_words(trades: Sequence[_Mention], sections: Sequence[Section]) -> Stated:
    """Return the direction that buy and sell state: buying below what is sold above is long."""
    unpriced = [m for m in trades if not m.is_priced]
    sides = {m.side for m in trades}
    if len(sides) > 1 and not unpriced:
        bought = _prices(sections, Meaning.BUY)
        sold = _prices(sections, Meaning.SELL)
        if bought and sold and max(bought) < min(sold):
            return _only([m for m in trades if m.side is PositionSide.LONG])
    return _only(trades)


def _prices(sections: Sequence[Section], side: Meaning) -> list[Decimal]:
    return [
        level.value
        for section in sections
        if section.side is side
        for level in section.levels
        if level.value is not None
    ]


def _only(mentions: Sequence[_Mention]) -> Stated:
    if len({mention.side for mention in mentions}) > 1:
        refuse(Reason.TWO_DIRECTIONS, "It says both long and short, or both buy and sell.")
    element = mentions[0].element
    return Stated(mentions[0].side, element.start, element.end)


def _mentions(lines: Sequence[Line], sections: Sequence[Section]) -> Iterator[_Mention]:
    priced = {section.start for section in sections if section.side and section.levels}
    for number, line in enumerate(lines):
        is_plain = _is_headline(line)
        for element in line:
            side = _SIDES.get(element.meaning) if element.meaning else None
            if side is not None:
                yield _Mention(
                    side, element, number,
                    is_position=element.meaning in _POSITIONS,
                    is_plain=is_plain or element.start in priced,
                    is_priced=element.start in priced,
                )  # fmt: skip


def _is_headline(line: Line) -> bool:
    """Tell whether a line names the market or the direction as such, and is not prose."""
    unknown = 0
    for element in line:
        if element.kind is _NAME or element.meaning is _IS_DIRECTION:
            return True
        unknown += element.kind is _WORD and element.meaning is None
    return unknown <= _FEW

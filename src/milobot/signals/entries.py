"""Where a set-up enters, put together from the sections of a message."""

from collections.abc import Sequence
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.signals.elements import Unit
from milobot.signals.fields import Level, Section
from milobot.signals.reading import Entry, EntryKind
from milobot.signals.refusals import Reason, refuse
from milobot.signals.vocabulary import Meaning

_BOTH_ENDS = 2
_HUNDRED = Decimal(100)
_MORE = ("dca", "re entry", "усреднение", "добор")
_OWN = {PositionSide.LONG: Meaning.BUY, PositionSide.SHORT: Meaning.SELL}


def entry_sections(
    sections: Sequence[Section], side: PositionSide | None
) -> tuple[list[Section], list[Section]]:
    """Return the sections that hold the entry, and those of the other trade word, if left over.

    A label such as Entry counts first, then the trade word of the direction, then
    prices right behind direction or name, then the other trade word.

    Raises:
        SignalFormatError: Label and trade word name different prices.
    """
    filled = [s for s in sections if s.meaning is Meaning.ENTRY and s.levels]
    labelled = [s for s in filled if s.side is None]
    loose = [s for s in filled if s.side in {Meaning.LONG, Meaning.SHORT, Meaning.SYMBOL}]
    trades = [s for s in filled if s.side in {Meaning.BUY, Meaning.SELL}]
    own_word = _OWN.get(side, Meaning.BUY) if side else Meaning.BUY
    own = [s for s in trades if s.side is own_word]
    other = [s for s in trades if s.side is not own_word]
    if labelled and own and _values(own) != _values(labelled):
        refuse(Reason.TWO_ENTRIES, "It names two different entries.")
    for found in (labelled, own, loose):
        if found:
            return found, other
    return other, []


def _values(sections: Sequence[Section]) -> list[Decimal | None]:
    return [level.value for section in sections for level in section.levels]


def build_entry(sections: Sequence[Section], text: str, side: PositionSide | None) -> Entry:
    """Return the entry that its sections name.

    Raises:
        SignalFormatError: A number is uncertain, or the sections disagree.
    """
    _check_sections(sections)
    levels = _distinct([level for section in sections for level in section.levels])
    prices = tuple(certain(level, Reason.UNCLEAR_ENTRY, "entry") for level in levels)
    is_at_market = any(section.is_market for section in sections)
    kind = _kind(sections, levels, text, side)
    if kind is EntryKind.LIMIT and is_at_market:
        kind = EntryKind.MARKET
    shares = shares_of(levels)
    return Entry(kind, prices, shares if len(prices) > 1 else (), is_at_market)


def _check_sections(sections: Sequence[Section]) -> None:
    """Refuse entries named twice; several sections may only be rungs of one ladder."""
    if any(section.is_stale for section in sections):
        refuse(Reason.UNCLEAR_ENTRY, "Its entry belongs to something that is over.")
    check_loose(sections, Reason.UNCLEAR_ENTRY, "entry")
    first, rest = sections[0], sections[1:]
    indices = [level.index for section in sections for level in section.levels]
    if all(index is not None for index in indices) and len(set(indices)) == len(indices):
        return
    for section in rest:
        is_repeated = _values([section]) == _values([first])
        if not (is_repeated or section.text.startswith(_MORE)):
            refuse(Reason.TWO_ENTRIES, "It names two different entries.")


def check_loose(sections: Sequence[Section], code: Reason, name: str) -> None:
    """Refuse a number that may be an index or a price: ``TP 1 - 1.5`` with no ``TP 2``."""
    levels = [level for section in sections for level in section.levels]
    if any(level.is_loose for level in levels) and not any(
        (level.index or 0) > 1 for level in levels
    ):
        refuse(code, f"In its {name}, the first number may be a place in a list or a price.")


def _distinct(levels: Sequence[Level]) -> list[Level]:
    """Return the levels without those that repeat a value."""
    kept: list[Level] = []
    for level in levels:
        if level.value is None or all(level.value != other.value for other in kept):
            kept.append(level)
    return kept


def certain(level: Level, code: Reason, name: str) -> Decimal:
    """Return the price at a level.

    Raises:
        SignalFormatError: The number can be read in two ways, or is no price.
    """
    if level.unit is not Unit.PRICE:
        refuse(code, f"Its {name} is in per cent and not a price.")
    if level.value is None:
        refuse(
            Reason.AMBIGUOUS_NUMBER,
            f"The number {level.text!r} of its {name} can be read in two ways.",
        )
    return level.value


def _kind(
    sections: Sequence[Section], levels: Sequence[Level], text: str, side: PositionSide | None
) -> EntryKind:
    if len(levels) == 1:
        beyond = any(s.is_above for s in sections), any(s.is_below for s in sections)
        wanted = (True, False) if side is PositionSide.LONG else (False, True)
        return EntryKind.BREAKOUT if side and beyond == wanted else EntryKind.LIMIT
    if len(levels) == _BOTH_ENDS and len(sections) == 1 and levels[0].index is None:
        between = text[levels[0].end : levels[1].start]
        if not any(sign in between for sign in "/,&\n") and between.strip(" $"):
            return EntryKind.ZONE
    return EntryKind.LADDER


def check_market_legs(sections: Sequence[Section], found: Sequence[Section]) -> None:
    """Refuse ``Entry 1: market, Entry 2: 64000``: one leg of it would be lost.

    Raises:
        SignalFormatError: One label says market, and another names a price.
    """
    labels = [s for s in sections if s.meaning is Meaning.ENTRY and s.side is None]
    if found and any(s.is_market and not s.levels for s in labels):
        refuse(Reason.TWO_ENTRIES, "It enters at the market and at a price of its own.")


def says_from_to(section: Section, text: str) -> bool:
    """Tell whether prices without a label are joined by a word: ``short from 3000 to 2900``.

    That may be a zone, or where the trade begins and where it goes.
    """
    if section.side is None or len(section.levels) != _BOTH_ENDS:
        return False
    first, second = section.levels
    return any(sign.isalpha() for sign in text[first.end : second.start])


def shares_of(levels: Sequence[Level]) -> tuple[Decimal, ...]:
    """Return the shares that stand behind all levels, when they make a whole; else nothing."""
    if not levels or any(len(level.percents) != 1 for level in levels):
        return ()
    percents = [level.percents[0] for level in levels]
    if sum(percents) != _HUNDRED or min(percents) <= 0:
        return ()
    return tuple(percent / _HUNDRED for percent in percents)

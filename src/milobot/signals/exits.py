"""Stop and targets of a set-up, put together from the sections of a message."""

import re
from collections.abc import Sequence
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.signals.elements import Unit
from milobot.signals.entries import certain, check_loose, shares_of
from milobot.signals.fields import Level, Section
from milobot.signals.reading import Entry, Stop, Target
from milobot.signals.refusals import Reason, refuse
from milobot.signals.vocabulary import Meaning

_HUNDRED = Decimal(100)
_NEAR = 3
_PRICE = re.compile(r"\d+(?:\.\d+)?")


def sections_of(sections: Sequence[Section], meaning: Meaning) -> list[Section]:
    """Return the sections of a field that hold a number."""
    return [s for s in sections if s.meaning is meaning and s.side is None and s.levels]


def build_stop(sections: Sequence[Section]) -> tuple[Stop | None, tuple[int, int]]:
    """Return the stop and where it stands; None when the message names none.

    Raises:
        SignalFormatError: It names several, or one that is not certain.
    """
    named = [s for s in sections if s.meaning is Meaning.STOP]
    filled = [s for s in named if s.levels]
    if not filled:
        if any(s.has_mark and not s.is_none for s in named):
            refuse(Reason.UNCLEAR_STOP, "It announces a stop and names no price for it.")
        return None, (0, 0)
    if any(s.is_none or s.is_stale for s in filled):
        refuse(
            Reason.UNCLEAR_STOP, "It says that there is no stop, or an old one, and names a price."
        )
    levels = [level for section in filled for level in section.levels]
    if len({(level.value, level.unit) for level in levels}) > 1:
        refuse(Reason.TWO_STOPS, "It names several stops.")
    first = levels[0]
    is_on_close = any(s.is_on_close for s in filled)
    place = (filled[0].start, filled[0].end)
    if first.unit is Unit.PERCENT and first.value is not None:
        return Stop(fraction=first.value / _HUNDRED, is_on_close=is_on_close), place
    return Stop(certain(first, Reason.UNCLEAR_STOP, "stop"), is_on_close=is_on_close), place


def build_targets(
    found: Sequence[Section], entry: Entry, side: PositionSide | None
) -> tuple[Target, ...]:
    """Return the targets that their sections name, nearest first.

    Raises:
        SignalFormatError: A number is uncertain, an index does not fit, or targets
            are in per cent of an entry that is not one price.
    """
    if any(section.is_stale for section in found):
        refuse(Reason.UNCLEAR_TARGETS, "Its targets belong to something that is over.")
    check_loose(found, Reason.UNCLEAR_TARGETS, "targets")
    levels = _in_order(_without_repetition(_unglued(found)))
    shares = shares_of(levels)
    if levels and all(level.unit is Unit.PERCENT for level in levels):
        prices = [_from_percent(level, entry, side) for level in levels]
    else:
        prices = [certain(level, Reason.UNCLEAR_TARGETS, "targets") for level in levels]
    if not shares:
        return tuple(Target(price) for price in prices)
    return tuple(Target(price, share) for price, share in zip(prices, shares, strict=True))


def _from_percent(level: Level, entry: Entry, side: PositionSide | None) -> Decimal:
    if len(entry.prices) != 1 or side is None:
        refuse(
            Reason.PERCENT_WITHOUT_ENTRY,
            "Its targets are in per cent, and it names no single entry price to count from.",
        )
    if level.value is None or not 0 < level.value < _HUNDRED * _NEAR:
        refuse(Reason.BAD_PERCENT, "A target in per cent is out of bounds.")
    return entry.prices[0] * (1 + side.sign * level.value / _HUNDRED)


def _in_order(levels: list[Level]) -> list[Level]:
    """Return the levels by their index, where each has one."""
    indices = [level.index for level in levels]
    known = [index for index in indices if index is not None]
    if len(known) == len(levels) and len(set(known)) == len(known):
        return sorted(levels, key=lambda level: level.index or 0)
    if len(set(known)) < len(known):
        refuse(Reason.UNCLEAR_TARGETS, "It names two prices for one target.")
    return levels


def _without_repetition(levels: list[Level]) -> list[Level]:
    """Return the levels once, where the message lists all of them twice."""
    half, odd = divmod(len(levels), 2)
    values = [level.value for level in levels]
    return levels[:half] if half and not odd and values[:half] == values[half:] else levels


def _unglued(found: Sequence[Section]) -> list[Level]:
    """Return the levels; an index that has grown to its price (``TP41.31``) is taken off.

    That is certain only where the targets before were numbered the same way.
    """
    levels: list[Level] = []
    for section in found:
        first = section.levels[0]
        is_glued = first.index is None and first.start == section.start + len(section.text)
        if is_glued and levels and levels[-1].index:
            _take_index_off(first, levels[-1])
        levels.extend(section.levels)
    return levels


def _take_index_off(level: Level, before: Level) -> None:
    """Take the next index off the digits of a level, where that leaves a price like the last."""
    index = (before.index or 0) + 1
    text = level.text.removeprefix(str(index))
    value = Decimal(text) if text != level.text and _PRICE.fullmatch(text) else None
    near = before.value
    if value is None or near is None or not near / _NEAR < value < near * _NEAR:
        refuse(
            Reason.UNCLEAR_TARGETS,
            "The numbers of its targets cannot be told from their prices.",
        )
    level.value, level.index = value, index

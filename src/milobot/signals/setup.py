"""A whole set-up: symbol, direction, entry, stop, targets and terms, or a refusal."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.errors import SignalFormatError
from milobot.signals.direction import Stated, stated_direction
from milobot.signals.elements import Kind, Line, Unit
from milobot.signals.entries import build_entry, check_market_legs, entry_sections, says_from_to
from milobot.signals.exits import build_stop, build_targets, sections_of
from milobot.signals.fields import Section
from milobot.signals.laws import check_order, check_prices, check_setup, implied_side
from milobot.signals.naming import Symbols, check_symbol, choose_naming, mark_name
from milobot.signals.reading import Entry, EntryKind, ReadingKind, SignalReading, Span, Stop, Target
from milobot.signals.refusals import Reason, refuse
from milobot.signals.results import check_standing
from milobot.signals.sections import Sectioner
from milobot.signals.symbols import Naming
from milobot.signals.terms import find_leverage, find_margin_mode, find_size
from milobot.signals.text import Folded
from milobot.signals.vocabulary import Meaning

_FEWEST_FIELDS = 2
_SHORT = 12
_NEAR = 3
_UNCLEAR = {
    Meaning.ENTRY: Reason.UNCLEAR_ENTRY,
    Meaning.STOP: Reason.UNCLEAR_STOP,
    Meaning.TARGET: Reason.UNCLEAR_TARGETS,
}


@dataclass(frozen=True, slots=True)
class _Levels:
    """Entry, stop and targets, with the places they were read from."""

    side: PositionSide
    is_implied: bool
    entry: Entry
    stop: Stop | None
    targets: tuple[Target, ...]
    places: tuple[tuple[str, int, int], ...]


def read_setup(
    folded: Folded, lines: Sequence[Line], known: Symbols, original: str
) -> SignalReading | None:
    """Return the set-up that a message is; None when it is none.

    Raises:
        SignalFormatError: It looks like a set-up, and something about it is not certain.
    """
    naming, refusal = _try_naming(lines, known)
    if naming is not None:
        mark_name(lines, naming)
    sectioner = Sectioner()
    sectioner.read(lines)
    sections = sectioner.sections
    if not _looks_like_setup(lines, sections):
        return None
    if naming is not None and not naming.is_tradable:
        check_symbol(naming, known)
    check_standing(lines, sections)
    if refusal is not None:
        raise refusal
    if naming is None:
        refuse(Reason.NO_SYMBOL, "It names levels but no market.")
    symbol = check_symbol(naming, known)
    stated = stated_direction(lines, sections)
    levels = _levels(sectioner, stated, folded.text)
    leverage = find_leverage(lines)
    _check_percents(sections, levels, leverage)
    _check_doubts(sections, levels)
    return _reading(symbol, naming, stated, levels, lines, folded, original)


def _try_naming(
    lines: Sequence[Line], known: Symbols
) -> tuple[Naming | None, SignalFormatError | None]:
    """Return the market, or why there is not exactly one: chat may name as many as it likes."""
    try:
        return choose_naming(lines, known), None
    except SignalFormatError as refusal:
        return None, refusal


def _looks_like_setup(lines: Sequence[Line], sections: Sequence[Section]) -> bool:
    """Tell whether a message holds enough to be meant as a set-up: a field with a number."""
    fields = {s.meaning for s in sections if s.levels and s.side is None} & {
        Meaning.ENTRY, Meaning.STOP, Meaning.TARGET,
    }  # fmt: skip
    if len(fields) >= _FEWEST_FIELDS:
        return True
    elements = [element for line in lines for element in line]
    has_name = any(element.kind is Kind.NAME for element in elements)
    has_side = any(s.side not in {None, Meaning.SYMBOL} for s in sections)
    if fields:
        return has_name or has_side
    has_loose = any(s.levels and s.side is not None for s in sections)
    is_call = has_side and any(s.is_market for s in sections)
    return has_side and (has_loose or is_call or (has_name and len(elements) <= _SHORT))


def _levels(sectioner: Sectioner, stated: Stated | None, text: str) -> _Levels:
    """Return entry, stop and targets, and the direction they have or leave.

    Raises:
        SignalFormatError: They are not certain or contradict each other.
    """
    sections = sectioner.sections
    stop, stop_place = build_stop(sections)
    side = stated.side if stated is not None else None
    found, left_over = entry_sections(sections, side)
    aims = sections_of(sections, Meaning.TARGET) or left_over
    entry = build_entry(found, text, side) if found else Entry(EntryKind.MARKET)
    check_market_legs(sections, found)
    if side is None:
        side = _implied(entry, stop, build_targets(aims, entry, None))
        entry = build_entry(found, text, side) if found else entry
    targets = build_targets(aims, entry, side)
    _check_presence(sections, found, stop, targets)
    if not targets and found and says_from_to(found[0], text):
        refuse(Reason.UNCLEAR_ENTRY, "It is not certain whether it enters between two prices.")
    check_setup(side, entry, stop, targets)
    is_whole = bool(found) and stop is not None and bool(targets)
    _check_strays(sectioner.listed if is_whole else sectioner.strays, entry, stop, targets)
    places = [("entry", s.start, s.end) for s in found]
    places += [("stop", *stop_place)] if stop is not None else []
    places += [("targets", s.start, s.end) for s in aims]
    return _Levels(side, stated is None, entry, stop, targets, tuple(places))


def _implied(entry: Entry, stop: Stop | None, targets: Sequence[Target]) -> PositionSide:
    price = stop.price if stop is not None else None
    side = implied_side(entry.prices, price, [target.price for target in targets])
    if side is None:
        refuse(
            Reason.NO_DIRECTION,
            "It does not say long or short, and its stop and targets leave that open.",
        )
    return side


def _check_presence(
    sections: Sequence[Section],
    found: Sequence[Section],
    stop: Stop | None,
    targets: Sequence[Target],
) -> None:
    """Refuse a set-up that names too little: no level at all, or an entry that was not read."""
    named = [s for s in sections if s.meaning is Meaning.TARGET]
    if not targets and any(s.has_mark and not s.is_none for s in named):
        refuse(Reason.UNCLEAR_TARGETS, "It announces targets and names no price that can be read.")
    if stop is None and not targets:
        refuse(Reason.NO_LEVELS, "It names neither a stop nor a target.")
    if found:
        return
    labels = [s for s in sections if s.meaning is Meaning.ENTRY and s.side is None]
    if labels and not any(s.is_market for s in labels):
        refuse(Reason.UNCLEAR_ENTRY, "It announces an entry and names no price that can be read.")
    if stop is None and not any(s.is_market for s in sections if s.meaning is Meaning.ENTRY):
        refuse(Reason.NO_ENTRY, "It names targets alone, without entry and stop.")


def _check_percents(
    sections: Sequence[Section], levels: _Levels, leverage: tuple[int, tuple[int, int]] | None
) -> None:
    """Refuse per cents that a leverage makes uncertain: of the price, or of the margin."""
    if leverage is None or leverage[0] == 1:
        return
    fraction = levels.stop.fraction if levels.stop is not None else None
    if fraction is not None and fraction * leverage[0] >= 1:
        refuse(Reason.BAD_PERCENT, "Its stop in per cent lies beyond the liquidation price.")
    targets = sections_of(sections, Meaning.TARGET)
    if any(level.unit is Unit.PERCENT for section in targets for level in section.levels):
        refuse(Reason.BAD_PERCENT, "Its targets may be in per cent of the price or of the margin.")


def _check_strays(
    strays: Sequence[Decimal], entry: Entry, stop: Stop | None, targets: Sequence[Target]
) -> None:
    """Refuse a set-up beside which stands a price that may be one of its own.

    Of a whole set-up, those on lines of their own; else all: one may be what is missing.
    """
    prices = [*entry.prices, *(target.price for target in targets)]
    if stop is not None and stop.price is not None:
        prices.append(stop.price)
    for stray in strays:
        if any(price / _NEAR < stray < price * _NEAR for price in prices) and stray not in prices:
            refuse(Reason.UNCLEAR_PRICE, f"It is not certain what its price {stray:f} means.")


def _check_doubts(sections: Sequence[Section], levels: _Levels) -> None:
    """Refuse a set-up beside whose labels stand prices that may belong to it, or may not."""
    prices = [*levels.entry.prices, *(target.price for target in levels.targets)]
    if levels.stop is not None and levels.stop.price is not None:
        prices.append(levels.stop.price)
    for section in sections:
        code = _UNCLEAR.get(section.meaning)
        if code is None or section.side is not None:
            continue
        for doubt in section.doubts:
            if any(price / _NEAR < doubt < price * _NEAR and doubt != price for price in prices):
                refuse(code, f"It is not certain what {doubt:f} means beside {section.text!r}.")


def _reading(  # noqa: PLR0913, PLR0917 - the parts of one reading
    symbol: str,
    naming: Naming,
    stated: Stated | None,
    levels: _Levels,
    lines: Sequence[Line],
    folded: Folded,
    original: str,
) -> SignalReading:
    leverage, mode, size = find_leverage(lines), find_margin_mode(lines), find_size(lines)
    places = [("symbol", naming.start, naming.end), *levels.places]
    if stated is not None:
        places.append(("side", stated.start, stated.end))
    for name, found in (("leverage", leverage), ("margin mode", mode), ("size", size)):
        if found is not None:
            places.append((name, *found[1]))
    return SignalReading(
        text=original,
        kind=ReadingKind.SETUP,
        symbol=symbol,
        position_side=levels.side,
        is_side_implied=levels.is_implied,
        entry=levels.entry,
        targets=levels.targets,
        stop=levels.stop,
        leverage=leverage[0] if leverage else None,
        margin_mode=mode[0] if mode else None,
        size=size[0] if size else None,
        spans=to_spans(places, folded),
    )


def to_spans(places: Sequence[tuple[str, int, int]], folded: Folded) -> tuple[Span, ...]:
    """Return the places of fields in the original text, in its order."""
    spans = {Span(name, *folded.span(start, end)) for name, start, end in places}
    return tuple(sorted(spans, key=lambda span: (span.start, span.end, span.field)))


def changed_levels(
    sections: Sequence[Section],
) -> tuple[Stop | None, tuple[Target, ...]]:
    """Return the stop and the targets that a change names.

    Raises:
        SignalFormatError: They are uncertain, or cannot belong to one position.
    """
    stop, _ = build_stop(sections)
    aims = sections_of(sections, Meaning.TARGET)
    targets = build_targets(aims, Entry(EntryKind.MARKET), None)
    prices: list[Decimal] = [target.price for target in targets]
    limit = [stop.price] if stop is not None and stop.price is not None else []
    check_prices([*prices, *limit])
    check_order(prices, None)
    if limit and prices and implied_side((), limit[0], prices) is None:
        refuse(Reason.STOP_WRONG_SIDE, "Its stop lies between its targets.")
    return stop, targets

"""Messages that change what is there already: close, move the stop, cancel, new targets."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.signals.elements import Element, Kind, Line, Unit
from milobot.signals.naming import Symbols, check_symbol
from milobot.signals.phrases import COMMAND_VOCABULARY
from milobot.signals.reading import ReadingKind, SignalReading
from milobot.signals.refusals import Reason, refuse
from milobot.signals.scan import scan
from milobot.signals.sections import Sectioner
from milobot.signals.setup import changed_levels, to_spans
from milobot.signals.symbols import Naming, bare_coin
from milobot.signals.text import Folded
from milobot.signals.vocabulary import Meaning

_LONGEST = 200
_MOST_ELEMENTS = 40
_HUNDRED = Decimal(100)
_HALF = Decimal("0.5")
_ONE = Decimal(1)
_VERBS = frozenset({Meaning.CANCEL, Meaning.CLOSE, Meaning.MOVE})
_SIDES = {Meaning.LONG: PositionSide.LONG, Meaning.SHORT: PositionSide.SHORT}
_MOVABLE = frozenset({Meaning.STOP, Meaning.TARGET, Meaning.EVEN})
_FEW = 3
_HIGHEST_COUNT = 20
_LONGEST_COIN = 12


@dataclass(frozen=True, slots=True)
class _Command:
    """The parts of a short message.

    Attributes:
        said: What its words mean.
        begins_with: What its first word means.
        naming: The market it names.
        strangers: How many of its words and signs mean nothing here.
    """

    elements: Sequence[Element]
    said: AbstractSet[Meaning]
    begins_with: Meaning | None
    naming: Naming | None
    strangers: int


def read_command(
    folded: Folded, setup_lines: Sequence[Line], known: Symbols, original: str
) -> SignalReading | None:
    """Return the command that a short message is; None when it is none.

    Every word of a command must be understood: a question or a remark that holds
    the word close is no command.

    Raises:
        SignalFormatError: Its symbol or the levels it names are refused.
    """
    if _is_too_long(folded, setup_lines) or "?" in folded.text or "؟" in folded.text:
        return None
    command = _parts(scan(folded.text, COMMAND_VOCABULARY), known)
    if command is None or command.strangers or not _is_command(command):
        return None
    reading = _read(command, setup_lines, original)
    if reading is None:
        return None
    symbol = check_symbol(command.naming, known) if command.naming is not None else None
    places = _places(command)
    return replace(reading, symbol=symbol, spans=to_spans(places, folded))


def _is_too_long(folded: Folded, lines: Sequence[Line]) -> bool:
    return len(folded.text) > _LONGEST or sum(map(len, lines)) > _MOST_ELEMENTS


def refuse_unclear_command(folded: Folded, known: Symbols) -> None:
    """Refuse a short message that begins like a command and is not one for certain.

    Raises:
        SignalFormatError: It does.
    """
    if len(folded.text) > _LONGEST or "?" in folded.text or "؟" in folded.text:
        return
    command = _parts(scan(folded.text, COMMAND_VOCABULARY), known)
    if command is None or command.begins_with not in _VERBS or command.strangers > _FEW:
        return
    if command.begins_with is Meaning.MOVE and not command.said & _MOVABLE:
        return
    refuse(
        Reason.UNCLEAR_COMMAND,
        "It begins like a command, and it is not certain what it wants closed, moved or cancelled.",
    )


def _parts(lines: Sequence[Line], known: Symbols) -> _Command | None:
    elements = [element for line in lines for element in line]
    if not elements or len(elements) > _MOST_ELEMENTS:
        return None
    words = [e for e in elements if e.kind is Kind.WORD]
    namings = [e.naming for e in elements if e.naming is not None]
    strangers = [e for e in words if e.meaning is None]
    if len({naming.symbol for naming in namings}) > 1:
        return None
    if not namings and len(strangers) == 1:
        coin = bare_coin(strangers[0].text, strangers[0].start, strangers[0].end)
        is_free = not _is_part_of_name(strangers[0], elements)
        if coin is not None and is_free and _may_be_coin(strangers[0], coin, known):
            namings, strangers = [coin], []
    said = {e.meaning for e in words if e.meaning is not None}
    first = next((e for e in elements if e.kind in {Kind.WORD, Kind.NAME}), None)
    return _Command(
        elements, said, first.meaning if first is not None else None,
        namings[0] if namings else None, len(strangers) + _ticks(elements),
    )  # fmt: skip


def _may_be_coin(word: Element, coin: Naming, known: Symbols) -> bool:
    """Tell whether the one unknown word of a command is a coin: known, or nothing speaks against."""
    if known is not None:
        return coin.symbol in known or word.text.isupper()
    return len(word.text) <= _LONGEST_COIN


def _ticks(elements: Sequence[Element]) -> int:
    return sum(element.kind is Kind.TICK for element in elements)


def _is_part_of_name(word: Element, elements: Sequence[Element]) -> bool:
    """Tell whether a dash or an underscore ties a word to its neighbour: my_tag is no coin."""
    return any(
        element.text == "-" and (element.end == word.start or element.start == word.end)
        for element in elements
    )


def _is_command(command: _Command) -> bool:
    """Tell whether the words hold a verb, or what to do with stop or targets."""
    said = command.said
    if said & {Meaning.CANCEL, Meaning.CLOSE}:
        return True
    if said & set(_SIDES):
        return Meaning.MOVE in said and bool(said & {Meaning.STOP, Meaning.TARGET})
    return bool(said & {Meaning.STOP, Meaning.TARGET, Meaning.EVEN})


def _read(command: _Command, setup_lines: Sequence[Line], original: str) -> SignalReading | None:
    """Return what a command says; None when its parts do not add up to one."""
    said = command.said
    verbs = said & {Meaning.CANCEL, Meaning.CLOSE}
    if len(verbs) > 1:
        return None
    base = SignalReading(text=original, kind=ReadingKind.CANCEL, position_side=_side(said))
    if Meaning.CANCEL in verbs:
        return _cancel(command, base)
    if Meaning.CLOSE in verbs:
        return _close(command, base)
    if Meaning.EVEN in said:
        return _to_entry(command, base)
    return _change(command, base, setup_lines)


def _side(said: AbstractSet[Meaning]) -> PositionSide | None:
    sides = [side for meaning, side in _SIDES.items() if meaning in said]
    return sides[0] if len(sides) == 1 else None


def _cancel(command: _Command, base: SignalReading) -> SignalReading | None:
    if command.said & {Meaning.STOP, Meaning.TARGET, Meaning.EVEN, Meaning.HALF} or _numbers(
        command
    ):
        return None
    return replace(base, is_everything=Meaning.ALL in command.said)


def _close(command: _Command, base: SignalReading) -> SignalReading | None:
    """Return a close, of a share where one is named, and along with it the stop to entry."""
    said = command.said
    moves = Meaning.STOP in said and Meaning.EVEN in said
    if said & {Meaning.STOP, Meaning.TARGET} and not moves:
        return None
    percents = [n.value for n in _numbers(command) if n.unit is Unit.PERCENT]
    if Meaning.EVEN in said and not moves and (Meaning.HALF in said or percents):
        return None
    share = _share(said, percents, command)
    if share is None:
        return None
    is_everything = Meaning.ALL in said and command.naming is None and share == _ONE and not moves
    return replace(
        base, kind=ReadingKind.CLOSE, share=share, is_everything=is_everything, is_to_entry=moves
    )


def _share(
    said: AbstractSet[Meaning], percents: Sequence[Decimal | None], command: _Command
) -> Decimal | None:
    """Return the fraction to close; None when it is not certain."""
    if Meaning.HALF in said:
        return _HALF if not percents else None
    before = _percents_before_profit(command)
    percents = [percent for percent in percents if percent not in before]
    if not percents:
        return _ONE
    first = percents[0]
    if len(percents) > 1 or first is None or not 0 < first <= _HUNDRED:
        return None
    return first / _HUNDRED


def _percents_before_profit(command: _Command) -> set[Decimal | None]:
    """Return the per cents that tell a profit: they stand in a row with that word."""
    profits: set[Decimal | None] = set()
    has_profit = False
    for element in command.elements:
        if element.kind is Kind.WORD:
            has_profit = has_profit or element.text in {"profit", "profits", "прибыль"}
        elif element.kind is Kind.NUMBER and has_profit:
            profits.add(element.value)
    return profits


def _to_entry(command: _Command, base: SignalReading) -> SignalReading | None:
    """Return a stop to the entry price; prices beside it make it something else."""
    said = command.said
    if not said & {Meaning.STOP, Meaning.MOVE} or _prices(command):
        return None
    if Meaning.TARGET in said and not _counts_only(command):
        return None
    if Meaning.STOP in said or "break" in _all_words(command):
        return replace(base, kind=ReadingKind.MOVE_STOP, is_to_entry=True)
    return None


def _all_words(command: _Command) -> str:
    return " ".join(e.text for e in command.elements if e.kind is Kind.WORD)


def _change(
    command: _Command, base: SignalReading, setup_lines: Sequence[Line]
) -> SignalReading | None:
    """Return a new stop price or new targets, read as a set-up reads its fields."""
    if not _prices(command) or Meaning.ALL in command.said or Meaning.HALF in command.said:
        return None
    sectioner = Sectioner()
    sectioner.read(setup_lines)
    if any(s.meaning is Meaning.ENTRY and s.levels for s in sectioner.sections):
        return None
    stop, targets = changed_levels(sectioner.sections)
    if targets:
        return replace(base, kind=ReadingKind.CHANGE, stop=stop, targets=targets)
    return replace(base, kind=ReadingKind.MOVE_STOP, stop=stop) if stop is not None else None


def _numbers(command: _Command) -> list[Element]:
    return [e for e in command.elements if e.kind is Kind.NUMBER and e.unit is not Unit.NONE]


def _prices(command: _Command) -> list[Element]:
    """Return the numbers that are no small counts, such as that of a target."""
    return [e for e in _numbers(command) if e.unit is Unit.PRICE and not _is_count(e)]


def _counts_only(command: _Command) -> bool:
    return all(_is_count(number) or number.unit is Unit.PERCENT for number in _numbers(command))


def _is_count(element: Element) -> bool:
    return element.text.isdigit() and int(element.text[:4]) <= _HIGHEST_COUNT


def _places(command: _Command) -> list[tuple[str, int, int]]:
    """Return where the parts of a command stand."""
    names = {
        Meaning.CANCEL: "cancel", Meaning.CLOSE: "close", Meaning.STOP: "stop",
        Meaning.TARGET: "targets", Meaning.HALF: "share", Meaning.EVEN: "entry",
    }  # fmt: skip
    places = [(names[e.meaning], e.start, e.end) for e in command.elements if e.meaning in names]
    if command.naming is not None:
        places.append(("symbol", command.naming.start, command.naming.end))
    return places

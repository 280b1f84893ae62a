"""Messages that change what is there already: close, move the stop, cancel, new targets."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.signals.command_parts import Command, counts_only, numbers_of, parts_of, prices_of
from milobot.signals.elements import Element, Kind, Line, Unit
from milobot.signals.naming import Symbols, check_symbol
from milobot.signals.phrases import COMMAND_VOCABULARY, fold_words
from milobot.signals.reading import ReadingKind, SignalReading
from milobot.signals.refusals import Reason, refuse
from milobot.signals.scan import scan
from milobot.signals.sections import Sectioner
from milobot.signals.setup import changed_levels, to_spans
from milobot.signals.text import Folded
from milobot.signals.vocabulary import COMMANDS, Meaning

_LONGEST = 200
_MOST_ELEMENTS = 40
_HUNDRED = Decimal(100)
_HALF = Decimal("0.5")
_ONE = Decimal(1)
_VERBS = frozenset({Meaning.CANCEL, Meaning.CLOSE, Meaning.MOVE})
_SIDES = {Meaning.LONG: PositionSide.LONG, Meaning.SHORT: PositionSide.SHORT}
_NOT_CANCELLED = frozenset({Meaning.STOP, Meaning.TARGET, Meaning.EVEN, Meaning.HALF})
_MOVABLE = frozenset({Meaning.STOP, Meaning.TARGET, Meaning.EVEN})
_FEW = 3
_DIRECTIONS = frozenset({Meaning.LONG, Meaning.SHORT, Meaning.BUY, Meaning.SELL})
_FIRST_WORDS = frozenset(
    word.split()[0] for verb in _VERBS for word in fold_words(COMMANDS[verb]) if word
)
_AT = frozenset({"at", "by", "@", "price"})
_ENTRIES = fold_words(
    "entry, entry price, entry point, open price, cost, the entry, your entry, вход, точку входа, "
    "уровень входа, ورود, نقطه ورود, einstieg, entrada, giris, giris seviyesi"
)


def read_command(
    folded: Folded, setup_lines: Sequence[Line], known: Symbols, original: str
) -> SignalReading | None:
    """Return the command that a short message is; None when it is none.

    Every word of a command must be understood: a question or a remark that holds
    the word close is no command.

    Raises:
        SignalFormatError: Its symbol or the levels it names are refused.
    """
    if _is_set_up(setup_lines):
        return None
    if _is_too_long(folded, setup_lines) or "?" in folded.text or "؟" in folded.text:
        return None
    command = parts_of(scan(folded.text, COMMAND_VOCABULARY), known)
    if command is None or command.strangers or not _is_command(command):
        return None
    reading = _read(command, setup_lines, original)
    if reading is None:
        return None
    symbol = check_symbol(command.naming, known) if command.naming is not None else None
    places = _places(command)
    return replace(reading, symbol=symbol, spans=to_spans(places, folded))


def _is_set_up(lines: Sequence[Line]) -> bool:
    """Tell whether a direction and no verb of a command stands in a message: no need to look on."""
    has_side = False
    for line in lines:
        for element in line:
            if element.kind is not Kind.WORD:
                continue
            if element.text.partition(" ")[0].lower() in _FIRST_WORDS:
                return False
            has_side = has_side or element.meaning in _DIRECTIONS
    return has_side


def _is_too_long(folded: Folded, lines: Sequence[Line]) -> bool:
    return len(folded.text) > _LONGEST or sum(map(len, lines)) > _MOST_ELEMENTS


def refuse_unclear_command(folded: Folded, known: Symbols) -> None:
    """Refuse a short message that begins like a command and is not one for certain.

    Raises:
        SignalFormatError: It does.
    """
    if len(folded.text) > _LONGEST or "?" in folded.text or "؟" in folded.text:
        return
    command = parts_of(scan(folded.text, COMMAND_VOCABULARY), known)
    if command is None or command.begins_with not in _VERBS or command.strangers > _FEW:
        return
    if command.begins_with is Meaning.MOVE and not command.said & _MOVABLE:
        return
    refuse(
        Reason.UNCLEAR_COMMAND,
        "It begins like a command, and it is not certain what it wants closed, moved or cancelled.",
    )


def _is_command(command: Command) -> bool:
    """Tell whether the words hold a verb, or what to do with stop or targets."""
    said = command.said
    if said & {Meaning.CANCEL, Meaning.CLOSE}:
        return True
    if said & set(_SIDES):
        return Meaning.MOVE in said and bool(said & {Meaning.STOP, Meaning.TARGET})
    return bool(said & {Meaning.STOP, Meaning.TARGET, Meaning.EVEN})


def _read(command: Command, setup_lines: Sequence[Line], original: str) -> SignalReading | None:
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


def _cancel(command: Command, base: SignalReading) -> SignalReading | None:
    """Return a cancellation; of a position it would be a close, so that is not certain."""
    if command.said & _NOT_CANCELLED or numbers_of(command):
        return None
    if command.has_word("position", "positions", "позицию", "позиции"):
        return None
    return replace(base, is_everything=Meaning.ALL in command.said and command.naming is None)


def _close(command: Command, base: SignalReading) -> SignalReading | None:
    """Return a close, of a share where one is named, and along with it the stop to entry."""
    said = command.said
    moves = Meaning.STOP in said and Meaning.EVEN in said
    if not _is_close(command, moves=moves):
        return None
    percents = [n.value for n in numbers_of(command) if n.unit is Unit.PERCENT]
    share = _share(said, percents, command)
    if share is None or (Meaning.EVEN in said and not moves and share != _ONE):
        return None
    is_everything = Meaning.ALL in said and command.naming is None and share == _ONE and not moves
    return replace(
        base, kind=ReadingKind.CLOSE, share=share, is_everything=is_everything, is_to_entry=moves
    )


def _is_close(command: Command, *, moves: bool) -> bool:
    """Tell whether a message with a verb of closing closes a position, and says nothing else.

    Orders are cancelled and not closed; a number that is neither a per cent nor
    a price behind ``at`` or ``by`` may be a quantity; ``BTC close`` may be a candle's.
    """
    said = command.said
    if command.has_word("order", "orders", "ордер", "ордера"):
        return False
    if said & {Meaning.STOP, Meaning.TARGET} and not moves:
        return False
    if command.begins_with is None:
        return False
    if Meaning.EVEN in said and Meaning.TO not in said and not moves:
        return False
    return all(_is_aside(command, number) for number in numbers_of(command))


def _is_aside(command: Command, number: Element) -> bool:
    """Tell whether a number in a close is its share, or only the price it happens at."""
    if number.unit is Unit.PERCENT:
        return True
    place = command.elements.index(number)
    before = command.elements[place - 1] if place else None
    return before is not None and (before.text in _AT or before.meaning is Meaning.TO)


def _share(
    said: AbstractSet[Meaning], percents: Sequence[Decimal | None], command: Command
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


def _percents_before_profit(command: Command) -> set[Decimal | None]:
    """Return the per cents that tell a profit: they stand in a row with that word."""
    profits: set[Decimal | None] = set()
    has_profit = False
    for element in command.elements:
        if element.kind is Kind.WORD:
            has_profit = has_profit or element.text in {"profit", "profits", "прибыль"}
        elif element.kind is Kind.NUMBER and has_profit:
            profits.add(element.value)
    return profits


def _to_entry(command: Command, base: SignalReading) -> SignalReading | None:
    """Return a stop to the entry price; prices beside it make it something else.

    ``Stop to entry``, ``stop b/e`` and ``set break-even`` are plain; ``stop entry`` is not.
    """
    said = command.said
    if not said & {Meaning.STOP, Meaning.MOVE} or not counts_only(command):
        return None
    is_even = any(e.meaning is Meaning.EVEN and e.text not in _ENTRIES for e in command.elements)
    is_told = Meaning.MOVE in said and (Meaning.STOP in said or is_even)
    is_moved = command.comes_before(Meaning.STOP, Meaning.EVEN) and (is_even or Meaning.TO in said)
    if not (is_told or is_moved) or command.has_word("order", "orders"):
        return None
    return replace(base, kind=ReadingKind.MOVE_STOP, is_to_entry=True)


def _change(
    command: Command, base: SignalReading, setup_lines: Sequence[Line]
) -> SignalReading | None:
    """Return a new stop price or new targets, read as a set-up reads its fields."""
    if not prices_of(command) or Meaning.ALL in command.said or Meaning.HALF in command.said:
        return None
    sectioner = Sectioner()
    sectioner.read(setup_lines)
    if any(s.meaning is Meaning.ENTRY and s.levels for s in sectioner.sections):
        return None
    stop, targets = changed_levels(sectioner.sections)
    if targets:
        return replace(base, kind=ReadingKind.CHANGE, stop=stop, targets=targets)
    return replace(base, kind=ReadingKind.MOVE_STOP, stop=stop) if stop is not None else None


def _places(command: Command) -> list[tuple[str, int, int]]:
    """Return where the parts of a command stand."""
    names = {
        Meaning.CANCEL: "cancel", Meaning.CLOSE: "close", Meaning.STOP: "stop",
        Meaning.TARGET: "targets", Meaning.HALF: "share", Meaning.EVEN: "entry",
    }  # fmt: skip
    places = [(names[e.meaning], e.start, e.end) for e in command.elements if e.meaning in names]
    if command.naming is not None:
        places.append(("symbol", command.naming.start, command.naming.end))
    return places

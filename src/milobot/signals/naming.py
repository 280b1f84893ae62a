"""Which market a message is about: exactly one, or it is refused."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from milobot.signals.elements import Element, Kind, Line
from milobot.signals.refusals import Reason, refuse
from milobot.signals.symbols import Naming, Strength, bare_coin, is_elsewhere, is_major
from milobot.signals.vocabulary import Meaning

# Taken out of their classes once: a look-up there costs more than what is done with it.
_WORD = Kind.WORD
_MARK = Kind.MARK

_SIDES = frozenset({Meaning.LONG, Meaning.SHORT, Meaning.BUY, Meaning.SELL})
_BETWEEN = frozenset({Meaning.FILLER, Meaning.SYMBOL, Meaning.MARKET})
_SHORTEST_WORD = 2

Symbols = AbstractSet[str] | None


def choose_naming(lines: Sequence[Line], known: Symbols) -> Naming | None:
    """Return the one market that a message names; None when it names none.

    A pair counts before a tag or a word beside a direction, that before a tag
    anywhere, that before a coin on a line of its own.

    Raises:
        SignalFormatError: The message names two.
    """
    named = list(_namings(lines))
    pairs = [naming for naming in named if naming.strength is Strength.PAIR]
    if len(pairs) == len(named) > 0:
        return _only(pairs)
    beside = [*_beside_sides(lines, known), *_labelled(lines, known)]
    if pairs:
        rivals = [naming for naming in beside if naming.strength is Strength.TAGGED]
        return _only([*pairs, *rivals])
    for namings in (beside, named, list(_alone(lines, known))):
        if namings:
            return _only(namings)
    return next(_elsewhere(lines), None)


def mark_name(lines: Sequence[Line], naming: Naming) -> None:
    """Let the word that was taken for the market count as its name from here on."""
    for line in lines:
        for element in line:
            if element.start == naming.start and element.kind is _WORD:
                element.kind, element.naming = Kind.NAME, naming


def check_symbol(naming: Naming, known: Symbols) -> str:
    """Return the symbol of a market that can be traded.

    Raises:
        SignalFormatError: It is not quoted in USDT, or not among the known symbols.
    """
    symbol = naming.symbol
    if not naming.is_tradable:
        refuse(
            Reason.NOT_TRADABLE,
            f"{symbol} is not traded here: only perpetual futures quoted in USDT are.",
        )
    if known is not None and symbol not in known:
        if is_elsewhere(symbol.removesuffix("USDT")):
            refuse(Reason.NOT_TRADABLE, f"{symbol} is not a perpetual of the exchange.")
        thousands = f"1000{symbol}"
        hint = f"; {thousands} is, at a thousand times the price" if thousands in known else ""
        refuse(Reason.UNKNOWN_SYMBOL, f"The exchange does not list {symbol}{hint}.")
    return symbol


def _only(namings: Sequence[Naming]) -> Naming:
    symbols = sorted({naming.symbol for naming in namings})
    if len(symbols) > 1:
        refuse(Reason.TWO_SYMBOLS, f"It names several markets: {', '.join(symbols[:4])}.")
    return namings[0]


def _namings(lines: Iterable[Line]) -> Iterator[Naming]:
    for line in lines:
        for element in line:
            if element.naming is not None:
                yield element.naming


def _beside_sides(lines: Sequence[Line], known: Symbols) -> Iterator[Naming]:
    """Yield tags and coins that stand beside a word of direction."""
    lonely = _only_unknown_word(lines)
    for line in lines:
        for place, element in enumerate(line):
            if element.meaning not in _SIDES:
                continue
            for neighbour in _neighbours(line, place):
                naming = neighbour.naming or _coin(neighbour, known, lonely)
                if naming is not None:
                    yield naming


def _neighbours(line: Line, place: int) -> Iterator[Element]:
    """Yield the words or names right before and after a word, over fillers and signs."""
    for row in (reversed(line[:place]), line[place + 1 :]):
        for element in row:
            if element.kind is _MARK or element.meaning in _BETWEEN:
                continue
            if element.kind in {_WORD, Kind.NAME}:
                yield element
            break


def _labelled(lines: Sequence[Line], known: Symbols) -> Iterator[Naming]:
    """Yield what follows a label such as ``Coin:``."""
    for line in lines:
        for place, element in enumerate(line[:-1]):
            if element.meaning is not Meaning.SYMBOL:
                continue
            after = [other for other in line[place + 1 :] if other.kind is not _MARK]
            if after and after[0].naming is not None:
                yield after[0].naming
            elif after and (naming := _coin(after[0], known, None)) is not None:
                yield naming


def _alone(lines: Sequence[Line], known: Symbols) -> Iterator[Naming]:
    """Yield coins that have a line of their own."""
    for line in lines:
        words = [element for element in line if element.kind is not _MARK]
        if len(words) == 1 and (naming := _coin(words[0], known, None)) is not None:
            yield naming


def _coin(element: Element, known: Symbols, lonely: Element | None) -> Naming | None:
    """Return the market that an unknown word names; in small letters only when that is certain."""
    word = element.text
    if element.kind is not _WORD or element.meaning is not None or len(word) < _SHORTEST_WORD:
        return None
    naming = bare_coin(word, element.start, element.end)
    if naming is None or not naming.is_tradable:
        return naming
    is_certain = (
        word.isupper()
        or is_major(word)
        or element is lonely
        or (known is not None and naming.symbol in known)
    )
    return naming if is_certain else None


def _only_unknown_word(lines: Iterable[Line]) -> Element | None:
    """Return the one word of a message that means nothing to us, when it is one."""
    unknown = [
        element
        for line in lines
        for element in line
        if element.kind is _WORD and element.meaning is None
    ]
    return unknown[0] if len(unknown) == 1 else None


def _elsewhere(lines: Iterable[Line]) -> Iterator[Naming]:
    for line in lines:
        for element in line:
            if element.kind is _WORD and is_elsewhere(element.text):
                yield Naming(
                    element.text.upper(), Strength.BARE, element.start, element.end,
                    is_tradable=False,
                )  # fmt: skip

"""From plain text to lines of elements, in one pass over the signs."""

import re
from collections.abc import Iterator, Sequence

from milobot.signals.elements import Element, Kind, Line
from milobot.signals.numbers import Convention, convention_of, parse_number, split_list
from milobot.signals.phrases import (
    VOCABULARY,
    Phrases,
    is_stop_with_slip,
    match_phrase,
    match_slip,
    meaning_of,
    split_glued,
)
from milobot.signals.symbols import Naming, find_pairs
from milobot.signals.text import INDEX_BASE
from milobot.signals.units import set_units

# Taken out of their classes once: a look-up there costs more than what is done with it.
_WORD = Kind.WORD
_MARK = Kind.MARK
_NUMBER = Kind.NUMBER

_TOKEN = re.compile(
    "(?P<n>(?<![0-9.\\w])\\.[0-9][0-9]*|[0-9](?!\u20e3)(?:[0-9.,'\u00a0](?!\u20e3))*)"
    "|(?P<w>[^\\W\\d_]+)"
    "|(?P<i>[0-9]\u20e3|[\ue001-\ue014])"
    "|(?P<t>[\u2713\u2611])"
    "|(?P<l>\n)"
    "|(?P<s>\x00+)"
    "|(?P<p>[^\\w\\s\u20e3]|_)"
)
_TRAILING = ".,'\u00a0"
# What programs put around a message: a picture's place, a reply's head, a link, a sender.
_WRAPPING = re.compile(
    r"\[ ?(?:photo|video|file|sticker|link|gif|in reply to[^\]\n]{0,80}|forwarded from[^\]\n]{0,80}) ?\]"
    r"|(?:https?://|www\.|t\.me/)[^\s]{1,300}|(?:by +|via +)?@[A-Za-z_][A-Za-z0-9_]{2,40}"
    r"|^[^\n]{0,80}, \[[0-9/.]{6,10},? [0-9:]{4,8}(?: ?[AP]M)?\]$",
    re.IGNORECASE | re.MULTILINE,
)
_MAY_BE_WRAPPED = re.compile(r"[\[@]|://|www\.|t\.me")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_JOINTS = frozenset({"-", "/", ".", "&", "'"})
_LONGEST_PHRASE = 5


def scan(text: str, phrases: Phrases = VOCABULARY) -> list[Line]:
    """Return the lines of a message in plain spelling, each a row of elements; none is empty text.

    Empty lines stay, as empty rows: they end lists.
    """
    if _MAY_BE_WRAPPED.search(text):
        text = _WRAPPING.sub(_blank, text)
    names = find_pairs(text)
    lines = _lines(_without(text, names), names)
    convention = convention_of(
        element.text for line in lines for element in line if element.kind is _NUMBER
    )
    return [_understand(line, text, convention, phrases) if line else line for line in lines]


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _without(text: str, names: Sequence[Naming]) -> str:
    """Return the text with each name of a market replaced, sign by sign, by a placeholder."""
    parts: list[str] = []
    end = 0
    for naming in names:
        parts += (text[end : naming.start], chr(0) * (naming.end - naming.start))
        end = naming.end
    return "".join((*parts, text[end:]))


def _lines(text: str, names: Sequence[Naming]) -> list[Line]:
    """Return the tokens of each line."""
    line: Line = []
    lines = [line]
    waiting = iter(names)
    for match in _TOKEN.finditer(text):
        group = match.lastgroup
        start, end = match.span()
        if group == "w":
            line.append(Element(_WORD, start, end, match.group()))
        elif group == "p":
            sign = match.group()
            line.append(Element(_MARK, start, end, "-" if sign == "_" else sign))
        elif group == "n":
            line.extend(_numbers(match.group(), start))
        elif group == "l":
            line = []
            lines.append(line)
        else:
            line.extend(_rare(match, waiting))
    return lines


def _rare(match: re.Match[str], names: Iterator[Naming]) -> Iterator[Element]:
    """Yield what a tick, a circled number or the placeholder of names stands for."""
    start, end, text = match.start(), match.end(), match.group()
    if match.lastgroup == "i":
        yield Element(Kind.INDEX, start, end, str(_index(text)))
    elif match.lastgroup == "t":
        yield Element(Kind.TICK, start, end, text)
    else:
        while start < end:  # names that touch each other are one row of placeholders
            naming = next(names)
            name = Element(Kind.NAME, naming.start, naming.end, "")
            name.naming = naming
            yield name
            start = naming.end


def _index(text: str) -> int:
    return int(text[0]) if text[0].isdigit() else ord(text) - INDEX_BASE


def _numbers(text: str, start: int) -> Iterator[Element]:
    if text.isdigit():
        yield Element(_NUMBER, start, start + len(text), text)
        return
    for place, part in split_list(text.rstrip(_TRAILING)):
        number = part.rstrip(_TRAILING)
        begin = start + place
        yield Element(_NUMBER, begin, begin + len(number), number)


def _understand(line: Line, text: str, convention: Convention, phrases: Phrases) -> Line:
    """Return the line with its words given their meaning and its numbers their value and unit."""
    line = _with_meanings(_unglued(line), phrases)
    depth, has_numbers = 0, False
    for element in line:
        if element.kind is _NUMBER:
            element.value = parse_number(element.text, convention)
            has_numbers = True
        elif element.kind is _MARK:
            depth = _depth(depth, element.text)
        element.depth = depth
    if has_numbers:
        set_units(line, text)
    return line


def _depth(depth: int, sign: str) -> int:
    """Return how many brackets are open after a sign."""
    if sign in _OPENING:
        return depth + 1
    return max(0, depth - 1) if sign in _CLOSING else depth


def _unglued(line: Line) -> Line:
    """Return the line with known words apart that had grown together."""
    result: Line = []
    for element in line:
        if element.kind is not _WORD or element.text.lower() in VOCABULARY:
            result.append(element)
            continue
        word = element.text
        parts = _times_and_word(element, result) if word[0] in "xX" else ()
        parts = parts or split_glued(word)
        if not parts:
            result.append(element)
        start = element.start
        for part in parts:
            result.append(Element(_WORD, start, start + len(part), part))
            start += len(part)
    return result


def _times_and_word(element: Element, before: Line) -> tuple[str, ...]:
    """Return the x of a leverage and the word that has grown to it: 10xEntry."""
    first, rest = element.text[0], element.text[1:]
    if not before or before[-1].end != element.start:
        return ()
    return (first, rest) if before[-1].kind is _NUMBER and meaning_of(rest.lower()) else ()


def _with_meanings(line: Line, phrases: Phrases) -> Line:
    """Return the line with the words of each phrase as one element that has its meaning."""
    result: Line = []
    place = 0
    while place < len(line):
        element = line[place]
        result.append(element)
        if element.kind is _WORD:
            place = _understand_word(line, place, phrases)
        place += 1
    return result


def _understand_word(line: Line, place: int, phrases: Phrases) -> int:
    """Give a word its meaning, along with the words of its phrase; return the last one's place."""
    element = line[place]
    word = element.text.lower()
    known = phrases.get(word)
    if known is None and not is_stop_with_slip(word):
        return place
    if known is not None and len(known) == 1 and not known[0][0]:
        element.text, element.meaning = word, known[0][1]
        return place
    run = _run(line, place)
    words = [line[at].text.lower() for at in run]
    found = match_phrase(words, 0, phrases) or match_slip(words)
    if found is None:
        return place
    element.meaning, count = found
    last = run[count - 1]
    element.text, element.end = " ".join(words[:count]), line[last].end
    return last


def _run(line: Line, place: int) -> list[int]:
    """Return the places of the words from ``place`` on that one phrase could hold."""
    run = [place]
    at = place + 1
    while at < len(line) and len(run) < _LONGEST_PHRASE:
        element = line[at]
        if element.kind is _MARK and element.text in _JOINTS:
            at += 1
            if at >= len(line) or line[at].kind is not _WORD:
                break
            element = line[at]
        if element.kind is not _WORD:
            break
        run.append(at)
        at += 1
    return run

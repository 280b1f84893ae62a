"""Finding phrases of the vocabulary in a row of words, however they are glued together."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from milobot.signals.text import fold
from milobot.signals.vocabulary import COMMANDS, TABLE, Meaning

_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_SHORTEST_GLUED = 6
_LONGEST_GLUED = 40
_REMEMBERED = 4096
_LONGEST_STOP = 5
_LOSS = frozenset({"loss", "los", "lose", "losses"})

Phrases = Mapping[str, Sequence[tuple[tuple[str, ...], Meaning]]]


def _phrases(table: Mapping[Meaning, str]) -> Phrases:
    """Return, for each first word, what may follow it and what the whole means, longest first."""
    found: dict[str, dict[tuple[str, ...], Meaning]] = {}
    for meaning, text in table.items():
        for phrase in fold(text.replace("\n", " ")).text.lower().split(","):
            first, *rest = phrase.split()
            found.setdefault(first, {}).setdefault(tuple(rest), meaning)
    return {
        first: sorted(rests.items(), key=lambda item: -len(item[0]))
        for first, rests in found.items()
    }


def fold_words(text: str) -> frozenset[str]:
    """Return the phrases of a table's entry in plain spelling."""
    plain = fold(text.replace("\n", " ")).text.lower()
    return frozenset(" ".join(phrase.split()) for phrase in plain.split(","))


VOCABULARY = _phrases(TABLE)
COMMAND_VOCABULARY = _phrases(COMMANDS)

LABELS = frozenset(
    {
        Meaning.ENTRY, Meaning.STOP, Meaning.TARGET, Meaning.LEVERAGE, Meaning.LONG, Meaning.SHORT,
        Meaning.BUY, Meaning.SELL, Meaning.RISK, Meaning.CROSS, Meaning.ISOLATED,
    }
)  # fmt: skip
"""Words that people glue to what stands before them, and that are never a coin."""


def match_phrase(
    words: Sequence[str], place: int, phrases: Phrases = VOCABULARY
) -> tuple[Meaning, int] | None:
    """Return what the longest phrase that begins at ``place`` means, and its number of words.

    >>> match_phrase(["take", "profit", "targets"], 0)
    (<Meaning.TARGET: 'targets'>, 3)
    """
    first = words[place]
    for rest, meaning in phrases.get(first, ()):
        if tuple(words[place + 1 : place + 1 + len(rest)]) == rest:
            return meaning, 1 + len(rest)
    return None


def is_stop_with_slip(word: str) -> bool:
    """Tell whether a word may be a stop with a slip: stol."""
    return word.startswith("sto") and len(word) <= _LONGEST_STOP


def match_slip(words: Sequence[str]) -> tuple[Meaning, int] | None:
    """Return the meaning of a stop loss with a slip in its first word, and its number of words.

    >>> match_slip(["stol", "loss"])
    (<Meaning.STOP: 'stop'>, 2)
    """
    if len(words) > 1 and is_stop_with_slip(words[0]) and words[1] in _LOSS:
        return Meaning.STOP, 2
    return None


def meaning_of(word: str) -> Meaning | None:
    """Return what a single word means by itself; None when it means nothing to us."""
    return next((meaning for rest, meaning in VOCABULARY.get(word, ()) if not rest), None)


@lru_cache(maxsize=_REMEMBERED)
def split_glued(word: str) -> tuple[str, ...]:
    """Return the known words that were glued together when line ends were lost, else nothing.

    >>> split_glued("SHORTLeverage")
    ('SHORT', 'Leverage')
    >>> split_glued("LONGLEVERAGE")
    ('LONG', 'LEVERAGE')
    >>> split_glued("Bitmex")
    ()
    """
    if not _SHORTEST_GLUED <= len(word) <= _LONGEST_GLUED:
        return ()
    parts = tuple(_PART.findall(word))
    if len(parts) > 1 and "".join(parts) == word and _are_known(parts):
        return parts
    for cut in range(2, len(word) - 1):
        if _is_label(word[:cut]) and _is_label(word[cut:]):
            return word[:cut], word[cut:]
    return ()


def _are_known(parts: tuple[str, ...]) -> bool:
    """Tell whether each part begins a phrase, and one of them is a field or a side."""
    return all(part.lower() in VOCABULARY for part in parts) and any(map(_is_label, parts))


def _is_label(word: str) -> bool:
    return meaning_of(word.lower()) in LABELS

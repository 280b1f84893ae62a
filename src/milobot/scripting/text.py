"""Makes text that a script controls fit for a terminal, a log and a page."""

import unicodedata

_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str, limit: int) -> str:
    r"""Return at most ``limit`` characters of ``text``, without any that command a display.

    Control characters (ANSI sequences begin with one), direction marks,
    surrogates and unassigned characters are dropped; a line break becomes a
    space, a longer text ends in an ellipsis.

    >>> clean("a\x1b[31m\nb\u202e", 20)
    'a[31m b'
    """
    head = text[: limit + 1]
    if not (head.isascii() and head.isprintable()):
        head = "".join(_shown(char) for char in head)
    return head if len(text) <= limit else head[: limit - 1] + "…"


def _shown(char: str) -> str:
    if char in "\n\t":
        return " "
    return "" if unicodedata.category(char) in _REFUSED else char

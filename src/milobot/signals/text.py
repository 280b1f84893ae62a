"""Plain text for the reader: one spelling for each sign, with the way back to the original."""

# ruff: noqa: RUF001, RUF002 - other alphabets are what this file is about

import re
import unicodedata

LONGEST = 4096
"""Characters of the longest message that is read: no Telegram message is longer."""

TICK = "\u2713"
BOX = "\u2611"
KEYCAP = "\u20e3"
INDEX_BASE = 0xE000
"""Circled numbers become private characters: this plus the number."""
AIM = "\ue020"
HALT = "\ue021"
"""What stands for the pictures that people set before targets and before a stop."""
GROUP_SPACE = "\u00a0"

_TICKS = "✅✔✓🗸"
_SPACES_IN_NUMBERS = "\u00a0\u202f\u2009\u2007"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_DINGBATS = ("❶❷❸❹❺❻❼❽❾❿", "➀➁➂➃➄➅➆➇➈➉", "➊➋➌➍➎➏➐➑➒➓")
_PLAIN = {
    "–": "-", "—": "-", "−": "-", "‒": "-", "―": "-", "‐": "-", "‑": "-", "~": "-", "〜": "-",
    "×": "x", "✕": "x", "✖": "x", "➝": " ", "’": "'", "‘": "'", "`": " ", "*": " ", "ı": "i",
    "ي": "ی", "ك": "ک", "٫": ".", "٬": ",", "،": ",", "：": ":", "\t": " ", "\v": "\n",
    "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n", "🔟": chr(INDEX_BASE + 10),
    "\n": "\n", "\r": "", KEYCAP: KEYCAP,
}  # fmt: skip
_CYRILLIC = "АВЕКМНОРСТУХІЅЈавекмнорстухіѕј"
_LATIN = "ABEKMHOPCTYXISJabekmhopctyxisj"
_LOOK_ALIKES = str.maketrans(_CYRILLIC, _LATIN)
_MOST_REMEMBERED = 8192

# What no honest message holds: control signs, and overrides that show digits in another order.
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e]")
_CYRILLIC_SIGN = re.compile("[\u0400-\u04ff]")
_RUN = re.compile("[A-Za-z0-9\u0400-\u04ff]+")
_LATIN_SIGN = re.compile("[A-Za-z]")
_TIMES = re.compile("[0-9]+[хХ]|[хХ][0-9]+")
_BASE_IN_CYRILLIC = re.compile(f"[{_CYRILLIC}0-9]{{2,12}}(?= ?[/_-] ?USDT)")


def _plain(sign: str) -> str:
    """Return what stands for one sign: nothing, a sign, or several."""
    if sign in _TICKS:
        return TICK
    if sign in _SPACES_IN_NUMBERS:
        return GROUP_SPACE
    kind = unicodedata.category(sign)
    if kind[0] == "N" and (digit := unicodedata.digit(sign, None)) is not None and kind == "Nd":
        return str(digit)
    if kind[0] in "MC" and sign != "\n":
        return " " if kind in {"Cs", "Co", "Cn"} else ""
    if kind[0] == "Z" or kind in {"So", "Sk", "No"}:
        return _compatible(sign) if kind in {"So", "No"} else " "
    return _compatible(sign)


def _compatible(sign: str) -> str:
    """Return the compatible letters without accents; a space for a picture."""
    letters = unicodedata.normalize("NFKD", sign)
    kept = "".join(letter for letter in letters if unicodedata.category(letter)[0] != "M")
    kind = unicodedata.category(sign)
    if kind == "No" and not kept.endswith((")", ".")):
        return "?"  # a power or a fraction: it must not become a digit of the number beside it
    return " " if kept == sign and kind == "So" else kept


class _Table(dict[int, str]):
    """What stands for each code point; worked out when first met."""

    def __missing__(self, code: int) -> str:
        """Work out a code point, and remember it unless too many are."""
        plain = _plain(chr(code))
        if len(self) < _MOST_REMEMBERED:
            self[code] = plain
        return plain


_TABLE = _Table(
    {ord(sign): plain for sign, plain in _PLAIN.items()}
    | {code: chr(code) for code in range(0x20, 0x7F) if chr(code) not in _PLAIN}
    | {
        ord(sign): chr(INDEX_BASE + place)
        for signs in (_CIRCLED, *_DINGBATS)
        for place, sign in enumerate(signs, start=1)
    }
    | {ord("☑"): BOX, ord("🎯"): AIM}
    | {ord(sign): HALT for sign in "⛔🛑🚫❌"}
)


class Folded:
    """A message in plain spelling.

    Attributes:
        text: What is left of the original; each sign has one spelling.
        original: The message as it came.
    """

    __slots__ = ("_offsets", "original", "text")

    def __init__(self, text: str, original: str) -> None:
        """Keep both spellings; where each sign stood is worked out when asked for."""
        self.text = text
        self.original = original
        self._offsets: list[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the plain text stands in the original."""
        if start >= end:
            return start, end
        if self._offsets is None:
            self._offsets = _offsets(self.original)
        return (self._offsets[start], self._offsets[end - 1] + 1) if self._offsets else (start, end)


def word_set(text: str) -> frozenset[str]:
    """Return the words of a block of text, as a table is easiest to read and to extend."""
    return frozenset(text.split())


def is_forbidden(text: str) -> bool:
    """Tell whether a message holds control signs or signs that reorder what is shown."""
    return _FORBIDDEN.search(text) is not None


def fold(text: str) -> Folded:
    """Return a message in plain spelling: digits, dashes, letters, spaces of one kind each.

    Invisible signs and accents go, pictures become spaces, ticks and circled numbers
    one sign each; Cyrillic letters that look Latin become Latin inside Latin words.

    >>> fold("ВТСUSDT  10х").text
    'BTCUSDT  10x'
    """
    if text.isascii():
        return Folded(text.translate(_TABLE) if _needs_folding(text) else text, text)
    plain = text.translate(_TABLE)
    if _CYRILLIC_SIGN.search(plain):
        plain = _RUN.sub(_latin_where_mixed, plain)
        plain = _BASE_IN_CYRILLIC.sub(_latin, plain)
    return Folded(plain, text)


def _needs_folding(text: str) -> bool:
    return any(sign in text for sign in "\t\v\f\r*`~")


def _offsets(text: str) -> list[int]:
    """Return where each plain sign comes from; nothing when all stand where they stood."""
    if text.isascii() and "\r" not in text:
        return []
    return [place for place, sign in enumerate(text) for _ in _TABLE[ord(sign)]]


def _latin_where_mixed(match: re.Match[str]) -> str:
    run = match.group()
    if _CYRILLIC_SIGN.search(run) is None:
        return run
    if _LATIN_SIGN.search(run) or _TIMES.fullmatch(run):
        return run.translate(_LOOK_ALIKES)
    return run


def _latin(match: re.Match[str]) -> str:
    return match.group().translate(_LOOK_ALIKES)

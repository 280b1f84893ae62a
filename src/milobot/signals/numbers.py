"""Numbers as people write them: what is certain becomes a Decimal, what is not stays unread."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

_LONGEST = 24
_FAR = 2
_GROUPED_BY_COMMA = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_GROUPED_BY_DOT = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
_GROUPED_BY_MARK = re.compile("[1-9][0-9]{0,2}(?:['\u00a0][0-9]{3})+(?:[.,][0-9]+)?")
_WITH_DOT = re.compile(r"\d*\.\d+|\d+")
_WITH_COMMA = re.compile(r"\d+,\d+")
_THOUSANDS_OR_DECIMALS = re.compile(r"[1-9]\d{0,2},\d{3}")
_DOT_OR_THOUSANDS = re.compile(r"[1-9]\d{0,2}\.\d{3}")


@dataclass(frozen=True, slots=True)
class Convention:
    """What the numbers of one message tell about its commas and dots.

    Attributes:
        has_decimal_comma: Some number can only be read with a decimal comma.
        has_decimal_dot: Some number can only be read with a decimal dot, or with
            a comma between thousands.
    """

    has_decimal_comma: bool = False
    has_decimal_dot: bool = False


def convention_of(texts: Iterable[str]) -> Convention:
    """Return what the numbers of a message, taken together, tell about commas and dots.

    >>> convention_of(["2,201.43", "2,097"]).has_decimal_dot
    True
    >>> convention_of(["0,0624"]).has_decimal_comma
    True
    """
    comma = dot = False
    for text in texts:
        if "," in text:
            comma = comma or _shows_decimal_comma(text)
            dot = dot or bool(_GROUPED_BY_COMMA.fullmatch(text) and _is_more_than_one(text))
        elif "." in text:
            comma = comma or bool(_GROUPED_BY_DOT.fullmatch(text) and text.count(".") > 1)
            dot = dot or bool(_WITH_DOT.fullmatch(text) and not _DOT_OR_THOUSANDS.fullmatch(text))
    return Convention(comma, dot)


def _shows_decimal_comma(text: str) -> bool:
    if "." in text:
        return bool(_GROUPED_BY_DOT.fullmatch(text))
    if _THOUSANDS_OR_DECIMALS.fullmatch(text) or _may_be_two(text):
        return False
    return bool(_WITH_COMMA.fullmatch(text))


def _may_be_two(text: str) -> bool:
    """Tell whether a comma may as well stand between two prices: ``31,32``."""
    if not _WITH_COMMA.fullmatch(text):
        return False
    first, second = text.split(",")
    if second.startswith("0") or len(first) != len(second):
        return False
    return int(first) < _FAR * int(second) and int(second) < _FAR * int(first)


def _is_more_than_one(text: str) -> bool:
    """Tell whether a number grouped by commas shows more than one group mark or a dot."""
    return text.count(",") > 1 or "." in text


def parse_number(text: str, convention: Convention) -> Decimal | None:
    """Return a number; None when it could be read in two ways, or in none.

    >>> parse_number("0,0624", Convention())
    Decimal('0.0624')
    >>> parse_number("1,880", Convention()) is None
    True
    >>> parse_number("1,880", Convention(has_decimal_dot=True))
    Decimal('1880')
    """
    if len(text) > _LONGEST:
        return None
    if _GROUPED_BY_MARK.fullmatch(text):
        return Decimal(re.sub("['\u00a0]", "", text).replace(",", "."))
    if "," not in text:
        return _parse_dotted(text, convention)
    if convention.has_decimal_comma and convention.has_decimal_dot:
        return None
    return _parse_with_comma(text, convention)


def _parse_dotted(text: str, convention: Convention) -> Decimal | None:
    if text.count(".") > 1:
        return Decimal(text.replace(".", "")) if _GROUPED_BY_DOT.fullmatch(text) else None
    if convention.has_decimal_comma and _DOT_OR_THOUSANDS.fullmatch(text):
        return None if convention.has_decimal_dot else Decimal(text.replace(".", ""))
    return Decimal(text) if _WITH_DOT.fullmatch(text) else None


def _parse_with_comma(text: str, convention: Convention) -> Decimal | None:
    if _GROUPED_BY_COMMA.fullmatch(text) and _is_more_than_one(text):
        return Decimal(text.replace(",", ""))
    if _GROUPED_BY_DOT.fullmatch(text):
        return Decimal(text.replace(".", "").replace(",", "."))
    if not _WITH_COMMA.fullmatch(text):
        return None
    with_dot = Decimal(text.replace(",", "."))
    if _THOUSANDS_OR_DECIMALS.fullmatch(text):
        if convention.has_decimal_dot:
            return Decimal(text.replace(",", ""))
        return with_dot if convention.has_decimal_comma else None
    # Where dots are decimal, a second way to write decimals is a list, or a slip.
    is_unsure = _may_be_two(text) and not convention.has_decimal_comma
    return None if is_unsure or convention.has_decimal_dot else with_dot


def split_list(text: str) -> list[tuple[int, str]]:
    """Return the numbers in a run of digits, dots and commas, each with its place.

    Commas without a space separate a list where they cannot belong to one number.

    >>> split_list("42.20,43.00,43.80")
    [(0, '42.20'), (6, '43.00'), (12, '43.80')]
    >>> split_list("1,234.5")
    [(0, '1,234.5')]
    """
    if "," not in text or _is_one_number(text):
        return [(0, text)]
    parts: list[tuple[int, str]] = []
    place = 0
    for part in text.split(","):
        if part:
            parts.append((place, part))
        place += len(part) + 1
    return parts


def _is_one_number(text: str) -> bool:
    patterns = (_GROUPED_BY_COMMA, _GROUPED_BY_DOT, _GROUPED_BY_MARK, _WITH_COMMA)
    return any(pattern.fullmatch(text) for pattern in patterns)

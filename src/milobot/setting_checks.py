"""What a user may get wrong around settings: misspelt names, malformed secrets, files all may read."""

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from pydantic import SecretStr

_NAME = re.compile(r"[A-Z][A-Z0-9_]{5,63}")
_LONG = 12
"""From this length on two slips still leave a name that is hardly another one by chance."""
_OURS = ("BINANCE", "BINGX", "TELEGRAM", "TRADING")
"""First words that no other program misspells."""
_ELSEWHERE = frozenset({"LOGLEVEL"})
"""Names of other programs that are close to one of ours."""
_OTHERS = stat.S_IROTH | stat.S_IWOTH


def misspelt(names: Iterable[str], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that is none of the known ones and very like one, and that one.

    A limit that nobody reads limits nothing. One whose right name is there too is an old
    one, and left alone.

        >>> list(misspelt(["BINANCE_API_KYE", "PATH"], ["BINANCE_API_KEY"]))
        [('BINANCE_API_KYE', 'BINANCE_API_KEY')]
    """
    there = {name.upper() for name in names}
    missing = [name for name in known if name not in there]
    for name in sorted(there - set(known) - _ELSEWHERE):
        if _NAME.fullmatch(name) and (meant := _meant(name, missing)) is not None:
            yield name, meant


def match_secret(value: SecretStr | None, *forms: re.Pattern[str]) -> SecretStr | None:
    """Return a secret without blanks around it; None stays None.

    Raises:
        ValueError: It has none of the forms.
    """
    if value is None:
        return None
    text = value.get_secret_value().strip()
    if not any(form.fullmatch(text) for form in forms):
        raise ValueError("another form")
    return SecretStr(text)


def open_to_all(path: Path) -> str:
    """Return why a file keeps no secret; empty when it does.

    On a read-only mount, as a container is given its secrets, the mode is not the user's to
    choose.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & _OTHERS or os.statvfs(path).f_flag & os.ST_RDONLY:
        return ""
    return f"can be read or changed by everybody on this machine (mode {mode:04o})"


def _meant(name: str, known: Iterable[str]) -> str | None:
    close = [(_slips(name, one), one) for one in known if _may_be_close(name, one)]
    slips, meant = min(close, default=(len(name), ""))
    if slips <= _allowed(name):
        return meant
    return _meant_by_first_word(name, known)


def _meant_by_first_word(name: str, known: Iterable[str]) -> str | None:
    """Return the nearest name whose first word is misspelt in this one, such as TRADNG_MODE."""
    first = name.partition("_")[0]
    for word in _OURS:
        if first != word and _may_be_close(first, word) and _slips(first, word) == 1:
            likely = [(_slips(name, one), one) for one in known if one.startswith(f"{word}_")]
            return min(likely, default=(0, None))[1]
    return None


def _allowed(name: str) -> int:
    return 2 if len(name) >= _LONG else 1


def _may_be_close(one: str, other: str) -> bool:
    """Return whether counting slips is worth the while."""
    return abs(len(one) - len(other)) <= 2 and len(set(one) ^ set(other)) <= 4  # noqa: PLR2004 - what two slips can change


def _slips(one: str, other: str) -> int:
    """Return how many letters are missing, too many, wrong, or exchanged with their neighbour.

    The optimal string alignment distance, see
    https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, start=1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted):
                least = min(least, last[j - 2] + 1)
            row.append(least)
    return row[-1]

"""What a script prints: always formatted, kept only at both ends of a run, and cut."""

from collections import deque
from collections.abc import Iterator

from milobot.scripting.text import clean

MAX_CHARACTERS = 500
KEPT_FIRST = 50
KEPT_LAST = 200


class PrintLog:
    """Lines printed during one evaluation.

    Attributes:
        index: The current candle, counted from the anchor.
        count: Number of lines printed, kept or not.
    """

    __slots__ = ("_first", "_last", "count", "index")

    def __init__(self) -> None:
        """Begin empty."""
        self.index = 0
        self.count = 0
        self._first: list[tuple[int, str]] = []
        self._last: deque[tuple[int, str]] = deque(maxlen=KEPT_LAST)

    def print(self, *values: object, sep: str | None = None, end: str | None = None) -> None:
        """Take one line, as the built-in ``print`` would write it."""
        if sep is not None or end is not None:
            _check("sep", sep)
            _check("end", end)
        text = (
            str(values[0])
            if len(values) == 1
            else (" " if sep is None else sep).join(map(str, values))
        )
        if end is not None and end != "\n":
            text += end
        self.count += 1
        line = (self.index, text[: MAX_CHARACTERS + 1])
        if self.count <= KEPT_FIRST:
            self._first.append(line)
        else:
            self._last.append(line)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield candle and cleaned text of each kept line."""
        for index, text in (*self._first, *self._last):
            yield index, clean(text, MAX_CHARACTERS)


def _check(name: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"print: {name} is a text, not {type(value).__name__}")

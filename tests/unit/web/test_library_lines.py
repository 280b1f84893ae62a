"""What the server's library may say, and how often."""

import logging

from milobot.web.library_lines import SparingFilter


class Wire:
    """A filter with a clock that stands still until it is moved."""

    def __init__(self) -> None:
        """Begin anywhere, with nothing said."""
        self.now_s = 1000.0
        self._filter = SparingFilter(monotonic=lambda: self.now_s)

    def said(self, text: str, line: int = 1, level: int = logging.WARNING) -> str:
        """Return what is written of a line that one place in a library logs; empty for nothing."""
        record = logging.LogRecord("lib", level, "protocol.py", line, text, ("a",), None)
        return record.getMessage() if self._filter.filter(record) else ""


def test_a_place_warns_once_a_minute_and_says_how_often_it_was_left_out() -> None:
    """A thousand lines a second tell no more than one with their number."""
    wire = Wire()

    assert wire.said("bad 100%% of %s") == "bad 100% of a"
    assert [wire.said("bad 100%% of %s") for _ in range(1000)] == [""] * 1000
    wire.now_s += 61
    assert wire.said("bad 100%% of %s") == "bad 100% of a (1000 more such lines were left out)"
    wire.now_s += 61
    assert wire.said("bad 100%% of %s") == "bad 100% of a"


def test_another_place_and_every_error_have_their_say() -> None:
    """What matters must not be lost among what does not."""
    wire = Wire()

    assert wire.said("%s") == "a"
    assert wire.said("%s", line=2) == "a"
    assert [wire.said("%s", level=logging.ERROR) for _ in range(3)] == ["a"] * 3

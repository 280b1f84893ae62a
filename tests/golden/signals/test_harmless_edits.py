"""What changes the looks of a recorded message changes nothing of its reading, or it is refused."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.support import signal_score
from tests.support.shared_data import shared_file

from milobot.domain.intents import PositionSide
from milobot.signals.reader import read
from milobot.signals.reading import ReadingKind, SignalReading

_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if chr(code) not in "@[]*_"}
_BOLD = {code: code + 0x1D400 - 0x41 for code in range(0x41, 0x5B)} | {
    code: code + 0x1D41A - 0x61 for code in range(0x61, 0x7B)
}
_LOOK_ALIKES = str.maketrans("ABEKMHOPCTXx", "АВЕКМНОРСТХх")  # noqa: RUF001 - the Cyrillic twins


def _joined(text: str, between: str) -> str:
    return re.sub(r"(\d) ?- ?(\d)", rf"\1{between}\2", text)


EDITS: dict[str, Callable[[str], str]] = {
    "one line": lambda text: text.replace("\n", " "),
    "line ends lost": lambda text: text.replace("\n", ""),
    "capital letters": str.upper,
    "small letters": str.lower,
    "empty lines": lambda text: text.replace("\n", "\n\n"),
    "no empty lines": lambda text: re.sub("\n+", "\n", text),
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "hard spaces": lambda text: text.replace(" ", "\u00a0"),
    "spaces at line ends": lambda text: re.sub(r"(?m)$", "  ", text),
    "other dashes": lambda text: text.replace("-", "\u2013"),
    "dashes for colons": lambda text: text.replace(":", " -"),
    "equals for colons": lambda text: text.replace(":", " ="),
    "no colons": lambda text: text.replace(":", " "),
    "slashes": lambda text: _joined(text, " / "),
    "commas": lambda text: _joined(text, ", "),
    "bold": lambda text: re.sub(r"(?m)^(.+)$", r"**\1**", text),
    "no pictures": lambda text: re.sub(r"[^\w\s.,:/$#%()+\-@&]", "", text),
    "lines turned round": lambda text: "\n".join(reversed(text.split("\n"))),
    "full-width letters": lambda text: text.translate(_FULL_WIDTH),
    "mathematical letters": lambda text: text.translate(_BOLD),
    "Cyrillic twins": lambda text: re.sub(r"[A-Z]{2,}/?USDT", lambda m: m[0].translate(_LOOK_ALIKES)[:-4] + "USDT", text),
    "invisible signs": lambda text: re.sub(r"([A-Za-z])(?=[A-Za-z])", "\\1\u200b", text),
    "a greeting": lambda text: "Hello traders, here is our next one\n\n" + text,
    "a farewell": lambda text: text + "\n\nGood luck everyone, manage your risk well!\nby @someone",
    "the current price": lambda text: text + "\n\nCurrent price: 12345",
}  # fmt: skip

Core = tuple[str | None, PositionSide | None, list[Decimal], Decimal | None, list[Decimal]]


def _core(reading: SignalReading) -> Core:
    assert reading.entry is not None
    stop = reading.stop.price if reading.stop else None
    targets = [target.price for target in reading.targets]
    return reading.symbol, reading.position_side, sorted(reading.entry.prices), stop, targets


@pytest.fixture(scope="module", name="set_ups")
def read_once() -> list[SignalReading]:
    """Return the readings of the recorded set-ups as they are."""
    rows: list[dict[str, Any]] = signal_score.load_messages(shared_file("signals/signals.jsonl"))
    readings = [read(row["text"]) for row in rows]
    return [reading for reading in readings if reading.kind is ReadingKind.SETUP]


@pytest.mark.parametrize("name", EDITS)
def test_edit_leaves_the_reading_or_takes_it(set_ups: list[SignalReading], name: str) -> None:
    """A channel that changes its layout must not change what we trade; a refusal is no harm."""
    again = [(read(EDITS[name](before.text)), before) for before in set_ups]
    still = [(after, before) for after, before in again if after.kind is ReadingKind.SETUP]

    assert [(a.text, _core(a)) for a, b in still if _core(a) != _core(b)] == []
    assert len(still) > 0.7 * len(set_ups) > 80

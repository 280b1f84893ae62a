"""docs/signals.md is true: each message in it is read as it says, each code exists."""

import re
from pathlib import Path

import pytest

from milobot.signals.profile_toml import parse_profile
from milobot.signals.reader import read
from milobot.signals.reading import SignalReading
from milobot.signals.refusals import Reason
from milobot.signals.words import fields_of

DOCUMENT = (Path(__file__).parents[3] / "docs" / "signals.md").read_text(encoding="utf-8")


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", DOCUMENT, re.DOTALL)


def _described(reading: SignalReading) -> str:
    if reading.code:
        return f"{reading.kind.value}: {reading.code}"
    fields = "; ".join(f"{name} {value}" for name, value in fields_of(reading))
    return f"{reading.kind.value}: {fields}"


@pytest.mark.parametrize("block", _blocks("signal"))
def test_example_is_read_as_the_document_says(block: str) -> None:
    """A trader learns from these what a channel's messages will do with the account."""
    message, _, expected = block.strip().rpartition("\n=> ")

    assert _described(read(message)) == expected


def test_table_lists_each_reason_code_and_no_other() -> None:
    """Whoever meets a code in the records looks it up there."""
    table = DOCUMENT.split("## Reason codes")[1].split("## Profiles")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    codes = {code for row in rows for code in re.findall(r"`(\w+)`", row)}

    assert codes == set(Reason)


def test_profile_of_the_document_is_one() -> None:
    """It is what people start their own from."""
    profile = parse_profile(_blocks("toml")[0], "docs/signals.md")

    assert profile.leverage_cap == 10
    assert profile.break_even_after == 1

"""What the script language refuses: each with its place and what to write instead."""

import json
from pathlib import Path

import pytest

from milobot.errors import ScriptForbiddenError
from milobot.scripting.language import parse_source

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "golden/scripting/forbidden.jsonl")
    .read_text()
    .splitlines()
]


def test_table_is_complete() -> None:
    """A table that lost its rows would pass silently."""
    assert len(ROWS) >= 100


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["source"][:40].encode("unicode_escape"))
def test_refused_with_place_and_advice(row: dict[str, object]) -> None:
    """An author learns in one sentence what is wrong, where, and what to do about it."""
    with pytest.raises(ScriptForbiddenError) as caught:
        parse_source(str(row["source"]))

    assert (caught.value.line, caught.value.column) == (row["line"], row["column"])
    assert caught.value.reason == row["reason"]

"""Whatever a worker sends back: understood completely, or refused in one sentence."""

from typing import Any

import pytest

from milobot.errors import DataError, MilobotError, ScriptError, ScriptForbiddenError
from milobot.scripting.answers import read_error, read_evaluation, read_info, read_place
from milobot.scripting.protocol import (
    LENGTHS,
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    decode_header,
    decode_lengths,
    encode,
)

INFO: dict[str, Any] = {
    "timeframe": "1h",
    "coin": "BTCUSDT",
    "texts": ["long(1usdt)", "close"],
    "parameters": {"p": 1, "q": "x"},
}
USE: dict[str, Any] = {
    "name": "calculate_sma",
    "settings": [2.0],
    "is_direct": True,
    "first_index": 1,
    "settled_after": 1,
    "available": 9,
}
RESULT: dict[str, Any] = {
    "start": 5,
    "errors": [{"index": 6, "line": 1, "column": 2, "reason": "no"}],
    "prints": [[5, "hello"]],
    "print_count": 1,
    "indicators": [USE],
}


def test_true_answers_pass() -> None:
    """The refusals below mean something only if this passes."""
    assert read_info(INFO).parameters == {"p": 1, "q": "x"}
    result = read_evaluation(RESULT, b"\x00\x03", 5, 7)
    assert result.codes.tolist() == [0, 3]
    assert result.prints[0].text == "hello"
    assert result.indicators[0].settings == (2.0,)


@pytest.mark.parametrize(
    "change",
    [
        {"timeframe": "9h"},
        {"timeframe": 1},
        {"coin": "BTC\x1b[2J"},
        {"coin": ""},
        {"coin": "A" * 1000},
        {"texts": ["long(1usdt)"]},
        {"texts": ["long(1usdt)", 5]},
        {"texts": ["long(1e9usdt)", "close"]},
        {"texts": ["long(1usdt)", "close"] * 50},
        {"texts": "ab"},
        {"parameters": {"a b": 1}},
        {"parameters": {"__class__": 1}},
        {"parameters": {"p": [1]}},
        {"parameters": {"p": None}},
        {"parameters": {f"p{n}": n for n in range(1001)}},
        {"parameters": []},
    ],
)
def test_false_info_is_refused(change: dict[str, object]) -> None:
    """A script that took its worker over must not choose what the bot believes."""
    with pytest.raises(MilobotError):
        read_info(INFO | change)


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({}, b"\x00"),
        ({}, b"\x00\x01\x02"),
        ({}, b"\x00\x04"),
        ({}, b"\x00\xff"),
        ({"start": 4}, b"\x00\x00"),
        ({"start": True}, b"\x00\x00"),
        ({"start": 5.0}, b"\x00\x00"),
        ({"errors": None}, b"\x00\x00"),
        ({"errors": [RESULT["errors"][0]] * 101}, b"\x00\x00"),
        ({"errors": [{"index": 7, "line": 1, "column": 2, "reason": "no"}]}, b"\x00\x00"),
        ({"errors": [{"index": 6, "line": -1, "column": 2, "reason": "no"}]}, b"\x00\x00"),
        ({"errors": [{"index": 6, "line": 1, "column": 2, "reason": 5}]}, b"\x00\x00"),
        ({"errors": [[]]}, b"\x00\x00"),
        ({"prints": [[4, "x"]]}, b"\x00\x00"),
        ({"prints": [[5, "x", "y"]]}, b"\x00\x00"),
        ({"prints": [[5, "x"]] * 251}, b"\x00\x00"),
        ({"prints": [["5", "x"]]}, b"\x00\x00"),
        ({"print_count": -1}, b"\x00\x00"),
        ({"print_count": 10**400}, b"\x00\x00"),
        ({"indicators": [USE | {"name": "os.system"}]}, b"\x00\x00"),
        ({"indicators": [USE | {"settings": [float("inf")]}]}, b"\x00\x00"),
        ({"indicators": [USE | {"settings": [10**400]}]}, b"\x00\x00"),
        ({"indicators": [USE | {"settings": [True]}]}, b"\x00\x00"),
        ({"indicators": [USE | {"settings": [1.0] * 6}]}, b"\x00\x00"),
        ({"indicators": [USE | {"first_index": -1}]}, b"\x00\x00"),
        ({"indicators": {}}, b"\x00\x00"),
    ],
)
def test_false_decisions_are_refused(change: dict[str, object], body: bytes) -> None:
    """Two candles were asked about: two codes and facts about those two, nothing else."""
    with pytest.raises(ScriptError, match="not understood"):
        read_evaluation(RESULT | change, body, 5, 7)


def test_texts_are_cut_and_cleaned_on_this_side_too() -> None:
    """The worker cleans its prints; one that does not gains nothing."""
    prints = [[5, "\x1b[31m" + "x" * 9000 + "\u202e"]]

    text = read_evaluation(RESULT | {"prints": prints}, b"\x00\x00", 5, 7).prints[0].text

    assert len(text) == 500
    assert text.startswith("[31mxxx")


@pytest.mark.parametrize("error", [None, [], {"reason": 1}, {"reason": "x", "line": "1"}])
def test_false_error_is_refused(error: object) -> None:
    """Even a failure is read with care."""
    with pytest.raises(ScriptError, match="not understood"):
        read_error(error)
    with pytest.raises(ScriptError, match="not understood"):
        read_place(error)


def test_error_keeps_class_place_and_three_lines() -> None:
    """A caret needs its line breaks; a page of text is not a reason."""
    fields = {"kind": "forbidden", "reason": "a\nb\nc\nd\ne", "line": 3, "column": 4}

    error = read_error(fields)

    assert isinstance(error, ScriptForbiddenError)
    assert (error.reason, error.line, error.column) == ("a\nb\nc", 3, 4)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"1", b"{", b'{"a": NaN}', b'{"a": Infinity}', b"\xff", b"[" * 100_000]
)
def test_header_that_is_no_object_is_refused(text: bytes) -> None:
    """JSON of any depth or kind, or none at all, ends in the same sentence."""
    with pytest.raises(DataError):
        decode_header(text)


@pytest.mark.parametrize(
    ("header", "body"), [(MAX_HEADER_BYTES + 1, 0), (0, MAX_BODY_BYTES + 1), (2**32 - 1, 2**32 - 1)]
)
def test_lying_lengths_cost_no_memory(header: int, body: int) -> None:
    """The length is checked before a byte is read."""
    with pytest.raises(DataError, match="too large"):
        decode_lengths(LENGTHS.pack(header, body))


def test_frames_too_large_to_read_are_not_written() -> None:
    """What the other side would refuse is refused here."""
    with pytest.raises(DataError, match="too large"):
        encode({}, bytes(MAX_BODY_BYTES + 1))

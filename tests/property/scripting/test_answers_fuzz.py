"""True answers of a worker, broken at random: read, or refused in one sentence, never a crash.

A sample in the suite, a million in ``make prove-scripts``. Each case goes the
way of hostile bytes: pipe, frame, JSON, reader.
"""

import json
import math
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from tests.support.campaign import size

from milobot.errors import MilobotError
from milobot.scripting.answers import read_error, read_evaluation, read_info, read_place
from milobot.scripting.lock_levels import read_report
from milobot.scripting.pool_channel import FrameBuffer
from milobot.scripting.prints import MAX_CHARACTERS
from milobot.scripting.protocol import LENGTHS
from milobot.scripting.results import Evaluation, ScriptInfo

CASES = size(20_000, 1_000_000)
START, STOP = 5, 8
CODES = b"\x00\x01\x03"

INFO = {
    "timeframe": "1h",
    "coin": "BTCUSDT",
    "texts": ["long(1%risk@10x,sl=2%,rr=3)", "close"],
    "parameters": {"period": 14, "level": 1.5, "name": "x", "is_on": True},
}
EVALUATION = {
    "start": START,
    "errors": [{"index": 6, "line": 1, "column": 2, "reason": "no\n  text\n  ^"}],
    "prints": [[5, "hello"], [7, "1.0 [2, 3]"]],
    "print_count": 2,
    "indicators": [
        {
            "name": "calculate_macd",
            "settings": [12.0, 26.0, 9.0],
            "is_direct": True,
            "first_index": 33,
            "settled_after": 250,
            "available": 5000,
        }
    ],
}
ERROR = {"error": {"kind": "timeout", "reason": "", "line": 3, "column": 1, "index": 7}}
REPORT = {"ready": True, "level": "partial", "failed": {"landlock": "ENOSYS"}}

NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**53 + 1, 2**63, -(2**63), 10**400, 0.0, -0.0, 1.5,
    1e308, 5e-324, "", "a", "\x00", "\x1b[2J", "\ud800", "\udfff\ud800", "\u202e", "\u2028", "é", "\uff11",
    "1h", "1M", "close", "donothing", "long(1usdt)", "long(1e9usdt)", "calculate_rsi", "__class__",
    "constructor", "landlock", "a" * 501, "\n" * 50, "💥" * 300, [], {}, [[]], [[[[]]]], [None] * 300,
    [[5, "x"]] * 260, {"": None}, {"a": {"b": {"c": []}}}, {f"k{n}": n for n in range(1001)},
    [0.5, -0.5], ["close", "close"], [5, "x", 5], {"index": 5}, {"reason": "x"},
)  # fmt: skip
NASTY_TEXTS = tuple(map(json.dumps, NASTY))
RAW = (b"1e999", b"-1e999", b"NaN", b"Infinity", b"[" * 3000, b'{"a":' * 2000, b"9" * 5000, b"0x1",
       b"\xff\xfe", b"\\ud83d", b'"\\u0000"', b"01", b"1.", b"//", b"/**/", b"'a'", b"\xc0\x80")  # fmt: skip

Reader = Callable[[dict[str, object], bytes], object]
READERS: tuple[tuple[dict[str, Any], bytes, Reader], ...] = (
    (INFO, b"", lambda header, _: read_info(header)),
    (EVALUATION, CODES, lambda header, body: read_evaluation(header, body, START, STOP)),
    (EVALUATION, CODES, lambda header, body: read_evaluation(header, body, START, STOP)),
    (ERROR, b"", lambda header, _: read_error(header.get("error"))),
    (ERROR, b"", lambda header, _: read_place(header.get("error"))),
    (REPORT, b"", lambda header, _: read_report(header)),
)


def test_broken_answer_is_read_or_refused() -> None:
    """A script that took its worker over writes what it likes: the bot must neither fall nor err."""
    chance = Random(20_261_121)  # noqa: S311 - no secret
    ends: Counter[str] = Counter()
    for case in range(CASES):
        answer, body, reader = chance.choice(READERS)
        frame = _broken_frame(chance, answer, body)
        try:
            received = _receive(chance, frame)
            if received is None:
                ends["waits"] += 1
                continue
            result = reader(*received)
        except MilobotError as exc:
            _check_sentence(exc)
            ends["refused"] += 1
        except Exception as exc:
            raise AssertionError((case, frame)) from exc
        else:
            _check(result)
            ends["read"] += 1

    assert min(ends["waits"], ends["refused"], ends["read"]) > CASES // 100, ends


def _receive(chance: Random, frame: bytes) -> tuple[dict[str, object], bytes] | None:
    """Return what comes out of the pipe, which may cut a frame anywhere."""
    buffer = FrameBuffer()
    buffer.expect(STOP - START)
    cut = chance.randint(0, len(frame))
    first = buffer.feed(frame[:cut])
    return buffer.feed(frame[cut:]) if first is None else first


def _check(result: object) -> None:
    """An answer that was read keeps every promise of its type."""
    if isinstance(result, Evaluation):
        assert result.codes.shape == (STOP - START,)
        assert set(result.codes.tolist()) <= {0, 1, 2, 3}
        places = [fault.index for fault in result.errors] + [line.index for line in result.prints]
        assert all(START <= place < STOP for place in places)
        texts = [line.text for line in result.prints] + [
            part for fault in result.errors for part in fault.reason.split("\n")
        ]
        assert all(len(text) <= MAX_CHARACTERS and _is_clean(text) for text in texts)
        assert all(math.isfinite(number) for use in result.indicators for number in use.settings)
        assert result.warm_up >= 0
        assert all(map(_is_clean, result.warnings))
    elif isinstance(result, ScriptInfo):
        assert result.coin.isascii()
        assert all(map(_is_clean, result.texts))
        for name, value in result.parameters.items():
            assert name.isidentifier()
            assert not isinstance(value, str) or _is_clean(value)
            assert isinstance(value, str) or math.isfinite(value)
    elif isinstance(result, Exception):
        _check_sentence(result)


def _check_sentence(error: Exception) -> None:
    text = str(error)
    assert text
    assert len(text) < 3000
    assert all(map(_is_clean, text.split("\n")))


def _is_clean(text: str) -> bool:
    return all(char.isprintable() or char.isspace() for char in text) and not set(text) & set(
        "\n\r\x1b\u2028\u2029\u202e\x85"
    )


def _broken_frame(chance: Random, answer: dict[str, Any], body: bytes) -> bytes:
    """Return a frame broken in its values, its bytes, its lengths, or not at all."""
    tree = json.loads(json.dumps(answer))
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        _break_value(chance, tree)
    header = json.dumps(tree).encode()
    if chance.random() < 0.3:
        header = _break_bytes(chance, header)
    if chance.random() < 0.2:
        body = _break_bytes(chance, body)
    frame = LENGTHS.pack(len(header), len(body)) + header + body
    return _break_bytes(chance, frame) if chance.random() < 0.1 else frame


def _break_value(chance: Random, tree: Any) -> None:
    """Replace, remove or double one value somewhere in a tree."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(tree[key], dict | list) and chance.random() < 0.7:
            tree = tree[key]
            continue
        how = chance.random()
        if how < 0.7:
            tree[key] = json.loads(chance.choice(NASTY_TEXTS))
        elif how < 0.8:
            del tree[key]
        elif isinstance(tree, dict):
            tree[str(chance.choice(NASTY))[:40]] = tree[key]
        else:
            tree.extend(tree[:] * chance.randint(1, 3))
        return


def _break_bytes(chance: Random, data: bytes) -> bytes:
    """Change, remove, insert, double or cut bytes."""
    place, end = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    end = min(end, place + 8)
    insert = chance.choice((b"", b"\x00", bytes([chance.randrange(256)]), chance.choice(RAW)))
    return chance.choice(
        (
            data[:place] + insert + data[end:],
            data[:place] + insert + data[place:],
            data[:place],
            data[:end] + data[place:],
            data + insert,
        )
    )

"""Reads what a worker answers as hostile input: a script may have taken it over.

Sizes, types and ranges are checked one by one; texts are cut and cleaned;
action strings go through the strict grammar again on this side.
"""

import re
import sys
from collections.abc import Mapping
from typing import NoReturn, TypeVar

import numpy as np

from milobot.domain.timeframes import Timeframe, parse_timeframe
from milobot.errors import DataError, ScriptError, ScriptForbiddenError
from milobot.scripting.actions import parse_action
from milobot.scripting.results import (
    Code,
    Evaluation,
    Fault,
    IndicatorUse,
    Parameter,
    PrintLine,
    ScriptInfo,
)
from milobot.scripting.text import clean
from milobot.scripting.vocabulary import HOST_FUNCTIONS

MAX_FAULTS = 100
MAX_PRINTS = 250
MAX_INDICATORS = 200
MAX_PARAMETERS = 1000
MAX_TEXT = 500
_MAX_LINES = 3
_MAX_NUMBER = 2**53
_MAX_PARAMETER = sys.float_info.max
_NAME = re.compile(r"[^\W\d_]\w{0,99}")

T = TypeVar("T", int, float, str, list[object], dict[str, object])
C = TypeVar("C", list[object], dict[str, object])


class AnswerError(ScriptError):
    """A worker's answer is not understood: nothing else that it says counts either."""


def read_info(answer: Mapping[str, object]) -> ScriptInfo:
    """Return what a script says about itself.

    Raises:
        AnswerError: The answer is not understood.
    """
    texts = _at_most(_take(answer, "texts", list), 2)
    if_true, if_false = (_checked(text, str) for text in _exactly(texts, 2))
    coin = _take(answer, "coin", str)
    if not (coin.isascii() and coin.isalnum() and len(coin) <= MAX_TEXT):
        _refuse()
    parameters = _at_most(_take(answer, "parameters", dict), MAX_PARAMETERS)
    return ScriptInfo(
        timeframe=_timeframe(_take(answer, "timeframe", str)),
        coin=coin,
        action_if_true=parse_action(if_true),
        action_if_false=parse_action(if_false),
        parameters={_name(name): _parameter(value) for name, value in parameters.items()},
        texts=(if_true, if_false),
    )


def read_evaluation(answer: Mapping[str, object], body: bytes, start: int, stop: int) -> Evaluation:
    """Return the decisions about candles ``start`` up to, not including, ``stop``.

    Raises:
        AnswerError: The answer is not understood.
    """
    codes = np.frombuffer(body, dtype=np.uint8)
    if len(codes) != stop - start or (len(codes) and codes.max() > max(Code)):
        _refuse()
    if _take(answer, "start", int) != start:
        _refuse()
    faults = _at_most(_take(answer, "errors", list), MAX_FAULTS)
    prints = _at_most(_take(answer, "prints", list), MAX_PRINTS)
    indicators = _take(answer, "indicators", list)[:MAX_INDICATORS]
    return Evaluation(
        start=start,
        codes=codes,
        errors=tuple(_fault(_checked(item, dict), start, stop) for item in faults),
        prints=tuple(_print(_checked(item, list), start, stop) for item in prints),
        print_count=_in_range(_take(answer, "print_count", int), 0, _MAX_NUMBER),
        indicators=tuple(_indicator(_checked(item, dict)) for item in indicators),
    )


def read_error(error: object) -> ScriptError:
    """Return the error that a worker reports, as the class its kind names.

    Raises:
        AnswerError: The answer is not understood.
    """
    fields = _checked(error, dict)
    reason = clean_lines(_take(fields, "reason", str)) or "the script failed"
    place = {
        "line": _in_range(_take(fields, "line", int), 0, _MAX_NUMBER),
        "column": _in_range(_take(fields, "column", int), 0, _MAX_NUMBER),
    }
    kind = ScriptForbiddenError if fields.get("kind") == "forbidden" else ScriptError
    return kind(reason, **place)


def read_place(error: object) -> tuple[int, int]:
    """Return line and candle at which a worker broke off its script; the candle may be -1.

    Raises:
        AnswerError: The answer is not understood.
    """
    fields = _checked(error, dict)
    line = _in_range(_take(fields, "line", int), 0, _MAX_NUMBER)
    return line, _in_range(_take(fields, "index", int), -1, _MAX_NUMBER)


def clean_lines(text: str) -> str:
    """Return a reason cleaned line by line: a caret under a text needs its line breaks."""
    return "\n".join(clean(line, MAX_TEXT) for line in text.split("\n", _MAX_LINES)[:_MAX_LINES])


def _fault(fields: Mapping[str, object], start: int, stop: int) -> Fault:
    return Fault(
        index=_in_range(_take(fields, "index", int), start, stop - 1),
        line=_in_range(_take(fields, "line", int), 0, _MAX_NUMBER),
        column=_in_range(_take(fields, "column", int), 0, _MAX_NUMBER),
        reason=clean_lines(_take(fields, "reason", str)),
    )


def _print(fields: list[object], start: int, stop: int) -> PrintLine:
    index, text = _exactly(fields, 2)
    return PrintLine(
        _in_range(_checked(index, int), start, stop - 1), clean(_checked(text, str), MAX_TEXT)
    )


def _indicator(fields: Mapping[str, object]) -> IndicatorUse:
    name = _take(fields, "name", str)
    settings = _at_most(_take(fields, "settings", list), 5)
    if name not in HOST_FUNCTIONS:
        _refuse()
    return IndicatorUse(
        name=name,
        settings=tuple(_number(value) for value in settings),
        is_direct=fields.get("is_direct") is True,
        first_index=_in_range(_take(fields, "first_index", int), 0, _MAX_NUMBER),
        settled_after=_in_range(_take(fields, "settled_after", int), 0, _MAX_NUMBER),
        available=_in_range(_take(fields, "available", int), 0, _MAX_NUMBER),
    )


def _timeframe(text: str) -> Timeframe:
    try:
        return parse_timeframe(text)
    except DataError:
        _refuse()


def _take(fields: Mapping[str, object], name: str, kind: type[T]) -> T:
    return _checked(fields.get(name), kind)


def _at_most(items: C, most: int) -> C:
    if len(items) > most:
        _refuse()
    return items


def _checked(value: object, kind: type[T]) -> T:
    if type(value) is not kind:
        _refuse()
    return value


def _exactly(items: list[object], count: int) -> list[object]:
    if len(items) != count:
        _refuse()
    return items


def _in_range(value: int, lowest: int, highest: int) -> int:
    if not lowest <= value <= highest:
        _refuse()
    return value


def _number(value: object) -> float:
    if type(value) not in (int, float) or not isinstance(value, int | float):
        _refuse()
    if not -_MAX_NUMBER <= value <= _MAX_NUMBER:  # refuses NaN, too
        _refuse()
    return float(value)


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        _refuse()
    return name


def _parameter(value: object) -> Parameter:
    if isinstance(value, str):
        return clean(value, MAX_TEXT)
    if not isinstance(value, bool | int | float):
        _refuse()
    if not -_MAX_PARAMETER <= value <= _MAX_PARAMETER:  # refuses infinity, too
        _refuse()
    return value


def _refuse() -> NoReturn:
    raise AnswerError("the script's worker gave an answer that is not understood and was stopped")

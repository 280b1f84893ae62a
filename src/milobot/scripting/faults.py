"""What went wrong in a script on one candle: place and plain words."""

from collections.abc import Callable
from types import CodeType, TracebackType

from milobot.errors import MilobotError
from milobot.scripting.compiler import FILE_NAME
from milobot.scripting.results import Fault
from milobot.scripting.text import clean

MAX_REASON = 300


def fault_of(exc: BaseException, index: int, lines: list[str]) -> Fault:
    """Return place and reason of an exception that came out of a script."""
    line, column = _place(exc.__traceback__, lines)
    return Fault(index, line, column, clean(_reason(exc), MAX_REASON))


def _reason(exc: BaseException) -> str:
    text = str(exc)
    for kind, words in _WORDS:
        if isinstance(exc, kind):
            return words(text)
    return f"{type(exc).__name__}: {text[:MAX_REASON]}"


def _type_advice(text: str) -> str:
    if "'Series'" in text:
        return ": a series holds many values, its newest is [-1], such as rsi[-1]"
    if "'tuple'" in text:
        return ": calculate_macd and calculate_stochastic return two series: write a, b = await ..."
    return ""


def _attribute_advice(text: str) -> str:
    advice = ": what milobot gives cannot be changed, copy it with list(...)"
    is_view = any(f"'{name}'" in text for name in ("Series", "Candles", "Points", "Row", "Record"))
    return advice if is_view else ""


def _name_advice(text: str) -> str:
    parts = text.split("'")
    name = parts[1] if len(parts) > 2 else "a name"  # noqa: PLR2004 - text before, name, text after
    return f"{name} has no value yet at this place"


_WORDS: tuple[tuple[type[BaseException], Callable[[str], str]], ...] = (
    (MemoryError, lambda _: "out of memory: the script builds something too large"),
    (RecursionError, lambda _: "nested too deeply: a list holds itself or too many levels"),
    (ZeroDivisionError, lambda text: f"{text}: test the divisor first"),
    (NameError, _name_advice),
    (KeyError, lambda text: f"there is no key {text[:60]}"),
    (TypeError, lambda text: text + _type_advice(text)),
    (AttributeError, lambda text: text + _attribute_advice(text)),
    (ValueError, lambda text: text or "there is no such value in it"),
    (IndexError, str),
    (OverflowError, lambda _: "a number grows too large"),
    (MilobotError, str),
)


def _place(traceback: TracebackType | None, lines: list[str]) -> tuple[int, int]:
    """Return the innermost place in the script that the exception went through."""
    found = (0, 0)
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == FILE_NAME:
            found = (traceback.tb_lineno, _column(code, traceback.tb_lasti, lines))
        traceback = traceback.tb_next
    return found if 0 < found[0] <= len(lines) else (0, 0)


def _column(code: CodeType, instruction: int, lines: list[str]) -> int:
    for number, (line, _, offset, _) in enumerate(code.co_positions()):
        if number == instruction // 2:
            if line is None or offset is None or not 0 < line <= len(lines):
                return 0
            return len(lines[line - 1].encode()[:offset].decode(errors="ignore")) + 1
    return 0

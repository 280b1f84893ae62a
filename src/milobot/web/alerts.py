"""Alerts as TradingView sends them, turned into messages that the reader knows.

An alert is text, or a JSON object that holds a ``message`` or says it in fields. What is said
in fields is written as a message and read again: unless it says the same, it is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from milobot.domain.times import parse_time
from milobot.errors import DataError, SignalFormatError
from milobot.web.alert_fields import write_message
from milobot.web.metadata import LONGEST_VALUE, plain_value, read_metadata

LONGEST_KEY = 128
_MESSAGE = ("message", "text", "alert")
_OWN = ("secret", "id", "timenow")
_TOLD = re.compile(r"(?:^|(?<=\s))(secret|id|timenow)=(\S+)[ \t]*", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{[^{}]{1,80}\}\}")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        text: The message it stands for.
        key: Identity that it states; empty when none.
        posted_ms: When TradingView sent it, where it says so.
        metadata: What else it tells.
    """

    text: str
    key: str = ""
    posted_ms: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def secret_in_text(text: str) -> str:
    """Return the secret that an alert of plain text shows; empty when it shows none."""
    return next((match[2] for match in _TOLD.finditer(text) if match[1] == "secret"), "")


def secret_in_json(content: Mapping[str, Any]) -> str:
    """Return the secret that a JSON alert shows; empty when it shows none."""
    return plain_value(content.get("secret", ""))


def read_text_alert(text: str) -> Alert:
    """Return an alert of plain text, where ``secret=``, ``id=`` and ``timenow=`` may stand.

    Raises:
        SignalFormatError: It says one of these twice, or its placeholders are not filled in.
    """
    told: dict[str, str] = {}
    for match in _TOLD.finditer(text):
        if told.setdefault(match[1], match[2]) != match[2]:
            raise SignalFormatError("two_fields", f"The alert says {match[1]}= twice.")
    return _alert(_checked(_TOLD.sub("", text).strip()), told, {})


def read_json_alert(content: dict[str, Any]) -> Alert:
    """Return an alert that is a JSON object.

    Raises:
        SignalFormatError: Its message or its fields are not certain.
    """
    told = {name: plain_value(content[name]) for name in _OWN if content.get(name) is not None}
    rest = {name: value for name, value in content.items() if name not in _OWN}
    messages = [name for name in _MESSAGE if name in rest]
    if len(messages) > 1:
        raise SignalFormatError("two_fields", f"The alert has {' and '.join(messages)}: use one.")
    if not messages:
        text, others = write_message(rest)
        return _alert(text, told, _kept(others))
    text = rest.pop(messages[0])
    if not isinstance(text, str):
        raise SignalFormatError("no_message", "The message of the alert must be a text.")
    if "action" in rest:
        raise SignalFormatError(
            "two_forms", "The alert has a message and an action: say it in one of them."
        )
    return _alert(_checked(text), told, _kept(rest))


def _alert(text: str, told: Mapping[str, str], metadata: Mapping[str, str]) -> Alert:
    key = told.get("id", "")
    if len(key) > LONGEST_KEY or not key.isprintable() or _PLACEHOLDER.search(key):
        raise SignalFormatError("bad_key", f"id must be at most {LONGEST_KEY} plain characters.")
    return Alert(text, key, _time(told.get("timenow")), metadata)


def _time(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_time(text)
    except (DataError, OverflowError):
        raise SignalFormatError(
            "bad_time", 'timenow is no time: write "{{timenow}}" in the alert.'
        ) from None


def _checked(text: str) -> str:
    """Return a message; a placeholder that TradingView did not fill in would be read as words."""
    if match := _PLACEHOLDER.search(text):
        raise SignalFormatError(
            "empty_placeholder", f"TradingView has not filled in {match[0]}: correct the alert."
        )
    return text


def _kept(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return what an alert tells beside its message, nested values as JSON, long ones cut."""
    flat = {
        name: plain_value(value)[:LONGEST_VALUE] if isinstance(value, str | list | dict) else value
        for name, value in fields.items()
    }
    return read_metadata(flat)

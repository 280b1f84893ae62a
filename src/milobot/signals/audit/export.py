"""Exports of channels: Telegram Desktop's ``result.json``, and one JSON object a line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from milobot.domain.times import parse_time
from milobot.errors import DataError
from milobot.signals.audit.messages import Export, PostedMessage

# The names that exports use for the same thing; the first that has a value counts. The
# first time is the certain one: Telegram Desktop's ``date`` has no time zone.
TEXT = ("text", "message", "content")
TIME = ("date_unixtime", "time_ms", "posted_ms", "time", "timestamp", "date", "posted_at")
IDENTITY = ("id", "message_id")
REPLY = ("reply_to_message_id", "reply_to", "reply_to_msg_id")
EDITED = ("edited_unixtime", "edited", "edit_date", "edited_ms")
FORWARDED = ("forwarded_from", "fwd_from", "origin", "forwarded_from_id")

_Row = Mapping[str, Any]
# Numbers below the first are seconds, from the second on microseconds.
_FIRST_MS, _FIRST_US = 100_000_000_000, 100_000_000_000_000
_LAST_MS = 253_402_300_799_999


def load_export(path: Path) -> Export:
    """Return the messages of a ``.json`` or ``.jsonl`` file, oldest first.

    Raises:
        DataError: The file cannot be read or is no such export; names the line or message.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{path} cannot be read ({reason}): name an exported file") from error
    if not content.strip():
        raise DataError(f"{path.name} is empty: export the channel again")
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        return _collect(path.stem, list(_lines(content, path.name)), path.name)
    return _from_document(_parse(content, path.name), path)


def _from_document(document: object, path: Path) -> Export:
    if isinstance(document, Mapping) and "chats" in document:
        raise DataError(
            f"{path.name} holds all chats of an account: export one channel alone, by the menu"
            " of that channel"
        )
    name, rows = path.stem, document
    if isinstance(document, Mapping):
        name, rows = str(document.get("name") or path.stem), document.get("messages")
    if not isinstance(rows, list):
        raise DataError(
            f"{path.name} holds no list of messages: export the channel from Telegram Desktop as"
            " machine-readable JSON, or write one JSON object a line into a .jsonl file"
        )
    return _collect(name, [(f"message {n}", row) for n, row in enumerate(rows, 1)], path.name)


def _lines(content: bytes, name: str) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            place = f"line {number}"
            yield place, _parse(line, f"{name}, {place}")


def _parse(content: bytes, place: str) -> object:
    try:
        found: object = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        where = f"{error} (line {error.lineno}, column {error.colno})"
        raise DataError(f"{place}: this is no JSON: {where}; export the channel again") from error
    return found


def _collect(name: str, rows: list[tuple[str, object]], file: str) -> Export:
    messages: list[PostedMessage] = []
    service = empty = local = 0
    for place, row in rows:
        if not isinstance(row, Mapping):
            raise DataError(f"{file}, {place}: a message is an object with a text, not {row!r:.40}")
        if row.get("type", "message") not in {"message", "", None} and "action" in row:
            service += 1
            continue
        message = _message(row, len(messages) + empty + service + 1, f"{file}, {place}")
        local += message.time_ms is not None and _time(row)[0] == "date"
        if message.text.strip():
            messages.append(message)
        else:
            empty += 1
    if not messages:
        raise DataError(f"{file} holds no message with words in it: export the channel's messages")
    messages.sort(key=lambda m: (m.time_ms is None, m.time_ms or 0, m.number))
    return Export(name, tuple(messages), service, empty, _notes(messages, local))


def _notes(messages: list[PostedMessage], local: int) -> tuple[str, ...]:
    notes = []
    edited = sum(m.is_edited for m in messages)
    if edited:
        notes.append(
            f"{edited:,} messages were edited: only their last text is in the export, and it is"
            " taken as if it had been posted at once"
        )
    if local:
        notes.append(f"{local:,} times name no time zone: they are taken as UTC")
    return tuple(notes)


def _message(row: _Row, number: int, place: str) -> PostedMessage:
    _, text = _first(row, TEXT)
    if text is None:
        if not any(key in row for key in TEXT):
            raise DataError(f"{place}: a message has a text under one of {', '.join(TEXT)}")
        text = ""
    name, time = _time(row)
    _, identity = _first(row, IDENTITY)
    _, reply = _first(row, REPLY)
    return PostedMessage(
        number=number,
        message_id=str(number if identity is None else identity),
        text=_plain(text, place),
        time_ms=None if time is None else _to_ms(time, name, place),
        reply_to="" if reply is None else str(reply),
        is_edited=bool(_first(row, EDITED)[1]),
        is_forwarded=bool(_first(row, FORWARDED)[1]),
    )


def _time(row: _Row) -> tuple[str, object]:
    return _first(row, TIME)


def _first(row: _Row, names: tuple[str, ...]) -> tuple[str, object]:
    """Return the first of several names that has a value, with it."""
    for name in names:
        if row.get(name) is not None:
            return name, row[name]
    return "", None


def _plain(text: object, place: str) -> str:
    """Return a text that may be cut into pieces, some of them objects with a text of their own."""
    if isinstance(text, str):
        return text
    if isinstance(text, list):
        return "".join(_plain(piece, place) for piece in text)
    if isinstance(text, Mapping) and isinstance(text.get("text"), str):
        return str(text["text"])
    raise DataError(f"{place}: the text is neither a string nor a list of pieces: {text!r:.40}")


def _to_ms(value: object, name: str, place: str) -> int:
    """Return UTC milliseconds of a number (seconds, milli- or microseconds) or an ISO time."""
    sentence = f"{place}: {name} {value!r:.40} is no time; write 2024-01-31T13:05:00Z or seconds"
    if isinstance(value, str) and not value.strip().lstrip("-").isdecimal():
        try:
            return parse_time(value.strip())
        except DataError as error:
            raise DataError(sentence) from error
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise DataError(sentence)
    number = float(value)
    scale = 1000.0 if number < _FIRST_MS else 1.0 if number < _FIRST_US else 0.001
    time_ms = number * scale
    if not 0 < time_ms <= _LAST_MS:
        raise DataError(sentence)
    return int(time_ms)

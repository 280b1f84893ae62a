"""Exports as channels come: Telegram Desktop's form, lines of JSON, and files that are neither."""

import json
from pathlib import Path

import pytest
from tests.support.audit_scene import START_MS

from milobot.errors import DataError
from milobot.signals.audit.export import load_export


def _telegram(tmp_path: Path, *messages: object, **more: object) -> Path:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"name": "Whales", "messages": list(messages), **more}))
    return path


def _lines(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_telegram_desktop_is_read(tmp_path: Path) -> None:
    """Text comes in pieces, times in seconds beside local ones, and not every entry is a message."""
    path = _telegram(
        tmp_path,
        {"id": 1, "type": "service", "action": "create_channel", "text": ""},
        {
            "id": 2,
            "type": "message",
            "date": "2024-01-01T03:00:00",
            "date_unixtime": str(START_MS // 1000),
            "edited_unixtime": "1704067300",
            "forwarded_from": "other",
            "text": ["Long ", {"type": "hashtag", "text": "#BTC"}, " now"],
        },
        {"id": 3, "type": "message", "date_unixtime": "1704067400", "text": "", "photo": "x.jpg"},
        {
            "id": 4,
            "type": "message",
            "date_unixtime": "1704067500",
            "reply_to_message_id": 2,
            "text": "close",
        },
    )

    export = load_export(path)

    assert (export.name, export.service, export.empty) == ("Whales", 1, 1)
    first, second = export.messages
    assert (first.text, first.time_ms, first.message_id) == ("Long #BTC now", START_MS, "2")
    assert first.is_edited
    assert first.is_forwarded
    assert (second.reply_to, second.number) == ("2", 4)
    assert "1 messages were edited" in export.notes[0]


def test_lines_are_read_in_order_of_time(tmp_path: Path) -> None:
    """Whoever collects messages appends them as they come; what has no time comes last."""
    path = _lines(
        tmp_path,
        '{"text": "no time"}',
        '{"time": "2024-01-02T00:00:00Z", "text": "second", "id": "b", "reply_to": "a"}',
        "",
        '{"time": 1704067200000, "text": "first", "id": "a"}',
    )

    messages = load_export(path).messages

    assert [m.text for m in messages] == ["first", "second", "no time"]
    assert messages[0].time_ms == START_MS
    assert messages[1].reply_to == "a"


@pytest.mark.parametrize("value", [1704067200, 1704067200000, 1704067200000000, '"1704067200"'])
def test_seconds_milliseconds_and_microseconds_are_one_time(tmp_path: Path, value: object) -> None:
    """Exports of different tools mean the same moment by numbers of different length."""
    path = _lines(tmp_path, f'{{"time": {value}, "text": "x"}}')

    assert load_export(path).messages[0].time_ms == START_MS


def test_time_without_zone_is_said(tmp_path: Path) -> None:
    """Telegram's own ``date`` is local time: taking it silently would move every trade."""
    export = load_export(_lines(tmp_path, '{"date": "2024-01-01T00:00:00", "text": "x"}'))

    assert "1 times name no time zone" in export.notes[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("{", "this is no JSON"),
        ('{"chats": {"list": []}}', "export one channel alone"),
        ('{"name": "x"}', "holds no list of messages"),
        ("[1]", "message 1: a message is an object"),
        ('[{"id": 1}]', "message 1: a message has a text"),
        ('[{"text": 5}]', "message 1: the text is neither"),
        ('[{"text": "x", "date_unixtime": "soon"}]', "message 1: date_unixtime 'soon' is no time"),
        ('[{"text": "x", "time": -5}]', "message 1: time -5 is no time"),
        ('[{"text": "x", "time": true}]', "message 1: time True is no time"),
        ('[{"text": ""}]', "holds no message with words"),
    ],
)
def test_what_is_no_export_is_refused_with_its_place(
    tmp_path: Path, content: str, reason: str
) -> None:
    """One sentence that says where, so that a long file can be mended."""
    path = tmp_path / "result.json"
    path.write_text(content)

    with pytest.raises(DataError) as caught:
        load_export(path)

    assert reason in str(caught.value)


def test_wrong_line_is_named(tmp_path: Path) -> None:
    """In a file of thousands of lines nobody finds the one that is cut."""
    path = _lines(tmp_path, '{"text": "x"}', '{"text": ')

    with pytest.raises(DataError, match=r"messages\.jsonl, line 2: this is no JSON"):
        load_export(path)


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """A path with a slip in it."""
    with pytest.raises(DataError, match="cannot be read"):
        load_export(tmp_path / "none.json")

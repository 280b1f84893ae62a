"""Logs in the specified form, whoever writes them."""

import io
import logging
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from milobot.settings import Settings, load_settings
from milobot.telemetry import HIDDEN, configure_logging, get_logger, hide


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def logged(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return the JSON objects of a stream, one a line."""
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_line_has_the_four_fields_and_nothing_else() -> None:
    """Log collectors are set up for this form."""
    stream = io.StringIO()
    configure_logging("INFO", stream)

    get_logger().info("order_created", symbol="BTCUSDT", quantity=Decimal("1E-7"))

    (line,) = logged(stream)
    assert list(line) == ["timestamp", "level", "event_type", "data"]
    assert line["timestamp"].endswith("Z")
    assert line["level"] == "INFO"
    assert line["event_type"] == "order_created"
    assert line["data"] == {"symbol": "BTCUSDT", "quantity": "0.0000001"}


def test_least_level_holds() -> None:
    """LOG_LEVEL=WARNING keeps the log small."""
    stream = io.StringIO()
    configure_logging("WARNING", stream)

    get_logger().info("candle_closed")
    get_logger().warning("rate_limited")

    assert [line["event_type"] for line in logged(stream)] == ["rate_limited"]


def test_libraries_write_the_same_form() -> None:
    """One line of plain text between JSON lines breaks a collector."""
    stream = io.StringIO()
    configure_logging("INFO", stream)

    logging.getLogger("uvicorn.error").warning("port %d is busy", 8080)

    (line,) = logged(stream)
    assert line["level"] == "WARNING"
    assert line["data"] == {"logger": "uvicorn.error", "message": "port 8080 is busy"}


def test_traceback_stays_on_the_line() -> None:
    """An exception must be found by its event, not as loose lines after it."""
    stream = io.StringIO()
    configure_logging("INFO", stream)

    slots: dict[str, int] = {}
    try:
        slots["slot"]
    except KeyError:
        get_logger().exception("task_failed")
        logging.getLogger("asyncio").exception("callback failed")

    ours, library = logged(stream)
    assert "KeyError: 'slot'" in ours["data"]["exception"]
    assert "KeyError: 'slot'" in library["data"]["exception"]


def test_terminal_gets_readable_lines_that_cannot_steer_it() -> None:
    """What a script prints reaches the log; escape sequences must not reach the terminal."""
    stream = Terminal()
    configure_logging("INFO", stream)

    get_logger().info("script_print", text="\x1b[2Jgone", symbol="BTCUSDT")

    shown = stream.getvalue()
    assert "INFO     script_print text='\\x1b[2Jgone' symbol=BTCUSDT" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("target", [io.StringIO, Terminal])
def test_known_secret_is_cut_out_wherever_it_stands(target: type[io.StringIO]) -> None:
    """A library that logs an address or a header must not log a key with it."""
    stream = target()
    configure_logging("INFO", stream)
    text = 'known-secret/with"signs'
    hide(text)

    get_logger().info("request", address=f"https://host/?key={text}", inner={"list": [text]})
    logging.getLogger("library").warning("header %s", text)
    try:
        int(text)
    except ValueError:  # whose text quotes it
        get_logger().exception("failed")

    assert "known-secret" not in stream.getvalue()
    assert stream.getvalue().count(HIDDEN) >= 4


def test_a_secret_planted_in_every_setting_appears_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By construction: whoever reads the settings has cut them out of the log."""
    monkeypatch.chdir(tmp_path)
    names = [
        name
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation) and name != "database_url"
    ]
    monkeypatch.setenv("TELEGRAM_API_ID", "1")
    for number, name in enumerate(names):
        kept = f"zq7x{number:04d}" + "ab" * 12
        monkeypatch.setenv(name.upper(), f"1:{kept}" if name == "telegram_bot_token" else kept)
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:zq7x%40word@localhost/d?sslmode=disable")
    settings = load_settings(None)
    stream = io.StringIO()
    configure_logging("DEBUG", stream)

    for name in [*names, "database_url"]:
        secret = getattr(settings, name)
        assert secret is not None, name
        text = secret.get_secret_value()
        get_logger().info("asked", url=f"https://x.test/?a={quote(text)}", deep={"a": [text]})
        logging.getLogger("library").warning("header %s", text.encode())
        try:
            int(text)
        except ValueError:  # whose text quotes it
            get_logger().exception("failed")

    assert len(names) >= 9
    assert "zq7x" not in stream.getvalue()


def test_values_under_the_name_of_a_secret_are_never_written() -> None:
    """Even of a secret that nobody has registered."""
    stream = io.StringIO()
    configure_logging("INFO", stream)

    get_logger().info("started", api_key="abc", password="abc", secret="abc", symbol="BTCUSDT")  # noqa: S106 - made up
    logging.getLogger("library").warning("GET /order?a=1&signature=0a1b&listenKey=abc&b=2")

    first, second = logged(stream)
    assert first["data"] == {
        "api_key": HIDDEN,
        "password": HIDDEN,
        "secret": HIDDEN,
        "symbol": "BTCUSDT",
    }
    assert second["data"]["message"].endswith(f"a=1&signature={HIDDEN}&listenKey={HIDDEN}&b=2")


def test_short_texts_are_not_hidden() -> None:
    """A secret of one letter would make every line unreadable."""
    stream = io.StringIO()
    configure_logging("INFO", stream)
    hide("BTC")

    get_logger().info("order_created", symbol="BTCUSDT")

    assert logged(stream)[0]["data"] == {"symbol": "BTCUSDT"}

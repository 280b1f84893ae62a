"""Logs: one JSON object a line on stdout, ``timestamp, level, event_type, data``.

    >>> import io
    >>> lines = io.StringIO()
    >>> configure_logging("INFO", lines)
    >>> get_logger().info("order_created", symbol="BTCUSDT")
    >>> sorted(orjson.loads(lines.getvalue()))
    ['data', 'event_type', 'level', 'timestamp']

On a terminal the same facts are written as one readable line. What libraries
say through the standard ``logging`` takes the same form as event
``library_message``.

Secrets are cut out of every line: those that :func:`hide` was told, and whatever stands
under a name such as ``secret`` or behind ``signature=``.
"""

import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TextIO
from urllib.parse import quote

import orjson


@contextmanager
def without(library: str) -> Iterator[None]:
    """Let what is imported in the body believe that a library is not there.

    Structlog loads ``rich`` to draw on terminals, which is not asked of it here: 70 modules,
    and every seventh of the milliseconds that a live run takes to begin. Where the library is
    loaded already, nothing is held back.

    Args:
        library: Name of its package.
    """
    if library in sys.modules:
        yield
        return
    sys.modules[library] = None  # type: ignore[assignment]  # what the import system takes for "none"
    try:
        yield
    finally:
        del sys.modules[library]


with without("rich"):
    import structlog
    from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

_PLAIN_VALUE = re.compile(r"[^\s\"'=\x00-\x1f\x7f-\x9f]+")
HIDDEN = "[hidden]"
_LEAST_HIDDEN = 6  # shorter ones would cut holes into ordinary words
_SECRET_NAME = re.compile(
    r"(?i)(?:api_?key|secret|password|passphrase|signature|token|listen_?key|authorization|x-\w+-apikey)"
)
_SECRET_VALUE = re.compile(
    r"(?i)((?:signature|listenKey|api_?key|secret|token|password)(?:=|\\?[\"']\s*:\s*\\?[\"']))[^\s&\"'\\]+"
)
_TALKATIVE = ("alembic",)  # tells of every part of itself that it loads
_hidden: list[str] = []  # every form of every secret, the longest first
counts: Counter[str] = Counter()
"""What happened in this process, by name, where nobody is near who keeps figures."""


def hide(secret: str) -> None:
    """Cut a text out of whatever is logged from now on; very short ones are left alone."""
    if len(secret) >= _LEAST_HIDDEN:
        # Bytes that are no text, as a variable may hold, are written so wherever they are written.
        secret = secret.encode("utf-8", "backslashreplace").decode()
        quoted = quote(secret, safe="")
        # Quoted twice where an address that holds it is the parameter of another one.
        twice = quote(quoted, safe="")
        forms = {secret, quoted, twice}
        # Python writes an apostrophe in two ways, by what else is in the text.
        python = (repr(secret)[1:-1], repr(f'"{secret}')[2:-1])
        for written in (_escaped(secret), json.dumps(secret)[1:-1], *python):
            forms |= {written, _escaped(written)}  # in a line, and in a text that is put into one
        _hidden[:] = sorted(forms.union(_hidden), key=len, reverse=True)


def redact(text: str) -> str:
    """Return a text without the secrets that are known, and without what looks like one.

    >>> redact("GET /fapi/v1/order?symbol=BTCUSDT&signature=0a1b2c")
    'GET /fapi/v1/order?symbol=BTCUSDT&signature=[hidden]'
    """
    return _without_values(_cut(text))


def _without_values(text: str) -> str:
    return _SECRET_VALUE.sub(rf"\1{HIDDEN}", text)


def _cut(text: str) -> str:
    for secret in _hidden:
        text = text.replace(secret, HIDDEN)
    return text


def _tells(text: str) -> bool:
    """Return whether a secret stands in a text; a loop is half as slow as ``any``."""
    for secret in _hidden:  # noqa: SIM110 - as above
        if secret in text:
            return True
    return False


def _escaped(text: str) -> str:
    """Return a text as JSON has it between quotes."""
    return orjson.dumps(text).decode()[1:-1]


def get_logger() -> FilteringBoundLogger:
    """Return the logger: ``get_logger().info("order_created", symbol=…)``."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def configure_logging(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log event of the process to ``stream``; None is stdout.

    Args:
        level: Least level that is written, such as ``WARNING``.
        stream: JSON lines go here; readable lines if it is a terminal.
    """
    target = stream if stream is not None else sys.stdout
    least = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _specified_form,
            _readable_line if target.isatty() else _json_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_LibraryHandler()], level=least, force=True)
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(max(least, logging.WARNING))


class _LibraryHandler(logging.Handler):
    """Hands what libraries log to the one stream, in the one form."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        get_logger().log(
            record.levelno,
            "library_message",
            logger=record.name,
            message=record.getMessage(),
            **({"exc_info": record.exc_info} if record.exc_info else {}),
        )


def _specified_form(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put the four specified fields outside and everything else into ``data``."""
    return {
        "timestamp": event.pop("timestamp"),
        "level": str(event.pop("level")).upper(),
        "event_type": event.pop("event"),
        "data": {
            name: HIDDEN if _SECRET_NAME.fullmatch(str(name)) else value
            for name, value in event.items()
        },
    }


def _json_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    try:
        line = _to_json(event)
    except TypeError:  # such as a text that is no text, or a number of more than 64 bits
        line = _to_json({**event, "data": {"text": _repr(event["data"])}})
    return _without_values(_bare(line) if _tells(line) else line)


def _bare(line: str) -> str:
    """Return a line of JSON without the secrets in it, still a line of JSON."""
    event = {name: _without_secrets(value) for name, value in orjson.loads(line).items()}
    bare = _to_json(event)
    if not _tells(bare):
        return bare
    # It begins in one text and ends in another, or is a word of every line, such as its names.
    less = _to_json({**event, "data": {"text": HIDDEN}})
    return bare if _tells(less) else less


def _without_secrets(value: Any) -> Any:
    match value:
        case str():
            return _cut(value)
        case dict():
            return {_cut(name): _without_secrets(inner) for name, inner in value.items()}
        case list():
            return [_without_secrets(inner) for inner in value]
        case _:  # half a number is none
            return HIDDEN if _tells(_to_json(value)) else value


def _to_json(value: object) -> str:
    return orjson.dumps(value, default=_to_text, option=orjson.OPT_NON_STR_KEYS).decode()


def _to_text(value: object) -> str:
    """Write what JSON lacks: money as a plain decimal, anything else as its text."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - whatever an object does, its line must not stop an order
        return f"<{type(value).__name__}>"


def _readable_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    data: MutableMapping[str, Any] = event["data"]
    exception = data.pop("exception", None)
    facts = "".join(f" {name}={_quoted(value)}" for name, value in data.items())
    line = f"{event['timestamp'][11:19]} {event['level']:<8} {event['event_type']}{facts}"
    return redact(f"{line}\n{exception}" if exception else line)


def _quoted(value: object) -> str:
    """Quote text with blanks or control characters: a script must not steer the terminal."""
    try:
        text = _to_text(value)
    except Exception:  # noqa: BLE001 - as in _repr
        text = _repr(value)
    return text if _PLAIN_VALUE.fullmatch(text) else repr(text)

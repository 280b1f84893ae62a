"""What a sender tells beside its message: kept as text, not acted on."""

from collections.abc import Mapping
from typing import Any

import orjson

from milobot.errors import SignalFormatError

MOST_ENTRIES = 50
LONGEST_NAME = 64
LONGEST_VALUE = 1000


def read_metadata(given: object) -> dict[str, str]:
    """Return metadata as text by name; none where None is given.

    >>> read_metadata({"source": "test", "retry": 2, "is_paper": True})
    {'source': 'test', 'retry': '2', 'is_paper': 'true'}

    Raises:
        SignalFormatError: It is no object of short texts, numbers, truth values and nulls.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise _bad("must be an object of texts and numbers")
    if len(given) > MOST_ENTRIES:
        raise _bad(f"may have {MOST_ENTRIES} entries, not {len(given)}")
    return {_name(name): _value(name, value) for name, value in given.items()}


def plain_value(value: object) -> str:
    """Return a JSON value as text: text as it is, anything else as JSON writes it."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _name(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise _bad(f"has a name that is empty, unprintable or longer than {LONGEST_NAME}")
    return name


def _value(name: str, value: Any) -> str:
    if isinstance(value, list | dict):
        raise _bad(f"must be flat, and {name[:40]!r} holds more than one value")
    text = plain_value(value)
    if len(text) > LONGEST_VALUE:
        raise _bad(f"may hold {LONGEST_VALUE} characters in one value, not {len(text)}")
    if not text.replace("\n", " ").replace("\t", " ").isprintable():
        raise _bad(f"holds characters in {name[:40]!r} that cannot be shown")
    return text


def _bad(what: str) -> SignalFormatError:
    return SignalFormatError("bad_metadata", f"The metadata {what}.")

"""The envelope of BingX's answers: ``{"code": 0, "msg": "", "data": ...}``. Pure."""

from collections.abc import Iterator
from typing import Any

from milobot.errors import ProtocolError
from milobot.exchanges.fields import Fields, objects


def fields_of(data: Any, what: str) -> Fields:
    """Return the object in an answer.

    Raises:
        ProtocolError: There is none.
    """
    return Fields(_inner(data, what), what)


def rows_of(data: Any, what: str, *names: str) -> Iterator[Fields]:
    """Yield the objects of the list in an answer; BingX writes null for an empty one.

    Args:
        data: The answer.
        what: What it is, for messages.
        names: Fields one of which holds the list; none where the answer itself is the list.

    Raises:
        ProtocolError: There is no list of objects.
    """
    inner = _inner(data, what)
    if names and isinstance(inner, dict):
        present = [name for name in names if name in inner]
        if not present:
            raise ProtocolError(f"{what} has no field {names[0]}")
        inner = inner[present[0]]
    return objects([] if inner is None else inner, what)


def first_of(fields: Fields, *names: str) -> str:
    """Return the first name that has a value; the last one where none has."""
    for name in names:
        if fields.has(name):
            return name
    return names[-1]


def _inner(data: Any, what: str) -> Any:
    if not isinstance(data, dict) or "data" not in data:
        raise ProtocolError(f"{what} is missing in the answer")
    return data["data"]

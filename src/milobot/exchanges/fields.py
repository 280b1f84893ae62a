"""Reading payloads: the value that is promised, or a ``ProtocolError`` that names the field."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from milobot.domain.money import ZERO
from milobot.errors import ProtocolError

_MOST_DIGITS = 60
_MOST_EXPONENT = 30
_MOST_INTEGER = 2**63
_EMPTY = (None, "")  # no set: what is looked for may not be hashable
_NOTHING = (*_EMPTY, "0")
_NO_ID = (*_EMPTY, 0, "0")


class Fields:
    """One JSON object and what it is, for messages."""

    __slots__ = ("_data", "_what")

    def __init__(self, data: Any, what: str) -> None:
        """Take a decoded object.

        Raises:
            ProtocolError: It is no object.
        """
        if not isinstance(data, dict):
            raise ProtocolError(f"{what} is {_kind(data)} where an object was promised")
        self._data = data
        self._what = what

    def has(self, name: str) -> bool:
        """Return whether a field is there with a value."""
        return self._data.get(name) is not None

    def decimal(self, name: str) -> Decimal:
        """Return a number; texts are read as such."""
        number = _number(self._data.get(name))
        if number is None:
            raise self._unlike(name, "number")
        return number

    def decimal_or_zero(self, name: str) -> Decimal:
        """Return a number; zero where the field is absent or empty."""
        return ZERO if self._data.get(name) in _NOTHING else self.decimal(name)

    def decimal_or_none(self, name: str) -> Decimal | None:
        """Return a number; None where the field is absent, empty or zero."""
        return self.decimal_or_zero(name) or None

    def integer(self, name: str) -> int:
        """Return a whole number."""
        value = self._data.get(name)
        if isinstance(value, str) and len(value) < _MOST_DIGITS:
            try:
                value = int(value)
            except ValueError:
                value = None
        if type(value) is not int or abs(value) >= _MOST_INTEGER:  # True would be one
            raise self._unlike(name, "whole number")
        return value

    def integer_or_zero(self, name: str) -> int:
        """Return a whole number; 0 where the field is absent or empty."""
        return 0 if self._data.get(name) in _EMPTY else self.integer(name)

    def text(self, name: str) -> str:
        """Return a text that is not empty."""
        value = self._data.get(name)
        if not isinstance(value, str) or not value:
            raise self._unlike(name, "text")
        return value

    def text_or_empty(self, name: str) -> str:
        """Return a text; empty where the field is absent or no text."""
        value = self._data.get(name)
        return value if isinstance(value, str) else ""

    def identity(self, name: str) -> str:
        """Return an id as text, however large; 0 and empty are no ids."""
        value = self._data.get(name)
        if type(value) not in {int, str} or value in _NO_ID:
            raise self._unlike(name, "id")
        return str(value)

    def identity_or_empty(self, name: str) -> str:
        """Return an id as text; empty where there is none."""
        return "" if self._data.get(name) in _NO_ID else self.identity(name)

    def flag(self, name: str) -> bool:
        """Return a truth value, also one written as text; False where the field is absent."""
        return self._data.get(name) in (True, "true", "TRUE")

    def told_flag(self, name: str) -> bool:
        """Return a truth value that has to be told: silence is no "no" where safety hangs on it."""
        self._present(name)
        return self.flag(name)

    def object(self, name: str) -> "Fields":
        """Return an object inside."""
        return Fields(self._present(name), f"{name} of {self._what}")

    def rows(self, name: str) -> Iterator["Fields"]:
        """Yield the objects of a list inside."""
        return objects(self._present(name), f"{name} of {self._what}")

    def _present(self, name: str) -> Any:
        value = self._data.get(name)
        if value is None:
            raise self._unlike(name, "value")
        return value

    def _unlike(self, name: str, kind: str) -> ProtocolError:
        """Return the complaint about a field; only then is the text put together."""
        if self._data.get(name) is None:
            return ProtocolError(f"{self._what} has no field {name}")
        return ProtocolError(f"{name} of {self._what} is no {kind}")


def objects(data: Any, what: str) -> Iterator[Fields]:
    """Yield the objects of a list.

    Raises:
        ProtocolError: It is no list of objects.
    """
    if not isinstance(data, list):
        raise ProtocolError(f"{what} is {_kind(data)} where a list was promised")
    return (Fields(one, f"{what}[{at}]") for at, one in enumerate(data))


def parse_decimal(value: Any, what: str) -> Decimal:
    """Return a number from text, whole number or float.

    Raises:
        ProtocolError: It is none, or of a size that no market has.
    """
    number = _number(value)
    if number is None:
        raise ProtocolError(f"{what} is no number")
    return number


def _number(value: Any) -> Decimal | None:
    """Return a number from text, whole number or float; None for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = repr(value)
    if not isinstance(value, str) or len(value) > _MOST_DIGITS:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    is_sane = number.is_finite() and abs(number.adjusted()) <= _MOST_EXPONENT
    return number if is_sane else None


def _kind(data: Any) -> str:
    return {list: "a list", dict: "an object", str: "a text", type(None): "nothing"}.get(
        type(data), "a number"
    )

"""Frozen values as JSON and back, exactly: plans, intents, tallies and gates inside a row.

A codec is made once from the type hints of a dataclass. Decimals are texts, so that no digit
is lost; a value that may be of several dataclasses carries the name of its own, because a
``Close`` without fields would otherwise fit anything. A field that a stored row lacks takes
its default, one that the class does not have is an error: a newer milobot wrote it.
"""

import dataclasses
import types
from collections.abc import Callable, Hashable, Mapping
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Generic, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson

from milobot.errors import LedgerError
from milobot.storage.plain_text import to_plain_text

_T = TypeVar("_T")
_Convert = Callable[[Any], Any]
_TAG = "is"


@dataclasses.dataclass(frozen=True, slots=True)
class Codec(Generic[_T]):
    """Writes and reads values of one type.

    Attributes:
        name: What the values are, for errors.
    """

    name: str
    _to_plain: _Convert
    _from_plain: _Convert

    def encode(self, value: _T) -> str:
        """Return the value as JSON, always the same for the same value."""
        return orjson.dumps(self._to_plain(value)).decode()

    def decode(self, text: str, **given: object) -> _T:
        """Return the value that was encoded, with the fields ``given`` that were left out.

        Raises:
            LedgerError: The text is not such a value.
        """
        try:
            value: _T = self._from_plain(orjson.loads(text), **given)
        except (ValueError, TypeError, KeyError, ArithmeticError, AttributeError) as error:
            raise LedgerError(
                f"the ledger holds a {self.name} that cannot be read ({error}): it was changed by"
                " hand or written by another version; put a backup in its place"
            ) from error
        return value


def codec_of(kind: type[_T], *, without: tuple[str, ...] = ()) -> Codec[_T]:
    """Return the codec of a dataclass, or of a tuple of dataclasses such as ``tuple[Gate, ...]``.

    Args:
        kind: What is to be written.
        without: Fields of the dataclass that are kept elsewhere.
    """
    converters = _of_dataclass(kind, without) if without else _converters(cast("Hashable", kind))
    return Codec(getattr(kind, "__name__", "value").lower(), *converters)


def _same(value: Any) -> Any:
    return value


@cache
def _converters(kind: Any) -> tuple[_Convert, _Convert]:
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return (lambda value: value.value), kind
    if dataclasses.is_dataclass(kind):
        return _of_dataclass(kind)
    if get_origin(kind) in {Union, types.UnionType}:
        return _of_union(get_args(kind))
    if get_origin(kind) in {tuple, frozenset}:
        return _of_collection(get_origin(kind), get_args(kind)[0])
    raise TypeError(f"{kind} has no form in the ledger")


def _checked(kind: type) -> _Convert:
    def check(value: object) -> object:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is not of type {kind.__name__}")
        return value

    return check


def _decimal(value: object) -> Decimal:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a decimal")
    return Decimal(value)


_SCALARS: dict[Any, tuple[_Convert, _Convert]] = {
    str: (to_plain_text, _checked(str)),
    int: (_same, _checked(int)),
    bool: (_same, _checked(bool)),
    Decimal: (str, _decimal),
}


def _of_collection(kind: Any, item: Any) -> tuple[_Convert, _Convert]:
    to_plain, from_plain = _converters(item)

    def encode(values: Any) -> list[Any]:
        plain = [to_plain(value) for value in values]
        return sorted(plain) if kind is frozenset else plain

    return encode, lambda plain: kind(from_plain(value) for value in plain)


def _of_dataclass(kind: Any, without: tuple[str, ...] = ()) -> tuple[_Convert, _Convert]:
    hints = get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind) if f.name not in without]
    fields = {name: _converters(hints[name]) for name in names}

    def encode(value: object) -> dict[str, object]:
        return {name: to_plain(getattr(value, name)) for name, (to_plain, _) in fields.items()}

    def decode(plain: Mapping[str, object], **given: object) -> object:
        return kind(**given, **{name: fields[name][1](value) for name, value in plain.items()})

    return encode, decode


def _of_union(kinds: tuple[Any, ...]) -> tuple[_Convert, _Convert]:
    some = tuple(kind for kind in kinds if kind is not type(None))
    if len(some) == 1:
        to_plain, from_plain = _converters(some[0])
    else:
        to_plain, from_plain = _of_tagged(some)
    if len(some) == len(kinds):
        return to_plain, from_plain
    return (
        lambda value: None if value is None else to_plain(value),
        lambda plain: None if plain is None else from_plain(plain),
    )


def _of_tagged(kinds: tuple[Any, ...]) -> tuple[_Convert, _Convert]:
    by_name = {kind.__name__: _of_dataclass(kind) for kind in kinds}

    def encode(value: object) -> dict[str, object]:
        name = type(value).__name__
        return {_TAG: name, **by_name[name][0](value)}

    def decode(plain: Mapping[str, Any]) -> object:
        fields = dict(plain)
        return by_name[fields.pop(_TAG)][1](fields)

    return encode, decode

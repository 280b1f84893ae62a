"""Dataclasses as plain values that JSON can say, and back, exactly.

Decimals are texts, so that no digit is lost; enums are their values. What a class does not know,
or needs and does not find, is an error.
"""

import dataclasses
import types
from collections.abc import Hashable
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from milobot.errors import DataError

T = TypeVar("T")


def to_plain(value: Any, *, without: tuple[str, ...] = ()) -> Any:
    """Return a value as JSON can say it.

    Args:
        value: A dataclass, a collection of values, or a single one.
        without: Fields of the dataclass that are kept elsewhere.
    """
    if dataclasses.is_dataclass(value):
        names = _names(cast("Hashable", type(value)))
        return {n: to_plain(getattr(value, n)) for n in names if n not in without}
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[T], plain: Any) -> T:
    """Return the dataclass that was made plain; fields that were left out take their defaults.

    Raises:
        DataError: It is not such a value.
    """
    try:
        found: T = _read(kind, plain)
    except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation) as error:
        raise DataError(f"this is no {kind.__name__}: {error}") from error
    return found


def _read(kind: Any, plain: Any) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{name: _read(hints[name], value) for name, value in plain.items()})
    if get_origin(kind) in {Union, types.UnionType}:
        if plain is None:
            return None
        return _read(next(k for k in get_args(kind) if k is not type(None)), plain)
    if get_origin(kind) in {list, tuple}:
        item = get_args(kind)[0]
        return get_origin(kind)(_read(item, one) for one in plain)
    if kind is Decimal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return _checked(kind(plain))
    if type(plain) is not kind:
        raise TypeError(f"{str(plain)[:40]!r} is not of type {kind.__name__}")
    return plain


def _checked(value: Any) -> Any:
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{value} is no number")
    return value


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)

"""Profiles of channels as TOML: every key checked, every error says what to write instead."""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from milobot.domain.intents import PositionSide, Size, SizeKind
from milobot.errors import ConfigurationError
from milobot.signals.laws import HIGHEST_LEVERAGE, MOST_TARGETS
from milobot.signals.profile import ChannelProfile, EntryRule

EXCHANGES = ("binance", "bingx")
_HUNDRED = Decimal(100)
_LONGEST_AGE_S = 86_400
_LONGEST_WAIT_S = 30 * 86_400
_SIZES = {"risk": SizeKind.RISK, "usdt": SizeKind.QUOTE, "quantity": SizeKind.BASE}


def parse_profile(text: str, source: str) -> ChannelProfile:
    """Return the profile that a TOML text describes.

    Args:
        text: Keys and values; docs/signals.md lists them.
        source: What to call the text in an error: the name of its file.

    Raises:
        ConfigurationError: It is no TOML, or a key or a value is wrong: the sentence
            names the source, the key and what to write.
    """
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f'{source}: this is no TOML ({error}); write lines like risk = "1%"'
        ) from error
    _check_keys(table, source)
    fields = {
        name: _parse(key, table[key], parse, source)
        for key, (name, parse) in _KEYS.items()
        if key in table
    }
    fields.pop("size", None)
    size = _size(table, source)
    profile = ChannelProfile(size=size, **fields)
    _check_whole(profile, source)
    return profile


def _check_keys(table: Mapping[str, Any], source: str) -> None:
    for key in table:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_KEYS)}"
            raise ConfigurationError(f"{source}: the key {key!r} is not known; {hint}")


def _parse(key: str, value: object, parse: Callable[[object], Any], source: str) -> Any:
    try:
        return parse(value)
    except ValueError as error:
        raise ConfigurationError(
            f"{source}: {key} = {_shown(value)} is wrong; write {error}"
        ) from error


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _size(table: Mapping[str, Any], source: str) -> Size | None:
    named = [key for key in _SIZES if key in table]
    if len(named) > 1:
        raise ConfigurationError(
            f"{source}: {' and '.join(named)} exclude each other; keep one of them"
        )
    if not named:
        return None
    key = named[0]
    return Size(_SIZES[key], _parse(key, table[key], _KEYS[key][1], source))


def _check_whole(profile: ChannelProfile, source: str) -> None:
    if profile.needs_stop and profile.default_stop is not None:
        raise ConfigurationError(
            f"{source}: needs_stop and default_stop exclude each other; keep one of them"
        )


def _percent(example: str, highest: int = 100) -> Callable[[object], Decimal]:
    """Return a parser of per cents that gives a fraction."""

    def parse(value: object) -> Decimal:
        if isinstance(value, str) and value.strip().endswith("%"):
            number = _number(value.strip().removesuffix("%").strip())
            if number is not None and 0 < number <= highest:
                return number / _HUNDRED
        raise ValueError(f'a per cent above 0 and up to {highest}, such as "{example}"')

    return parse


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _positive(value: object) -> Decimal:
    if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
        number = _number(str(value))
        if number is not None and number > 0:
            return number
    raise ValueError("a number above 0, such as 100")


def _whole(highest: int, example: int, *, lowest: int = 1) -> Callable[[object], int]:
    """Return a parser of whole numbers between two bounds."""

    def parse(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        raise ValueError(f"a whole number from {lowest} to {highest}, such as {example}")

    return parse


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("true or false")


def _choice(*choices: str) -> Callable[[object], str]:
    """Return a parser of one word among several."""

    def parse(value: object) -> str:
        if isinstance(value, str) and value.lower() in choices:
            return value.lower()
        raise ValueError(" or ".join(f'"{choice}"' for choice in choices))

    return parse


def _entry_rule(value: object) -> EntryRule:
    return EntryRule(_choice(*EntryRule)(value))


def _words(value: object, example: str) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return value
    raise ValueError(f"a list of words, such as {example}")


def _symbols(value: object) -> frozenset[str]:
    example = '["BTCUSDT", "ETHUSDT"]'
    words = _words(value, example)
    if all(word.isascii() and word.isalnum() and word.endswith("USDT") for word in words):
        return frozenset(words)
    raise ValueError(f"symbols as the exchange lists them, such as {example}")


def _sides(value: object) -> frozenset[PositionSide]:
    words = {word.upper() for word in _words(value, '["long", "short"]')}
    if words <= set(PositionSide):
        return frozenset(PositionSide(word) for word in words)
    raise ValueError('a list of "long" and "short", such as ["long"]')


def _shares(value: object) -> tuple[Decimal, ...]:
    example = 'per cents that make 100, such as ["50%", "30%", "20%"]'
    words = _words(value, '["50%", "50%"]')
    shares = tuple(_percent("50%")(word) for word in words)
    if sum(shares) == 1 and len(shares) <= MOST_TARGETS:
        return shares
    raise ValueError(example)


_KEYS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "risk": ("size", _percent("1%")),
    "usdt": ("size", _positive),
    "quantity": ("size", _positive),
    "needs_stop": ("needs_stop", _flag),
    "default_stop": ("default_stop", _percent("3%", highest=99)),
    "leverage_cap": ("leverage_cap", _whole(HIGHEST_LEVERAGE, 10)),
    "entry": ("entry_rule", _entry_rule),
    "target_shares": ("target_shares", _shares),
    "symbols": ("symbols", _symbols),
    "sides": ("sides", _sides),
    "max_age_s": ("max_age_s", _whole(_LONGEST_AGE_S, 120)),
    "max_drift": ("max_drift", _percent("0.5%")),
    "exchange": ("exchange", _choice(*EXCHANGES)),
    "break_even_after": ("break_even_after", _whole(MOST_TARGETS, 1)),
    "expiry_s": ("expiry_s", _whole(_LONGEST_WAIT_S, 86_400)),
    "duplicate_window_s": ("duplicate_window_s", _whole(_LONGEST_AGE_S, 3_600, lowest=0)),
}

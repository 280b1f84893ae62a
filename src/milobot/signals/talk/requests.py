"""What people may ask: parsed strictly, so that nothing is done that was not said."""

import re
from dataclasses import dataclass
from enum import StrEnum

_MOST = 120
_COMMAND = re.compile(r"/([A-Za-z]{1,20})(?:@([A-Za-z0-9_]{1,64}))?")
_SYMBOL = re.compile(r"[#$]?([^\W_]{1,24}?)(?:[/-]?USDT)?(?:\.P)?", re.IGNORECASE)
_ACCOUNT = re.compile(r"[a-z][a-z0-9_-]{0,30}(?::[A-Za-z0-9_.-]{1,40})?", re.ASCII)
_DAYS = re.compile(r"[0-9]{1,3}", re.ASCII)
_CODE = re.compile(r"[0-9]{1,8}", re.ASCII)
_MOST_DAYS = 366


class Verb(StrEnum):
    """What can be asked."""

    HELP = "help"
    STATUS = "status"
    POSITIONS = "positions"
    ORDERS = "orders"
    PROFIT = "profit"
    BALANCE = "balance"
    WHY = "why"
    PAUSE = "pause"
    RESUME = "resume"
    CLOSE = "close"
    HALT = "halt"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for.

    Attributes:
        symbol: What to close or to explain; empty for others.
        account: The account named, ``exchange:name`` or one of both; empty for all.
        days: How far back; 1 is today.
        is_flatten: Whether everything is to be closed as well.
        code: What confirms another request; empty for others.
    """

    verb: Verb
    symbol: str = ""
    account: str = ""
    days: int = 1
    is_flatten: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Misread:
    """Why a text asks for nothing, as a sentence."""

    reason: str


USAGE = {
    Verb.HELP: "",
    Verb.STATUS: "[account]",
    Verb.POSITIONS: "[account]",
    Verb.ORDERS: "[account]",
    Verb.PROFIT: "[days] [account]",
    Verb.BALANCE: "[account]",
    Verb.WHY: "SYMBOL [account]",
    Verb.PAUSE: "[account]",
    Verb.RESUME: "[account]",
    Verb.CLOSE: "SYMBOL [account]",
    Verb.HALT: "[flatten] [account]",
    Verb.YES: "CODE",
}
"""What may stand behind each, as help shows it; brackets: it may be left out."""


def parse_request(text: str, bot_name: str = "") -> Request | Misread | None:
    """Return what a text asks for; None when it is meant for another bot.

    Args:
        text: As it came. Case and further blanks do not matter.
        bot_name: Our own name, without ``@``; empty when it is not known.
    """
    if len(text) > _MOST:
        return Misread("that is too long for a command")
    words = text.split()
    command = _COMMAND.fullmatch(words[0]) if words else None
    if command is None:
        return Misread("commands begin with a slash")
    name, addressee = command[1].lower(), command[2]
    if addressee and bot_name and addressee.lower() != bot_name.lower():
        return None
    if name == "start":  # what messengers send when a person first opens the chat
        return Request(Verb.HELP)
    if name not in USAGE:
        return Misread(f"there is no command /{name}")
    return _with_arguments(Verb(name), words[1:])


def parse_symbol(word: str) -> str | None:
    """Return the symbol that a word names; None when it cannot be one.

    >>> parse_symbol("btc"), parse_symbol("#BTC/USDT"), parse_symbol("ethusdt.p")
    ('BTCUSDT', 'BTCUSDT', 'ETHUSDT')
    """
    match = _SYMBOL.fullmatch(word)
    return None if match is None else f"{match[1].upper()}USDT"


def _with_arguments(verb: Verb, words: list[str]) -> Request | Misread:
    left = list(words)
    found = Request(verb)
    symbol = parse_symbol(left.pop(0)) if verb in {Verb.WHY, Verb.CLOSE} and left else ""
    is_missing = symbol is None or (verb in {Verb.WHY, Verb.CLOSE} and not symbol)
    code = left.pop(0) if verb is Verb.YES and left and _CODE.fullmatch(left[0]) else ""
    if is_missing or (verb is Verb.YES and not code):
        return _misused(verb)
    days = _days(left) if verb is Verb.PROFIT else 1
    is_flatten = verb is Verb.HALT and bool(left) and left[0].lower() == "flatten"
    left = left[1:] if is_flatten else left
    account = _account(verb, left)
    if left or not 1 <= days <= _MOST_DAYS:
        return _misused(verb)
    return Request(found.verb, symbol or "", account, days, is_flatten, code)


def _days(left: list[str]) -> int:
    """Take the number of days off the words; 1 where none is named."""
    return int(left.pop(0)) if left and _DAYS.fullmatch(left[0]) else 1


def _account(verb: Verb, left: list[str]) -> str:
    """Take the account off the words; empty where none is named."""
    if "[account]" not in USAGE[verb] or not left or not _ACCOUNT.fullmatch(left[0].lower()):
        return ""
    exchange, colon, name = left.pop(0).partition(":")
    return f"{exchange.lower()}{colon}{name}"


def _misused(verb: Verb) -> Misread:
    return Misread(f"write /{verb.value} {USAGE[verb]}".rstrip())

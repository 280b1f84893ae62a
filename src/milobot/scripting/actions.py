"""The action grammar: ``long(1%risk@10x,sl=2%,rr=3)`` to an action and back.

Strict on purpose: what is not understood is an error with a caret under it,
never a guess, because the text decides about money. Numbers become exact
decimals and never pass through a float.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NoReturn

from milobot.domain.intents import (
    Action,
    Close,
    Distance,
    DistanceKind,
    DoNothing,
    Enter,
    PositionSide,
    Size,
    SizeKind,
)
from milobot.domain.money import format_decimal
from milobot.errors import ActionFormatError

MAX_LENGTH = 200
_MAX_DIGITS = 12
_HUNDRED = Decimal(100)
_TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)?|[A-Za-z_][A-Za-z0-9_]*|[^ ]")
_OPTIONS = ("sl", "tp", "rr", "trail", "be")
_SIZES = {"risk": SizeKind.RISK, "equity": SizeKind.EQUITY}


def parse_action(text: str) -> Action:
    """Return the action that ``text`` states.

    >>> parse_action("long(1%risk@10x, sl=2%, rr=3)").leverage
    10

    Raises:
        ActionFormatError: The text does not follow the grammar; the message shows
            it with a caret under the first fault.
    """
    if len(text) > MAX_LENGTH:
        shown = _printable(text[: MAX_LENGTH + 1])
        raise ActionFormatError(
            f"an action has at most {MAX_LENGTH} characters", text=shown, position=MAX_LENGTH
        )
    return _Parser(text).action()


def format_action(action: Action) -> str:
    """Write an action in its canonical form: no spaces, no ``@1x``, options in a fixed order.

    >>> format_action(parse_action("short( 50 usdt @1x , tp=2.50% )"))
    'short(50usdt,tp=2.5%)'
    """
    if isinstance(action, DoNothing):
        return "donothing"
    if isinstance(action, Close):
        return "close"
    size = _format_size(action.size) + (f"@{action.leverage}x" if action.leverage != 1 else "")
    options = [
        ("sl", "none" if action.unprotected else action.stop),
        ("tp", action.target),
        ("rr", action.reward_ratio),
        ("trail", action.trail),
        ("be", action.break_even),
    ]
    stated = [f"{name}={_format_value(value)}" for name, value in options if value is not None]
    return f"{action.side.value.lower()}({','.join([size, *stated])})"


def _format_size(size: Size) -> str:
    if size.kind in (SizeKind.RISK, SizeKind.EQUITY):
        return f"{format_decimal(size.value * _HUNDRED)}{size.kind.value}"
    unit = "usdt" if size.kind is SizeKind.QUOTE else ""
    return f"{format_decimal(size.value)}{unit}"


def _format_value(value: Distance | Decimal | str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format_decimal(value)
    if value.kind is DistanceKind.PERCENT:
        return f"{format_decimal(value.value * _HUNDRED)}%"
    return format_decimal(value.value) + ("atr" if value.kind is DistanceKind.ATR else "")


def _printable(text: str) -> str:
    """Replace what would move a caret or command a terminal by one ``?`` each."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    position: int

    @property
    def is_number(self) -> bool:
        return "0" <= self.text[:1] <= "9"

    @property
    def is_word(self) -> bool:
        return self.text[:1].isalpha() or self.text[:1] == "_"


@dataclass(slots=True)
class _Options:
    """Options read so far, each with the place of its name."""

    places: dict[str, int] = field(default_factory=dict)
    distances: dict[str, Distance] = field(default_factory=dict)
    numbers: dict[str, Decimal] = field(default_factory=dict)
    unprotected: bool = False


class _Parser:
    """Recursive descent over the tokens of one action."""

    def __init__(self, text: str) -> None:
        self._text = _printable(text)
        self._tokens = [_Token(match.group(), match.start()) for match in _TOKEN.finditer(text)]
        self._tokens.append(_Token("", len(text.rstrip(" "))))
        self._next = 0
        for char_position, char in enumerate(text):
            if not " " <= char <= "~":
                self._fail("only plain ASCII characters make an action", char_position)

    def action(self) -> Action:
        word = self._take()
        action: Action
        if word.text == "donothing":
            action = DoNothing()
        elif word.text == "close":
            action = Close()
        elif word.text in ("long", "short"):
            action = self._enter(PositionSide(word.text.upper()))
        else:
            self._fail("an action is donothing, close, long(...) or short(...)", word.position)
        rest = self._peek()
        if rest.text:
            self._fail("the action ends before this", rest.position)
        return action

    def _enter(self, side: PositionSide) -> Enter:
        self._expect("(", f"{side.value.lower()} needs a size in brackets, such as (1%risk, sl=2%)")
        size_position = self._peek().position
        size = self._size()
        leverage = self._leverage() if self._peek().text == "@" else 1
        options = _Options()
        while self._peek().text == ",":
            self._take()
            self._option(side, options)
        self._expect(")", "expected , or )")
        self._check_together(size, size_position, options)
        return Enter(
            side=side,
            size=size,
            leverage=leverage,
            stop=options.distances.get("sl"),
            unprotected=options.unprotected,
            target=options.distances.get("tp"),
            reward_ratio=options.numbers.get("rr"),
            trail=options.distances.get("trail"),
            break_even=options.numbers.get("be"),
        )

    def _size(self) -> Size:
        position = self._peek().position
        value = self._positive("a size")
        if self._peek().text == "%":
            self._take()
            word = self._take()
            if word.text not in _SIZES:
                self._fail("after % of a size comes risk or equity", word.position)
            kind = _SIZES[word.text]
            if kind is SizeKind.RISK and value > _HUNDRED:
                self._fail("a risk is at most 100%", position)
            return Size(kind, value / _HUNDRED)
        unit = self._peek()
        if unit.text == "usdt":
            self._take()
            return Size(SizeKind.QUOTE, value)
        self._no_unit(unit, "a size ends in %risk, %equity, usdt or, for the base asset, nothing")
        return Size(SizeKind.BASE, value)

    def _leverage(self) -> int:
        self._take()
        number = self._peek()
        value = self._positive("a leverage")
        if value != value.to_integral_value():
            self._fail("a leverage is a whole number, such as 10x", number.position)
        self._expect("x", "a leverage ends in x, such as 10x")
        return int(value)

    def _option(self, side: PositionSide, options: _Options) -> None:
        name = self._take()
        if name.text not in _OPTIONS:
            self._fail(f"an option is one of {', '.join(_OPTIONS)}", name.position)
        if name.text in options.places:
            self._fail(f"{name.text} is given twice", name.position)
        if {name.text, *options.places} >= {"tp", "rr"}:
            self._fail("tp and rr both set the target: give one of them", name.position)
        options.places[name.text] = name.position
        self._expect("=", f"{name.text} needs a value, such as {name.text}={_EXAMPLES[name.text]}")
        if name.text in ("rr", "be"):
            options.numbers[name.text] = self._plain_number(name.text)
        elif name.text == "sl" and self._peek().text == "none":
            self._take()
            options.unprotected = True
        else:
            options.distances[name.text] = self._distance(name.text, side)

    def _plain_number(self, name: str) -> Decimal:
        value = self._positive(name)
        self._no_unit(self._peek(), f"{name} is a plain number: a multiple of the stop distance")
        return value

    def _distance(self, name: str, side: PositionSide) -> Distance:
        position = self._peek().position
        value = self._positive(name)
        unit = self._peek()
        if unit.text == "%":
            self._take()
            if value >= _HUNDRED and (name != "tp" or side is PositionSide.SHORT):
                self._fail(f"{name} is below 100% here: a price cannot fall further", position)
            return Distance(DistanceKind.PERCENT, value / _HUNDRED)
        if unit.text == "atr":
            self._take()
            return Distance(DistanceKind.ATR, value)
        self._no_unit(unit, "a distance ends in %, atr or, for a price, nothing")
        if name == "trail":
            self._fail("trail is a distance, such as 1.5% or 2atr, not a price", position)
        return Distance(DistanceKind.PRICE, value)

    def _check_together(self, size: Size, size_position: int, options: _Options) -> None:
        has_stop = "sl" in options.distances
        if "be" in options.places and options.unprotected:
            self._fail("be moves the stop, and sl=none says there is none", options.places["be"])
        if "rr" in options.places and not has_stop:
            self._fail("rr needs sl: it is a multiple of the stop distance", options.places["rr"])
        if size.kind is SizeKind.RISK and not has_stop:
            self._fail("%risk needs sl: the risk is what the stop would lose", size_position)

    def _positive(self, what: str) -> Decimal:
        token = self._take()
        if not token.is_number:
            hint = "; write 0.5, without sign" if token.text in {"-", "+", "."} else ""
            self._fail(f"{what} begins with a number{hint}", token.position)
        whole, _, decimals = token.text.partition(".")
        if len(whole) > _MAX_DIGITS or len(decimals) > _MAX_DIGITS:
            self._fail(
                f"a number has at most {_MAX_DIGITS} digits on each side of the point",
                token.position,
            )
        value = Decimal(token.text)
        if value == 0:
            self._fail(f"{what} of 0 is not possible", token.position)
        return value

    def _no_unit(self, token: _Token, reason: str) -> None:
        """Refuse anything that is not the end of a value."""
        if re.fullmatch(r"[eE][0-9]*", token.text):
            self._fail("numbers are written out, without exponent", token.position)
        if token.is_number or token.is_word or token.text in {"%", "."}:
            self._fail(reason, token.position)

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        if token.text:
            self._next += 1
        return token

    def _expect(self, text: str, reason: str) -> None:
        token = self._take()
        if token.text != text:
            self._fail(reason, token.position)

    def _fail(self, reason: str, position: int) -> NoReturn:
        raise ActionFormatError(reason, text=self._text, position=position)


_EXAMPLES = {"sl": "2%", "tp": "4%", "rr": "3", "trail": "1.5%", "be": "1"}

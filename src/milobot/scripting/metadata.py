"""What a script says about itself, read from its text without running it.

``timeframe``, ``coin``, ``action_if_true`` and ``action_if_false`` are plain
texts at the top level. Every other literal that a top-level line gives to a
name set only once is a *parameter*, which ``--set name=value`` may replace.
"""

import ast
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from milobot.domain.intents import Action, DoNothing
from milobot.domain.timeframes import Timeframe, parse_timeframe
from milobot.errors import ActionFormatError, DataError, ScriptError
from milobot.scripting.actions import parse_action
from milobot.scripting.checking import did_you_mean, lines_of, place_of
from milobot.scripting.results import Parameter
from milobot.scripting.scopes import assigned_names
from milobot.scripting.vocabulary import CONDITION, SETTINGS

_MAX_SYMBOL_LENGTH = 30
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a script says about itself.

    Attributes:
        action_texts: The two action strings as written.
        parameters: Name and value of each parameter, after ``--set``.
    """

    timeframe: Timeframe
    coin: str
    action_if_true: Action
    action_if_false: Action
    action_texts: tuple[str, str]
    parameters: dict[str, Parameter]


def read_metadata(tree: ast.Module, source: str, overrides: Mapping[str, object]) -> Metadata:
    """Return what a checked script says about itself and put ``overrides`` into its tree.

    Args:
        tree: The syntax tree; literals of overridden names are replaced in it.
        source: Its text, for the places of faults.
        overrides: New values of parameters, and of ``timeframe`` and ``coin``.

    Raises:
        ScriptError: A setting is missing or malformed, or an override does not fit.
    """
    return _Reader(tree, source).read(overrides)


class _Reader:
    def __init__(self, tree: ast.Module, source: str) -> None:
        self._lines = lines_of(source)
        self._counts = assigned_names(tree)
        self._literals = {
            statement.targets[0].id: statement
            for statement in tree.body
            if isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
            and self._counts[statement.targets[0].id] == 1
            and _literal(statement.value) is not None
        }

    def read(self, overrides: Mapping[str, object]) -> Metadata:
        for name, value in overrides.items():
            self._override(name, value)
        timeframe = self._timeframe()
        coin = self._coin()
        true_text, if_true = self._action("action_if_true")
        false_text, if_false = self._action("action_if_false")
        if isinstance(if_true, DoNothing) and isinstance(if_false, DoNothing):
            raise ScriptError(
                "the script never acts: give it a line such as "
                'action_if_true = "long(1%risk, sl=2%, rr=3)"'
            )
        if not self._counts[CONDITION]:
            raise ScriptError(
                "the script never sets condition_true: give it a line such as "
                "condition_true = rsi[-1] < 30"
            )
        parameters = {
            name: _known(statement.value)
            for name, statement in self._literals.items()
            if name not in (*SETTINGS, CONDITION, "_")
        }
        return Metadata(timeframe, coin, if_true, if_false, (true_text, false_text), parameters)

    def _override(self, name: str, value: object) -> None:
        statement = self._literals.get(name)
        if statement is None or name in (CONDITION, "_"):
            if self._counts[name]:
                self._refuse_override(name)
            changeable = [
                known for known in self._literals if known not in (*SETTINGS, CONDITION, "_")
            ]
            listed = ", ".join(changeable) or "none"
            near = did_you_mean(name, changeable) or f" (parameters of this script: {listed})"
            raise ScriptError(f"the script has no parameter {name[:60]!r}{near}")
        statement.value = ast.copy_location(
            ast.Constant(_typed(name, value, _known(statement.value))), statement.value
        )

    def _refuse_override(self, name: str) -> NoReturn:
        raise ScriptError(
            f"{name} cannot be set from outside: a parameter is a name that one top-level line "
            "sets to a number, a text, True or False"
        )

    def _text(self, name: str) -> tuple[str, ast.expr] | None:
        """Return the text of a setting and where it stands, None when it is not set at all."""
        if not self._counts[name]:
            return None
        statement = self._literals.get(name)
        if statement is None or not isinstance(_literal(statement.value), str):
            raise ScriptError(
                f"{name} must be set once, at the top level, to a plain text in quotes: it is "
                "read without running the script"
            )
        return str(_literal(statement.value)), statement.value

    def _timeframe(self) -> Timeframe:
        found = self._text("timeframe")
        if found is None:
            raise ScriptError(
                'the script does not say its timeframe: give it a line such as timeframe = "1h"'
            )
        try:
            return parse_timeframe(found[0])
        except DataError as exc:
            self._fail(str(exc), found[1])

    def _coin(self) -> str:
        found = self._text("coin")
        if found is None:
            raise ScriptError(
                'the script does not say its coin: give it a line such as coin = "BTCUSDT"'
            )
        coin, place = found
        if not (
            coin.isascii()
            and coin.isalnum()
            and coin == coin.upper()
            and len(coin) <= _MAX_SYMBOL_LENGTH
        ):
            self._fail("coin is written like BTCUSDT: capital letters and digits", place)
        return coin

    def _action(self, name: str) -> tuple[str, Action]:
        found = self._text(name)
        if found is None:
            return "donothing", DoNothing()
        text, place = found
        try:
            return text, parse_action(text)
        except ActionFormatError as exc:
            self._fail(f"{name}: {exc.reason}", place)

    def _fail(self, reason: str, place: ast.expr) -> NoReturn:
        line, column = place_of(place, self._lines)
        raise ScriptError(reason, line=line, column=column)


def _literal(node: ast.expr) -> Parameter | None:
    """Return the value of a literal number, text or truth value; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str):
        is_endless = isinstance(node.value, float) and not math.isfinite(node.value)
        return None if is_endless else node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _literal(node.operand)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -value if isinstance(node.op, ast.USub) else value
    return None


def _known(node: ast.expr) -> Parameter:
    value = _literal(node)
    if value is None:
        raise TypeError("not a literal")
    return value


def _typed(name: str, value: object, default: Parameter) -> Parameter:
    """Return an override as the type of the default that it replaces."""
    text = str(value).strip()
    if isinstance(default, str):
        return str(value)
    if isinstance(default, bool):
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
    else:
        with suppress(ValueError, OverflowError):
            number = type(default)(text)
            if math.isfinite(number):
                return number
    raise ScriptError(
        f"{name} is {_TYPE_WORDS[type(default)]} in the script, such as {default!r}: "
        f"{text[:40]!r} is not"
    )


_TYPE_WORDS = {
    bool: "a truth value (true or false)",
    int: "a whole number",
    float: "a number",
}

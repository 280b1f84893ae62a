"""The allow-list itself: which elements of Python's syntax pass, and which names are known."""

import ast
from difflib import get_close_matches
from typing import NoReturn

from milobot.errors import ScriptError, ScriptForbiddenError
from milobot.scripting.scopes import Scopes, assigned_names
from milobot.scripting.vocabulary import (
    FUNCTIONS,
    HOST_DATA,
    HOST_FUNCTIONS,
    NAME_ADVICE,
    NODE_ADVICE,
)

MAX_NODES = 4000

_STATEMENTS = "Module Expr Assign AugAssign If For While Break Continue Pass"
_EXPRESSIONS = (
    "Name Constant BinOp UnaryOp BoolOp Compare IfExp Call Subscript Slice Tuple List Dict "
    "ListComp DictComp GeneratorExp comprehension JoinedStr FormattedValue Starred keyword "
    "NamedExpr Load Store"
)
_OPERATORS = (
    "Add Sub Mult Div FloorDiv Mod Pow LShift RShift BitOr BitXor BitAnd UAdd USub Not Invert "
    "And Or Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn"
)
# Refused or allowed by where they stand, each by a method of a checker.
_BY_PLACE = "Await Attribute Lambda Set"
_ALLOWED = frozenset(f"{_STATEMENTS} {_EXPRESSIONS} {_OPERATORS} {_BY_PLACE}".split())


def lines_of(source: str) -> list[str]:
    """Return the lines of a script as Python counts them."""
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def place_of(node: ast.AST, lines: list[str]) -> tuple[int, int]:
    """Return line and column of a node, both counted from 1, the column in characters."""
    line: int = getattr(node, "lineno", 0)
    if not 0 < line <= len(lines):
        return 0, 0
    before = lines[line - 1].encode()[: getattr(node, "col_offset", 0)]
    return line, len(before.decode(errors="ignore")) + 1


def did_you_mean(name: str, known: list[str]) -> str:
    """Return ``: did you mean x?``, or nothing when no known name is near."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f": did you mean {near[0]}?" if near else ""


class Walker:
    """Walks the tree once and refuses the first thing that is not allowed."""

    def __init__(self, source: str, tree: ast.Module) -> None:
        """Prepare to walk ``tree``, which was parsed from ``source``."""
        self._lines = lines_of(source)
        self._tree = tree
        self._assigned = assigned_names(tree)
        self._scopes = Scopes()
        self._nodes = 0
        self._place: ast.AST = tree

    def check(self) -> None:
        """Refuse the first fault in the order of the text."""
        for statement in self._tree.body:
            self._visit(statement)

    def _visit(self, node: ast.AST) -> None:
        self._nodes += 1
        if hasattr(node, "lineno"):
            self._place = node  # operators have no place of their own
        if self._nodes > MAX_NODES:
            self._fail(node, f"the script is too long: at most {MAX_NODES} syntax elements")
        kind = type(node).__name__
        if kind not in _ALLOWED:
            advice = NODE_ADVICE.get(kind, f"{kind} is not part of the script language")
            self._forbid(node, advice)
        visitor = getattr(self, f"_visit_{kind.lower()}", None)
        if visitor is not None:
            visitor(node)
        else:
            self._visit_children(node)

    def _visit_children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self._visit(child)

    def _visit_name(self, node: ast.Name) -> None:
        name = node.id
        self._check_reserved(node, name)
        if isinstance(node.ctx, ast.Store):
            self._check_binding(node, name)
        elif name in HOST_FUNCTIONS:
            self._forbid(
                node, f"{name} has to be called: write await {HOST_FUNCTIONS[name].example}"
            )
        elif name in FUNCTIONS and name not in self._assigned:
            self._forbid(node, f"{name} is a function: call it, such as {name}(...)")
        else:
            self._check_known(node, name)

    def _check_binding(self, node: ast.AST, name: str) -> None:
        if name in HOST_FUNCTIONS or name in HOST_DATA:
            self._forbid(node, f"{name} is given by milobot and cannot be set: choose another name")
        if name in FUNCTIONS:
            self._forbid(node, f"{name} is a built-in function: choose another name")

    def _check_known(self, node: ast.AST, name: str) -> None:
        if name in self._assigned or name in HOST_DATA or self._scopes.has(name):
            return
        if name in NAME_ADVICE:
            self._forbid(node, f"{name} is not part of the script language: {NAME_ADVICE[name]}")
        known = sorted({*self._assigned, *HOST_DATA, *HOST_FUNCTIONS, *FUNCTIONS})
        self._fail(node, f"unknown name {name[:60]!r}{did_you_mean(name, known)}")

    def _check_reserved(self, node: ast.AST, name: str) -> None:
        if name.startswith("_") and name != "_":
            self._forbid(node, f"{name}: names beginning with _ are reserved, choose another name")

    def _fail(self, node: ast.AST, reason: str) -> NoReturn:
        line, column = self._placed(node)
        raise ScriptError(reason, line=line, column=column)

    def _forbid(self, node: ast.AST, reason: str) -> NoReturn:
        line, column = self._placed(node)
        raise ScriptForbiddenError(reason, line=line, column=column)

    def _placed(self, node: ast.AST) -> tuple[int, int]:
        return place_of(node if hasattr(node, "lineno") else self._place, self._lines)

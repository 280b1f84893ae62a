"""The script language: an allow-list over Python's syntax.

Only what is listed passes; everything else is refused with its place, what it
is in plain words, and what to write instead. The list keeps scripts pure and
repeatable: no way to other objects, no names of the machine, no order that
changes between runs. It is the language, not the wall: the wall is the worker
process. Run this only inside a worker, because even parsing hostile text can
cost a process its life.
"""

import ast
import warnings
from difflib import get_close_matches
from typing import NoReturn

from milobot.errors import ScriptError, ScriptForbiddenError
from milobot.scripting.scopes import Scopes, assigned_names
from milobot.scripting.vocabulary import (
    FUNCTIONS,
    HOST_DATA,
    HOST_FUNCTIONS,
    METHOD_ADVICE,
    METHODS,
    NAME_ADVICE,
    NODE_ADVICE,
    REQUIRED,
    HostFunction,
)

MAX_SOURCE_BYTES = 64 * 1024
MAX_NODES = 4000
MAX_FORMAT_WIDTH = 999

_ALLOWED = frozenset(
    ["Module", "Expr", "Assign", "AugAssign", "If", "For", "While", "Break", "Continue", "Pass", "Name", "Constant", "BinOp", "UnaryOp", "BoolOp", "Compare", "IfExp", "Call", "Subscript", "Slice", "Tuple", "List", "Dict", "ListComp", "DictComp", "GeneratorExp", "comprehension", "JoinedStr", "FormattedValue", "Starred", "keyword", "NamedExpr", "Load", "Store", "Add", "Sub", "Mult", "Div", "FloorDiv", "Mod", "Pow", "LShift", "RShift", "BitOr", "BitXor", "BitAnd", "UAdd", "USub", "Not", "Invert", "And", "Or", "Eq", "NotEq", "Lt", "LtE", "Gt", "GtE", "Is", "IsNot", "In", "NotIn"]
)
# Refused or allowed by where they stand, each by a method of the checker.
_BY_PLACE = frozenset({"Await", "Attribute", "Lambda", "Set"})
_KEY_FUNCTIONS = frozenset({"max", "min", "sorted"})


def parse_source(source: str) -> ast.Module:
    """Return the syntax tree of a script that uses only what the language has.

    Raises:
        ScriptError: The text is too large, has a syntax error or an unknown name.
        ScriptForbiddenError: It uses what the language does not have.
    """
    tree = _parse(source)
    try:
        _Checker(source, tree).check()
    except RecursionError:
        raise ScriptError("the script is nested too deeply: use variables", line=1) from None
    return tree


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


def _parse(source: str) -> ast.Module:
    try:
        if len(source.encode()) > MAX_SOURCE_BYTES:
            raise ScriptError(f"a script has at most {MAX_SOURCE_BYTES // 1024} KB")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubtful escapes in texts are the author's affair
            return ast.parse(source, filename="<script>")
    except SyntaxError as exc:
        reason = f"syntax error: {(exc.msg or 'not understood')[:200]}"
        raise ScriptError(reason, line=exc.lineno or 1, column=exc.offset or 1) from None
    except (ValueError, RecursionError, MemoryError) as exc:
        detail = str(exc)[:100] or "nested too deeply"
        raise ScriptError(f"the text is not readable as a script: {detail}", line=1) from None


class _Checker:
    """Walks the tree once and refuses the first thing that is not allowed."""

    def __init__(self, source: str, tree: ast.Module) -> None:
        self._lines = source.splitlines()
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
        if kind not in _ALLOWED and kind not in _BY_PLACE:
            advice = NODE_ADVICE.get(kind, f"{kind} is not part of the script language")
            self._forbid(node, advice)
        visitor = getattr(self, f"_visit_{kind}", None)
        if visitor is not None:
            visitor(node)
        else:
            self._visit_children(node)

    def _visit_children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self._visit(child)

    def _visit_Name(self, node: ast.Name) -> None:
        name = node.id
        self._check_reserved(node, name)
        if isinstance(node.ctx, ast.Store):
            self._check_binding(node, name)
        elif name in HOST_FUNCTIONS:
            self._forbid(node, f"{name} has to be called: write await {_example(name)}")
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

    def _visit_Constant(self, node: ast.Constant) -> None:
        if node.value is not None and not isinstance(node.value, bool | int | float | str):
            kind = "..." if node.value is ... else type(node.value).__name__
            self._forbid(
                node,
                f"{kind} values are not part of the script language: use numbers, "
                "texts, True, False or None",
            )

    def _visit_Await(self, node: ast.Await) -> None:
        call = node.value
        if not (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id in HOST_FUNCTIONS
        ):
            self._await_without_host_call(node)
        if self._scopes.in_generator:
            self._forbid(node, "await cannot stand in a generator expression: use a list [...]")
        self._nodes += 2
        self._check_host_call(call, HOST_FUNCTIONS[call.func.id])

    def _await_without_host_call(self, node: ast.Await) -> NoReturn:
        called = node.value.func if isinstance(node.value, ast.Call) else None
        if isinstance(called, ast.Name) and called.id not in FUNCTIONS:
            self._visit(called)  # an unknown name gets its did-you-mean
        self._forbid(
            node,
            "await belongs before a function of milobot, such as await calculate_rsi(data, 14)",
        )

    def _check_host_call(self, call: ast.Call, function: HostFunction) -> None:
        given: dict[str, ast.expr] = {}
        if len(call.args) > len(function.arguments):
            self._fail(
                call,
                f"{function.name} takes {len(function.arguments)} arguments: "
                f"{', '.join(function.arguments) or 'none'}",
            )
        for name, value in zip(function.arguments, call.args, strict=False):
            given[name] = value
        for keyword in call.keywords:
            self._add_keyword(call, keyword, function, given)
        required = [*function.sources, *(n for n, d in function.settings if d is REQUIRED)]
        for name in required:
            if name not in given:
                self._fail(call, f"{function.name} needs {name}: write await {function.example}")
        for value in given.values():
            if isinstance(value, ast.Starred):
                self._forbid(value, f"{function.name} takes its arguments one by one, without *")
            self._visit(value)

    def _add_keyword(
        self,
        call: ast.Call,
        keyword: ast.keyword,
        function: HostFunction,
        given: dict[str, ast.expr],
    ) -> None:
        if keyword.arg is None:
            self._forbid(
                keyword.value, f"{function.name} takes its arguments one by one, without **"
            )
        if keyword.arg not in function.arguments:
            near = did_you_mean(keyword.arg, list(function.arguments))
            self._fail(keyword, f"{function.name} has no argument {keyword.arg[:60]!r}{near}")
        if keyword.arg in given:
            self._fail(keyword, f"{function.name} got {keyword.arg} twice")
        given[keyword.arg] = keyword.value

    def _visit_Call(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            if keyword.arg is None:
                self._forbid(
                    keyword.value, "** is not part of the script language: write the arguments out"
                )
        if isinstance(node.func, ast.Attribute):
            self._check_method(node.func)
        elif isinstance(node.func, ast.Name):
            self._check_function(node, node.func)
        else:
            self._forbid(node, "only functions and methods can be called by their name")
        self._check_arguments(node)

    def _check_method(self, attribute: ast.Attribute) -> None:
        if attribute.attr not in METHODS:
            self._refuse_attribute(attribute)
        self._visit(attribute.value)

    def _check_function(self, call: ast.Call, function: ast.Name) -> None:
        name = function.id
        if name in HOST_FUNCTIONS:
            self._forbid(call, f"{name}(...) needs await: write await {_example(name)}")
        if name in FUNCTIONS:
            return
        if name in self._assigned or self._scopes.has(name) or name in HOST_DATA:
            self._fail(call, f"{name} is a value, not a function")
        self._visit(function)

    def _check_arguments(self, call: ast.Call) -> None:
        function = call.func.id if isinstance(call.func, ast.Name) else ""
        is_sort = isinstance(call.func, ast.Attribute) and call.func.attr == "sort"
        for position, argument in enumerate(call.args):
            takes_function = function in {"map", "filter"} and position == 0
            self._visit_argument(argument, takes_function=takes_function)
        for keyword in call.keywords:
            takes_function = keyword.arg == "key" and (function in _KEY_FUNCTIONS or is_sort)
            self._visit_argument(keyword.value, takes_function=takes_function)

    def _visit_argument(self, argument: ast.expr, *, takes_function: bool) -> None:
        if takes_function and isinstance(argument, ast.Name) and argument.id in FUNCTIONS:
            self._nodes += 1
        elif takes_function and isinstance(argument, ast.Lambda):
            self._check_lambda(argument)
        else:
            self._visit(argument)

    def _check_lambda(self, node: ast.Lambda) -> None:
        arguments = node.args
        names = [*arguments.posonlyargs, *arguments.args]
        extra = [arguments.vararg, arguments.kwarg, *arguments.kwonlyargs, *arguments.defaults]
        if any(extra):
            self._forbid(
                node, "a lambda takes plain arguments, such as lambda candle: candle['low']"
            )
        for name in names:
            self._check_reserved(node, name.arg)
            self._check_binding(node, name.arg)
        with self._scopes.inner({name.arg for name in names}, is_generator=True):
            self._visit(node.body)

    def _visit_Lambda(self, node: ast.Lambda) -> None:
        self._forbid(
            node,
            "lambda may only be the key= of sorted, min, max or sort, or the first "
            "argument of map and filter",
        )

    def _visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in METHODS:
            self._forbid(node, f".{node.attr} has to be called: write .{node.attr}(...)")
        self._refuse_attribute(node)

    def _refuse_attribute(self, node: ast.Attribute) -> NoReturn:
        if isinstance(node.value, ast.Name) and not isinstance(node.ctx, ast.Store):
            self._visit_root(node.value)
        if node.attr in METHOD_ADVICE:
            self._forbid(
                node, f".{node.attr} is not part of the script language: {METHOD_ADVICE[node.attr]}"
            )
        near = did_you_mean(node.attr, sorted(METHODS))
        self._forbid(node, f".{node.attr[:60]} is not part of the script language{near}")

    def _visit_root(self, name: ast.Name) -> None:
        """Advise on ``math`` before ``.sqrt``, and on an unknown name before its attribute."""
        if name.id not in HOST_FUNCTIONS and name.id not in FUNCTIONS:
            self._visit(name)

    def _visit_Compare(self, node: ast.Compare) -> None:
        self._visit(node.left)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            is_membership = isinstance(operator, ast.In | ast.NotIn)
            if isinstance(operator, ast.Is | ast.IsNot) and not _is_singleton(right):
                self._forbid(
                    right, "is compares identity: use ==; is may be followed by None, True or False"
                )
            if is_membership and isinstance(right, ast.Set):
                self._visit_children(right)
            else:
                self._visit(right)

    def _visit_Set(self, node: ast.Set) -> None:
        self._forbid(node, NODE_ADVICE["Set"])

    def _visit_Subscript(self, node: ast.Subscript) -> None:
        root: ast.expr = node
        while isinstance(root, ast.Subscript):
            root = root.value
        is_store = isinstance(node.ctx, ast.Store)
        if is_store and isinstance(root, ast.Name) and root.id in HOST_DATA:
            self._forbid(node, f"{root.id} cannot be changed: copy what you need into a list")
        self._visit_children(node)

    def _visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        spec = node.format_spec
        for part in spec.values if isinstance(spec, ast.JoinedStr) else []:
            if (
                isinstance(part, ast.Constant)
                and _largest_number(str(part.value)) > MAX_FORMAT_WIDTH
            ):
                self._forbid(node, f"a format is at most {MAX_FORMAT_WIDTH} characters wide")
        self._visit_children(node)

    def _visit_ListComp(self, node: ast.ListComp) -> None:
        self._check_comprehension(node, [node.elt])

    def _visit_DictComp(self, node: ast.DictComp) -> None:
        self._check_comprehension(node, [node.key, node.value])

    def _visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._check_comprehension(node, [node.elt], is_generator=True)

    def _check_comprehension(
        self,
        node: ast.ListComp | ast.DictComp | ast.GeneratorExp,
        elements: list[ast.expr],
        *,
        is_generator: bool = False,
    ) -> None:
        self._visit(node.generators[0].iter)  # read in the scope around
        targets = {
            name.id
            for generator in node.generators
            for name in ast.walk(generator.target)
            if isinstance(name, ast.Name)
        }
        with self._scopes.inner(targets, is_generator=is_generator):
            for position, generator in enumerate(node.generators):
                if generator.is_async:
                    self._forbid(node, NODE_ADVICE["AsyncFor"])
                self._visit(generator.target)
                for part in ([generator.iter] if position else []) + generator.ifs:
                    self._visit(part)
            for element in elements:
                self._visit(element)

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


def _example(name: str) -> str:
    return HOST_FUNCTIONS[name].example


def _is_singleton(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _largest_number(text: str) -> int:
    digits = "".join(char if char in "0123456789" else " " for char in text).split()
    return max((int(number[:6]) for number in digits), default=0)

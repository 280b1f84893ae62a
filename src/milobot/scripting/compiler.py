"""From a checked syntax tree to a function that decides about one candle.

The script becomes the body of one function, so that its variables are fast
locals and vanish after each candle. Each ``await calculate_...(...)`` becomes
a call of its own *site*: the host binds the site once and then answers it
without building anything. ``data[-1]['close']`` reads the column directly.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType

from milobot.domain.market import COLUMNS
from milobot.scripting.checking import lines_of, place_of
from milobot.scripting.vocabulary import (
    CONDITION,
    CONSUMERS,
    HOST_FUNCTIONS,
    LAZY_FUNCTIONS,
    HostFunction,
)

FUNCTION_NAME = "__script"
LAZY_NAME = "__lazy"
FILE_NAME = "<script>"


class _Data:
    """Marks the argument ``data`` of a site."""


class _Dynamic:
    """Marks an argument that is known only when the script runs."""


DATA = _Data()
DYNAMIC = _Dynamic()


@dataclass(frozen=True, slots=True)
class Site:
    """One place where a script calls a host function.

    Attributes:
        name: Under which the compiled script calls it.
        arguments: In the function's order: a plain value, ``DATA`` or ``DYNAMIC``.
        line: Place in the script, from 1.
        column: Place in its line, from 1.
    """

    name: str
    function: HostFunction
    arguments: tuple[object, ...]
    line: int
    column: int

    @property
    def sources(self) -> tuple[object, ...]:
        """The leading arguments, which are data."""
        return self.arguments[: len(self.function.sources)]

    @property
    def settings(self) -> tuple[object, ...]:
        """The arguments after the sources."""
        return self.arguments[len(self.function.sources) :]

    @property
    def is_fixed(self) -> bool:
        """Whether every call of this site means the same for the whole run."""
        return DYNAMIC not in self.arguments


@dataclass(frozen=True, slots=True)
class Compiled:
    """A script ready to run.

    Attributes:
        code: Executing it defines the function ``FUNCTION_NAME(lastclose)``.
        columns: Names of the candle columns that it reads directly, as ``__close``.
    """

    code: CodeType
    sites: tuple[Site, ...]
    columns: tuple[str, ...]


def compile_script(tree: ast.Module, source: str, parameters: Mapping[str, object]) -> Compiled:
    """Return the function of a checked tree; the tree is used up.

    Args:
        tree: A tree that ``language.parse_source`` has passed.
        source: Its text, for places.
        parameters: Values of the parameters, which are constants of the run.
    """
    rewriter = _Rewriter(source, parameters)
    body = [rewriter.rewrite(statement) for statement in tree.body]
    # A line that the script does not have: no fault of this statement has a place in it.
    line = len(lines_of(source)) + 1
    after = {"lineno": line, "end_lineno": line, "col_offset": 0, "end_col_offset": 0}
    result = ast.Return(ast.Name(CONDITION, ast.Load(), **after), **after)
    function = ast.FunctionDef(
        name=FUNCTION_NAME,
        args=ast.arguments(
            posonlyargs=[],
            args=[ast.arg("lastclose")],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[],
        ),
        body=[*body, result],
        decorator_list=[],
    )
    function.type_params = []  # type: ignore[attr-defined]  # Python 3.12 and later ask for it
    module = ast.fix_missing_locations(ast.Module([function], []))
    code = compile(module, FILE_NAME, "exec", dont_inherit=True)
    return Compiled(code, tuple(rewriter.sites), tuple(sorted(rewriter.columns)))


class _Rewriter(ast.NodeTransformer):
    def __init__(self, source: str, parameters: Mapping[str, object]) -> None:
        self._lines = lines_of(source)
        self._parameters = parameters
        self._constants: dict[str, object] = {}
        self.sites: list[Site] = []
        self.columns: set[str] = set()

    def rewrite(self, statement: ast.stmt) -> ast.stmt:
        """Return a top-level statement rewritten; parameters count as constants after theirs."""
        result: ast.stmt = self.visit(statement)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in self._parameters:
                self._constants[name] = self._parameters[name]
        return result

    def visit_Await(self, node: ast.Await) -> ast.expr:
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise TypeError("the tree was not checked")
        function = HOST_FUNCTIONS[call.func.id]
        given: dict[str, ast.expr] = dict(zip(function.arguments, call.args, strict=False))
        given |= {word.arg: word.value for word in call.keywords if word.arg is not None}
        defaults = dict(function.settings)
        # Dynamic arguments are passed, and so evaluated, in the order of the text.
        dynamic = [name for name, value in given.items() if self._static(value) is DYNAMIC]
        arguments = tuple(
            self._static(given[name]) if name in given else defaults[name]
            for name in function.arguments
        )
        line, column = place_of(node, self._lines)
        site = Site(f"__site{len(self.sites)}", function, arguments, line, column)
        self.sites.append(site)
        in_order = [name for name in function.arguments if name in dynamic]
        passed = [self.visit(given[name]) for name in dynamic]
        return self._call(node, site.name, dynamic == in_order, dynamic, passed)

    def _call(
        self,
        node: ast.Await,
        name: str,
        is_positional: bool,  # noqa: FBT001 - private, and named at its only call
        names: list[str],
        values: list[ast.expr],
    ) -> ast.expr:
        keywords = (
            [] if is_positional else [ast.keyword(n, v) for n, v in zip(names, values, strict=True)]
        )
        target = ast.copy_location(ast.Name(name, ast.Load()), node)
        return ast.copy_location(ast.Call(target, values if is_positional else [], keywords), node)

    def _static(self, value: ast.expr) -> object:
        """Return the value of an argument that cannot change during a run, else ``DYNAMIC``."""
        if isinstance(value, ast.Constant):
            return value.value
        if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
            operand = self._static(value.operand)
            is_number = isinstance(operand, int | float) and not isinstance(operand, bool)
            return -operand if is_number else DYNAMIC  # type: ignore[operator]  # checked above
        if _is_name(value, "data"):
            return DATA
        if isinstance(value, ast.Name) and value.id in self._constants:
            return self._constants[value.id]
        return DYNAMIC

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        inner = node.value
        if (
            isinstance(node.ctx, ast.Load)
            and isinstance(inner, ast.Subscript)
            and not isinstance(inner.slice, ast.Slice)
            and _is_name(inner.value, "data")
        ):
            column = self._column(node.slice, inner)
            if column is not None:
                return column
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in CONSUMERS or name in LAZY_FUNCTIONS or isinstance(node.func, ast.Attribute):
            # These read a generator at once or hide it; anything else could print its address.
            node.args = [
                self._inside_generator(a) if isinstance(a, ast.GeneratorExp) else self.visit(a)
                for a in node.args
            ]
            node.keywords = [self.visit(keyword) for keyword in node.keywords]
            node.func = self.visit(node.func)
            return node
        self.generic_visit(node)
        return node

    def _inside_generator(self, node: ast.GeneratorExp) -> ast.expr:
        column = self._column_part(node)
        if column is not None:
            return column
        self.generic_visit(node)
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        column = self._column_part(node)
        if column is not None:
            return column
        self.generic_visit(node)
        return node

    def _column_part(self, node: ast.ListComp | ast.GeneratorExp) -> ast.expr | None:
        """Return ``[c['high'] for c in data[a:b]]`` as that part of the column, else None."""
        loop, element = node.generators[0], node.elt
        if not (
            len(node.generators) == 1
            and not loop.ifs
            and isinstance(loop.target, ast.Name)
            and isinstance(loop.iter, ast.Subscript)
            and isinstance(loop.iter.slice, ast.Slice)
            and _is_name(loop.iter.value, "data")
            and isinstance(element, ast.Subscript)
            and _is_name(element.value, loop.target.id)
        ):
            return None
        return self._column(element.slice, loop.iter)

    def _column(self, key: ast.expr, place: ast.Subscript) -> ast.expr | None:
        """Return the elements of ``data`` at ``place``, reduced to the column ``key``."""
        if not isinstance(key, ast.Constant) or key.value not in COLUMNS:
            return None
        self.columns.add(str(key.value))
        name = ast.copy_location(ast.Name(f"__{key.value}", ast.Load()), place.value)
        read = ast.Subscript(name, self.visit(place.slice), ast.Load())
        return ast.copy_location(read, place)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        self.generic_visit(node)
        lazy = ast.Call(ast.Name(LAZY_NAME, ast.Load()), [node, ast.Constant("generator")], [])
        return ast.fix_missing_locations(ast.copy_location(lazy, node))


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name

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

from milobot.errors import ScriptError
from milobot.scripting.calls import CallChecker
from milobot.scripting.vocabulary import HOST_DATA, NODE_ADVICE

MAX_SOURCE_BYTES = 64 * 1024
MAX_FORMAT_WIDTH = 999


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
        reason = f"the text is not readable as a script: {detail}"
        raise ScriptError(reason, line=1, column=1) from None  # null bytes, before Python 3.11.4


class _Checker(CallChecker):
    """The whole language."""

    def _visit_constant(self, node: ast.Constant) -> None:
        if node.value is not None and not isinstance(node.value, bool | int | float | str):
            kind = "..." if node.value is ... else type(node.value).__name__
            self._forbid(
                node,
                f"{kind} values are not part of the script language: use numbers, "
                "texts, True, False or None",
            )

    def _visit_compare(self, node: ast.Compare) -> None:
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

    def _visit_set(self, node: ast.Set) -> None:
        self._forbid(node, NODE_ADVICE["Set"])

    def _visit_subscript(self, node: ast.Subscript) -> None:
        root: ast.expr = node
        while isinstance(root, ast.Subscript):
            root = root.value
        is_store = isinstance(node.ctx, ast.Store)
        if is_store and isinstance(root, ast.Name) and root.id in HOST_DATA:
            self._forbid(node, f"{root.id} cannot be changed: copy what you need into a list")
        self._visit_children(node)

    def _visit_formattedvalue(self, node: ast.FormattedValue) -> None:
        spec = node.format_spec
        for part in spec.values if isinstance(spec, ast.JoinedStr) else []:
            if (
                isinstance(part, ast.Constant)
                and _largest_number(str(part.value)) > MAX_FORMAT_WIDTH
            ):
                self._forbid(node, f"a format is at most {MAX_FORMAT_WIDTH} characters wide")
        self._visit_children(node)

    def _visit_listcomp(self, node: ast.ListComp) -> None:
        self._check_comprehension(node, [node.elt])

    def _visit_dictcomp(self, node: ast.DictComp) -> None:
        self._check_comprehension(node, [node.key, node.value])

    def _visit_generatorexp(self, node: ast.GeneratorExp) -> None:
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


def _is_singleton(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _largest_number(text: str) -> int:
    digits = "".join(char if char in "0123456789" else " " for char in text).split()
    return max((int(number[:6]) for number in digits), default=0)

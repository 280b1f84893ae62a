"""Which names a script sets, and which are seen inside comprehensions."""

import ast
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


def assigned_names(tree: ast.Module) -> Counter[str]:
    """Count how often each variable of a script is set, comprehensions' own names left out."""
    names: Counter[str] = Counter()
    for statement in tree.body:
        _count(statement, names, is_inner=False)
    return names


def _count(node: ast.AST, names: Counter[str], *, is_inner: bool) -> None:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and not is_inner:
        names[node.id] += 1
    if isinstance(node, ast.AugAssign | ast.NamedExpr) and isinstance(node.target, ast.Name):
        # Adding to a variable, or setting it inside an expression, is never its only setting.
        names[node.target.id] += 2
    for child in ast.iter_child_nodes(node):
        # A comprehension's loop variables live in it alone.
        _count(child, names, is_inner=is_inner or isinstance(node, ast.comprehension))


class Scopes:
    """Names bound by the comprehensions and lambdas around the place that is being checked."""

    def __init__(self) -> None:
        """Begin outside of all of them."""
        self._names: list[set[str]] = []
        self._generators = 0

    def has(self, name: str) -> bool:
        """Return whether a comprehension or lambda around this place binds ``name``."""
        return any(name in names for names in self._names)

    @property
    def in_generator(self) -> bool:
        """Whether this place is inside a generator expression or lambda."""
        return self._generators > 0

    @contextmanager
    def inner(self, names: set[str], *, is_generator: bool = False) -> Iterator[None]:
        """Bind ``names`` for the time of the block."""
        self._names.append(names)
        self._generators += is_generator
        try:
            yield
        finally:
            self._names.pop()
            self._generators -= is_generator

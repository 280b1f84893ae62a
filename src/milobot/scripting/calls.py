"""Which calls a script may write: host functions after await, built-in functions, methods."""

import ast
from typing import NoReturn

from milobot.scripting.checking import Walker, did_you_mean
from milobot.scripting.vocabulary import (
    FUNCTIONS,
    HOST_DATA,
    HOST_FUNCTIONS,
    METHOD_ADVICE,
    METHODS,
    REQUIRED,
    HostFunction,
)

_KEY_FUNCTIONS = frozenset({"max", "min", "sorted"})


class CallChecker(Walker):
    """Checks calls, and the names and attributes that are functions."""

    def _visit_await(self, node: ast.Await) -> None:
        call = node.value
        if not (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id in HOST_FUNCTIONS
        ):
            self._await_without_host_call(node)
        if self._scopes.in_generator:
            self._forbid(
                node, "await cannot stand in a generator expression or lambda: use a list [...]"
            )
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
        if len(call.args) > len(function.arguments):
            self._fail(
                call,
                f"{function.name} takes {len(function.arguments)} arguments: "
                f"{', '.join(function.arguments) or 'none'}",
            )
        given: dict[str, ast.expr] = dict(zip(function.arguments, call.args, strict=False))
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

    def _visit_call(self, node: ast.Call) -> None:
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
            self._forbid(
                call, f"{name}(...) needs await: write await {HOST_FUNCTIONS[name].example}"
            )
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

    def _visit_lambda(self, node: ast.Lambda) -> None:
        self._forbid(
            node,
            "lambda may only be the key= of sorted, min, max or sort, or the first "
            "argument of map and filter",
        )

    def _visit_attribute(self, node: ast.Attribute) -> None:
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

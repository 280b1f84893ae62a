"""The words of the script language: names, host functions, methods, and advice on the rest."""

from dataclasses import dataclass

REQUIRED = object()
"""Marks an argument without default."""


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A function that milobot offers to scripts, called as ``await name(...)``.

    Attributes:
        sources: Leading arguments that are data: candles, a series, points.
        settings: The arguments after them, with their defaults.
        example: A call to show in advice.
    """

    name: str
    sources: tuple[str, ...]
    settings: tuple[tuple[str, object], ...]
    example: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of all arguments, in order."""
        return (*self.sources, *(name for name, _ in self.settings))

    @property
    def indicator(self) -> str:
        """Name of the indicator without ``calculate_``."""
        return self.name.removeprefix("calculate_")


_DATA = ("data",)
HOST_FUNCTIONS: dict[str, HostFunction] = {
    function.name: function
    for function in (
        HostFunction("calculate_sma", _DATA, (("period", REQUIRED),), "calculate_sma(data, 20)"),
        HostFunction("calculate_ema", _DATA, (("period", REQUIRED),), "calculate_ema(data, 20)"),
        HostFunction("calculate_rsi", _DATA, (("period", 14),), "calculate_rsi(data, 14)"),
        HostFunction(
            "calculate_macd",
            _DATA,
            (("fast", 12), ("slow", 26), ("signal", 9)),
            "calculate_macd(data)",
        ),
        HostFunction("calculate_atr", _DATA, (("period", 14),), "calculate_atr(data, 14)"),
        HostFunction("calculate_obv", _DATA, (), "calculate_obv(data)"),
        HostFunction(
            "calculate_stochastic",
            _DATA,
            (("k_period", 14), ("k_smooth", 3), ("d_period", 3)),
            "calculate_stochastic(data)",
        ),
        HostFunction(
            "calculate_zigzag",
            _DATA,
            (("deviation", 1.0), ("depth", 10)),
            "calculate_zigzag(data)",
        ),
        HostFunction(
            "detect_divergences",
            ("rsi", "zigzag_points", "data"),
            (("left_window", REQUIRED), ("right_window", REQUIRED)),
            "detect_divergences(rsi, zigzag_points, data, 20, 0)",
        ),
        HostFunction("candles", (), (("timeframe", REQUIRED),), 'candles("4h")'),
        HostFunction("get_symbol_constraints", (), (), "get_symbol_constraints()"),
    )
}

HOST_DATA = ("data", "lastclose")

FUNCTIONS = frozenset(
    [
        "abs",
        "all",
        "any",
        "bool",
        "dict",
        "enumerate",
        "filter",
        "float",
        "int",
        "len",
        "list",
        "map",
        "max",
        "min",
        "pow",
        "print",
        "range",
        "reversed",
        "round",
        "sorted",
        "str",
        "sum",
        "tuple",
        "zip",
    ]
)
"""Built-in functions of the language."""

LAZY_FUNCTIONS = frozenset({"enumerate", "filter", "map", "reversed", "zip"})
"""Those whose results are used up by reading them."""

CONSUMERS = frozenset({"all", "any", "dict", "list", "max", "min", "sorted", "sum", "tuple"})
"""Those that read a generator expression at once."""

_LIST_METHODS = "append extend insert pop remove clear index count sort reverse copy"
_MAPPING_METHODS = "get keys values items setdefault update"
_TEXT_METHODS = "upper lower strip lstrip rstrip startswith endswith replace split join find title"
METHODS = frozenset(
    f"{_LIST_METHODS} {_MAPPING_METHODS} {_TEXT_METHODS} is_integer".split(),
)
"""Methods that may be called, whatever the object is."""

SETTINGS = ("timeframe", "coin", "action_if_true", "action_if_false")
"""Names that are read without running the script."""

CONDITION = "condition_true"

_INDICATORS_BUILT_IN = "indicators are built in, see calculate_rsi(data, 14)"

NODE_ADVICE: dict[str, str] = {
    "Import": f"import is not part of the script language: {_INDICATORS_BUILT_IN}",
    "ImportFrom": f"import is not part of the script language: {_INDICATORS_BUILT_IN}",
    "FunctionDef": "def is not part of the script language: write the steps out, or use a loop "
    "or a comprehension",
    "AsyncFunctionDef": "def is not part of the script language: write the steps out, or use a "
    "loop or a comprehension",
    "ClassDef": "class is not part of the script language: keep values in variables, lists and "
    "dictionaries",
    "Return": "return is not part of the script language: set condition_true instead",
    "Yield": "yield is not part of the script language: collect values in a list",
    "YieldFrom": "yield is not part of the script language: collect values in a list",
    "Try": "try is not part of the script language: test before you use a value, such as "
    "if len(data) > 20",
    "TryStar": "try is not part of the script language: test before you use a value, such as "
    "if len(data) > 20",
    "Raise": "raise is not part of the script language: print a text and leave condition_true "
    "False",
    "Assert": "assert is not part of the script language: use if",
    "With": "with is not part of the script language: a script has no files or locks to hold",
    "AsyncWith": "with is not part of the script language: a script has no files or locks to hold",
    "AsyncFor": "async for is not part of the script language: use for",
    "Match": "match is not part of the script language: use if and elif",
    "Global": "global is not part of the script language: all variables of a script are seen "
    "everywhere in it",
    "Nonlocal": "nonlocal is not part of the script language: all variables of a script are seen "
    "everywhere in it",
    "Delete": "del is not part of the script language: variables vanish after each candle, and "
    "lists have pop",
    "AnnAssign": "annotations are not part of the script language: write name = value",
    "SetComp": "sets have no fixed order, so results could differ between runs: use a list "
    "[... for ...] or a dictionary",
    "Set": "sets have no fixed order, so results could differ between runs: use a list [...]; "
    "a set is allowed directly after in",
    "MatMult": "@ is not part of the script language: use sum(a * b for a, b in zip(x, y))",
}

NAME_ADVICE: dict[str, str] = {
    "set": "sets have no fixed order, so results could differ between runs: use a list or "
    "the keys of a dictionary",
    "frozenset": "sets have no fixed order, so results could differ between runs: use a list",
    "open": "a script has no files: its data is in data, and print(...) writes to the log",
    "input": "a script cannot ask: give a value with --set name=value",
    "exec": "a script cannot run text as code: write the steps out",
    "eval": "a script cannot run text as code: write the expression out",
    "compile": "a script cannot run text as code: write the steps out",
    "getattr": "objects cannot be looked into: use candle['close'] for a value of a candle",
    "setattr": "objects cannot be changed from outside: use variables, lists and dictionaries",
    "delattr": "objects cannot be changed from outside: use variables, lists and dictionaries",
    "hasattr": "objects cannot be looked into: use 'close' in candle",
    "vars": "objects cannot be looked into: use variables",
    "globals": "objects cannot be looked into: use variables",
    "locals": "objects cannot be looked into: use variables",
    "dir": "objects cannot be looked into: the manual lists what there is",
    "type": "types cannot be looked into: the manual says what each function returns",
    "isinstance": "types cannot be looked into: the manual says what each function returns",
    "id": "objects have no number here: compare values with ==",
    "hash": "objects have no number here: compare values with ==",
    "object": "there are no classes: use variables, lists and dictionaries",
    "super": "there are no classes: use variables, lists and dictionaries",
    "iter": "loop with for instead",
    "next": "loop with for, or take [0] of a list",
    "format": "write f'{value:.2f}'",
    "repr": "use str(value) or f'{value}'",
    "math": "use x ** 0.5 for a root, abs, min, max, round",
    "np": "numpy is not at hand: lists, sum, min, max and the calculate_ functions are",
    "numpy": "numpy is not at hand: lists, sum, min, max and the calculate_ functions are",
    "pd": "pandas is not at hand: lists, sum, min, max and the calculate_ functions are",
    "talib": "TA-Lib is behind the calculate_ functions: call those",
    "datetime": "times are UTC milliseconds: data[-1]['time'] is the open time of this candle",
    "time": "a script has no clock: data[-1]['time'] is the open time of this candle",
    "random": "a script has no chance: the same candles must give the same decision",
    "os": "a script cannot reach the machine: it sees candles and indicators",
    "sys": "a script cannot reach the machine: it sees candles and indicators",
    "asyncio": "await works without asyncio",
    "position": "a script does not see positions: it decides from candles alone, exits are "
    "options of the action, such as sl=2%",
}

METHOD_ADVICE: dict[str, str] = {
    "format": "write f'{value:.2f}' instead of format",
    "format_map": "write f'{value:.2f}' instead of format_map",
    "close": "write candle['close'] for a value of a candle",
    "open": "write candle['open'] for a value of a candle",
    "high": "write candle['high'] for a value of a candle",
    "low": "write candle['low'] for a value of a candle",
    "volume": "write candle['volume'] for a value of a candle",
    "time": "write candle['time'] for a value of a candle",
    "shape": "use len(series)",
    "mean": "use sum(values) / len(values)",
    "tolist": "use list(series)",
    "iloc": "write series[-1] for the newest value",
    "fromkeys": "write {key: value for key in keys}",
}

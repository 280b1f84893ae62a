"""Runs a script over candles: one decision per candle, the same however the candles arrive.

Whole history at once, block by block or candle by candle give bit-equal
results, because every value is a function of the candles from the anchor up to
the current one. Back-test and live therefore run exactly this code.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from milobot.errors import DataError, MilobotError, ScriptError
from milobot.scripting.checking import lines_of
from milobot.scripting.compiler import FUNCTION_NAME, LAZY_NAME, Compiled, compile_script
from milobot.scripting.faults import fault_of
from milobot.scripting.history import History
from milobot.scripting.host import Host, check_settings
from milobot.scripting.language import parse_source
from milobot.scripting.memory import Memory
from milobot.scripting.metadata import Metadata, read_metadata
from milobot.scripting.prints import PrintLog
from milobot.scripting.results import Code, Evaluation, Fault, PrintLine
from milobot.scripting.views import Column, Lazy, NotEnoughHistoryError
from milobot.scripting.vocabulary import FUNCTIONS, LAZY_FUNCTIONS

TRUE, WARM_UP, FAILED = int(Code.TRUE), int(Code.WARM_UP), int(Code.FAILED)
DATA_LIMIT = 5000
MAX_FAULTS = 100
STRETCH = 16_384
_TURN_S = 0.02

Progress = Callable[[int], None]


@dataclass(slots=True)
class _Collected:
    codes: bytearray
    prints: PrintLog = field(default_factory=PrintLog)
    faults: list[Fault] = field(default_factory=list)


class Interpreter:
    """One script with the candles it has seen since its anchor.

    Attributes:
        metadata: What the script says about itself.
    """

    metadata: Metadata

    def __init__(
        self,
        source: str,
        *,
        overrides: Mapping[str, object] | None = None,
        constraints: Mapping[str, object] | None = None,
        limit: int = DATA_LIMIT,
        stretch: int = STRETCH,
    ) -> None:
        """Check and compile a script.

        Args:
            source: The script's text.
            overrides: New values of parameters, and of ``timeframe`` and ``coin``.
            constraints: What ``get_symbol_constraints()`` returns; None when unknown.
            limit: Candles in ``data``.
            stretch: Candles decided with one set of values at hand; bounds the memory.

        Raises:
            ScriptError: The script is wrong, with line and column.
        """
        tree = parse_source(source)
        self.metadata = read_metadata(tree, source, overrides or {})
        self._lines = lines_of(source)
        self._compiled = _compiled(tree, source, self.metadata)
        self._constraints = constraints
        self._limit = limit
        self._stretch = stretch
        self._history = History()
        self._memory = Memory(self.metadata.timeframe)
        self._index = -1

    @property
    def length(self) -> int:
        """Candles seen since the anchor."""
        return len(self._history)

    @property
    def current_index(self) -> int:
        """Candle on which the script ran last, or runs right now; -1 before the first."""
        return self._index

    def append(self, columns: Mapping[str, Column]) -> None:
        """Add closed candles after those already seen.

        Raises:
            DataError: Columns differ in length, or times do not rise.
        """
        self._history.append(columns)

    def evaluate(self, start: int, stop: int, progress: Progress | None = None) -> Evaluation:
        """Decide about candles ``start`` up to, not including, ``stop``.

        Args:
            start: First candle, counted from the anchor.
            stop: One after the last; at most ``length``.
            progress: Called with the next candle about 50 times a second.
        """
        if not 0 <= start <= stop <= self.length:
            raise DataError(f"candles {start} to {stop} are not among the {self.length} at hand")
        host = Host(
            self._history.columns(),
            self.metadata.timeframe,
            self._limit,
            self._constraints,
            self._memory,
        )
        collected = _Collected(bytearray(stop - start))
        names: dict[str, object] = {}
        try:
            run = self._function(host, collected.prints, names)
            for begin in range(start, stop, self._stretch):
                end = min(begin + self._stretch, stop)
                host.open_stretch(begin, end)
                for first, last in _turns(begin, end):
                    self._decide(host, run, (first, last, start), collected)
                    if progress is not None:
                        progress(last)
        finally:
            # The function and its names hold each other: left to the garbage collector, the
            # values of hundreds of live decisions pile up and then go all at once, in 5 ms.
            names.clear()
            host.close()
        return Evaluation(
            start,
            np.frombuffer(bytes(collected.codes), np.uint8),
            tuple(collected.faults),
            tuple(PrintLine(*line) for line in collected.prints.lines()),
            collected.prints.count,
            tuple(host.uses.values()),
        )

    def _decide(
        self,
        host: Host,
        run: Callable[[float], object],
        turn: tuple[int, int, int],
        collected: _Collected,
    ) -> None:
        """Decide about the candles of one turn: the hot loop."""
        first, last, origin = turn
        frame, prints, codes, higher = host.frame, collected.prints, collected.codes, host.higher
        closes = frame.column("close")
        for index in range(first, last):
            frame.move(index + 1)
            prints.index = self._index = index
            if higher:
                host.move_higher(index)
            try:
                value = run(closes[frame.end - 1])
            except NotEnoughHistoryError:
                value, host.is_cold = None, True
            except Exception as exc:  # noqa: BLE001 - a script may raise anything
                value = exc
            if value is True and not host.is_cold:
                codes[index - origin] = TRUE
            elif value is not False or host.is_cold:
                codes[index - origin] = self._exceptional(host, value, index, collected)
                value = None  # an exception holds this frame, and it must not hold that

    def _exceptional(self, host: Host, value: object, index: int, collected: _Collected) -> int:
        """Return the code of a candle without a decision, and keep its fault."""
        if host.is_cold:  # on missing values a script may well stumble, too
            host.is_cold = False
            return WARM_UP
        if len(collected.faults) < MAX_FAULTS:
            if isinstance(value, Exception):
                collected.faults.append(fault_of(value, index, self._lines))
            else:
                collected.faults.append(_not_bool(value, index))
        return FAILED

    def _function(
        self, host: Host, prints: PrintLog, names: dict[str, object]
    ) -> Callable[[float], object]:
        """Return the script as a function over the views of ``host``; it lives in ``names``."""
        names["__builtins__"] = _BUILTINS | {"print": prints.print}
        names[LAZY_NAME] = Lazy
        names["data"] = host.data
        for site in self._compiled.sites:
            names[site.name] = host.answer(site)
        for column in self._compiled.columns:
            names[f"__{column}"] = host.frame.series(host.frame.columns[column])
        exec(self._compiled.code, names)  # noqa: S102 - checked by the language, inside the worker
        function = names[FUNCTION_NAME]
        if not callable(function):
            raise TypeError("the compiled script is not a function")
        return function


def _compiled(tree: object, source: str, metadata: Metadata) -> Compiled:
    constants = {**metadata.parameters}
    try:
        compiled = compile_script(tree, source, constants)  # type: ignore[arg-type]  # a tree of the language is an ast.Module
    except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
        line = getattr(exc, "lineno", None) or 1
        reason = str(getattr(exc, "msg", exc))[:200]
        raise ScriptError(f"not a valid script: {reason}", line=line, column=1) from None
    for site in compiled.sites:
        try:
            check_settings(site, metadata.timeframe)
        except (ValueError, MilobotError) as exc:
            raise ScriptError(str(exc), line=site.line, column=site.column) from None
    return compiled


def _turns(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a stretch into turns of about 20 ms each, whatever a candle costs."""
    size, first = 64, begin
    while first < end:
        last = min(first + size, end)
        started = perf_counter()
        yield first, last
        elapsed = perf_counter() - started
        size = max(1, min(size * 4, int((last - first) * _TURN_S / max(elapsed, 1e-9))))
        first = last


def _not_bool(value: object, index: int) -> Fault:
    return Fault(
        index,
        0,
        0,
        "condition_true must be True or False at the end of the script, not a value of type "
        f"{type(value).__name__}: write a comparison, such as condition_true = rsi[-1] < 30",
    )


def _lazy(function: Callable[..., object], name: str) -> Callable[..., object]:
    def lazy(*values: object, **named: object) -> Lazy:
        return Lazy(function(*values, **named), name)  # type: ignore[arg-type]  # an iterator

    return lazy


_PLAIN: dict[str, object] = {
    function.__name__: function
    for function in (
        abs,
        all,
        any,
        bool,
        dict,
        enumerate,
        filter,
        float,
        int,
        len,
        list,
        map,
        max,
        min,
        pow,
        range,
        reversed,
        round,
        sorted,
        str,
        sum,
        tuple,
        zip,
    )
}
_BUILTINS: dict[str, object] = {
    name: _lazy(_PLAIN[name], name) if name in LAZY_FUNCTIONS else _PLAIN[name]  # type: ignore[arg-type]  # all of them are callable
    for name in FUNCTIONS - {"print"}
}

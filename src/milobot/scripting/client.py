"""The bot's side of a worker: give it a script and candles, end it in time.

The worker holds no secret, so ending it costs nothing but its memory of the
candles. The client keeps those and gives them to a new worker by itself.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from types import TracebackType
from typing import NoReturn, Self

from milobot.domain.market import COLUMNS, CandleSeries, SymbolRules
from milobot.domain.times import format_time
from milobot.errors import (
    ConfigurationError,
    DataError,
    ScriptError,
    ScriptForbiddenError,
    ScriptTimeoutError,
)
from milobot.scripting.answers import read_error, read_evaluation, read_info, read_place
from milobot.scripting.channel import ChannelClosedError, ChannelTimeoutError
from milobot.scripting.loading import DATA_LIMIT, LoadOptions, load_request
from milobot.scripting.lock_levels import LEAST_TRUST, Level, Trust, demand
from milobot.scripting.process import WORKER_PROGRAM, WorkerProcess
from milobot.scripting.protocol import CANDLES_PER_FRAME
from milobot.scripting.results import Evaluation, ScriptInfo

QUIET_S = 2.0
"""Seconds a worker may go without finishing a candle."""

START_S = 20.0
TOTAL_S = 30.0
TOTAL_S_PER_CANDLE = 0.002
"""A block of candles may take ``TOTAL_S`` and this for each of them."""

_PLACE_S = 0.3

Progress = Callable[[int], None]
Answer = tuple[dict[str, object], bytes]


class ScriptWorker:
    """One script in a process of its own, with the candles it has seen since its anchor.

    A worker is started with the first script and ends with :meth:`close` or the
    ``with`` block. Use it from one thread at a time.
    """

    def __init__(
        self,
        trust: Trust = LEAST_TRUST,
        *,
        quiet_s: float = QUIET_S,
        total_s: float = TOTAL_S,
        program: Sequence[str] = WORKER_PROGRAM,
    ) -> None:
        """Start nothing yet.

        Args:
            trust: What is known about the script; by default it needs a full lock.
            quiet_s: Seconds it may go without finishing a candle.
            total_s: Seconds a block of candles may take, beside 2 ms per candle.
            program: What Python runs as the worker.
        """
        self._trust = trust
        self._program = program
        self._quiet_s = quiet_s
        self._total_s = total_s
        self._process: WorkerProcess | None = None
        self._load_request: dict[str, object] | None = None
        self._history: list[CandleSeries] = []
        self._length = 0

    @property
    def pid(self) -> int | None:
        """Number of the worker's process, None while there is none."""
        return self._process.pid if self._process else None

    @property
    def lock_level(self) -> Level | None:
        """How well the worker's process is locked in, None while there is none."""
        return self._process.report.level if self._process else None

    @property
    def length(self) -> int:
        """Candles seen since the anchor."""
        return self._length

    def load(
        self,
        source: str,
        *,
        parameters: Mapping[str, object] | None = None,
        symbol: str | None = None,
        timeframe: str | None = None,
        rules: SymbolRules | None = None,
        data_limit: int = DATA_LIMIT,
    ) -> ScriptInfo:
        """Check a script and make it the worker's; candles seen before are forgotten.

        Args:
            source: The script's text.
            parameters: New values of its parameters (``--set``).
            symbol: Replaces its ``coin``.
            timeframe: Replaces its ``timeframe``.
            rules: For ``get_symbol_constraints()``; None when unknown.
            data_limit: Candles in ``data``.

        Raises:
            ScriptError: The script is wrong, with line and column.
            ScriptForbiddenError: It uses what the language does not have.
            ScriptTimeoutError: Even checking it took too long.
        """
        options = LoadOptions(parameters or {}, symbol, timeframe, rules, data_limit)
        self._history, self._length = [], 0
        self._load_request = load_request(source, options, self._quiet_s)
        return self._send_script()

    def append(self, candles: CandleSeries) -> None:
        """Show closed candles to the script without asking for decisions.

        Raises:
            DataError: They do not follow in time on those already seen.
            ScriptTimeoutError: The worker did not take them.
        """
        self._remember(candles)
        if self._process is not None:
            self._send_candles(candles)

    def evaluate(self, candles: CandleSeries, on_progress: Progress | None = None) -> Evaluation:
        """Show newly closed candles to the script and return its decisions about them.

        After a failure the candles count as seen: the next call goes on with a
        new worker.

        Args:
            candles: Those after the ones already seen; all at once, in blocks or
                one by one gives the same decisions.
            on_progress: Called now and then with the number of candles seen and decided.

        Raises:
            DataError: They do not follow in time on those already seen.
            ScriptTimeoutError: The script ran too long.
            ScriptError: It ended its worker or used too much memory.
        """
        start = self._length
        self._remember(candles)
        if self._process is None:
            self._restart()
        else:
            self._send_candles(candles)
        request: dict[str, object] = {"op": "evaluate", "start": start, "stop": self._length}
        total_s = self._total_s + TOTAL_S_PER_CANDLE * len(candles)
        try:
            answer, body = self._ask(request, b"", total_s, on_progress)
            return read_evaluation(answer, body, start, self._length)
        except ScriptError:
            self._end()
            raise

    async def load_async(self, source: str, **options: object) -> ScriptInfo:
        """Do as :meth:`load` without blocking the event loop; takes the same options."""
        return await asyncio.to_thread(self.load, source, **options)  # type: ignore[arg-type]  # passed through

    async def evaluate_async(self, candles: CandleSeries) -> Evaluation:
        """Do as :meth:`evaluate` without blocking the event loop."""
        return await asyncio.to_thread(self.evaluate, candles)

    def close(self) -> None:
        """End the worker; does nothing when there is none."""
        self._end()

    def __enter__(self) -> Self:
        """Return the worker itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the worker, whatever happened."""
        self.close()

    def _remember(self, candles: CandleSeries) -> None:
        if self._load_request is None:
            raise DataError("load a script before showing it candles")
        times = candles.time
        last = self._history[-1].time[-1:] if self._history else times[:0]
        if len(times) and ((times[1:] <= times[:-1]).any() or (len(last) and times[0] <= last[0])):
            raise DataError("candles must follow in order of time on those already seen")
        if len(times):
            self._history.append(candles)
            self._length += len(candles)

    def _restart(self) -> None:
        """Give script and candles to a new worker."""
        self._send_script()
        for candles in self._history:
            self._send_candles(candles)

    def _send_script(self) -> ScriptInfo:
        if self._process is None:
            self._process = WorkerProcess(START_S, self._program)
        try:
            demand(self._process.report, self._trust)
            answer, _ = self._ask(self._load_request or {}, b"", self._quiet_s, None)
            return read_info(answer)
        except (ConfigurationError, ScriptError):
            self._end()
            raise

    def _send_candles(self, candles: CandleSeries) -> None:
        for first in range(0, len(candles), CANDLES_PER_FRAME):
            part = candles.part(first, first + CANDLES_PER_FRAME)
            body = b"".join(getattr(part, name).tobytes() for name in COLUMNS)
            self._ask({"op": "append"}, body, self._total_s, None)

    def _ask(
        self,
        request: Mapping[str, object],
        body: bytes,
        total_s: float,
        on_progress: Progress | None,
    ) -> Answer:
        """Send a request and return its answer, or end the worker and say why."""
        process = self._process
        if process is None:
            raise DataError("the worker is closed")
        limit = monotonic() + total_s
        progress = _int(request.get("start"))
        try:
            process.channel.send(request, body, monotonic() + self._quiet_s)
            while True:
                answer, content = process.channel.receive(min(limit, monotonic() + self._quiet_s))
                if "progress" not in answer:
                    break
                progress = _int(answer["progress"])
                if on_progress is not None:
                    on_progress(progress)
        except ChannelTimeoutError:
            self._explain_timeout(process, progress, is_total=monotonic() >= limit, total_s=total_s)
        except (ChannelClosedError, DataError) as exc:
            self._end()
            raise _explain_end(process) from exc
        if "error" in answer:
            self._end()
            raise read_error(answer["error"])
        return answer, content

    def _explain_timeout(
        self, process: WorkerProcess, progress: int, *, is_total: bool, total_s: float
    ) -> NoReturn:
        """Ask the worker where it is, end it, and raise the error with that place."""
        line, index = _place(process)
        self._end()
        if not self._length:
            reason = f"checking the script took longer than {total_s:g} s: make it shorter"
        elif is_total:
            reason = (
                f"the script was not done after {total_s:g} s and {progress} candles: make it "
                "cheaper, for example by looking at data[-20:] rather than at all of data"
            )
        else:
            reason = (
                f"the script ran longer than {self._quiet_s:g} s on {self._candle_text(index)}: "
                "look for an endless loop"
            )
        raise ScriptTimeoutError(reason, line=line, column=1 if line else 0)

    def _candle_text(self, index: int) -> str:
        position = index
        for candles in self._history:
            if 0 <= position < len(candles):
                return f"candle {format_time(int(candles.time[position]))} (number {index})"
            position -= len(candles)
        return "a candle"

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


def _explain_end(process: WorkerProcess) -> ScriptError:
    """Return what the way in which a worker ended says about its script."""
    if process.tried_to_escape:
        return ScriptForbiddenError(
            "the script tried to leave its sandbox and was stopped: do not run it again"
        )
    return ScriptError(
        f"the script ended its worker process ({process.exit_text()}): it is too large "
        "or nested too deeply"
    )


def _place(process: WorkerProcess) -> tuple[int, int]:
    """Return line and candle at which the script is, 0 and -1 where it cannot say."""
    process.ask_for_place()
    deadline = monotonic() + _PLACE_S
    try:
        while True:
            answer, _ = process.channel.receive(deadline)
            if "error" in answer:
                return read_place(answer["error"])
    except (ChannelTimeoutError, ChannelClosedError, DataError, ScriptError):
        return 0, -1


def _int(value: object) -> int:
    return value if type(value) is int else 0

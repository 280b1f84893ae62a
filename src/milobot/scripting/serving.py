"""The worker's side of the conversation: load scripts, take candles, decide.

A request names its script by a number and itself by an id, which comes back
with the answer; a parent with one script and one request at a time needs neither.

Between two frames the worker does nothing. A hard timer ends a worker whose
script runs on although its parent is gone or asleep; the kernel does that even
while C code is running.
"""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import FrameType

import numpy as np

from milobot.domain.market import COLUMNS
from milobot.errors import DataError, ScriptError, ScriptForbiddenError
from milobot.scripting.compiler import FILE_NAME
from milobot.scripting.interpreter import Interpreter
from milobot.scripting.protocol import LENGTHS, decode_header, decode_lengths, encode
from milobot.scripting.results import Evaluation
from milobot.scripting.views import Column

_HARD_MARGIN_S = 3.0
_BYTES_PER_VALUE = 8


class _InterruptedError(BaseException):
    """The parent asked where the script is; no script can catch this."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class Server:
    """Answers the frames of one parent until the pipe closes."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        """Serve over two file descriptors."""
        self._incoming = incoming
        self._outgoing = outgoing
        self._interpreters: dict[int, Interpreter] = {}
        self._running: Interpreter | None = None
        self._request_id: object = None
        self._quiet_s = 2.0
        self._operations: dict[object, Callable[[dict[str, object], bytes], None]] = {
            "load": self._load,
            "append": self._append,
            "evaluate": self._evaluate,
            "step": self._step,
            "drop": self._drop,
        }

    def run(self, ready: Mapping[str, object]) -> None:
        """Say ``ready``, then answer until the parent closes the pipe."""
        signal.signal(signal.SIGUSR1, self._on_question)
        self._send(ready)
        while (prefix := self._read(LENGTHS.size)) is not None:
            header_length, body_length = decode_lengths(prefix)
            header = self._read(header_length)
            body = self._read(body_length)
            if header is None or body is None:
                return
            self._answer(decode_header(header), body)

    def _answer(self, request: dict[str, object], body: bytes) -> None:
        self._request_id, self._running = request.get("id"), None
        try:
            self._arm()
            self._operations[request["op"]](request, body)
        except ScriptError as exc:
            kind = "forbidden" if isinstance(exc, ScriptForbiddenError) else "script"
            self._send_error(kind, exc.reason, exc.line, exc.column)
        except DataError as exc:
            self._send_error("data", str(exc))
        except MemoryError:
            self._send_error("memory", "the script and its candles need too much memory")
        except _InterruptedError as exc:
            self._send_error("timeout", "", exc.line, index=self._running_index())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _load(self, request: dict[str, object], body: bytes) -> None:
        number = _script_number(request)
        self._interpreters.pop(number, None)
        self._quiet_s = float(str(request["quiet_s"]))
        overrides, constraints = request["parameters"], request["constraints"]
        interpreter = Interpreter(
            str(request["source"]),
            overrides=overrides if isinstance(overrides, dict) else {},
            constraints=constraints if isinstance(constraints, dict) else None,
            limit=int(str(request["limit"])),
        )
        metadata = interpreter.metadata
        self._interpreters[number] = interpreter
        self._send(
            {
                "timeframe": metadata.timeframe.value,
                "coin": metadata.coin,
                "texts": metadata.action_texts,
                "parameters": metadata.parameters,
            }
        )

    def _append(self, request: dict[str, object], body: bytes) -> None:
        interpreter = self._loaded(request)
        interpreter.append(_columns(body))
        self._send({"length": interpreter.length})

    def _evaluate(self, request: dict[str, object], body: bytes) -> None:
        start, stop = int(str(request["start"])), int(str(request["stop"]))
        result = self._loaded(request).evaluate(start, stop, self._progress)
        self._send(_header(result), result.codes.tobytes())

    def _step(self, request: dict[str, object], body: bytes) -> None:
        """Take new candles and decide about the last of all, in one round trip and in silence."""
        start, stop = int(str(request["start"])), int(str(request["stop"]))
        interpreter = self._loaded(request)
        if body:
            interpreter.append(_columns(body))
        result = interpreter.evaluate(start, stop)
        self._send(_header(result), result.codes.tobytes())

    def _drop(self, request: dict[str, object], body: bytes) -> None:
        self._interpreters.pop(_script_number(request), None)
        self._send({"dropped": True})

    def _progress(self, index: int) -> None:
        self._arm()
        self._send({"progress": index})

    def _loaded(self, request: dict[str, object]) -> Interpreter:
        self._running = self._interpreters.get(_script_number(request))
        if self._running is None:
            raise DataError("no script is loaded in this worker")
        return self._running

    def _running_index(self) -> int:
        return self._running.current_index if self._running else -1

    def _arm(self) -> None:
        """Let the kernel end this process when nothing is finished for too long."""
        signal.setitimer(signal.ITIMER_REAL, self._quiet_s + _HARD_MARGIN_S)

    def _on_question(self, number: int, frame: FrameType | None) -> None:
        """Break off the script, if one is running, and remember its line."""
        while frame is not None:
            if frame.f_code.co_filename == FILE_NAME:
                raise _InterruptedError(frame.f_lineno)
            frame = frame.f_back

    def _send_error(
        self, kind: str, reason: str, line: int = 0, column: int = 0, *, index: int = -1
    ) -> None:
        error = {"kind": kind, "reason": reason, "line": line, "column": column, "index": index}
        self._send({"error": error})

    def _send(self, header: Mapping[str, object], body: bytes = b"") -> None:
        if self._request_id is not None:
            header = {**header, "id": self._request_id}
        rest = memoryview(encode(header, body))
        while rest:
            rest = rest[os.write(self._outgoing, rest) :]

    def _read(self, length: int) -> bytes | None:
        """Return exactly ``length`` bytes, None when the pipe closes before."""
        parts = bytearray()
        while len(parts) < length:
            part = os.read(self._incoming, min(length - len(parts), 1 << 20))
            if not part:
                return None
            parts += part
        return bytes(parts)


def _script_number(request: Mapping[str, object]) -> int:
    """Return which of this worker's scripts a request is about; a lone script is number 0."""
    return int(str(request.get("script", 0)))


def _columns(body: bytes) -> dict[str, Column]:
    length, rest = divmod(len(body), _BYTES_PER_VALUE * len(COLUMNS))
    if rest:
        raise DataError("the candle columns of a message differ in length")
    return {
        name: np.frombuffer(
            body,
            dtype="<i8" if name == "time" else "<f8",
            count=length,
            offset=position * length * _BYTES_PER_VALUE,
        )
        for position, name in enumerate(COLUMNS)
    }


def _header(result: Evaluation) -> dict[str, object]:
    return {
        "start": result.start,
        "errors": [asdict(error) for error in result.errors],
        "prints": [[line.index, line.text] for line in result.prints],
        "print_count": result.print_count,
        "indicators": [asdict(use) for use in result.indicators],
    }

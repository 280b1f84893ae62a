"""Any Python, run in a process that is locked in like a script's worker, without the language.

For corpora of escapes: what the allow-list would refuse is let through, so that
only the lock stands between the code and the machine.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from milobot.errors import DataError
from milobot.scripting.channel import ChannelClosedError, ChannelTimeoutError
from milobot.scripting.process import WorkerProcess

_MAIN = str(Path(__file__).with_name("locked_main.py"))
_START_S = 20.0


class End(Enum):
    """How a piece of code ended.

    ALARM: the kernel ended the process for a call that no calculation makes.
    DIED: the process ended otherwise, by itself or by a fault.
    GARBLED: what came back is no frame, as when the code writes to the pipe itself.
    """

    RETURNED = "returned"
    RAISED = "raised"
    ALARM = "alarm"
    DIED = "died"
    TIMEOUT = "timeout"
    GARBLED = "garbled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a piece of code ended and what it had to show.

    Attributes:
        text: ``repr`` of what it left in ``result``, or the exception as text.
        error_number: ``errno`` of an OSError, else 0.
    """

    end: End
    text: str = ""
    error_number: int = 0


class LockedPython:
    """A locked process that runs code, replaced by a new one whenever it ends."""

    def __init__(self, *, is_bare: bool = False) -> None:
        """Start nothing yet; a bare one starts faster and has neither NumPy nor our modules."""
        self._program = (_MAIN, "--bare") if is_bare else (_MAIN,)
        self._process: WorkerProcess | None = None

    @property
    def process(self) -> WorkerProcess:
        """The running process, started when there is none."""
        if self._process is None:
            self._process = WorkerProcess(_START_S, self._program)
        return self._process

    def run(self, code: str, *, body: bytes = b"", timeout_s: float = 5.0) -> Outcome:
        """Run code; it finds modules, ``np``, ``body`` and ``raw(number, …)``, and sets ``result``."""
        process, deadline = self.process, monotonic() + timeout_s
        try:
            process.channel.send({"code": code}, body, deadline)
            answer, _ = process.channel.receive(deadline)
        except ChannelTimeoutError:
            return self._ended(End.TIMEOUT)
        except ChannelClosedError:
            self.close()
            return Outcome(End.ALARM if process.tried_to_escape else End.DIED, process.exit_text())
        except DataError:
            return self._ended(End.GARBLED)
        if "raised" in answer:
            text = f"{answer['raised']}: {answer['text']}"
            return Outcome(End.RAISED, text, int(str(answer["errno"])))
        return Outcome(End.RETURNED, str(answer.get("result")))

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _ended(self, end: End) -> Outcome:
        self.close()
        return Outcome(end)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()

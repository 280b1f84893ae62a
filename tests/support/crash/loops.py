"""An event loop that tells when it was too busy to look at its sockets."""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")

_BUSY_S = 0.02


class _TimedSelector(selectors.DefaultSelector):
    """Knows how long it was not asked: nothing that arrived meanwhile was read."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[Callable[[float], None]] = []
        self._left: float | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        busy_s = 0.0 if self._left is None else time.monotonic() - self._left
        if busy_s > _BUSY_S:
            for listener in self.listeners:
                listener(busy_s)
        try:
            return super().select(timeout)
        finally:
            self._left = time.monotonic()


class MeasuredLoop(asyncio.SelectorEventLoop):
    """A loop that tells its listeners of every time it was busy for longer than 20 ms.

    Attributes:
        listeners: Called right after such a time, with its length in seconds.
    """

    def __init__(self) -> None:
        """Open a loop of its own."""
        selector = _TimedSelector()
        super().__init__(selector)
        self.listeners = selector.listeners


def run_measured(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine on such a loop, as ``asyncio.run`` does on its own."""
    with asyncio.Runner(loop_factory=MeasuredLoop) as runner:
        return runner.run(work)

"""An event loop whose time is made up: an hour of waiting costs what is done in it.

It keeps what asyncio promises and nothing more: callbacks run in the order in which they were
asked for, timers never early. How late a timer comes, and so which of two comes first, the
seed decides. A host is one process: when it is stopped, none of its callbacks run, whatever
they are waiting for; that is what SIGSTOP and kill -9 look like from outside.
"""

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from itertools import count
from random import Random
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

EPOCH_MS = 1_700_000_000_000
# How late a timer comes, in seconds: a scheduler's share, and now and then a busy machine's.
_LATE_S = 0.001
_VERY_LATE_S = 0.02
_VERY_LATE = 0.02


class Host:
    """One process, with everything that it is about to do while it is stopped.

    Attributes:
        is_stopped: Whether nothing of it runs.
    """

    def __init__(self, name: str) -> None:
        """Start running."""
        self.name = name
        self.is_stopped = False
        self.context = copy_context()
        self.context.run(_host.set, self)
        self.parked: list[_Handle | _Timer] = []


_host: ContextVar[Host | None] = ContextVar("_host", default=None)


def _host_of(context: Context) -> Host | None:
    return context.get(_host)


class _Handle(asyncio.Handle):
    """A callback that waits while its host is stopped."""

    __slots__ = ("host",)

    def __init__(
        self, callback: Callable[..., object], args: Any, loop: "SimulatedLoop", context: Context
    ) -> None:
        super().__init__(callback, args, loop, context)
        self.host = _host_of(context)


class _Timer(asyncio.TimerHandle):
    """A timer that comes due while its host is stopped and is served afterwards."""

    __slots__ = ("host",)

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Any,
        loop: "SimulatedLoop",
        context: Context,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self.host = _host_of(context)


class SimulatedLoop(asyncio.AbstractEventLoop):
    """Runs tasks of several hosts, and of the world around them, in virtual time."""

    def __init__(self, dice: Random) -> None:
        """Start at time zero; ``dice`` decides how late timers come."""
        self._now_s = 0.0
        self._ready: deque[_Handle | _Timer] = deque()
        self._due: list[tuple[float, int, _Timer]] = []
        self._order = count()
        self._dice = dice
        self.world = copy_context()
        self.errors: list[str] = []
        self.steps = 0

    # --- time

    def time(self) -> float:
        """Return seconds since the start."""
        return self._now_s

    def now_ms(self) -> int:
        """Return the time of the world, UTC milliseconds."""
        return EPOCH_MS + int(self._now_s * 1000)

    # --- what asyncio asks of a loop

    def get_debug(self) -> bool:
        """Return that nothing extra is checked."""
        return False

    def is_running(self) -> bool:
        """Return whether this is the running loop."""
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        """Return that it never is: there is nothing to close."""
        return False

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback after everything that was asked for before."""
        handle = _Handle(callback, args, self, context or copy_context())
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback some seconds from now, a little late."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback at a time, a little late."""
        dice = self._dice.random
        late_s = dice() * (_VERY_LATE_S if dice() < _VERY_LATE else _LATE_S)
        timer = _Timer(when + late_s, callback, args, self, context or copy_context())
        heapq.heappush(self._due, (timer.when(), next(self._order), timer))
        return timer

    def in_world(self, delay_s: float, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Let something happen outside of every process, whoever asks for it."""
        self.call_later(delay_s, callback, *args, context=self.world)

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        **options: Any,
    ) -> asyncio.Task[T]:
        """Return a task that starts with the next turn."""
        return asyncio.Task(coro, loop=self, **options)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Remember what nobody caught."""
        self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it in the queue: it is passed over when its time comes."""

    # --- running

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run until a coroutine of the world is done; return what it returns."""
        events._set_running_loop(self)
        try:
            task = self.create_task(main, context=self.world)
            while not task.done():
                self._turn()
            return task.result()
        finally:
            events._set_running_loop(None)

    def _turn(self) -> None:
        if not self._ready:
            if not self._due:
                raise RuntimeError("nobody waits for anything, and nobody is done")
            self._now_s = max(self._now_s, self._due[0][0])
        while self._due and self._due[0][0] <= self._now_s:
            self._ready.append(heapq.heappop(self._due)[2])
        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if handle.cancelled():
                continue
            host = handle.host
            if host is not None and host.is_stopped:
                host.parked.append(handle)
                continue
            self.steps += 1
            handle._run()

    # --- processes

    def stop_host(self, host: Host) -> None:
        """Let nothing of a process run."""
        host.is_stopped = True

    def wake_host(self, host: Host) -> None:
        """Let a process go on with everything that has come meanwhile, in that order."""
        host.is_stopped = False
        self._ready.extend(host.parked)
        host.parked.clear()


class HostClock:
    """The clock that processes read."""

    def __init__(self, loop: SimulatedLoop) -> None:
        """Read the time of a loop."""
        self._loop = loop

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return self._loop.now_ms()


def answer_to(future: asyncio.Future[T], value: T) -> None:
    """Set the result of a future that somebody may have given up."""
    if not future.done():
        future.set_result(value)


def fail(future: asyncio.Future[Any], error: Exception) -> None:
    """Set the error of a future that somebody may have given up."""
    if not future.done():
        future.set_exception(error)


Sleep = Callable[[float], Awaitable[None]]

"""The page beside a run: served until the run ends and nobody wants it any more."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from starlette.routing import BaseRoute

from milobot.app.metrics_port import Scraped, serving_metrics
from milobot.telemetry import get_logger
from milobot.web.access import Access
from milobot.web.app import create_app
from milobot.web.server import serving
from milobot.web.state import ChartState

_ENDINGS = (signal.SIGINT, signal.SIGTERM)
_ORDERLY_S = 3.0


async def _at_once() -> None:
    """Do nothing before the end."""


@dataclass(frozen=True, slots=True)
class Served:
    """What is served.

    Attributes:
        state: The page's model.
        listener: An open socket, taken before anything was started.
        access: Who may look at it; None lets everybody who reaches it.
        routes: What is served besides.
        scraped: What is served on a port for metrics alone; None serves none.
    """

    state: ChartState
    listener: socket.socket
    access: Access | None = None
    routes: tuple[BaseRoute, ...] = ()
    scraped: Scraped | None = None


async def serve_beside(
    run: Callable[[], Coroutine[None, None, None]],
    served: Served,
    *,
    stays: bool,
    finish: Callable[[], Awaitable[None]] = _at_once,
) -> bool:
    """Serve a page while something runs; Ctrl-C and SIGTERM end both in order.

    Args:
        run: What the page shows.
        served: The page, and what is served with it.
        stays: Go on serving after ``run`` has ended, until a signal comes.
        finish: Awaited, for some seconds at most, between the signal and the end of ``run``.

    Returns:
        Whether ``run`` came to its own end.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in _ENDINGS:
        loop.add_signal_handler(ending, stop.set)
    try:
        app = create_app(served.state, access=served.access, routes=served.routes)
        async with serving(app, served.listener), serving_metrics(served.scraped):
            is_done = await _run_until(run, stop, finish)
            if is_done and stays:
                await stop.wait()
            return is_done
    finally:
        for ending in _ENDINGS:
            loop.remove_signal_handler(ending)


async def _run_until(
    run: Callable[[], Coroutine[None, None, None]],
    stop: asyncio.Event,
    finish: Callable[[], Awaitable[None]],
) -> bool:
    """Run to the end, or until ``stop`` is set; return which it was."""

    async def watch(task: asyncio.Task[None]) -> None:
        await stop.wait()
        try:
            async with asyncio.timeout(_ORDERLY_S):
                await finish()
        except TimeoutError:
            get_logger().warning("end_not_orderly", waited_s=_ORDERLY_S)
        task.cancel()

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(run())
        watching = tasks.create_task(watch(running))
        await asyncio.wait([running])
        watching.cancel()
    return not running.cancelled()

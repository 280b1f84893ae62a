"""The port for metrics alone, beside the page's: where a Prometheus usually looks."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from milobot.errors import ConfigurationError
from milobot.settings import Settings
from milobot.telemetry import get_logger
from milobot.web.observe_routes import Observed, metrics_app
from milobot.web.server import open_listener, serving


@dataclass(frozen=True, slots=True)
class Scraped:
    """What is served there.

    Attributes:
        listener: An open socket; None serves nothing.
    """

    observed: Observed
    listener: socket.socket | None


@contextmanager
def open_metrics_port(host: str, settings: Settings) -> Iterator[socket.socket | None]:
    """Yield a socket on METRICS_PORT; None when it is 0, or taken: that is no reason not to trade."""
    if settings.metrics_port == 0:
        yield None
        return
    try:
        listener = open_listener(host, settings.metrics_port, chosen_by="METRICS_PORT=")
    except ConfigurationError as error:
        said = f"metrics are served on the page's port alone: {error}"
        get_logger().warning("metrics_port_not_opened", port=settings.metrics_port, said=said)
        yield None
        return
    try:
        yield listener
    finally:
        listener.close()


@asynccontextmanager
async def serving_metrics(scraped: Scraped | None) -> AsyncIterator[None]:
    """Serve metrics while the body runs."""
    if scraped is None or scraped.listener is None:
        yield
        return
    async with serving(metrics_app(scraped.observed), scraped.listener):
        yield

"""What those who look after a run ask: ``/ready``, ``/status`` and ``/metrics``."""

from collections.abc import Mapping
from typing import Any, Protocol

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from milobot.web.access import OPEN_PATHS, Access, Gate, Gated
from milobot.web.security import PageGuard

_UNREADY = 503
_FRESH = {"Cache-Control": "no-store"}


class Observed(Protocol):
    """Something that can be looked after."""

    def readiness(self) -> tuple[bool, Mapping[str, Any]]:
        """Return whether it is ready, and each part with its state and reason."""
        ...

    async def status(self) -> Mapping[str, Any]:
        """Return how it stands, for people and programs; never raises for a fault of the run."""
        ...

    def metrics(self) -> tuple[bytes, str]:
        """Return all metrics in Prometheus' text form, and its media type."""
        ...


def observe_routes(observed: Observed, access: Access | None = None) -> list[BaseRoute]:
    """Return the routes of a page beside a run.

    Args:
        observed: What is asked.
        access: Who may see ``/status``; None lets everybody who reaches it. The other two tell
            nothing that a stranger must not know and need no token.
    """

    async def status(_request: Request) -> Response:
        return _json(await observed.status())

    tells = [] if access is None else [Middleware(Gated, access=access, gate=Gate.TELLS)]
    return [
        Route("/ready", _ready_of(observed)),
        Route("/status", status, middleware=tells),
        Route("/metrics", _metrics_of(observed)),
    ]


def metrics_app(observed: Observed) -> Starlette:
    """Return the application of the port that is for metrics alone."""
    routes = [
        Route("/health", health),
        Route("/ready", _ready_of(observed)),
        Route("/metrics", _metrics_of(observed)),
    ]
    guard = Middleware(PageGuard, allowed_hosts=(), open_paths=OPEN_PATHS)
    return Starlette(routes=routes, middleware=[guard])


async def health(_request: Request) -> Response:
    """Say that the event loop turns."""
    return _json({"status": "ok"})


def _ready_of(observed: Observed) -> Any:
    async def ready(_request: Request) -> Response:
        is_ready, told = observed.readiness()
        return _json(told, 200 if is_ready else _UNREADY)

    return ready


def _metrics_of(observed: Observed) -> Any:
    async def metrics(_request: Request) -> Response:
        content, media_type = observed.metrics()
        # Given as a header: as ``media_type`` the server would name the character set twice.
        return Response(content, headers={"Content-Type": media_type, **_FRESH})

    return metrics


def _json(content: Mapping[str, Any], status: int = 200) -> Response:
    body = orjson.dumps(content, default=str, option=orjson.OPT_INDENT_2)
    return Response(body, status, _FRESH, media_type="application/json")

"""The page's web application."""

from collections.abc import Iterable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from milobot.web.access import OPEN_PATHS, Access, Gate, Gated
from milobot.web.chart_routes import chart_routes
from milobot.web.security import LOOPBACK_HOSTS, PageGuard
from milobot.web.state import ChartState

STATIC = Path(__file__).parent / "static"


def create_app(
    state: ChartState,
    *,
    access: Access | None = None,
    allowed_hosts: Iterable[str] = LOOPBACK_HOSTS,
    routes: Iterable[BaseRoute] = (),
    static: Path = STATIC,
) -> Starlette:
    """Return the application that serves one chart.

    Args:
        state: What the page shows.
        access: Who may look at it; None lets everybody who reaches it.
        allowed_hosts: Names under which it may be asked for without ``access``, which has
            its own; see :class:`PageGuard`.
        routes: Further routes; they come before the page's.
        static: Folder of the page's files.
    """

    async def page(_request: Request) -> FileResponse:
        return FileResponse(static / "index.html")

    hosts = tuple(allowed_hosts) if access is None else access.rules.hosts
    guards = [Middleware(PageGuard, allowed_hosts=hosts, open_paths=OPEN_PATHS)]
    if access is not None:
        guards.append(Middleware(Gated, access=access, gate=Gate.PAGE))
    return Starlette(
        routes=[
            Route("/", page),
            Route("/health", _health),
            *routes,
            *chart_routes(state),
            Mount("/static", StaticFiles(directory=static)),
        ],
        middleware=guards,
        exception_handlers={HTTPException: _say_as_json},
    )


async def _health(_request: Request) -> JSONResponse:
    """Say that the event loop turns."""
    return JSONResponse({"status": "ok"})


async def _say_as_json(_request: Request, error: Exception) -> Response:
    """Answer a refusal as everything else under this address: as JSON."""
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse(
        {"detail": error.detail}, status_code=error.status_code, headers=error.headers
    )

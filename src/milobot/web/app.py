"""The page's web application."""

from collections.abc import Iterable
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

from milobot.web.chart_routes import chart_router
from milobot.web.security import LOOPBACK_HOSTS, PageGuard
from milobot.web.state import ChartState

STATIC = Path(__file__).parent / "static"
OPEN_PATHS = ("/health",)


def create_app(
    state: ChartState,
    *,
    allowed_hosts: Iterable[str] = LOOPBACK_HOSTS,
    routers: Iterable[APIRouter] = (),
    static: Path = STATIC,
) -> FastAPI:
    """Return the application that serves one chart.

    Args:
        state: What the page shows.
        allowed_hosts: Names under which it may be asked for; see :class:`PageGuard`.
        routers: Further routes.
        static: Folder of the page's files.
    """
    app = FastAPI(title="milobot", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(PageGuard, allowed_hosts=tuple(allowed_hosts), open_paths=OPEN_PATHS)

    @app.get("/")
    async def page() -> FileResponse:
        """Return the page."""
        return FileResponse(static / "index.html")

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Say that the event loop turns."""
        return {"status": "ok"}

    app.include_router(chart_router(state))
    for router in routers:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=static))
    return app

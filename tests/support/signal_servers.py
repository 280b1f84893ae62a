"""Signals over HTTP for tests: the application in process, with a door in memory."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from tests.support.doors import MemoryDoor

from milobot.simulation.clock import ReplayClock
from milobot.web.access import Access
from milobot.web.access_rules import AccessRules
from milobot.web.app import create_app
from milobot.web.signal_routes import signal_routes
from milobot.web.state import ChartState, Heading

NOW_MS = 1_763_740_800_000
TOKEN = "token-of-these-tests"  # noqa: S105 - no secret of anybody
SECRET = "secret-of-these-tests"  # noqa: S105 - no secret of anybody
PLENTY = 100_000.0
ORDER = {"message": "BUY BTCUSDT 0.001", "metadata": {"source": "test"}}


@dataclass(slots=True)
class SignalSite:
    """A server of signals and a client for it."""

    app: Starlette
    access: Access
    client: httpx.AsyncClient
    door: MemoryDoor = field(default_factory=MemoryDoor)

    async def post(self, content: Any = None, **headers: str) -> httpx.Response:
        """Post a signal; underscores in the names of headers become hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(content, bytes):
            named = {"content-type": "application/json", **named}
            return await self.client.post("/signal", content=content, headers=named)
        return await self.client.post("/signal", json=content or ORDER, headers=named)

    async def alert(
        self, content: Any, path: str = "", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Deliver an alert as TradingView does: JSON when it is an object, else text."""
        where = f"/webhook/tradingview{path}"
        if isinstance(content, dict):
            return await self.client.post(where, json=content, headers=headers)
        kind = {"content-type": "text/plain; charset=utf-8", **(headers or {})}
        return await self.client.post(where, content=content, headers=kind)


def make_app(door: MemoryDoor, access: Access) -> Starlette:
    """Return the page with the routes of signals."""
    state = ChartState(Heading("demo", "BTCUSDT", "1m", "x.script"))
    return create_app(state, access=access, routes=signal_routes(door, access, ReplayClock(NOW_MS)))


@asynccontextmanager
async def signal_site(
    *, address: str = "203.0.113.7", base: str = "http://localhost:8080", **rules: Any
) -> AsyncIterator[SignalSite]:
    """Give a server with these rules; the rate is high unless a rule says otherwise."""
    access = Access(AccessRules(**{"signal_rate": PLENTY, **rules}))
    door = MemoryDoor()
    app = make_app(door, access)
    transport = httpx.ASGITransport(app, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=base) as client:
        yield SignalSite(app, access, client, door)

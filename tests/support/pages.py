"""A page served for a test on a free port, and a client for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from starlette.types import ASGIApp
from websockets import Origin
from websockets.asyncio.client import ClientConnection, connect

from milobot.web.server import open_listener, serving


@dataclass(frozen=True, slots=True)
class Site:
    """Where a page is served.

    Attributes:
        host: Name and port, as a browser sends them.
    """

    host: str
    client: httpx.AsyncClient

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return f"http://{self.host}"

    async def socket(self, query: str = "") -> ClientConnection:
        """Open the chart's WebSocket as the page does."""
        return await connect(f"ws://{self.host}/ws/chart{query}", origin=Origin(self.url))


async def receive_json(socket: ClientConnection) -> Any:
    """Return the next message."""
    return orjson.loads(await socket.recv())


@asynccontextmanager
async def served(app: ASGIApp, *, port: int = 0) -> AsyncIterator[Site]:
    """Serve ``app`` on 127.0.0.1 while the body runs."""
    listener = open_listener("127.0.0.1", port)
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    client = httpx.AsyncClient(trust_env=False, base_url=f"http://{host}")
    async with serving(app, listener), client:
        yield Site(host, client)

"""The page's data: one snapshot, then changes, by polling or over a WebSocket."""

import asyncio
import gzip
from dataclasses import dataclass
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Query, Response, WebSocket, WebSocketDisconnect

from milobot.web.revisions import RevisedModel
from milobot.web.state import ChartState

PING_S = 5.0
"""Silence after which the socket says that it lives; the page gives up after three."""
PUSH_INTERVAL_S = 0.04
"""Least time between two messages; what happens within it travels together."""
_SMALLEST_COMPRESSED = 2_000

Revision = Annotated[int | None, Query(ge=0, lt=2**53)]
Session = Annotated[str | None, Query(max_length=64)]


def chart_router(state: ChartState, *, ping_s: float = PING_S) -> APIRouter:
    """Return ``GET /api/chart`` and ``WS /ws/chart`` over a chart's state."""
    router = APIRouter()
    revisions = state.revisions

    @router.get("/api/chart")
    async def get_chart(
        since: Revision = None,
        session: Session = None,
        accept_encoding: Annotated[str, Header()] = "",
    ) -> Response:
        """Return what changed after ``since``, or everything."""
        body = revisions.message_since(since, session)
        headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
        if len(body) >= _SMALLEST_COMPRESSED and "gzip" in accept_encoding:
            # In a thread: a year of minutes takes long enough to delay an order.
            body = await asyncio.to_thread(gzip.compress, body, 1)
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type="application/json", headers=headers)

    @router.websocket("/ws/chart")
    async def push_chart(
        socket: WebSocket, since: Revision = None, session: Session = None
    ) -> None:
        """Send what the reader lacks, then every change, until it goes away."""
        await socket.accept()
        try:
            async with asyncio.TaskGroup() as tasks:
                pushing = tasks.create_task(
                    _push(_Reader(socket, since, session), revisions, ping_s)
                )
                await _until_gone(socket)
                pushing.cancel()
        except* WebSocketDisconnect:
            pass

    return router


@dataclass(slots=True)
class _Reader:
    socket: WebSocket
    since: int | None
    session: str | None


async def _push(reader: _Reader, revisions: RevisedModel, ping_s: float) -> None:
    """Send changes as they come; a reader that is slow gets several in one message."""
    while True:
        message = revisions.message_since(reader.since, reader.session)
        reader.since, reader.session = revisions.revision, revisions.session
        await reader.socket.send_text(message.decode())
        await asyncio.sleep(PUSH_INTERVAL_S)
        while not await _is_published(revisions, reader.since, ping_s):
            ping = {"kind": "ping", "revision": reader.since}
            await reader.socket.send_text(orjson.dumps(ping).decode())


async def _is_published(revisions: RevisedModel, since: int, ping_s: float) -> bool:
    """Wait for something newer; return whether it came before a ping was due."""
    try:
        async with asyncio.timeout(ping_s):
            await revisions.wait_beyond(since)
    except TimeoutError:
        return False
    return True


async def _until_gone(socket: WebSocket) -> None:
    """Read and ignore whatever the page says; it has nothing to say."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass

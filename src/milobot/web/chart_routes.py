"""The page's data: one snapshot, then changes, by polling or over a WebSocket."""

import asyncio
import functools
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import orjson
from pydantic import Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from milobot.web.revisions import RevisedModel
from milobot.web.state import ChartState

PING_S = 5.0
"""Silence after which the socket says that it lives; the page gives up after three."""
PUSH_INTERVAL_S = 0.04
"""Least time between two messages; what happens within it travels together."""
_SMALLEST_COMPRESSED = 2_000
_POLICY_VIOLATION = 1008
_LONGEST_WISH = 200


@dataclass(frozen=True, slots=True)
class _Known:
    """What a reader says it has; a revision is a whole number that JavaScript can hold."""

    since: Annotated[int | None, Field(ge=0, lt=2**53)] = None
    session: Annotated[str | None, Field(max_length=64)] = None


@functools.cache
def _known() -> TypeAdapter[_Known]:
    return TypeAdapter(_Known)  # at first use: it takes longer than the rest of this module


def chart_routes(state: ChartState, *, ping_s: float = PING_S) -> list[BaseRoute]:
    """Return ``GET /api/chart`` and ``WS /ws/chart`` over a chart's state."""
    revisions = state.revisions

    async def get_chart(request: Request) -> Response:
        try:
            known = _known().validate_python(dict(request.query_params))
        except ValidationError as error:
            return _refusal(error)
        body = revisions.message_since(known.since, known.session)
        return await _answer(body, request.headers)

    async def push_chart(socket: WebSocket) -> None:
        try:
            known = _known().validate_python(dict(socket.query_params))
        except ValidationError:
            await socket.close(_POLICY_VIOLATION, "wrong query")
            return
        await socket.accept()
        await _serve(_Reader(socket, known.since, known.session), state, ping_s)

    return [Route("/api/chart", get_chart), WebSocketRoute("/ws/chart", push_chart)]


def _refusal(error: ValidationError) -> Response:
    faults = [
        {**fault, "loc": ["query", *fault["loc"]]} for fault in error.errors(include_url=False)
    ]
    return JSONResponse({"detail": faults}, status_code=422)


async def _answer(body: bytes, asked: Mapping[str, str]) -> Response:
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if len(body) >= _SMALLEST_COMPRESSED and "gzip" in asked.get("accept-encoding", ""):
        # In a thread: a year of minutes takes long enough to delay an order.
        body = await asyncio.to_thread(gzip.compress, body, 1)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)


@dataclass(slots=True)
class _Reader:
    socket: WebSocket
    since: int | None
    session: str | None


async def _serve(reader: _Reader, state: ChartState, ping_s: float) -> None:
    """Send what the reader lacks, then every change, until it goes away."""
    try:
        async with asyncio.TaskGroup() as tasks:
            pushing = tasks.create_task(_push(reader, state.revisions, ping_s))
            await _hear(reader.socket, state)
            pushing.cancel()
    except* WebSocketDisconnect:
        pass


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


async def _hear(socket: WebSocket, state: ChartState) -> None:
    """Take in whose chart the page wishes for, until it goes away; what is else is ignored."""
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        text = message.get("text") or ""
        if len(text) <= _LONGEST_WISH:
            state.wish_for(_wish_in(text))


def _wish_in(text: str) -> str:
    """Return the symbol of ``{"show": symbol}``; empty for anything else."""
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return ""
    symbol = said.get("show") if isinstance(said, dict) else None
    return symbol if isinstance(symbol, str) else ""

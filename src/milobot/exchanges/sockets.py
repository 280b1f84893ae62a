"""A WebSocket as the streams need it: frames in, texts out, time limits by the caller."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import aiohttp
from aiohttp import ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType

_MOST_FRAME_BYTES = 4 * 1024 * 1024
_CONNECT_S = 10.0
_CLOSE_S = 2.0


class Signal(Enum):
    """What a socket says besides data: a sign of life, or that it is over."""

    ALIVE = "alive"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """Where to connect; the address may hold a listen key and is not shown."""

    url: str

    def __repr__(self) -> str:
        """Return the address without its parameters."""
        return f"SocketAddress({self.url.split('?', 1)[0]!r})"


class SocketError(Exception):
    """A socket could not be opened or written to."""


class Socket(Protocol):
    """One connection."""

    async def receive(self, timeout_s: float) -> str | bytes | Signal | None:
        """Return the next frame or signal; None when none came in time."""
        ...

    async def send(self, text: str) -> None:
        """Send a text frame; raise ``SocketError`` when the connection is gone."""
        ...

    async def ping(self) -> None:
        """Send a ping frame; raise ``SocketError`` when the connection is gone."""
        ...

    async def close(self) -> None:
        """Close; a ``receive`` that waits returns CLOSED."""
        ...


class Connector(Protocol):
    """Opens sockets."""

    async def connect(self, address: SocketAddress) -> Socket:
        """Return an open socket; raise ``SocketError`` when there is none to be had."""
        ...


class HttpConnector:
    """Opens WebSockets over an HTTP session."""

    def __init__(self, session: Callable[[], ClientSession]) -> None:
        """Take the session when the first socket is opened."""
        self._session = session

    async def connect(self, address: SocketAddress) -> Socket:
        """Return an open socket.

        Raises:
            SocketError: The server refused or could not be reached in time.
        """
        try:
            opened = await self._session().ws_connect(
                address.url,
                autoping=False,
                max_msg_size=_MOST_FRAME_BYTES,
                timeout=ClientWSTimeout(ws_close=_CLOSE_S),
            )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as failed:
            status = getattr(failed, "status", None)
            said = f"the server answered {status}" if status else type(failed).__name__
            raise SocketError(f"no connection to {address!r}: {said}") from None
        return _HttpSocket(opened)


class _HttpSocket:
    def __init__(self, opened: ClientWebSocketResponse) -> None:
        self._opened = opened

    async def receive(self, timeout_s: float) -> str | bytes | Signal | None:
        try:
            message = await self._opened.receive(timeout=timeout_s)
        except TimeoutError:
            return None
        match message.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                data: str | bytes = message.data
                return data
            case WSMsgType.PING:
                await self._guarded(self._opened.pong(message.data))
                return Signal.ALIVE
            case WSMsgType.PONG:
                return Signal.ALIVE
            case _:
                return Signal.CLOSED

    async def send(self, text: str) -> None:
        await self._guarded(self._opened.send_str(text))

    async def ping(self) -> None:
        await self._guarded(self._opened.ping())

    async def close(self) -> None:
        await self._opened.close()

    @staticmethod
    async def _guarded(action: Awaitable[None]) -> None:
        try:
            await action
        except (aiohttp.ClientError, OSError, RuntimeError) as failed:
            raise SocketError(f"the connection is gone: {type(failed).__name__}") from None

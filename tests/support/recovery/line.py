"""The line between a bot and its exchange, which can be cut, refused or made silent."""

import asyncio
import contextlib
import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_HOST, _PIECE = "127.0.0.1", 1 << 16
_UPGRADE = b"upgrade: websocket"
_LOOK_S, _CLOSING_LOOKS = 0.02, 50


class _Call:
    """One connection; ``is_stream`` once it asked to become a WebSocket."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.ends = (near, far)
        self.is_stream = False

    def abort(self) -> None:
        for end in self.ends:
            end.transport.abort()


class Line:
    """Passes on what either side sends, while the ``async with`` block lasts.

    Attributes:
        url: What the bot takes for its exchange.
    """

    def __init__(self, exchange_url: str) -> None:
        """Prepare; ``exchange_url`` is where it leads to."""
        self._far_port = urlsplit(exchange_url).port
        # Bound and never listening: the port stays ours, and refuses, while nobody answers.
        self._holder = _bound(0)
        self._port: int = self._holder.getsockname()[1]
        self.url = f"http://{_HOST}:{self._port}"
        self._server: asyncio.Server | None = None
        self._calls: set[_Call] = set()
        self._flows, self._streams_flow = asyncio.Event(), asyncio.Event()
        self._takes_streams = True

    async def __aenter__(self) -> Self:
        """Begin to pass on."""
        await self.mend()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cut everything and let the port go."""
        await self.mend()  # whoever waits in silence is to notice its end
        self.refuse()
        self._holder.close()
        for _ in range(_CLOSING_LOOKS):
            await asyncio.sleep(_LOOK_S)
            if not self._calls:
                break

    async def mend(self) -> None:
        """Pass everything on again; what was held back in silence arrives now."""
        self._takes_streams = True
        self._flows.set()
        self._streams_flow.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._take, sock=_bound(self._port))

    def refuse(self) -> None:
        """Cut every connection and let nobody connect."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._abort(self._calls)

    def silence(self) -> None:
        """Pass nothing on; connections stay open and new ones are taken."""
        self._flows.clear()

    def silence_streams(self) -> None:
        """Pass on nothing that travels by WebSocket."""
        self._streams_flow.clear()

    def cut_streams(self, *, refuses: bool = False) -> int:
        """Cut the WebSockets, and refuse new ones if asked to; return how many were cut."""
        self._takes_streams = not refuses
        streams = {call for call in self._calls if call.is_stream}
        self._abort(streams)
        return len(streams)

    def _abort(self, calls: set[_Call]) -> None:
        for call in list(calls):
            call.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(_HOST, self._far_port)
        except OSError:
            writer.transport.abort()
            return
        call = _Call(writer, far_writer)
        if self._server is None:  # refused since it was taken
            call.abort()
            return
        self._calls.add(call)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_on(call, reader, far_writer, is_ours=True))
                tasks.create_task(self._pass_on(call, far_reader, writer, is_ours=False))
        finally:
            self._calls.discard(call)
            call.abort()

    async def _pass_on(
        self,
        call: _Call,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_ours: bool,
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                if is_ours and not call.is_stream and _UPGRADE in piece.lower():
                    call.is_stream = True
                    if not self._takes_streams:
                        break
                await self._may_pass(call)
                writer.write(piece)
                await writer.drain()
        # Whoever ends one direction ends the other: nobody here closes by halves.
        call.abort()

    async def _may_pass(self, call: _Call) -> None:
        await self._flows.wait()
        if call.is_stream:
            await self._streams_flow.wait()


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((_HOST, port))
    return bound

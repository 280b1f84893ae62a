"""Bounds on connections, so that whoever opens many takes nothing from the bot.

The server shares its process with what trades: a stranger who opens connections and says
nothing would use up the files that the streams of the exchange need, and one who sends
headers without end its memory, and one who sends nonsense the disk of the log.
"""

import asyncio
import logging
from dataclasses import dataclass

from milobot.telemetry import without
from milobot.web.library_lines import SparingFilter

with without("watchfiles"):  # uvicorn watches source files with it, for who develops; 1 MB
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_LINE_SIGNS = len(": \r\n")
_SPARING = SparingFilter()


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What connections may use.

    Attributes:
        most: How many at a time; further ones are closed at once.
        head_s: Seconds within which a request's line and headers are there, counted from the
            start of the connection or of the request.
        most_head_bytes: How long line and headers may be.
    """

    most: int = 256
    head_s: float = 10.0
    most_head_bytes: int = 65_536


class BoundedProtocol(HttpToolsProtocol):
    """The server's side of one connection, within limits."""

    limits = ConnectionLimits()
    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _is_head_too_large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base
        """Begin to wait for a request, or close what is one too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.most:
            transport.abort()
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._forget_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; of headers that do not end no more."""
        super().data_received(data)
        if self._deadline is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > self.limits.most_head_bytes and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a request's head."""
        super().on_message_begin()
        if self._deadline is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """Wait no longer: what follows is the application's; but not after too long a head."""
        self._forget_head()
        lines = sum(len(name) + len(value) + _LINE_SIGNS for name, value in self.headers)
        if len(self.url) + lines > self.limits.most_head_bytes:
            self._is_head_too_large = True
            raise ValueError("the head of the request is too large")  # the parser's way to stop
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, or too long a head."""
        if self._is_head_too_large:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        else:
            super().send_400_response(msg)

    def handle_websocket_upgrade(self) -> None:
        """Hand over to a web socket; one that its library cannot read is closed, not kept."""
        super().handle_websocket_upgrade()
        # The library reads the whole request at once, and says nothing of one that it refuses.
        if not getattr(self.transport.get_protocol(), "handshake_initiated", True):
            self.send_400_response("Invalid web socket request.")

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._deadline = self.loop.call_later(self.limits.head_s, self.transport.close)

    def _forget_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def bounded_protocol(limits: ConnectionLimits) -> type[BoundedProtocol]:
    """Return the protocol within other limits: the server makes its objects by itself."""
    logging.getLogger("uvicorn.error").addFilter(_SPARING)  # adding it again changes nothing
    return type("BoundedProtocol", (BoundedProtocol,), {"limits": limits})

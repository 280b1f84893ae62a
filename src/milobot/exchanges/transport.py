"""One HTTP request, once: what came back, or how and when it failed.

Nothing is repeated here, redirects are not followed, and no text holds an address with
its parameters. Whether a failure happened before or after sending is told by the moment
at which a connection was in hand: from then on the exchange may have seen the request.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, Self

import aiohttp
from aiohttp import ClientRequest, ClientSession, ClientTimeout, StreamReader, TCPConnector
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from milobot.exchanges.wire import Answer, Facts, Failure, FailureKind, Moment, SignedCall

MOST_BODY_BYTES = 32 * 1024 * 1024
_CONNECT_S = 4.0
_CONNECTIONS = 50
_KEEP_ALIVE_S = 55.0


@dataclass(slots=True)
class _Progress:
    is_connected: bool = False


_progress: ContextVar[_Progress | None] = ContextVar("progress", default=None)


class _NotingConnector(TCPConnector):
    """Notes when a request has got its connection; tracing would tell too, at ten times the cost."""

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - as the library has it
    ) -> Connection:
        """Return a connection, new or kept."""
        connection = await super().connect(req, traces, timeout)
        progress = _progress.get()
        if progress is not None:
            progress.is_connected = True
        return connection


class Transport(Protocol):
    """Carries one request."""

    async def send(self, request: SignedCall) -> Facts:
        """Return the answer or the failure; raise nothing but cancellation."""
        ...


class HttpTransport:
    """Carries requests over a pool of kept connections."""

    def __init__(self, *, most_body_bytes: int = MOST_BODY_BYTES) -> None:
        """Open nothing yet; the first request does."""
        self._most_body_bytes = most_body_bytes
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Return the transport."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def session(self) -> ClientSession:
        """Return the session, also for sockets; it is opened on first use."""
        if self._session is None:
            self._session = ClientSession(
                connector=_NotingConnector(limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
            # aiohttp repeats DELETE by itself when a kept connection turns out to be closed.
            self._session._retry_connection = False  # noqa: SLF001 - there is no public switch
        return self._session

    async def send(self, request: SignedCall) -> Facts:
        """Send a request once and return what is known afterwards."""
        progress = _Progress()
        _progress.set(progress)
        try:
            async with self.session().request(
                request.method,
                URL(request.url, encoded=True),
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
                timeout=_patience(request.timeout_s),
            ) as response:
                body = await _body_of(response.content, self._most_body_bytes)
                if body is None:
                    return _failure(progress, FailureKind.TOO_LARGE)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, headers, body)
        except TimeoutError:
            return _failure(progress, FailureKind.TIMEOUT)
        except aiohttp.ClientPayloadError:
            return _failure(progress, FailureKind.CUT_BODY)
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError):
            kind = FailureKind.DROPPED if progress.is_connected else FailureKind.NO_CONNECTION
            return _failure(progress, kind)


@lru_cache(maxsize=16)
def _patience(timeout_s: float) -> ClientTimeout:
    return ClientTimeout(total=timeout_s, sock_connect=_CONNECT_S)


async def _body_of(content: StreamReader, most_bytes: int) -> bytes | None:
    """Return a whole body; None as soon as it is too large. An order's comes in one piece."""
    chunks, size = [], 0
    while True:
        chunk = await content.readany()
        chunks.append(chunk)
        size += len(chunk)
        if size > most_bytes:
            return None
        if content.at_eof():
            return b"".join(chunks)


def _failure(progress: _Progress, kind: FailureKind) -> Failure:
    moment = Moment.AFTER_SENDING if progress.is_connected else Moment.BEFORE_SENDING
    return Failure(moment, kind, f"{kind.value} ({moment.value})")

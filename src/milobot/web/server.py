"""The HTTP server inside the caller's event loop; signals stay with the caller."""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.types import ASGIApp

from milobot.errors import ConfigurationError
from milobot.telemetry import without
from milobot.web.connections import ConnectionLimits, bounded_protocol

with without("watchfiles"):  # it watches source files, for who develops; 1 MB
    import uvicorn

HIGHEST_PORT = 65_535
_LIMITS = ConnectionLimits()


def open_listener(host: str, port: int, *, chosen_by: str = "--port ") -> socket.socket:
    """Return a listening socket; call it before anything else starts.

    Args:
        host: Address of this machine, such as 127.0.0.1 or ::1.
        port: 0 takes any free one; ``getsockname()`` tells which.
        chosen_by: What a port is written behind to choose it, for the sentence.

    Raises:
        ConfigurationError: The port is taken or out of reach; the text says what to do.
    """
    if not 0 <= port <= HIGHEST_PORT:
        raise ConfigurationError(f"port {port} does not exist: choose one from 1 to {HIGHEST_PORT}")
    listener: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With its protocol named the event loop sends small answers at once; without it each
        # waits some 40 ms for the other side to confirm the headers.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Listen at once: of two programs that only bind, both could believe the port theirs.
        listener.listen(128)
    except (OSError, UnicodeError) as error:  # a name with an empty label or a very long one
        if listener is not None:
            listener.close()
        raise ConfigurationError(_sentence(host, port, chosen_by, error)) from error
    listener.settimeout(0)
    return listener


def page_address(listener: socket.socket) -> str:
    """Return the address to open in a browser, such as ``http://localhost:8080``."""
    host, port = listener.getsockname()[:2]
    if host in {"127.0.0.1", "0.0.0.0", "::1", "::"}:  # noqa: S104 - compared, not bound
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def serving(
    app: ASGIApp, listener: socket.socket, *, limits: ConnectionLimits = _LIMITS
) -> AsyncIterator[None]:
    """Serve ``app`` while the body runs; open sockets are closed at its end."""
    config = uvicorn.Config(
        app,
        http=bounded_protocol(limits),
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        ws_max_size=4096,
        # Deflating a long history would hold up the event loop that also places orders.
        ws_per_message_deflate=False,
    )
    server = _Server(config)
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        try:
            await server.ready.wait()
            yield
        except Exception as error:  # noqa: BLE001 - raised again below, outside the group
            failure = error
        finally:
            server.should_exit = True
    if failure is not None:
        # As it was, not inside an ExceptionGroup: the caller may know what to do about it.
        raise failure


class _Server(uvicorn.Server):
    """A server that leaves SIGINT and SIGTERM to its caller."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _sentence(host: str, port: int, chosen_by: str, error: OSError | UnicodeError) -> str:
    reason = getattr(error, "errno", None)
    if reason == errno.EADDRINUSE:
        other = port + 1 if port < HIGHEST_PORT else port - 1
        return f"port {port} is taken: stop the other program or choose another with {chosen_by}{other}"
    if reason == errno.EACCES:
        return f"port {port} needs administrator rights: choose another with {chosen_by}8080"
    return f"{host} is not an address of this machine: set LISTEN=127.0.0.1"

"""Connections that say nothing, too much, or are too many."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from milobot.web.connections import ConnectionLimits
from milobot.web.server import open_listener, serving

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
Wires = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


async def _slow(_request: Request) -> PlainTextResponse:
    await asyncio.sleep(0.15)
    return PlainTextResponse("ok")


@asynccontextmanager
async def connections(limits: ConnectionLimits, count: int) -> AsyncIterator[Wires]:
    """Open connections to a server with these limits."""
    app = Starlette(routes=[Route("/", _slow)])
    listener = open_listener("127.0.0.1", 0)
    host, port = listener.getsockname()
    async with serving(app, listener, limits=limits), asyncio.timeout(5):
        wires = [await asyncio.open_connection(host, port) for _ in range(count)]
        try:
            yield wires
        finally:
            for _, writer in wires:
                writer.close()
                await asyncio.gather(writer.wait_closed(), return_exceptions=True)


@pytest.mark.parametrize("said", [b"", b"GET / HT", REQUEST[:-2]])
async def test_a_request_that_does_not_come_is_not_waited_for(said: bytes) -> None:
    """A file is held for each; the streams of the exchange need them too."""
    async with connections(ConnectionLimits(head_s=0.1), 1) as [(reader, writer)]:
        writer.write(said)

        assert await reader.read() == b""


async def test_an_answer_may_take_longer_than_the_request() -> None:
    """The deadline is for the asking, not for the work; the second request has its own."""
    async with connections(ConnectionLimits(head_s=0.1), 1) as [(reader, writer)]:
        for _ in range(2):
            writer.write(REQUEST)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        writer.write(REQUEST[:9])

        assert await reader.read() == b""


async def test_headers_without_end_are_cut_off() -> None:
    """They would be kept until the memory is full."""
    limits = ConnectionLimits(most_head_bytes=2000)
    async with connections(limits, 1) as [(reader, writer)]:
        writer.write(REQUEST[:-2] + b"x: y\r\n" * 400)

        assert (await reader.readline()).startswith(b"HTTP/1.1 431")


async def test_too_many_connections_are_closed_and_the_others_served() -> None:
    """Whoever came first is not thrown out."""
    async with connections(ConnectionLimits(most=2), 3) as wires:
        wires[0][1].write(REQUEST)

        assert (await wires[0][0].readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        assert await wires[2][0].read() == b""
        wires[1][1].write(REQUEST)
        assert (await wires[1][0].readuntil(b"ok")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize(
    "head", [REQUEST[:-2] + b"x: y\r\n" * 400 + b"\r\n", b"GET /" + b"x" * 2400 + REQUEST[5:]]
)
async def test_a_whole_head_that_is_too_long_is_refused(head: bytes, pieces: int) -> None:
    """It came in one read or in few, and so ended before it could be cut off."""
    limits = ConnectionLimits(most_head_bytes=2000)
    async with connections(limits, 1) as [(reader, writer)]:
        size = len(head) // pieces
        for start in range(0, len(head), size):
            writer.write(head[start : start + size])
            await asyncio.sleep(0.01)

        assert (await reader.read()).startswith(b"HTTP/1.1 431")


async def test_a_head_within_the_limit_is_served_again_and_again() -> None:
    """Each request of a connection has the whole length to itself."""
    head = REQUEST[:-2] + b"x: y\r\n" * 300 + b"\r\n"
    async with connections(ConnectionLimits(most_head_bytes=2000), 1) as [(reader, writer)]:
        for _ in range(3):
            writer.write(head)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("more", [b"x: y\r\n" * 200, b"Content-Length: 5\r\n"])
async def test_a_web_socket_that_its_library_cannot_read_is_closed(more: bytes) -> None:
    """It would be kept for good without a word, and a few hundred would shut everybody out."""
    upgrade = REQUEST[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + more + b"\r\n"
    async with connections(ConnectionLimits(), 1) as [(reader, writer)]:
        writer.write(upgrade)

        assert (await reader.read()).startswith(b"HTTP/1.1 400")


async def test_nonsense_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Anybody can send it, a thousand times a second, and the disk is that of the ledger."""
    async with connections(ConnectionLimits(), 20) as wires:
        for reader, writer in wires:
            writer.write(b"\x16\x03\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 400")

    assert len([line for line in caplog.messages if line.startswith("Invalid HTTP")]) <= 1

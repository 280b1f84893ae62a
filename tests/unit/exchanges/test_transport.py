"""The transport over real sockets: what came back, or when it failed."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from milobot.exchanges.transport import HttpTransport
from milobot.exchanges.wire import Answer, Facts, Failure, FailureKind, Method, Moment, SignedCall

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Counts requests and answers each by a script that says whether to keep the connection."""

    def __init__(self) -> None:
        """Answer with success until told otherwise; None drops the connection."""
        self.requests: list[str] = []
        self.answers: list[bytes | None] = []
        self.release = asyncio.Event()
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head.decode().splitlines()[0])
                reply = self.answers.pop(0) if self.answers else OK
                if reply is None:
                    return
                if reply == b"hang":
                    await self.release.wait()
                    return
                writer.write(reply)
                await writer.drain()
                if b"Connection: close" in reply or b"\r\n\r\n" not in reply:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        server.release.set()
        listener.close()
        await asyncio.sleep(0.01)


async def send(
    transport: HttpTransport, server: Server, method: Method = "POST", path: str = "/order"
) -> Facts:
    return await transport.send(SignedCall(method, server.url + path, {}, 0, 0.4))


async def test_an_answer_is_told_in_full() -> None:
    """Status, headers in lower case, body: all that the tables look at."""
    async with serving() as server, HttpTransport() as transport:
        server.answers = [b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\nx"]

        facts = await send(transport, server)

    assert isinstance(facts, Answer)
    assert (facts.status, facts.headers["retry-after"], facts.body) == (429, "7", b"x")


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "GET"])
async def test_a_request_is_never_sent_twice(method: Method) -> None:
    """On a kept connection that turns out dead, libraries repeat DELETE by themselves."""
    async with serving() as server, HttpTransport() as transport:
        server.answers = [OK, None]
        await send(transport, server, "GET", "/first")

        facts = await send(transport, server, method)

        assert isinstance(facts, Failure)
        assert (facts.moment, facts.kind) == (Moment.AFTER_SENDING, FailureKind.DROPPED)
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\n{", "CUT_BODY"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\n{",
         "CUT_BODY"),
        (b"HTTP/1.1 200", "DROPPED"),
        (b"not http at all\r\n\r\nConnection: close", "DROPPED"),
        (b"hang", "TIMEOUT"),
    ],
)  # fmt: skip
async def test_failures_after_sending_say_so(reply: bytes, kind: str) -> None:
    """The exchange may have acted on each of these."""
    async with serving() as server, HttpTransport() as transport:
        server.answers = [reply, None]

        facts = await send(transport, server)

    assert isinstance(facts, Failure)
    assert (facts.moment, facts.kind) == (Moment.AFTER_SENDING, FailureKind[kind])


async def test_no_connection_is_before_sending() -> None:
    """Nothing listens: the order certainly did not arrive."""
    async with serving() as server:
        gone = server.url
    async with HttpTransport() as transport:
        facts = await transport.send(SignedCall("POST", gone + "/order", {}, 0, 0.5))

    assert isinstance(facts, Failure)
    assert (facts.moment, facts.kind) == (Moment.BEFORE_SENDING, FailureKind.NO_CONNECTION)


async def test_redirects_are_not_followed() -> None:
    """A signed order must not travel to where an answer points."""
    async with serving() as server, HttpTransport() as transport:
        server.answers = [
            f"HTTP/1.1 307 X\r\nLocation: {server.url}/x\r\nContent-Length: 0\r\n\r\n".encode()
        ]

        facts = await send(transport, server)

        assert isinstance(facts, Answer)
        assert (facts.status, len(server.requests)) == (307, 1)


@pytest.mark.parametrize("is_compressed", [False, True])
async def test_a_body_without_end_is_cut_short(is_compressed: bool) -> None:  # noqa: FBT001 - pytest names its arguments
    """Memory is ours to guard, also against a small body that unpacks to a huge one."""
    body = b"x" * 300_000
    extra = ""
    if is_compressed:
        body, extra = zlib.compress(body), "Content-Encoding: deflate\r\n"
    head = f"HTTP/1.1 200 OK\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode()
    async with serving() as server, HttpTransport(most_body_bytes=100_000) as transport:
        server.answers = [head + body]

        facts = await send(transport, server)

    assert isinstance(facts, Failure)
    assert facts.kind is FailureKind.TOO_LARGE


async def test_nothing_shows_a_signature() -> None:
    """Logs and errors travel further than keys may."""
    request = SignedCall(
        "POST", "https://h/o?signature=abc", {"X-MBX-APIKEY": "key"}, 0, 1.0, "signature=abc"
    )
    async with HttpTransport() as transport:
        facts = await transport.send(
            SignedCall("POST", "http://127.0.0.1:1/o?signature=abc", {"K": "key"}, 0, 0.5)
        )

    for shown in (repr(request), repr(facts), str(facts)):
        assert "abc" not in shown
        assert "key" not in shown


async def test_addresses_are_sent_as_they_were_signed() -> None:
    """Re-encoding a parameter would break its signature."""
    async with serving() as server, HttpTransport() as transport:
        await send(transport, server, "GET", "/x?symbol=%E5%B8%81USDT&a=1%2B2%20")

        assert server.requests == ["GET /x?symbol=%E5%B8%81USDT&a=1%2B2%20 HTTP/1.1"]

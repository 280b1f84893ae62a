"""Signals over a real socket: the documented command, bodies that do not end, keep-alive."""

import asyncio
import re
import shlex
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from tests.support.doors import MemoryDoor
from tests.support.pages import Site, served
from tests.support.process import ROOT
from tests.support.signal_servers import ORDER, TOKEN, make_app

from milobot.web.access import Access
from milobot.web.access_rules import AccessRules

MOST = 65_536


@asynccontextmanager
async def wire(rules: AccessRules | None = None) -> AsyncIterator[tuple[Site, MemoryDoor]]:
    """Serve signals on a free port."""
    door = MemoryDoor()
    async with served(make_app(door, Access(rules or AccessRules()))) as site:
        yield site, door


async def raw(site: Site, sent: bytes, *, is_closed: bool = False) -> bytes:
    """Send bytes, and return what comes until the server has answered."""
    host, port = site.host.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    try:
        async with asyncio.timeout(5):
            told = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", told)
            assert length is not None
            told += await reader.readexactly(int(length[1]))
            if is_closed:
                assert await reader.read() == b""  # nothing more is taken from this connection
        return told
    finally:
        writer.close()
        await writer.wait_closed()


def documented_command() -> list[str]:
    """Return the first curl of the documentation, in words."""
    text = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    match = re.search(r"^curl (?:.*\\\n)*.*$", text, re.MULTILINE)
    assert match is not None
    return shlex.split(match[0].replace("\\\n", " "))


async def test_the_documented_command_is_answered() -> None:
    """It is the first thing that anybody tries; here byte for byte as curl sends it."""
    words = documented_command()
    body = words[words.index("-d") + 1].encode()
    async with wire() as (site, door):
        head = (
            "POST /signal HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
            f"{words[words.index('-H') + 1]}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        told = await raw(site, head.encode() + body)

    assert words[-1].endswith("/signal") or "http://localhost:8080/signal" in words
    assert told.startswith(b"HTTP/1.1 202 ")
    assert orjson.loads(told.partition(b"\r\n\r\n")[2])["state"] == "entering"
    assert door.texts == ["BUY BTCUSDT 0.001"]


async def test_the_documented_command_is_run_by_curl() -> None:
    """The program itself, where there is one."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    async with wire() as (site, door):
        words = [word.replace("localhost:8080", site.host) for word in documented_command()]
        process = await asyncio.create_subprocess_exec(
            words[0], "--noproxy", "*", "-s", *words[1:], stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()

    assert orjson.loads(told)["id"] == 1
    assert door.texts == ["BUY BTCUSDT 0.001"]


async def test_a_body_that_is_said_to_be_too_large_is_not_read() -> None:
    """The answer comes before a byte of it."""
    head = (
        "POST /signal HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {MOST + 1}\r\n\r\n"
    )
    async with wire() as (site, _):
        told = await raw(site, head.encode(), is_closed=True)

    assert told.startswith(b"HTTP/1.1 413 ")
    assert b'"body_too_large"' in told


async def test_a_body_without_end_is_cut_off() -> None:
    """Nobody says how long it is, so it is counted."""
    head = (
        "POST /signal HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    piece = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    async with wire() as (site, door):
        told = await raw(site, head.encode() + piece * 2 + b"1\r\nx\r\n", is_closed=True)

    assert told.startswith(b"HTTP/1.1 413 ")
    assert not door.incoming


async def test_the_largest_body_is_read() -> None:
    """The limit itself is allowed: 64 KiB, refused by the reader alone."""
    body = b'{"message": "' + b"x" * (MOST - 15) + b'"}'
    async with wire() as (site, _):
        answer = await site.client.post(
            "/signal", content=body, headers={"content-type": "application/json"}
        )

    assert len(body) == MOST
    assert (answer.status_code, answer.json()["code"]) == (422, "too_long")


async def test_a_body_that_breaks_off_trades_nothing() -> None:
    """Half an order is none."""
    head = (
        "POST /signal HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        'Content-Length: 100\r\n\r\n{"message": "BUY BTCUSDT 0.001"}'
    )
    async with wire() as (site, door):
        host, port = site.host.split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode())
        writer.close()
        await writer.wait_closed()
        assert (await site.client.get("/health")).status_code == 200

    assert not door.incoming


async def test_a_connection_serves_again_after_a_refusal() -> None:
    """A client that mistyped once keeps its connection."""
    rules = AccessRules(token=TOKEN)
    async with wire(rules) as (site, _):
        statuses = [
            (await site.client.post("/signal", json=ORDER, headers=headers)).status_code
            for headers in ({}, {"authorization": f"Bearer {TOKEN}"})
        ]

    assert statuses == [401, 202]

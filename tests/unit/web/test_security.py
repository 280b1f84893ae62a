"""Other pages in the same browser get nothing."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Message

from milobot.web.app import create_app
from milobot.web.security import host_name
from milobot.web.state import ChartState, Heading

HERE = "localhost:8080"


def _state() -> ChartState:
    return ChartState(Heading("demo", "BTCUSDT", "1m", "x.script"))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Return a browser at the page's address."""
    transport = httpx.ASGITransport(create_app(_state()))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HERE}") as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:9", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("evil.example:8080", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:8080", 421),
        ("evil@localhost", 421),
        ("localhost:8080@evil.example", 421),
        ("localhost:port", 421),
        ("[::2]:8080", 421),
        ("", 421),
    ],
)
async def test_only_known_host_names_are_answered(
    client: httpx.AsyncClient, host: str, status: int
) -> None:
    """DNS rebinding gives a foreign page our address, but not our name."""
    answer = await client.get("/api/chart", headers={"host": host})

    assert answer.status_code == status
    assert (b"BTCUSDT" in answer.content) == (status == 200)


async def test_health_answers_probes_that_use_an_address(client: httpx.AsyncClient) -> None:
    """An orchestrator asks the address of a container; it learns nothing but health."""
    answer = await client.get("/health", headers={"host": "10.1.2.3:8080"})

    assert answer.json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/", "/api/chart", "/static/main.js", "/missing", "/health"])
async def test_every_answer_carries_the_headers(client: httpx.AsyncClient, path: str) -> None:
    """One page without them is the one that an attacker frames."""
    answer = await client.get(path, headers={"origin": "https://evil.example"})
    headers = answer.headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "cache-control" in headers
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/static/../app.py"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    """What is not needed cannot leak."""
    assert (await client.get(path)).status_code == 404


async def _knock(headers: dict[str, str]) -> str:
    """Return how the application answers a WebSocket with exactly these headers."""
    said: list[Message] = []
    turns: list[Message] = [
        {"type": "websocket.disconnect", "code": 1000},
        {"type": "websocket.connect"},
    ]

    async def receive() -> Message:
        return turns.pop()

    async def send(message: Message) -> None:
        said.append(message)

    scope = {
        "type": "websocket",
        "path": "/ws/chart",
        "raw_path": b"/ws/chart",
        "query_string": b"",
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        "subprotocols": [],
    }
    await create_app(_state())(scope, receive, send)
    return str(said[0]["type"])


@pytest.mark.parametrize("origin", [f"http://{HERE}", f"https://{HERE}"])
async def test_the_page_itself_may_open_the_socket(origin: str) -> None:
    """Behind a proxy that speaks TLS the origin is https."""
    assert await _knock({"origin": origin, "host": HERE}) == "websocket.accept"


async def test_a_program_without_an_origin_may_open_the_socket() -> None:
    """Browsers always send one; a terminal program is its user's own."""
    assert await _knock({"host": HERE}) == "websocket.accept"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "host": HERE},
        {"origin": "http://localhost:8081", "host": HERE},
        {"origin": "null", "host": HERE},
        {"origin": f"file://{HERE}", "host": HERE},
        {"origin": "http://[", "host": HERE},
        {"origin": "http://evil.example", "host": "evil.example"},
        {"origin": f"http://{HERE}"},
    ],
)
async def test_foreign_pages_cannot_open_the_socket(headers: dict[str, str]) -> None:
    """WebSockets know no CORS: without this check any page could read along."""
    assert await _knock(headers) == "websocket.close"


def test_host_names_are_read_with_ipv6_and_ports() -> None:
    """A colon is a port in one form and part of the address in the other."""
    assert host_name("[2001:db8::1]:8080") == "[2001:db8::1]"
    assert host_name("Example.com:1") == "example.com"
    assert host_name("::1") is None
    assert host_name("a b") is None


async def test_allowed_hosts_replace_the_loopback_names() -> None:
    """Who names hosts means those."""
    transport = httpx.ASGITransport(create_app(_state(), allowed_hosts=["Bot.Example"]))

    async with httpx.AsyncClient(transport=transport, base_url="http://bot.example") as client:
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/", headers={"host": "localhost"})).status_code == 421

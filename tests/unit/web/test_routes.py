"""The chart over HTTP and WebSocket."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from decimal import Decimal

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.support.charts import ChartPlayer, random_candles
from tests.support.pages import Site, receive_json, served
from websockets.exceptions import InvalidStatus

from milobot.domain.intents import PositionSide
from milobot.web.app import create_app
from milobot.web.chart_routes import chart_routes
from milobot.web.views import PositionView


@pytest.fixture
def player() -> ChartPlayer:
    """Return a chart that has shown a few candles."""
    player = ChartPlayer(random_candles(300))
    player.play(100)
    return player


@pytest.fixture
async def site(player: ChartPlayer) -> AsyncIterator[Site]:
    """Serve that chart."""
    async with served(create_app(player.state)) as site:
        yield site


async def test_polling_gets_everything_then_changes_then_nothing(
    player: ChartPlayer, site: Site
) -> None:
    """A page without a WebSocket must not load the whole history every five seconds."""
    whole = (await site.client.get("/api/chart")).json()
    assert whole == orjson.loads(orjson.dumps(player.state.snapshot()))
    query = {"since": whole["revision"], "session": whole["session"]}

    unchanged = (await site.client.get("/api/chart", params=query)).json()
    player.play(3)
    delta = (await site.client.get("/api/chart", params=query)).json()

    assert (unchanged["revision"], unchanged["unchanged"]) == (1, True)
    assert delta["kind"] == "delta"
    assert len(delta["append"]["candles"]) == 3


async def test_large_answers_are_compressed_for_those_who_can(site: Site) -> None:
    """A year of hours is a megabyte of digits; phones are on slow lines."""
    compressed = {"accept-encoding": "gzip"}
    async with site.client.stream("GET", "/api/chart", headers=compressed) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    plain = await site.client.get("/api/chart", headers={"accept-encoding": "identity"})

    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 2
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize("since", ["-1", "x", "", str(2**60)])
async def test_a_wrong_revision_is_refused(site: Site, since: str) -> None:
    """Only whole numbers that JavaScript can hold are revisions."""
    answer = await site.client.get("/api/chart", params={"since": since})

    assert answer.status_code == 422
    (fault,) = answer.json()["detail"]
    assert (fault["loc"], fault["input"]) == (["query", "since"], since)


async def test_every_fault_of_a_query_is_told_at_once(site: Site) -> None:
    """Who writes a program against the page need not find them one by one."""
    answer = await site.client.get("/api/chart", params={"since": "x", "session": "s" * 65})

    faults = answer.json()["detail"]
    assert [fault["loc"] for fault in faults] == [["query", "since"], ["query", "session"]]
    assert faults[1]["msg"] == "String should have at most 64 characters"


@pytest.mark.parametrize("query", ["?since=x", "?session=" + "s" * 65])
async def test_a_socket_with_a_wrong_query_is_not_opened(site: Site, query: str) -> None:
    """It would be sent the wrong changes; the page asks again without."""
    with pytest.raises(InvalidStatus):
        await site.socket(query)


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [("GET", "/missing", 404, "Not Found"), ("POST", "/api/chart", 405, "Method Not Allowed")],
)
async def test_refusals_are_json(
    site: Site, method: str, path: str, status: int, detail: str
) -> None:
    """One form for all answers: what reads them needs no second parser."""
    answer = await site.client.request(method, path)

    assert (answer.status_code, answer.json()) == (status, {"detail": detail})


async def test_health_can_be_asked_for_without_a_body(site: Site) -> None:
    """Some load balancers probe with HEAD."""
    answer = await site.client.head("/health")

    assert (answer.status_code, answer.content) == (200, b"")


async def test_the_socket_pushes_everything_then_changes(player: ChartPlayer, site: Site) -> None:
    """This is the live chart."""
    async with await site.socket() as socket:
        assert (await receive_json(socket))["kind"] == "snapshot"

        player.state.add_log(0, "info", "hello")
        player.state.publish()

        delta = await receive_json(socket)
    assert delta["append"]["log"] == [{"time": 0, "level": "info", "text": "hello"}]
    assert (delta["base"], delta["revision"]) == (1, 2)


async def test_a_returning_reader_resumes(player: ChartPlayer, site: Site) -> None:
    """After a short loss of connection only what was missed travels."""
    session = player.state.snapshot()["session"]
    player.play(2)

    async with await site.socket(f"?since=1&session={session}") as socket:
        assert (await receive_json(socket))["base"] == 1


async def test_a_reader_that_leaves_is_forgotten(player: ChartPlayer, site: Site) -> None:
    """Reloading the page a thousand times must cost nothing."""
    async with await site.socket() as socket:
        await receive_json(socket)
        player.play(1)
        await receive_json(socket)

    async with await site.socket() as socket:
        await receive_json(socket)
        player.play(1)
        await receive_json(socket)
        assert len(player.state.revisions._waiting) <= 1


async def test_a_quiet_socket_says_that_it_lives(player: ChartPlayer) -> None:
    """A page cannot see protocol pings, and must know silence from death."""
    app = Starlette(routes=chart_routes(player.state, ping_s=0.05))

    async with served(app) as site, await site.socket() as socket:
        await receive_json(socket)
        assert await receive_json(socket) == {"kind": "ping", "revision": 1}
        player.play(1)
        while (message := await receive_json(socket))["kind"] == "ping":
            pass
    assert message["kind"] == "delta"


async def test_further_routes_are_served(player: ChartPlayer) -> None:
    """Signals and metrics come to the same application."""

    async def status(_request: Request) -> JSONResponse:
        return JSONResponse({"mode": "paper"})

    async with served(create_app(player.state, routes=[Route("/status", status)])) as site:
        assert (await site.client.get("/status")).json() == {"mode": "paper"}


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ('{"show": "BTCUSDT"}', "BTCUSDT"),
        ('{"show": "ETHUSDT"}', ""),
        ('{"show": 1}', ""),
        ('["show"]', ""),
        ("{", ""),
        ('{"show": "BTCUSDT"' + " " * 1_000 + "}", ""),
    ],
)
async def test_a_page_may_wish_for_what_is_held_and_for_nothing_else(
    player: ChartPlayer, site: Site, said: str, wish: str
) -> None:
    """The only thing that a reader may say; it must lead to no request for a made-up symbol."""
    held = PositionView("BTCUSDT", PositionSide.LONG, Decimal(1), Decimal(2), "PROTECTED", None)
    player.state.set_positions([held])
    player.state.publish()

    async with await site.socket() as socket:
        await receive_json(socket)
        await socket.send(said)
        await socket.send(b"\x00")
        player.play(1)
        while (await receive_json(socket))["kind"] != "delta":
            pass
        await asyncio.sleep(0.05)

    assert player.state.take_wish() == wish
    assert player.state.take_wish() == ""

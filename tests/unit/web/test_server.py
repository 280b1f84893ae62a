"""The server lives and ends inside the caller's loop."""

import asyncio
import signal
import socket

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from tests.support.charts import ChartPlayer, random_candles
from tests.support.pages import receive_json, served
from websockets import ConnectionClosed

from milobot.errors import ConfigurationError, DataError
from milobot.web.app import create_app
from milobot.web.server import open_listener, page_address, serving


def _player() -> ChartPlayer:
    player = ChartPlayer(random_candles(60))
    player.play(30)
    return player


async def test_it_serves_on_a_free_port_and_frees_it_again() -> None:
    """Tests and second runs need the port back at once."""
    listener = open_listener("127.0.0.1", 0)
    port = listener.getsockname()[1]

    async with serving(create_app(_player().state), listener):
        assert page_address(listener) == f"http://localhost:{port}"
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/health")
        assert answer.json() == {"status": "ok"}

    open_listener("127.0.0.1", port).close()


def test_answers_leave_at_once() -> None:
    """An event loop switches Nagle's delay off only where the socket names its protocol."""
    with open_listener("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


async def test_open_pages_do_not_hold_up_the_end() -> None:
    """Ctrl-C must end the program although a browser still listens."""
    async with asyncio.timeout(5):
        async with served(create_app(_player().state)) as site:
            page = await site.socket()
            assert (await receive_json(page))["kind"] == "snapshot"
        with pytest.raises(ConnectionClosed):
            await page.recv()


async def test_a_slow_reader_never_holds_up_the_publisher() -> None:
    """A page asleep in a background tab must not delay an order."""
    player = ChartPlayer(random_candles(3_000))

    async with served(create_app(player.state)) as site, await site.socket() as page:
        async with asyncio.timeout(5):
            for _ in range(300):
                player.play(10)
                player.state.add_log(0, "info", "x" * 2_000)
                await asyncio.sleep(0)
        newest = player.state.revisions.revision
        async with asyncio.timeout(5):
            while (await receive_json(page))["revision"] < newest:
                pass


async def test_signals_stay_with_the_caller() -> None:
    """The caller has positions to look after before it may end."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    listener = open_listener("127.0.0.1", 0)

    async with serving(create_app(_player().state), listener):
        during = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    assert during == before


async def test_an_error_of_the_body_comes_out_as_it_is() -> None:
    """The command line turns expected errors into a sentence; a group would hide them."""
    listener = open_listener("127.0.0.1", 0)

    with pytest.raises(DataError, match="no candles"):
        async with serving(create_app(_player().state), listener):
            raise DataError("no candles")


async def test_nothing_is_printed_by_the_server(capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output belongs to the log in JSON."""
    async with served(create_app(_player().state)) as site:
        await site.client.get("/missing")

    assert capfd.readouterr() == ("", "")


def test_a_taken_port_is_refused_with_a_way_out() -> None:
    """The commonest failure of a first start needs the clearest sentence."""
    with open_listener("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            open_listener("127.0.0.1", port)

    other = port + 1
    assert str(caught.value) == (
        f"port {port} is taken: stop the other program or choose another with --port {other}"
    )


@pytest.mark.parametrize(
    ("host", "port", "sentence"),
    [
        ("127.0.0.1", 65_536, "port 65536 does not exist"),
        ("127.0.0.1", -1, "port -1 does not exist"),
        ("203.0.113.7", 0, "203.0.113.7 is not an address of this machine"),
        ("no such host", 0, "no such host is not an address of this machine: set LISTEN=127.0.0.1"),
        ("a..b", 0, r"a\.\.b is not an address of this machine"),
        ("a" * 80, 0, "aaa is not an address of this machine"),
    ],
)
def test_an_impossible_address_is_refused(host: str, port: int, sentence: str) -> None:
    """A typing error must not end in a traceback."""
    with pytest.raises(ConfigurationError, match=sentence):
        open_listener(host, port)


def test_ipv6_addresses_are_written_for_a_browser() -> None:
    """The printed address must be one that can be clicked."""
    try:
        listener = open_listener("::1", 0)
    except ConfigurationError:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:
        assert page_address(listener) == f"http://localhost:{listener.getsockname()[1]}"


async def test_a_failing_request_does_not_end_the_server() -> None:
    """One broken route must not take the page away from a running strategy."""

    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("broken")

    async with served(broken) as site:
        assert (await site.client.get("/")).status_code == 500
        assert (await site.client.get("/")).status_code == 500

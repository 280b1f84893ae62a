"""Who may hand in signals: token, rate, origin, host."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from tests.support.signal_servers import ORDER, TOKEN, SignalSite, signal_site

from milobot.errors import ConfigurationError
from milobot.web.access import Access, address_of
from milobot.web.access_rules import AccessRules, check_access

BEARER = f"Bearer {TOKEN}"
BASIC = "Basic " + b64encode(f"me:{TOKEN}".encode()).decode()
TELLING = ("/signals", "/signals/1", "/", "/api/chart", "/static/main.js", "/missing")


@pytest.fixture
async def site() -> AsyncIterator[SignalSite]:
    """Return a server that asks for a token."""
    async with signal_site(token=TOKEN) as site:
        yield site


async def test_the_right_token_opens_everything(site: SignalSite) -> None:
    """Otherwise nobody could use it."""
    assert (await site.post(ORDER, authorization=BEARER)).status_code == 202
    assert (await site.post(ORDER, authorization=f"bearer  {TOKEN} ")).status_code == 202
    for path in TELLING[:4]:
        answer = await site.client.get(path, headers={"authorization": BEARER})
        assert answer.status_code == 200, path


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.upper()}",
        f"Token {TOKEN}",
        TOKEN,
        "Bearer \u00ff\u00fe",
        BASIC,
    ],
)
async def test_another_token_trades_nothing(site: SignalSite, shown: str | None) -> None:
    """Basic is among them: a browser adds it to what a foreign page sends."""
    headers = {} if shown is None else {b"authorization": shown.encode("latin-1")}

    answer = await site.client.post("/signal", json=ORDER, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_token")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not site.door.incoming
    assert TOKEN not in answer.text


async def test_two_tokens_are_none(site: SignalSite) -> None:
    """A proxy in between might have checked the other one."""
    headers = [("authorization", BEARER), ("authorization", BEARER)]

    assert (await site.client.post("/signal", json=ORDER, headers=headers)).status_code == 401


@pytest.mark.parametrize("path", TELLING)
async def test_what_tells_of_the_account_needs_the_token(site: SignalSite, path: str) -> None:
    """Positions and signals are nobody else's business; a browser is asked for a login."""
    answer = await site.client.get(path)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("path", ["/", "/api/chart", "/signals"])
async def test_a_browser_shows_the_token_as_password(site: SignalSite, path: str) -> None:
    """Browsers know no Bearer."""
    assert (await site.client.get(path, headers={"authorization": BASIC})).status_code == 200
    for wrong in ("Basic !!", "Basic /w==", "Basic " + b64encode(b"me:x").decode()):
        answer = await site.client.get(path, headers={"authorization": wrong})
        assert answer.status_code == 401


async def test_probes_need_no_token(site: SignalSite) -> None:
    """An orchestrator has none, and learns nothing but health."""
    assert (await site.client.get("/health", headers={"host": "10.0.0.7"})).status_code == 200
    assert (await site.client.get("/ready")).status_code == 404  # behind no gate


async def test_sockets_need_the_token(site: SignalSite) -> None:
    """The chart's stream tells as much as the page."""
    scope = {
        "type": "websocket",
        "path": "/ws/chart",
        "headers": [(b"host", b"localhost:8080")],
        "client": ("203.0.113.7", 1),
    }
    said: list[Any] = []

    async def receive() -> Any:  # pragma: no cover - it must not get that far
        raise AssertionError

    async def send(message: Any) -> None:
        said.append(message)

    await site.app(scope, receive, send)

    assert [message["type"] for message in said] == ["websocket.close"]


async def test_without_a_token_nobody_is_asked_for_one() -> None:
    """On this machine the documented curl works as it stands."""
    async with signal_site() as site:
        assert (await site.post(ORDER)).status_code == 202
        assert (await site.client.get("/api/chart")).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 202),
        ("http://localhost:8080", 202),
        ("https://localhost:8080", 202),
        ("https://evil.example", 403),
        ("http://localhost:3000", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_a_foreign_page_cannot_trade(origin: str | None, status: int) -> None:
    """Without a token the browser of whoever runs the bot is the way in."""
    async with signal_site() as site:
        headers = {} if origin is None else {"origin": origin}

        answer = await site.client.post("/signal", json=ORDER, headers=headers)

    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_foreign_page_gets_no_leave_to_send_json() -> None:
    """The browser asks first, by OPTIONS, and nobody answers yes."""
    async with signal_site() as site:
        asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}

        answer = await site.client.options("/signal", headers=asked)

    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 202), ("bot.example:8080", 202), ("192.168.1.5", 202), ("evil.example", 421)],
)
async def test_signals_are_taken_under_known_names(host: str, status: int) -> None:
    """A proxy's name is told, the address that is listened on is known."""
    async with signal_site(
        token=TOKEN, listen="192.168.1.5", allowed_hosts=("bot.example",)
    ) as site:
        assert (await site.post(ORDER, authorization=BEARER, host=host)).status_code == status


async def test_more_than_the_rate_is_refused_and_told_when_to_come_again() -> None:
    """A loop gone wild must not keep the bot from its stops."""
    async with signal_site(signal_rate=2.0) as site:
        answers = [await site.post(ORDER) for _ in range(6)]
        listed = await site.client.get("/signals")

    assert [answer.status_code for answer in answers] == [202] * 4 + [429] * 2
    assert answers[-1].json()["code"] == "too_many_requests"
    assert answers[-1].headers["retry-after"] == "1"
    assert listed.status_code == 429
    assert len(site.door.incoming) == 4


async def test_a_stranger_does_not_use_up_the_rate_of_others() -> None:
    """Rates are kept by address."""
    async with signal_site(signal_rate=1.0) as site:
        for _ in range(5):
            await site.post(ORDER)
        transport = httpx.ASGITransport(site.app, client=("198.51.100.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as other:
            assert (await other.post("/signal", json=ORDER)).status_code == 202


async def test_a_token_has_one_rate_from_all_addresses() -> None:
    """Whoever has it may not multiply himself."""
    async with signal_site(signal_rate=1.0, token=TOKEN) as site:
        statuses = []
        for number in range(4):
            transport = httpx.ASGITransport(site.app, client=(f"198.51.100.{number}", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as one:
                sent = await one.post("/signal", json=ORDER, headers={"authorization": BEARER})
                statuses.append(sent.status_code)

    assert statuses == [202, 202, 429, 429]


async def test_guesses_at_the_page_are_slowed_down() -> None:
    """The page itself has no rate; tokens must not be tried there."""
    async with signal_site(signal_rate=1.0, token=TOKEN) as site:
        guesses = [await site.client.get("/", headers={"authorization": "Bearer x"}) for _ in "123"]
        owner = await site.client.get("/", headers={"authorization": BEARER})

    assert [guess.status_code for guess in guesses] == [401, 401, 429]
    assert owner.status_code == 200


async def test_many_refusals_of_strangers_are_counted_and_few_logged() -> None:
    """A flood of guesses must not become a flood of log."""
    async with signal_site(token=TOKEN) as site:
        with capture_logs() as lines:
            await asyncio.gather(*(site.post(ORDER) for _ in range(60)))

    assert site.access.refused == {"wrong_token": 60}
    assert 1 <= len(lines) <= 15
    assert {line["address"] for line in lines} == {"203.0.113.7"}


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("203.0.113.7", 1), "203.0.113.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("::ffff:203.0.113.7", 1), "203.0.113.7"),
        (("not:an:address", 1), "not:an:address"),
        (None, "unknown"),
    ],
)
def test_who_asks_is_one_network(client: tuple[str, int] | None, address: str) -> None:
    """One user of IPv6 has billions of addresses."""
    assert address_of({"client": client}) == address


def test_every_comparison_is_of_one_length() -> None:
    """A comparison that ends early would tell how much of a guess is right."""
    access = Access(AccessRules(tradingview_secret=TOKEN))

    assert access.is_tradingview_secret(TOKEN)
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "x", "x" * 10_000, "\ud800"):
        assert not access.is_tradingview_secret(wrong)
    assert not Access(AccessRules()).is_tradingview_secret("")


@pytest.mark.parametrize("listen", ["0.0.0.0", "::", "192.168.1.5", "bot.example"])  # noqa: S104 - not bound
def test_a_server_that_others_reach_needs_a_token(listen: str) -> None:
    """Else anybody in the network trades."""
    with pytest.raises(ConfigurationError, match=rf"LISTEN={listen} .*set API_TOKEN"):
        check_access(AccessRules(listen=listen), is_real_money=False)

    check_access(AccessRules(listen=listen, token=TOKEN), is_real_money=True)
    check_access(AccessRules(listen=listen, is_open=True), is_real_money=False)


@pytest.mark.parametrize("listen", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_on_this_machine_no_token_is_needed(listen: str) -> None:
    """Whoever is on the machine can do worse."""
    check_access(AccessRules(listen=listen), is_real_money=True)


@pytest.mark.parametrize("listen", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - not bound
def test_an_open_server_trades_no_real_money(listen: str) -> None:
    """A switch for trying things out must not come along to live trading."""
    with pytest.raises(ConfigurationError, match=r"API_OPEN=true .*real money"):
        check_access(AccessRules(listen=listen, is_open=True), is_real_money=True)

    check_access(AccessRules(listen=listen, is_open=True, token=TOKEN), is_real_money=True)


@pytest.mark.parametrize("name", ["token", "tradingview_secret"])
def test_a_short_secret_is_refused(name: str) -> None:
    """It may come from somewhere that checks nothing."""
    rules = AccessRules(**{name: "short"})  # type: ignore[arg-type]  # the names of two texts

    with pytest.raises(ConfigurationError, match="too short"):
        check_access(rules, is_real_money=False)


def test_rules_show_no_secret() -> None:
    """They end in reports."""
    assert TOKEN not in repr(AccessRules(token=TOKEN, tradingview_secret=TOKEN))


def test_names_of_a_server() -> None:
    """An address of IPv6 stands in brackets in a Host header."""
    assert AccessRules(listen="bot.example").hosts[-1] == "bot.example"
    assert AccessRules(listen="2001:db8::1").hosts[-1] == "[2001:db8::1]"
    assert "0.0.0.0" not in AccessRules(listen="0.0.0.0").hosts  # noqa: S104 - compared

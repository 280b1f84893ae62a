"""TradingView's alerts: the secret, both forms, repetitions."""

import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.support.process import ROOT
from tests.support.signal_servers import NOW_MS, SECRET, TOKEN, SignalSite, signal_site

from milobot.domain.times import parse_time

TIME = "2025-11-21T15:59:58Z"
FILLED_IN = {
    "{{strategy.order.action}}": "sell", "{{exchange}}": "BINANCE", "{{ticker}}": "BTCUSDT.P",
    "{{strategy.order.contracts}}": "0.5", "{{strategy.order.id}}": "Long", "{{timenow}}": TIME,
    "{{plot_0}}": "63000", "{{plot_1}}": "66000", "{{plot_2}}": "67000",
}  # fmt: skip


@pytest.fixture
async def site() -> AsyncIterator[SignalSite]:
    """Return a server that takes alerts."""
    async with signal_site(tradingview_secret=SECRET) as site:
        yield site


async def test_text_with_the_secret_in_the_path(site: SignalSite) -> None:
    """The plainest alert: the message alone."""
    answer = await site.alert("BUY BINANCE:BTCUSDT.P 0.001", f"/{SECRET}")

    assert (answer.status_code, answer.json()["state"]) == (202, "entering")
    (incoming,) = site.door.incoming
    assert (incoming.source, incoming.text) == ("tradingview", "BUY BINANCE:BTCUSDT.P 0.001")


@pytest.mark.parametrize(
    "alert",
    [
        f"BUY BTCUSDT 0.001 secret={SECRET}",
        f"secret={SECRET} BUY BTCUSDT 0.001",
        f"secret={SECRET}\nBUY BTCUSDT 0.001\n",
        {"message": "BUY BTCUSDT 0.001", "secret": SECRET},
        {"text": "BUY BTCUSDT 0.001", "secret": SECRET},
        {"alert": "BUY BTCUSDT 0.001", "secret": SECRET},
        {"action": "buy", "ticker": "BTCUSDT.P", "contracts": "0.001", "secret": SECRET},
    ],
)
async def test_the_secret_in_the_body_is_not_kept(site: SignalSite, alert: Any) -> None:
    """Whoever reads the ledger must not be able to send alerts."""
    with capture_logs() as lines:
        answer = await site.alert(alert)

    assert answer.status_code == 202
    assert site.door.texts == ["BUY BTCUSDT 0.001"]
    assert SECRET not in repr(site.door.incoming) + repr(lines) + answer.text


async def test_the_secret_is_cut_out_wherever_it_stands(site: SignalSite) -> None:
    """Templates of other bots name it otherwise; it is on the ledger's paper all the same."""
    alert = {"message": f"hello {SECRET}", "passphrase": SECRET, "deep": {"key": SECRET}}

    answer = await site.alert(alert | {"id": f"x{SECRET}"}, f"/{SECRET}")

    assert answer.status_code == 422
    assert SECRET not in repr(site.door.incoming)


@pytest.mark.parametrize("path", ["", "/wrong", f"/{SECRET}x", f"/{SECRET[:-1]}"])
@pytest.mark.parametrize(
    "alert", ["BUY BTCUSDT 0.001", "BUY BTCUSDT 0.001 secret=wrong", {"action": "fly"}]
)
async def test_a_wrong_secret_trades_nothing(site: SignalSite, path: str, alert: Any) -> None:
    """And it tells nothing of what else is wrong."""
    answer = await site.alert(alert, path)

    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_secret")
    assert not site.door.incoming
    assert site.access.refused == {"wrong_secret": 1}


async def test_a_wrong_path_is_not_saved_by_the_body(site: SignalSite) -> None:
    """What is shown must be right, all of it."""
    answer = await site.alert(f"BUY BTCUSDT 0.001 secret={SECRET}", "/wrong")

    assert answer.status_code == 401


async def test_without_a_secret_set_there_is_no_webhook() -> None:
    """An empty secret must not match an empty one."""
    async with signal_site() as site:
        for path in ("", "/", "/x"):
            answer = await site.alert("BUY BTCUSDT 0.001 secret=", path)
            assert answer.status_code in {404, 307}
        assert not site.door.incoming


async def test_the_webhook_needs_no_token() -> None:
    """TradingView can send no header; its secret is as good."""
    async with signal_site(tradingview_secret=SECRET, token=TOKEN) as site:
        assert (await site.alert("BUY BTCUSDT 0.001", f"/{SECRET}")).status_code == 202


async def test_alerts_have_a_rate() -> None:
    """An alert on every tick is easily set by mistake; guesses at the secret are slowed down."""
    async with signal_site(tradingview_secret=SECRET, signal_rate=1.0) as site:
        answers = [await site.alert("BUY BTCUSDT 1", "/guess") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]


@pytest.mark.parametrize(
    "alerts",
    [
        ["BUY BTCUSDT 0.001 id=17"] * 2,
        [f"BUY BTCUSDT 0.001 id=17 timenow={TIME}"] * 2,
        [f"BUY BTCUSDT 0.001 timenow={TIME}"] * 2,
        [{"message": "BUY BTCUSDT 0.001", "id": 17}] * 2,
        [{"message": "BUY BTCUSDT 0.001", "timenow": TIME}] * 2,
        [{"action": "sell", "symbol": "ETHUSDT", "quantity": 1, "timenow": TIME}] * 2,
    ],
)
async def test_an_alert_delivered_again_counts_once(site: SignalSite, alerts: list[Any]) -> None:
    """TradingView sends again when an answer fails."""
    answers = [await site.alert(alert, f"/{SECRET}") for alert in alerts]

    assert [answer.status_code for answer in answers] == [202, 200]
    assert len(site.door.texts) == 1


@pytest.mark.parametrize(
    "alerts",
    [
        ["BUY BTCUSDT 0.001"] * 2,
        ["BUY BTCUSDT 0.001 id=1", "BUY BTCUSDT 0.001 id=2"],
        [f"BUY BTCUSDT 0.001 id=1 timenow={TIME}", f"BUY BTCUSDT 0.001 id=2 timenow={TIME}"],
        [f"BUY BTCUSDT 1 id=L timenow={TIME}", "BUY BTCUSDT 1 id=L timenow=2025-11-21T15:59:59Z"],
        [f"BUY BTCUSDT 0.001 timenow={TIME}", "BUY BTCUSDT 0.001 timenow=2025-11-21T15:59:59Z"],
        [f"BUY BTCUSDT 0.001 timenow={TIME}", f"BUY ETHUSDT 0.001 timenow={TIME}"],
    ],
)
async def test_other_alerts_are_other_signals(site: SignalSite, alerts: list[Any]) -> None:
    """What cannot be told to be the same is not."""
    answers = [await site.alert(alert, f"/{SECRET}") for alert in alerts]

    assert [answer.status_code for answer in answers] == [202, 202]


async def test_an_alert_is_as_old_as_it_says(site: SignalSite) -> None:
    """One that was held up on its way may be too late to trade; none comes from tomorrow."""
    await site.alert(f"BUY BTCUSDT 0.001 timenow={TIME}", f"/{SECRET}")
    await site.alert("BUY BTCUSDT 0.001 timenow=2031-01-01T00:00:00Z", f"/{SECRET}")
    await site.alert("BUY BTCUSDT 0.001", f"/{SECRET}")

    assert [one.posted_ms for one in site.door.incoming] == [parse_time(TIME), NOW_MS, NOW_MS]


@pytest.mark.parametrize(
    ("alert", "status", "code"),
    [
        ("{", 400, "malformed_json"),
        (' {"message": "BUY BTCUSDT 0.001",}', 400, "malformed_json"),
        ('{"action": "buy", "quantity": NaN}', 400, "malformed_json"),
        (b"BUY \xff", 422, "not_text"),
        ("BUY {{ticker}} 0.001", 422, "empty_placeholder"),
        ("BUY BTCUSDT 0.001 timenow={{timenow}}", 422, "bad_time"),
        ("BUY BTCUSDT 0.001 timenow=soon", 422, "bad_time"),
        ("BUY BTCUSDT 0.001 id={{x}}", 400, "bad_key"),
        ("BUY BTCUSDT 0.001 id=" + "9" * 129, 400, "bad_key"),
        ("BUY BTCUSDT 0.001 id=1 id=2", 422, "two_fields"),
        ({"message": "BUY BTCUSDT 0.001", "text": "SELL BTCUSDT 1"}, 422, "two_fields"),
        ({"message": "BUY BTCUSDT 0.001", "action": "sell"}, 422, "two_forms"),
        ({"message": 5}, 422, "no_message"),
        ({}, 422, "no_action"),
        ({"message": "BUY BTCUSDT 1", "n": "\x00"}, 422, "bad_metadata"),
        ("", 422, "empty"),
        ("moon soon", 422, "chat"),
    ],
)
async def test_alerts_that_are_not_certain(
    site: SignalSite, alert: Any, status: int, code: str
) -> None:
    """Broken JSON that TradingView calls text must not be read as text."""
    answer = await site.alert(alert, f"/{SECRET}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert site.access.refused == {code: 1}


async def test_alerts_of_another_type_are_refused(site: SignalSite) -> None:
    """TradingView sends two types."""
    answer = await site.alert(
        "BUY BTCUSDT 0.001", f"/{SECRET}", {"content-type": "application/x-www-form-urlencoded"}
    )

    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_content_type")


async def test_what_an_alert_tells_beside_is_kept(site: SignalSite) -> None:
    """Interval and strategy explain a trade later."""
    await site.alert(
        {
            "message": "BUY BTCUSDT 0.001",
            "interval": "5",
            "bar": {"close": 1.5},
            "note": "x" * 2000,
        },
        f"/{SECRET}",
    )

    metadata = dict(site.door.incoming[0].metadata)
    assert (metadata["interval"], metadata["bar"]) == ("5", '{"close":1.5}')
    assert len(metadata["note"]) == 1000


async def test_a_hostile_alert_takes_no_time(site: SignalSite) -> None:
    """Patterns that go back and forth would hold up the loop that places orders."""
    longest = 60_000
    start = time.process_time()
    for alert in (
        "x{{" * (longest // 3),
        "secret=" * (longest // 7),
        " " * longest,
        "id=\n" * 9000,
    ):
        assert (await site.alert(alert, f"/{SECRET}")).status_code == 422

    assert time.process_time() - start < 2


async def test_the_documented_alerts_are_taken(site: SignalSite) -> None:
    """They are copied as they stand; here with what TradingView fills in."""
    page = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:json|text)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    alerts = [block for block in blocks if "{{" in block]

    for alert in alerts:
        for name, value in FILLED_IN.items():
            alert = alert.replace(name, value)  # noqa: PLW2901 - filled in step by step
        answer = await site.alert(alert, f"/{SECRET}")
        assert answer.status_code == 202, answer.text

    assert site.door.texts == [
        "BUY BTCUSDT.P 0.001",
        "SELL BTCUSDT 0.5",
        "LONG BTCUSDT\nEntry: market\nStop: 63000\nTarget 1: 66000\nTarget 2: 67000\nRisk: 1%",
    ]

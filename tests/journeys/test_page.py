"""A trader opens the page in a real browser."""

import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from playwright.async_api import Browser, expect
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.browser import (
    PHONE,
    open_tab,
    painted_colours,
    text_of,
    wait_until_painted,
)
from tests.support.charts import FIRST_MS, ChartPlayer, demo_chart, random_candles
from tests.support.pages import served

from milobot.domain.intents import PositionSide, Side
from milobot.web.app import STATIC, create_app
from milobot.web.state import Heading, Limits
from milobot.web.views import FillView, MessageView, PositionView, SignalView

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.usefixtures("library")
async def test_the_chart_is_painted_and_follows_the_market(browser: Browser) -> None:
    """The first thing a newcomer sees: candles that move, and no complaint in the console."""
    player = demo_chart(800)
    tab = await open_tab(browser)

    async with served(create_app(player.state)) as site:
        await tab.page.goto(site.url)
        await expect(tab.page.locator("#connection")).to_have_text("live")
        await wait_until_painted(tab.page, "#chart")
        await wait_until_painted(tab.page, "#equity")
        before = await text_of(tab.page, "#clock")
        for _ in range(30):
            player.play(1)
            await tab.page.wait_for_timeout(20)
        await expect(tab.page.locator("#clock")).not_to_have_text(before)
        await expect(tab.page.locator("#status")).to_have_text("replaying, candle 830")
        complaints = list(tab.complaints)

    assert await text_of(tab.page, "#mode") == "DEMO"
    assert await text_of(tab.page, "#symbol") == "BTCUSDT"
    assert await tab.page.get_by_role("link", name="tradingview.com").is_visible()
    assert await tab.page.locator("#trips tbody tr").count() == len(
        player.state.snapshot()["round_trips"]
    )
    assert complaints == []


@pytest.mark.usefixtures("library")
async def test_it_fits_a_phone_in_a_light_room(browser: Browser) -> None:
    """A trader looks at the phone in the sun; nothing may be cut off sideways."""
    player = demo_chart(400)
    tab = await open_tab(browser, size=PHONE, scheme="light")

    async with served(create_app(player.state)) as site:
        await tab.page.goto(site.url)
        await wait_until_painted(tab.page, "#chart")
        width = await tab.page.evaluate("document.documentElement.scrollWidth")
        colour = await tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
        complaints = list(tab.complaints)

    assert width <= PHONE[0]
    assert min(int(part) for part in colour[4:-1].split(",")) > 200
    assert await tab.page.locator("#mode").is_visible()
    assert complaints == []


@pytest.mark.usefixtures("library")
async def test_script_controlled_text_staystext_of(browser: Browser) -> None:
    """A strategy from a forum must not be able to press buttons in the trader's browser."""
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    candles = random_candles(60)
    player = ChartPlayer(candles, heading=Heading("paper", evil, evil, evil))
    state, last = player.state, int(candles.time[-1])
    player.play(60)
    tab = await open_tab(browser)

    async with served(create_app(state)) as site:
        await tab.page.goto(site.url)
        await expect(tab.page.locator("#connection")).to_have_text("live")
        state.add_log(last, evil, evil)
        state.add_signal(SignalView(last, PositionSide.LONG, Decimal(1), evil))
        state.add_fill(FillView(last, Side.BUY, Decimal(1), Decimal(1), evil))
        state.add_round_trip({"side": evil, "quantity": evil, "entry_price": evil, "pnl": evil,
                              "exit_price": evil, "exit_reason": evil, "entry_time": last})  # fmt: skip
        state.set_summary({evil: evil})
        state.set_status(running=True, text=evil)
        state.set_positions(
            [PositionView(evil, PositionSide.LONG, Decimal(1), Decimal(1), evil, Decimal(0),
                          owner=evil, account=evil, note=evil)], [evil]
        )  # fmt: skip
        state.set_inbox([MessageView(1, last, evil, evil, evil, evil, evil, evil)])
        state.set_notes({"chart": evil, "equity": evil})
        state.publish()
        await expect(tab.page.locator("#log li").first).to_contain_text(evil)
        await expect(tab.page.locator("#summary dd").first).to_have_text(evil)
        await expect(tab.page.locator("#position .state")).to_contain_text(evil)
        await expect(tab.page.locator("#inbox td").nth(2)).to_have_text(evil)
        markup = await tab.page.locator("body img, body script, [onerror]").count()
        complaints = list(tab.complaints)

    assert markup == 0
    assert await tab.page.title() != "owned"
    assert await text_of(tab.page, "#script") == evil
    assert complaints == []


class _Valve:
    """An application whose WebSockets can be refused, as by a proxy that knows none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.is_open = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not self.is_open:
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.app(scope, receive, send)


@pytest.mark.usefixtures("library")
async def test_a_lost_connection_is_said_bridged_and_restored(browser: Browser) -> None:
    """A chart that silently stands still is worse than none."""
    player = demo_chart(300)
    valve = _Valve(create_app(player.state))
    tab = await open_tab(browser)
    status = tab.page.locator("#connection")

    async with served(valve) as site:
        await tab.page.goto(site.url)
        await expect(status).to_have_text("live")
        port = int(site.host.rpartition(":")[2])
    await expect(status).to_contain_text("disconnected since", timeout=8_000)

    valve.is_open = False
    player.play(5)
    async with served(valve, port=port):
        await expect(status).to_have_text("polling every 5 s", timeout=8_000)
        await expect(tab.page.locator("#status")).to_have_text("replaying, candle 305")

        valve.is_open = True
        await expect(status).to_have_text("live", timeout=30_000)
        player.play(5)
        await expect(tab.page.locator("#status")).to_have_text("replaying, candle 310")
        await wait_until_painted(tab.page, "#chart")


async def test_without_the_library_the_page_shows_tables(browser: Browser, tmp_path: Path) -> None:
    """Installed without npm, the product still has to say what it knows, and why so."""
    static = tmp_path / "static"
    shutil.copytree(STATIC, static, ignore=shutil.ignore_patterns("vendor"))
    player = demo_chart(200)
    tab = await open_tab(browser)

    async with served(create_app(player.state, static=static)) as site:
        await tab.page.goto(site.url)
        await expect(tab.page.get_by_role("note")).to_contain_text("install Node.js with npm")
        player.play(1)
        await expect(tab.page.locator("#status")).to_have_text("replaying, candle 201")
        heads = await tab.page.locator("#chart th").all_inner_texts()
        first = await tab.page.locator("#chart tbody tr").first.locator("td").all_inner_texts()
        complaints = list(tab.complaints)

    close = f"{player.candles[200].close:,.1f}"
    assert heads[:6] == ["Time (UTC)", "Open", "High", "Low", "Close", "Volume"]
    assert "RSI 14" in heads
    assert first[0] == "2024-01-01 03:20"
    assert first[4] == close
    assert await tab.page.locator("#equity tbody tr").count() == 30
    assert [t for t in complaints if "404" not in t and "vendor" not in t] == []


@pytest.mark.usefixtures("library")
async def test_a_position_without_a_stop_cannot_be_overlooked(browser: Browser) -> None:
    """The one state that can cost everything."""
    player = demo_chart(120)
    held = PositionView(
        "BTCUSDT", PositionSide.LONG, Decimal("0.5"), Decimal("40000.1"), "PROTECTED",
        Decimal("-12.345"), Decimal(39_600), (Decimal(41_200),), Decimal(36_500),
    )  # fmt: skip
    tab = await open_tab(browser)
    badge = tab.page.locator("#position .state")

    async with served(create_app(player.state)) as site:
        await tab.page.goto(site.url)
        player.state.set_positions([held])
        player.state.publish()
        await expect(badge).to_have_text("PROTECTED")
        await expect(tab.page.locator("#position .pnl")).to_have_text("\N{MINUS SIGN}12.35 USDT")
        small = await badge.bounding_box()
        player.state.set_positions([replace(held, state="UNPROTECTED", stop=None)])
        player.state.publish()
        alarm = tab.page.get_by_role("alert")
        await expect(alarm).to_contain_text("UNPROTECTED, no stop is in place: BTCUSDT LONG 0.5")
        await expect(badge).to_contain_text("UNPROTECTED")
        large = await badge.bounding_box()
        title = await tab.page.title()

    assert small
    assert large
    assert large["height"] > 2 * small["height"]
    assert "UNPROTECTED BTCUSDT" in title


async def test_page_and_server_apply_deltas_alike(browser: Browser) -> None:
    """The rules are written twice, in Python and in JavaScript; this holds them together."""
    player = ChartPlayer(random_candles(600), limits=Limits(candles=80, marks=5, log=4))
    player.play(40)
    tab = await open_tab(browser)

    async with served(create_app(player.state)) as site:
        await tab.page.goto(f"{site.url}/health")
        await tab.page.evaluate("""async () => {
            globalThis.get = async (query) => (await fetch(`/api/chart${query}`)).json();
            globalThis.model = await get("");
        }""")
        for count in (1, 7, 60, 3, 100):
            for _ in range(count):
                player.play(1)
            model = await tab.page.evaluate("""async () => {
                const { applyDelta } = await import("/static/model.js");
                const delta = await get(`?since=${model.revision}&session=${model.session}`);
                if (!applyDelta(model, delta) || applyDelta(model, delta)) throw new Error("base");
                return JSON.stringify(model);
            }""")
            assert orjson.loads(model) == orjson.loads(orjson.dumps(player.state.snapshot()))
            if count == 60:
                player.state.set_market("ETHUSDT", "1m")


async def test_a_chart_without_candles_opens(browser: Browser) -> None:
    """The page may be faster than the first candle."""
    player = ChartPlayer(random_candles(120))
    tab = await open_tab(browser)

    async with served(create_app(player.state)) as site:
        await tab.page.goto(site.url)
        await expect(tab.page.locator("#connection")).to_have_text("live")
        player.play(1)
        player.play(100)
        await expect(tab.page.locator("#status")).to_have_text("replaying, candle 101")
        if (STATIC / "vendor" / "VERSION").is_file():
            await wait_until_painted(tab.page, "#chart")
            assert tab.complaints == []
            assert await painted_colours(tab.page, "#chart") > 20
    assert player.state.snapshot()["candles"][0][0] == FIRST_MS


async def test_money_is_shown_to_the_digit(browser: Browser) -> None:
    """Decimal text must not take the way through floats: 0.1 + 0.2 belongs in no account."""
    cases = {
        ("1234567.891", 2): "1,234,567.89",
        ("0.005", 2): "0.01",
        ("-0.004", 2): "0",
        ("-1234.5", 2): "\N{MINUS SIGN}1,234.5",
        ("99999999999999999999.99", 1): "100,000,000,000,000,000,000",
        ("0.30000000000000004", 8): "0.3",
        ("0.00000001", 8): "0.00000001",
        ("999.995", 2): "1,000",
        ("12", 0): "12",
        ("not a number", 2): "not a number",
    }
    tab = await open_tab(browser)
    state = demo_chart(5).state

    async with served(create_app(state)) as site:
        await tab.page.goto(f"{site.url}/health")
        shown = await tab.page.evaluate(
            """async (cases) => {
                const { decimal } = await import("/static/format.js");
                return cases.map(([text, digits]) => decimal(text, digits));
            }""",
            [list(case) for case in cases],
        )

    assert dict(zip(cases, shown, strict=True)) == cases

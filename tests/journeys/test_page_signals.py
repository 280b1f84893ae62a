"""A trader looks at a run that takes signals and holds more than one thing."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, expect
from tests.support.browser import PHONE, open_tab, text_of, wait_until_painted
from tests.support.doors import MemoryDoor
from tests.support.pages import Site, served
from tests.support.shown_accounts import Shown, slot_of

from milobot.app.live_page import LivePage
from milobot.domain.positions import Position
from milobot.domain.slots import Slot
from milobot.signals.door import Incoming
from milobot.web.app import create_app
from milobot.web.state import Heading

pytestmark = pytest.mark.asyncio(loop_scope="module")
HEADING = Heading("testnet", "signals", "", "bingx:default", follows=True)
EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@asynccontextmanager
async def _running(page: LivePage) -> AsyncIterator[Site]:
    """Serve a page that is kept current."""
    async with asyncio.TaskGroup() as tasks:
        showing = tasks.create_task(page.run())
        try:
            async with served(create_app(page.state)) as site:
                yield site
        finally:
            showing.cancel()


@pytest.mark.usefixtures("library")
async def test_a_signal_is_seen_from_its_text_to_its_position(browser: Browser) -> None:
    """The page once said Flat over an empty grid while a signal's position was open."""
    door, live = MemoryDoor(), Shown()
    live.market.now_ms = live.time.now_ms()
    page = LivePage(HEADING, signals=door)
    page.take_over(live)
    tab = await open_tab(browser)
    held, inbox = tab.page.locator("#position"), tab.page.locator("#inbox tbody tr")

    async with _running(page) as site:
        await tab.page.goto(site.url)
        await expect(held).to_have_text("Flat")
        await expect(tab.page.locator("#chart .chart-empty")).to_contain_text("No candle yet")
        await expect(tab.page.locator("#inbox-empty")).to_be_visible()

        await door.receive(Incoming("telegram:-100", "m1", "Long BTC now SL 5%", 0))
        await door.receive(Incoming("telegram:-100", "m2", EVIL, 0))
        live.hold(slot_of("BTCUSDT"))

        await expect(held).to_contain_text("PROTECTED")
        await expect(held).to_contain_text("of http:default")
        await expect(inbox).to_have_count(2, timeout=8_000)
        await expect(inbox.first.locator("td").nth(2)).to_have_text(EVIL)
        await expect(inbox.nth(1)).to_contain_text("BTCUSDT")
        await expect(tab.page.locator("#symbol")).to_have_text("BTCUSDT")
        await wait_until_painted(tab.page, "#chart")
        await expect(tab.page.locator("#chart .chart-empty")).to_be_hidden()
        await expect(tab.page.locator(".legend-candle")).to_contain_text(re.compile(r"C \d+\.\d "))
        await expect(held.locator(".pnl")).to_have_text("+10.00 USDT", timeout=8_000)
        live.hold(Slot("BTCUSDT", Position("BTCUSDT")))
        await expect(held).to_have_text("Flat")
        markup = await tab.page.locator("body img, body script, [onerror]").count()
        title, complaints = await tab.page.title(), list(tab.complaints)

    assert markup == 0
    assert "owned" not in title
    assert complaints == []


@pytest.mark.usefixtures("library")
async def test_of_several_positions_each_can_be_looked_at(browser: Browser) -> None:
    """One chart, many positions: a tap on one shows it, candles and levels."""
    live = Shown(slot_of("BTCUSDT"), slot_of("ETHUSDT", entered_ms=2))
    page = LivePage(HEADING)
    page.take_over(live)
    tab = await open_tab(browser)

    async with _running(page) as site:
        await tab.page.goto(site.url)
        await expect(tab.page.locator("#symbol")).to_have_text("ETHUSDT")
        await wait_until_painted(tab.page, "#chart")
        assert await tab.page.locator("#inbox-panel").is_hidden()
        button = tab.page.get_by_role("button", name="BTCUSDT")
        await button.focus()
        for price in ("111", "112", "113"):
            live.tell("BTCUSDT", price)
            await expect(tab.page.locator("#position")).to_contain_text(f"+{int(price) - 100}.00")
        await expect(button).to_be_focused()  # a gain that ticks takes no click away
        await tab.page.keyboard.press("Enter")
        await expect(tab.page.locator("#symbol")).to_have_text("BTCUSDT")
        await expect(tab.page.get_by_role("button", name="ETHUSDT")).to_be_visible()
        await expect(tab.page.locator("#last")).not_to_have_text("", timeout=8_000)
        count = await text_of(tab.page, "#position-count")
        complaints = list(tab.complaints)

    assert count == "2"
    assert complaints == []


@pytest.mark.usefixtures("library")
async def test_on_a_phone_what_has_no_stop_is_said_before_all_else(browser: Browser) -> None:
    """The list of positions is below the chart there; the alarm must not be."""
    safe = [slot_of(f"S{number}USDT") for number in range(8)]
    page = LivePage(HEADING, signals=MemoryDoor())
    page.take_over(Shown(*safe, slot_of("ZECUSDT", is_covered=False)))
    page.take_beside("binance:second", None)
    tab = await open_tab(browser, size=PHONE, scheme="light")

    async with _running(page) as site:
        await tab.page.goto(site.url)
        alarm = tab.page.get_by_role("alert")
        await expect(alarm).to_contain_text("UNPROTECTED, no stop is in place: ZECUSDT LONG 1")
        box = await alarm.bounding_box()
        first = tab.page.locator("#position .position").first
        await expect(first).to_contain_text("ZECUSDT")
        await expect(tab.page.locator("#position .unknown")).to_contain_text("binance:second")
        width = await tab.page.evaluate("document.documentElement.scrollWidth")

    assert box
    assert box["y"] + box["height"] < PHONE[1] / 3
    assert width <= PHONE[0]

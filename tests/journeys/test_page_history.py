"""A reader of the page goes back in time."""

import pytest
from playwright.async_api import Browser, expect
from tests.support.browser import open_tab, text_of, wait_until_painted
from tests.support.charts import ChartPlayer, demo_chart, random_candles
from tests.support.pages import served

from milobot.web.app import create_app
from milobot.web.state import GROWING, Limits

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("limits", [GROWING, Limits(candles=260)])
async def test_new_candles_do_not_move_what_the_reader_looks_at(
    browser: Browser, limits: Limits
) -> None:
    """Whoever studies the past must not be dragged to the present, nor shifted by a trim."""
    player = ChartPlayer(random_candles(900), limits=limits)
    player.play(250)
    tab = await open_tab(browser)
    page = tab.page

    async with served(create_app(player.state)) as site:
        await page.goto(site.url)
        await wait_until_painted(page, "#chart")
        await page.focus("#chart")
        for _ in range(4):
            await page.keyboard.press("ArrowLeft")
        box = await page.locator("#chart").bounding_box()
        assert box
        await page.mouse.move(box["x"] + 499, box["y"] + 100)
        await page.wait_for_timeout(100)  # the view moves with the next frame
        await page.mouse.move(box["x"] + 500, box["y"] + 100)
        before = await text_of(page, ".legend-candle")
        for _ in range(25):
            player.play(1)
            await page.wait_for_timeout(10)
        await expect(page.locator("#status")).to_have_text("replaying, candle 275")
        await page.wait_for_timeout(100)
        await page.mouse.move(box["x"] + 501, box["y"] + 100)
        after = await text_of(page, ".legend-candle")
        complaints = list(tab.complaints)

    assert before == after
    assert complaints == []


@pytest.mark.usefixtures("library")
async def test_a_round_trip_can_be_looked_at(browser: Browser) -> None:
    """From a line of the list to its place on the chart in one click."""
    player = demo_chart(6_000)  # more than the chart holds at first
    tab = await open_tab(browser)
    page = tab.page
    trips = player.state.snapshot()["round_trips"]

    async with served(create_app(player.state)) as site:
        await page.goto(site.url)
        await wait_until_painted(page, "#chart")
        for back in (9, len(trips)):
            await page.locator("#trips button").nth(back - 1).click()
            await page.wait_for_timeout(200)
            box = await page.locator("#chart canvas").first.bounding_box()
            assert box
            # Entry and exit lie at 25 % and 75 % of the view.
            await page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 100)
            events = await text_of(page, ".legend-events")
            assert trips[-back]["entry_price"].partition(".")[0] in events.replace(",", "")
        complaints = list(tab.complaints)

    assert complaints == []


@pytest.mark.usefixtures("library")
async def test_going_back_reaches_the_first_candle(browser: Browser) -> None:
    """The chart holds a part of a long history; its reader must not notice."""
    player = demo_chart(6_000)
    tab = await open_tab(browser)
    page = tab.page
    candle = page.locator(".legend-events")

    async with served(create_app(player.state)) as site:
        await page.goto(site.url)
        await wait_until_painted(page, "#chart")
        box = await page.locator("#chart").bounding_box()
        assert box
        await page.mouse.move(box["x"] + 300, box["y"] + 100)
        for _ in range(60):
            await page.mouse.wheel(0, 400)  # zoom out
            await page.wait_for_timeout(10)
        await page.wait_for_timeout(300)
        await page.mouse.move(box["x"] + 1, box["y"] + 100)
        by_wheel = await candle.get_attribute("title")
        await page.click("#latest")
        await page.wait_for_timeout(200)
        await page.mouse.move(box["x"] + 2, box["y"] + 100)
        by_latest = await candle.get_attribute("title")
        await page.click("#fit")
        await page.wait_for_timeout(300)
        await page.mouse.move(box["x"] + 1, box["y"] + 100)
        by_fit = await candle.get_attribute("title")
        for _ in range(30):
            player.play(1)
            await page.wait_for_timeout(30)
        await expect(page.locator("#status")).to_have_text("replaying, candle 6030")
        await page.wait_for_timeout(700)  # so many are shown twice a second
        complaints = list(tab.complaints)

    assert by_wheel == "2024-01-01 00:00"
    assert str(by_latest) > "2024-01-04"
    assert str(by_fit) < "2024-01-01 00:30"  # a pixel is six candles
    assert complaints == []

"""A real Chromium that looks at pages served by the test itself."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
DESKTOP = (1400, 900)
PHONE = (390, 844)
OWN_DOING = "Multiple readback operations using getImageData"
"""What the browser says about :func:`painted_colours`, which reads canvases as no page does."""
BLANK_COLOURS = 20
"""Grid, borders and nothing else: a chart with candles, lines and text has far more."""


def find_chromium() -> str:
    """Return the path of an installed Chromium; skip the test when there is none.

    Where CI says so (``CI=true``) its absence is a failure: a skipped test protects nobody.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path:
        return path
    reason = f"no browser found: install one of {', '.join(NAMES)}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser of its own and end it again."""
    path = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(slots=True)
class Tab:
    """A page and everything it complained about.

    Attributes:
        complaints: Console errors and warnings (refusals by the content policy among
            them), uncaught exceptions, failed requests.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)


async def open_tab(
    browser: Browser,
    *,
    size: tuple[int, int] = DESKTOP,
    scheme: Literal["dark", "light"] = "dark",
) -> Tab:
    """Return an empty tab that listens for complaints from its first moment."""
    width, height = size
    page = await browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        device_scale_factor=2 if width < DESKTOP[0] else 1,
    )
    tab = Tab(page)

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and OWN_DOING not in message.text:
            tab.complaints.append(message.text)

    page.on("console", on_console)
    page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    page.on("requestfailed", lambda request: tab.complaints.append(f"failed: {request.url}"))
    return tab


async def painted_colours(page: Page, selector: str) -> int:
    """Return how many different colours the canvases inside ``selector`` show.

    A blank canvas has one or two, a chart with candles, grid and text dozens.
    """
    colours = await page.evaluate(
        """(selector) => {
            const seen = new Set();
            for (const canvas of document.querySelectorAll(`${selector} canvas`)) {
                if (!canvas.width || !canvas.height) continue;
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                for (let at = 0; at < data.length; at += 4) {
                    seen.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
                }
            }
            return seen.size;
        }""",
        selector,
    )
    return int(colours)


async def wait_until_painted(page: Page, selector: str, *, timeout_s: float = 10) -> None:
    """Return once the canvases inside ``selector`` show more than an empty frame.

    Raises:
        TimeoutError: They stay blank.
    """
    async with asyncio.timeout(timeout_s):
        while await painted_colours(page, selector) <= BLANK_COLOURS:
            await page.wait_for_timeout(50)


async def text_of(page: Page, selector: str) -> str:
    """Return what a reader sees in one element."""
    return (await page.locator(selector).inner_text()).strip()

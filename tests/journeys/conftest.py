"""What journeys through the page need."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from tests.support.browser import chromium, find_chromium

from milobot.web.app import STATIC

LIBRARY = STATIC / "vendor" / "lightweight-charts.js"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_browser() -> AsyncIterator[Browser]:
    """Start a browser for all tests of a module, whose event loop they have to share."""
    find_chromium()
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def browser(running_browser: Browser) -> AsyncIterator[Browser]:
    """Return a browser whose tabs have never been anywhere, and know nothing of each other."""
    yield running_browser
    for context in running_browser.contexts:
        await context.close()


@pytest.fixture
def library() -> None:
    """Skip where the chart library was never fetched; in CI it must be there."""
    if not LIBRARY.is_file():
        reason = "the chart library is missing: install npm and build milobot again"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)

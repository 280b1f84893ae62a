"""What journeys through the page need."""

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser
from tests.support.browser import chromium, find_chromium

from milobot.web.app import STATIC

LIBRARY = STATIC / "vendor" / "lightweight-charts.js"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Return a browser that has never been anywhere."""
    find_chromium()
    async with chromium() as browser:
        yield browser


@pytest.fixture
def library() -> None:
    """Skip where the chart library was never fetched; in CI it must be there."""
    if not LIBRARY.is_file():
        reason = "the chart library is missing: install npm and build milobot again"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)

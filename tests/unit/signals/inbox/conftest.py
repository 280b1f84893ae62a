"""Ledgers on both databases, for tests that must hold on either."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milobot.storage.ledger import Ledger, open_ledger


@pytest.fixture(params=["sqlite", "postgres"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty ledger on each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/milobot.db"
    on_server: str = request.getfixturevalue("ledger_on_postgres")
    return on_server


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    """Give an empty ledger on each database."""
    async with await open_ledger(ledger_url) as opened:
        yield opened

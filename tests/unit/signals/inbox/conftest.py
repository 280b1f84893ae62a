"""A ledger for the inbox; property tests play it on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milobot.storage.ledger import Ledger, open_ledger


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """Give an empty ledger."""
    async with await open_ledger(f"sqlite:///{tmp_path}/milobot.db") as opened:
        yield opened

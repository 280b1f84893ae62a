"""A scene for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.telegrams import Scene, scene


@pytest.fixture(name="stage")
async def _stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made

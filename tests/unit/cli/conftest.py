"""What every test of a command leaves behind: nothing."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Put the log back to where it was: commands send it to streams that end with their test."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()

"""An exchange for everybody who reads the manual."""

from collections.abc import Iterator

import pytest
from tests.docs.market import exchange_for_readers


@pytest.fixture
def exchange() -> Iterator[str]:
    """Serve an exchange to a reader, with a request budget of its own; give its address."""
    with exchange_for_readers() as address:
        yield address

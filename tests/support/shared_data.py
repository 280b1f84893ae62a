"""Where tests find the recorded data that lives beside the repository."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared_file(relative: str, *, root: str = "data") -> Path:
    """Return a file of the shared folder beside the repository; skip the test where it is absent."""
    path = SHARED / root / relative
    if not path.exists():
        pytest.skip(f"recorded data is not at hand: ../shared/{root}/{relative}")
    return path

"""Builds small candle files, right and wrong ones."""

from collections.abc import Sequence
from pathlib import Path

HEADER = "open_time,open,high,low,close,volume"
HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000  # 2024-01-01 00:00 UTC
GOOD_PRICES = "10,12,9,11,5"


def candle_rows(count: int, *, first_ms: int = START_MS, step_ms: int = HOUR_MS) -> list[str]:
    """Return ``count`` right rows, one candle after the other."""
    return [f"{first_ms + i * step_ms},{GOOD_PRICES}" for i in range(count)]


def write_rows(path: Path, rows: Sequence[str], *, header: str = HEADER) -> Path:
    """Write a CSV file with a header line; without one when it is empty."""
    lines = [header, *rows] if header else list(rows)
    path.write_text("\n".join(lines) + "\n")
    return path

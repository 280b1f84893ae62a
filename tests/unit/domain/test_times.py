"""Text forms of times."""

import pytest

from milobot.domain.times import format_time, parse_time
from milobot.errors import DataError

NEW_YEAR_MS = 1_704_067_200_000


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("2024-01-01", NEW_YEAR_MS),
        ("2024-01-01T00:05", NEW_YEAR_MS + 300_000),
        ("2024-01-01 00:00:07", NEW_YEAR_MS + 7_000),
        ("2024-01-01T01:00+01:00", NEW_YEAR_MS),
        ("2024-01-01T00:00:00Z", NEW_YEAR_MS),
        ("1704067200000", NEW_YEAR_MS),
        ("253402300799999", 253_402_300_799_999),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, time_ms: int) -> None:
    """A time without a zone is UTC on every machine, whatever its own zone is."""
    assert parse_time(text) == time_ms


@pytest.mark.parametrize(
    "text", ["", "yesterday", "1704067200", "2024-13-01", "²" * 13, "1704067200000000", "9" * 40]
)
def test_what_is_no_time_is_refused_with_a_sentence(text: str) -> None:
    """Seconds, microseconds and typos must not silently select another year."""
    with pytest.raises(DataError, match="is not a time: write 2024-01-31"):
        parse_time(text)


def test_seconds_show_only_where_there_are_any() -> None:
    """Candle times read better without zeros."""
    assert format_time(NEW_YEAR_MS) == "2024-01-01 00:00"
    assert format_time(NEW_YEAR_MS + 1_000) == "2024-01-01 00:00:01"


def test_written_times_read_back() -> None:
    """What the program prints is what it takes."""
    assert parse_time(format_time(NEW_YEAR_MS + 61_000)) == NEW_YEAR_MS + 61_000

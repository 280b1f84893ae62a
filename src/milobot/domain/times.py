"""Text forms of UTC milliseconds; domain code itself never asks what time it is."""

from datetime import UTC, datetime

from milobot.errors import DataError

LAST_MS = 253_402_300_799_999
"""The end of the year 9999, the last moment that has a text form."""


def format_time(time_ms: int) -> str:
    """Write UTC milliseconds as ``2024-01-31 13:05`` (seconds only where there are any).

    >>> format_time(1704067200000)
    '2024-01-01 00:00'
    """
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if time_ms % 60_000 else "%Y-%m-%d %H:%M")


def parse_time(text: str) -> int:
    """Return UTC milliseconds for ``2024-01-31``, an ISO date and time, or milliseconds.

    Raises:
        DataError: The text is none of these.
    """
    if text.isdecimal() and len(text) >= len("1704067200000") and int(text) <= LAST_MS:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(
            f"{text[:40]!r} is not a time: write 2024-01-31, 2024-01-31T13:05 or milliseconds"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)

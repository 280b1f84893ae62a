"""The grid of candles."""

from datetime import UTC, datetime

import pytest

from milobot.domain.timeframes import DAY_MS, Timeframe, parse_timeframe
from milobot.errors import DataError


def ms(text: str) -> int:
    """Return UTC milliseconds of an ISO time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("timeframe", "time", "opens"),
    [
        (Timeframe.M1, "2024-02-29T23:59:59.999", "2024-02-29T23:59"),
        (Timeframe.M3, "2024-02-29T23:59", "2024-02-29T23:57"),
        (Timeframe.H4, "2024-02-29T23:59", "2024-02-29T20:00"),
        (Timeframe.H12, "2024-02-29T12:00", "2024-02-29T12:00"),
        (Timeframe.D1, "2024-02-29T23:59", "2024-02-29"),
        (Timeframe.W1, "2024-03-03T23:59", "2024-02-26"),
        (Timeframe.W1, "2024-02-26", "2024-02-26"),
        (Timeframe.MONTH, "2024-02-29T23:59", "2024-02-01"),
        (Timeframe.MONTH, "2023-12-31T23:59", "2023-12-01"),
    ],
)
def test_a_time_belongs_to_one_candle(timeframe: Timeframe, time: str, opens: str) -> None:
    """Weeks begin on Monday, months on the first, and a close belongs to the candle it ends."""
    assert timeframe.open_of(ms(time)) == ms(opens)


def test_three_day_candles_count_from_the_epoch() -> None:
    """1970-01-01, -04, -07: the same days on both exchanges, across months and years."""
    opens = Timeframe.D3.open_of(ms("2024-01-02T12:00"))

    assert opens % (3 * DAY_MS) == 0
    assert opens <= ms("2024-01-02T12:00") < opens + 3 * DAY_MS


@pytest.mark.parametrize(
    ("timeframe", "opens", "following"),
    [
        (Timeframe.H1, "2024-02-28T23:00", "2024-02-29"),
        (Timeframe.W1, "2024-02-26", "2024-03-04"),
        (Timeframe.MONTH, "2024-02-01", "2024-03-01"),
        (Timeframe.MONTH, "2023-12-01", "2024-01-01"),
    ],
)
def test_the_next_candle_follows_the_calendar(
    timeframe: Timeframe, opens: str, following: str
) -> None:
    """A leap February and a turn of the year are where a fixed length goes wrong."""
    assert timeframe.next_open(ms(opens)) == ms(following)


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_candles_tile_the_time(timeframe: Timeframe) -> None:
    """The next open is the first time that belongs to the next candle; no gap, no overlap."""
    opens = timeframe.open_of(ms("2023-12-30T17:31"))
    following = timeframe.next_open(opens)

    assert timeframe.open_of(following) == following
    assert timeframe.open_of(following - 1) == opens
    assert following - opens >= timeframe.milliseconds


def test_only_months_vary_in_length() -> None:
    """Callers may count by length for all others."""
    assert [t for t in Timeframe if t.is_calendar] == [Timeframe.MONTH]


@pytest.mark.parametrize(
    ("coarse", "fine", "adds_up"),
    [
        (Timeframe.H1, Timeframe.M5, True),
        (Timeframe.H1, Timeframe.H1, True),
        (Timeframe.M5, Timeframe.M3, False),
        (Timeframe.M5, Timeframe.H1, False),
        (Timeframe.W1, Timeframe.D1, True),
        (Timeframe.W1, Timeframe.D3, False),
        (Timeframe.MONTH, Timeframe.D1, True),
        (Timeframe.MONTH, Timeframe.W1, False),
        (Timeframe.MONTH, Timeframe.D3, False),
        (Timeframe.D3, Timeframe.D1, True),
        (Timeframe.D1, Timeframe.MONTH, False),
        (Timeframe.MONTH, Timeframe.MONTH, True),
    ],
)
def test_which_candles_add_up(coarse: Timeframe, fine: Timeframe, *, adds_up: bool) -> None:
    """Weeks and three-day candles straddle months; five minutes are no multiple of three."""
    assert coarse.is_multiple_of(fine) is adds_up


def test_timeframes_are_read_exactly() -> None:
    """1m is a minute and 1M is a month: case decides."""
    assert parse_timeframe("1m") is Timeframe.M1
    assert parse_timeframe("1M") is Timeframe.MONTH


@pytest.mark.parametrize("text", ["", "60m", "1H", "1h ", "x" * 999])
def test_an_unknown_timeframe_is_refused_with_those_that_exist(text: str) -> None:
    """The sentence is short whatever was typed, and lists the choice."""
    with pytest.raises(DataError, match=r"unknown timeframe .* use one of 1m 3m") as caught:
        parse_timeframe(text)

    assert len(str(caught.value)) < 200

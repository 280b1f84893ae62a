"""Candles of a higher timeframe, on every grid that exchanges know."""

from datetime import UTC, datetime

import numpy as np
import pytest

from milobot.domain.market import COLUMNS
from milobot.domain.timeframes import Timeframe
from milobot.scripting.higher import HigherCandles
from milobot.scripting.views import Column


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def _columns(times: list[int]) -> dict[str, Column]:
    numbers = np.arange(len(times), dtype=np.float64)
    columns = (np.array(times), numbers, numbers + 2, numbers - 2, numbers + 1, numbers + 10)
    return dict(zip(COLUMNS, columns, strict=True))


def _days(first: str, count: int) -> list[int]:
    return [_ms(first) + day * 86_400_000 for day in range(count)]


@pytest.mark.parametrize(
    ("higher", "first", "count", "opens"),
    [
        (Timeframe.MONTH, "2024-01-01", 60, ["2024-01-01", "2024-02-01"]),
        (Timeframe.MONTH, "2023-11-15", 60, ["2023-12-01"]),
        (Timeframe.W1, "2024-01-01", 14, ["2024-01-01", "2024-01-08"]),
        (Timeframe.W1, "2024-01-03", 13, ["2024-01-08"]),
        (Timeframe.D3, "2024-01-03", 8, ["2024-01-03", "2024-01-06"]),
        (Timeframe.D1, "2024-01-01", 2, ["2024-01-01", "2024-01-02"]),
        (Timeframe.MONTH, "2024-01-01", 30, []),
    ],
)
def test_candle_shows_from_its_last_part_on(
    higher: Timeframe, first: str, count: int, opens: list[str]
) -> None:
    """Weeks begin on Monday and months have their own lengths; one part missing means not yet."""
    candles = HigherCandles(Timeframe.D1, higher)
    candles.extend(_columns(_days(first, count)))

    assert candles.columns()["time"].tolist() == [_ms(text) for text in opens]
    assert candles.counts()[-1] == len(opens)


def test_values_are_those_of_its_parts() -> None:
    """Open of the first, close of the last, extremes of all, volume added up."""
    candles = HigherCandles(Timeframe.D1, Timeframe.W1)
    candles.extend(_columns(_days("2024-01-01", 8)))

    values = {name: column.tolist() for name, column in candles.columns().items()}

    assert values["open"] == [0.0]
    assert values["high"] == [8.0]
    assert values["low"] == [-2.0]
    assert values["close"] == [7.0]
    assert values["volume"] == [sum(range(10, 17))]
    assert candles.counts().tolist() == [0] * 6 + [1, 1]


def test_gap_at_the_end_of_a_candle_delays_it() -> None:
    """Without the last part only the next candle proves that it has ended."""
    times = [time for day, time in enumerate(_days("2024-01-01", 9)) if day not in {5, 6}]
    candles = HigherCandles(Timeframe.D1, Timeframe.W1)
    candles.extend(_columns(times))

    assert candles.counts().tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert candles.columns()["close"].tolist() == [5.0]


def test_months_that_are_all_there_can_be_higher_of_nothing_new() -> None:
    """Asking twice without new candles changes nothing."""
    columns = _columns(_days("2024-01-01", 40))
    candles = HigherCandles(Timeframe.D1, Timeframe.MONTH)
    candles.extend(columns)
    candles.extend(columns)

    assert len(candles.counts()) == 40
    assert len(candles.columns()["time"]) == 1


def test_monthly_candles_are_their_own_months() -> None:
    """The end of a month is the beginning of the next, also across a year."""
    months = [_ms(f"2023-{month:02}-01") for month in (10, 11, 12)] + [_ms("2024-01-01")]
    candles = HigherCandles(Timeframe.MONTH, Timeframe.MONTH)
    candles.extend(_columns(months))

    assert candles.counts().tolist() == [1, 2, 3, 4]

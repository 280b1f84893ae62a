"""Coarser candles out of finer ones."""

import pytest
from tests.support.candle_files import HOUR_MS, START_MS

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError
from milobot.marketdata.resample import resample

QUARTER_MS = HOUR_MS // 4


def _quarters(*numbers: int) -> CandleSeries:
    return CandleSeries.from_candles(
        [Candle(START_MS + n * QUARTER_MS, 10 + n, 12 + n, 9 + n, 11 + n, 0.1) for n in numbers]
    )


def test_one_hour_of_quarters() -> None:
    """First open, highest high, lowest low, last close, all volume."""
    assert list(resample(_quarters(0, 1, 2, 3), Timeframe.M15, Timeframe.H1)) == [
        Candle(START_MS, 10, 15, 9, 14, 0.4)
    ]


def test_unfinished_ends_are_left_out() -> None:
    """Nobody knows what a candle whose beginning or end is missing looked like."""
    candles = _quarters(1, 2, 3, 4, 5, 6, 7, 8, 9)

    whole = resample(candles, Timeframe.M15, Timeframe.H1)
    partial = resample(candles, Timeframe.M15, Timeframe.H1, keep_partial=True)

    assert whole.time.tolist() == [START_MS + HOUR_MS]
    assert partial.time.tolist() == [START_MS, START_MS + HOUR_MS, START_MS + 2 * HOUR_MS]
    assert partial[2] == Candle(START_MS + 2 * HOUR_MS, 18, 21, 17, 20, 0.2)


def test_gap_in_the_middle_is_worked_around() -> None:
    """A candle goes on while an exchange is silent; the gap report tells of it."""
    candles = _quarters(0, 3, 4, 5, 6, 7)

    hours = resample(candles, Timeframe.M15, Timeframe.H1)

    assert hours[0] == Candle(START_MS, 10, 15, 9, 14, 0.2)
    assert len(hours) == 2


@pytest.mark.parametrize("numbers", [(1, 2), (2, 3), (0, 1)])
def test_nothing_whole_gives_an_empty_series(numbers: tuple[int, ...]) -> None:
    """One candle may be unfinished at both ends."""
    assert len(resample(_quarters(*numbers), Timeframe.M15, Timeframe.H1)) == 0


def test_same_timeframe_and_empty_series_pass_through() -> None:
    """Callers need not treat them apart."""
    candles = _quarters(1, 2)

    assert resample(candles, Timeframe.M15, Timeframe.M15) is candles
    assert len(resample(CandleSeries.empty(), Timeframe.M1, Timeframe.MONTH)) == 0


@pytest.mark.parametrize(("source", "target"), [("1h", "15m"), ("3m", "5m"), ("1w", "1M")])
def test_candles_that_do_not_add_up_are_refused(source: str, target: str) -> None:
    """Coarser candles hold no finer ones, and some grids cross."""
    with pytest.raises(DataError) as caught:
        resample(_quarters(0), Timeframe(source), Timeframe(target))

    assert str(caught.value) == (
        f"{target} candles cannot be made from {source} candles: "
        f"load finer candles or use a timeframe that {source} divides"
    )


def test_days_add_up_to_months_of_any_length() -> None:
    """February ends where March begins, in a leap year too."""
    day_ms = 24 * HOUR_MS
    days = CandleSeries.from_candles(
        [Candle(START_MS + n * day_ms, 10, 12, 9, 11, 1) for n in range(31 + 29 + 30)]
    )

    months = resample(days, Timeframe.D1, Timeframe.MONTH)

    assert months.volume.tolist() == [31, 29]
    assert months.time.tolist() == [START_MS, START_MS + 31 * day_ms]

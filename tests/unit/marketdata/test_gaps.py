"""What is missing or odd in a series."""

import numpy as np
from tests.support.candle_files import HOUR_MS, START_MS

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.marketdata.gaps import (
    Gap,
    Jump,
    check_sanity,
    count_missing,
    describe_gaps,
    find_gaps,
)
from milobot.marketdata.generated import generate_candles


def _series(hours: list[int], closes: list[float] | None = None) -> CandleSeries:
    times = START_MS + HOUR_MS * np.array(hours, dtype=np.int64)
    prices = np.array(closes or [10.0] * len(hours))
    return CandleSeries(times, prices, prices, prices, prices, np.ones(len(hours)))


def test_gaps_have_their_ends_and_their_place() -> None:
    """A fetch needs both ends, an error the row."""
    gaps = find_gaps(_series([0, 1, 4, 5, 7]), Timeframe.H1)

    assert gaps == (
        Gap(START_MS + 2 * HOUR_MS, START_MS + 3 * HOUR_MS, 2, 2),
        Gap(START_MS + 6 * HOUR_MS, START_MS + 6 * HOUR_MS, 1, 4),
    )
    assert describe_gaps(gaps) == (
        "2 gaps, 3 candles missing in all, the first at 2024-01-01 02:00"
    )
    assert count_missing(START_MS, START_MS + 7 * HOUR_MS, 5, Timeframe.H1) == 3


def test_whole_series_has_nothing_to_report() -> None:
    """Silence must mean that all is there."""
    report = check_sanity(_series([0, 1, 2]), Timeframe.H1)

    assert (report.gaps, report.missing, report.zero_volume, report.jumps) == ((), 0, (), ())
    assert describe_gaps(report.gaps) == ""


def test_missing_month() -> None:
    """Months are counted, not measured."""
    months = np.array(["2024-01", "2024-02", "2024-04"], dtype="datetime64[M]")
    times = months.astype("datetime64[ms]").astype(np.int64)
    ones = np.ones(3)
    (gap,) = find_gaps(CandleSeries(times, ones, ones, ones, ones, ones), Timeframe.MONTH)

    march = int(np.datetime64("2024-03", "ms").astype(np.int64))
    assert gap == Gap(march, march, 1, 2)


def test_empty_and_single_series() -> None:
    """Nothing lies between fewer than two candles."""
    for candles in (CandleSeries.empty(), _series([0])):
        report = check_sanity(candles, Timeframe.H1)
        assert (report.gaps, report.jumps) == ((), ())


def test_jump_and_silence_are_reported() -> None:
    """A slipped decimal point is the classic fault of a data file."""
    market = generate_candles(minutes=200)
    closes, volumes = market.close.copy(), market.volume.copy()
    closes[100:] *= 10
    volumes[7] = 0
    times = market.time
    candles = CandleSeries(times, closes, closes, closes, closes, volumes)

    report = check_sanity(candles, Timeframe.M1)

    (jump,) = report.jumps
    assert jump == Jump(int(times[100]), float(closes[100] / closes[99] - 1))
    assert report.zero_volume == (int(times[7]),)


def test_mostly_flat_market_has_no_outliers() -> None:
    """Without a usual move there is no unusual one."""
    report = check_sanity(_series([0, 1, 2, 3, 4], [10, 10, 10, 10, 11]), Timeframe.H1)

    assert report.jumps == ()

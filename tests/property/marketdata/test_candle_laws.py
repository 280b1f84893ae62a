"""Laws that hold for every candle series: round trips, grids, resampling."""

import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.marketdata.files import load_candles
from milobot.marketdata.gaps import find_gaps
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.grid import candles_between, next_opens, period_opens
from milobot.marketdata.resample import resample
from milobot.marketdata.writers import save_candles

PRICES = st.floats(min_value=5e-324, max_value=1e300)
VOLUMES = st.floats(min_value=0, max_value=1e300)
TIMES = st.integers(min_value=1_483_228_800_000, max_value=2_000_000_000_000)


@st.composite
def minute_series(draw: st.DrawFn, *, max_size: int = 400) -> CandleSeries:
    """Minutes with any prices and any gaps."""
    first = draw(TIMES) // MINUTE_MS
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 61]), max_size=max_size - 1))
    times = MINUTE_MS * (first + np.cumsum([0, *steps], dtype=np.int64))
    prices = draw(arrays.arrays(np.float64, (len(times), 4), elements=PRICES, fill=PRICES))
    volume = draw(arrays.arrays(np.float64, len(times), elements=VOLUMES, fill=VOLUMES))
    low, open_, close, high = np.sort(prices, axis=1).T
    return CandleSeries(times, open_, high, low, close, volume)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "zip", "parquet"])
@settings(max_examples=25, deadline=None)
@given(candles=minute_series(max_size=30))
def test_written_candles_read_back_bit_for_bit(form: str, candles: CandleSeries) -> None:
    """An export that loses a digit changes every back-test made from it."""
    apart = np.diff(candles.time)
    minutes = np.count_nonzero(apart == MINUTE_MS)
    assume(not len(apart) or 2 * minutes > len(apart))  # else they are no minutes to a reader
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"candles.{form}"
        save_candles(path, candles)
        loaded = load_candles(path, timeframe=Timeframe.M1)

    assert loaded.candles.equals(candles)
    assert bool(loaded.warnings) == bool(find_gaps(candles, Timeframe.M1))


@settings(max_examples=60, deadline=None)
@given(candles=minute_series(), timeframe=st.sampled_from([Timeframe.H1, Timeframe.H4]))
def test_resampling_in_two_steps_is_resampling_in_one(
    candles: CandleSeries, timeframe: Timeframe
) -> None:
    """Otherwise a value would depend on which file somebody happened to have."""
    between = resample(candles, Timeframe.M1, Timeframe.M5, keep_partial=True)
    twice = resample(between, Timeframe.M5, timeframe, keep_partial=True)
    once = resample(candles, Timeframe.M1, timeframe, keep_partial=True)

    for name in ("time", "open", "high", "low", "close"):
        assert np.array_equal(getattr(twice, name), getattr(once, name)), name
    assert np.allclose(twice.volume, once.volume, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(candles=minute_series())
def test_resampled_hours_hold_exactly_their_minutes(candles: CandleSeries) -> None:
    """Checked the slow way: every hour against the minutes in it, complete hours only."""
    hours = resample(candles, Timeframe.M1, Timeframe.H1)
    minutes = list(candles)
    first, last = minutes[0].time, minutes[-1].time

    for hour in hours:
        inside = [m for m in minutes if Timeframe.H1.open_of(m.time) == hour.time]
        assert hour.open == inside[0].open
        assert hour.close == inside[-1].close
        assert hour.high == max(m.high for m in inside)
        assert hour.low == min(m.low for m in inside)
        assert hour.volume == math.fsum(m.volume for m in inside)
        assert hour.time >= first
        assert Timeframe.H1.next_open(hour.time) <= last + MINUTE_MS
    complete = {
        Timeframe.H1.open_of(m.time)
        for m in minutes
        if Timeframe.H1.open_of(m.time) >= first
        and Timeframe.H1.next_open(m.time - m.time % 3_600_000) <= last + MINUTE_MS
    }
    assert hours.time.tolist() == sorted(complete)


@settings(max_examples=60, deadline=None)
@given(times=st.lists(TIMES, min_size=1, max_size=20), timeframe=st.sampled_from(Timeframe))
def test_grid_of_columns_is_the_grid_of_timeframes(times: list[int], timeframe: Timeframe) -> None:
    """Two implementations of one grid must never part, in leap years neither."""
    opens = period_opens(np.array(times), timeframe)
    following = next_opens(opens, timeframe)

    assert opens.tolist() == [timeframe.open_of(time) for time in times]
    assert following.tolist() == [timeframe.next_open(time) for time in opens.tolist()]
    assert (candles_between(opens, following, timeframe) == 1).all()


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(min_value=0, max_value=2**40),
    short=st.integers(min_value=0, max_value=800),
    more=st.integers(min_value=0, max_value=800),
)
def test_longer_generated_market_begins_with_the_shorter(seed: int, short: int, more: int) -> None:
    """A demo that runs longer must not show another past."""
    longer = generate_candles(minutes=short + more, seed=seed)

    assert longer.part(0, short).equals(generate_candles(minutes=short, seed=seed))
    assert (longer.low > 0).all()
    assert (longer.low <= np.minimum(longer.open, longer.close)).all()
    assert (longer.high >= np.maximum(longer.open, longer.close)).all()

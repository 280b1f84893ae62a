"""Candle series: columns that nobody changes."""

import numpy as np
import pytest

from milobot.domain.market import COLUMNS, Candle, CandleSeries
from milobot.errors import DataError

CANDLES = [Candle(i * 60_000, 1.0 + i, 2.0 + i, 0.5 + i, 1.5 + i, 10.0 * i) for i in range(5)]


def test_candles_survive_the_columns() -> None:
    """In and out, plain Python numbers: numpy types must not reach scripts or money."""
    series = CandleSeries.from_candles(CANDLES)

    assert list(series) == CANDLES
    assert series[2] == CANDLES[2]
    assert series[-1] == CANDLES[-1]
    assert {type(value) for value in series[0]} == {int, float}
    assert {type(value) for value in next(iter(series))} == {int, float}


@pytest.mark.parametrize("column", COLUMNS)
def test_columns_cannot_be_written(column: str) -> None:
    """A script or indicator that writes into history would make a back-test lie."""
    series = CandleSeries.from_candles(CANDLES)

    with pytest.raises(ValueError, match="read-only"):
        getattr(series, column)[0] = 7


def test_parts_and_views_cannot_be_written_either() -> None:
    """A slice shares memory with the whole."""
    part = CandleSeries.from_candles(CANDLES).part(1, 3)

    with pytest.raises(ValueError, match="read-only"):
        part.close[0] = 7.0


def test_columns_that_are_read_only_already_are_shared() -> None:
    """Slicing a million candles must not copy them."""
    series = CandleSeries.from_candles(CANDLES)

    assert np.shares_memory(series.part(1, 4).close, series.close)


def test_an_empty_series_has_no_candles() -> None:
    """The start of every feed."""
    assert len(CandleSeries.empty()) == 0
    assert len(CandleSeries.from_candles([])) == 0
    assert list(CandleSeries.empty()) == []


def test_between_takes_both_ends() -> None:
    """--from and --to name candles that are part of the run."""
    series = CandleSeries.from_candles(CANDLES)

    assert list(series.between(60_000, 120_000)) == CANDLES[1:3]
    assert list(series.between(None, 60_000)) == CANDLES[:2]
    assert list(series.between(180_001, None)) == CANDLES[4:]
    assert list(series.between(200_000, 100_000)) == []


def test_joined_series_are_one() -> None:
    """What a feed adds stands behind what was there."""
    series = CandleSeries.from_candles(CANDLES)

    assert series.part(0, 2).joined(series.part(2, 5)).equals(series)
    assert not series.part(0, 2).equals(series)


def test_columns_of_unequal_length_are_refused() -> None:
    """A missing price would shift every later candle by one."""
    times = np.arange(3, dtype=np.int64)
    three, two = np.ones(3), np.ones(2)

    with pytest.raises(DataError, match="candle columns differ in shape"):
        CandleSeries(times, three, three, three, two, three)


def test_columns_have_one_dimension() -> None:
    """Two dimensions would pass a test of lengths and fail far away from here."""
    table = np.ones((2, 2))

    with pytest.raises(DataError, match="candle columns differ in shape"):
        CandleSeries(table.astype(np.int64), table, table, table, table, table)

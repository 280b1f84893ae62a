"""The as-of law: what an indicator says at a candle needs nothing after that candle."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.indicators.histories import Column, History, histories, same_bits

from milobot.indicators import series
from milobot.indicators.warmup import warm_up

Calculation = Callable[[History, int], tuple[Column, ...]]

CALCULATIONS: dict[str, Calculation] = {
    "sma": lambda candles, period: (series.sma(candles.close, period),),
    "ema": lambda candles, period: (series.ema(candles.close, period),),
    "rsi": lambda candles, period: (series.rsi(candles.close, period),),
    "macd": lambda candles, period: series.macd(candles.close, period, period + 3, 4),
    "atr": lambda candles, period: (series.atr(candles.high, candles.low, candles.close, period),),
    "obv": lambda candles, _: (series.obv(candles.close, candles.volume),),
    "stochastic": lambda candles, period: series.stochastic(
        candles.high, candles.low, candles.close, period, 3, 2
    ),
    "sma of rsi": lambda candles, period: (series.sma(series.rsi(candles.close, period), 3),),
}

ARGUMENTS: dict[str, Callable[[int], list[int]]] = {
    "macd": lambda period: [period, period + 3, 4],
    "obv": lambda _: [],
    "stochastic": lambda period: [period, 3, 2],
}


@pytest.mark.parametrize("name", CALCULATIONS)
@given(candles=histories(), period=st.integers(2, 8))
def test_value_at_a_candle_equals_the_value_on_the_prefix(
    name: str, candles: History, period: int
) -> None:
    """A back-test computes once over everything, live only ever has the prefix: equal bits."""
    calculate = CALCULATIONS[name]

    whole = calculate(candles, period)

    for t in range(candles.length):
        prefix = calculate(candles.until(t), period)
        for column, column_until in zip(whole, prefix, strict=True):
            assert same_bits(column[: t + 1], column_until)


@pytest.mark.parametrize("name", CALCULATIONS)
@given(candles=histories(40), period=st.integers(2, 5), lead=st.integers(0, 6), gap=st.data())
def test_as_of_law_holds_with_missing_values(
    name: str, candles: History, period: int, lead: int, gap: st.DataObject
) -> None:
    """Values missing at the beginning or in the middle must not let the future leak either."""
    candles.close[:lead] = np.nan
    hole = gap.draw(st.integers(0, max(candles.length - 1, 0)))
    candles.close[hole : hole + 1] = gap.draw(st.sampled_from([np.nan, np.inf]))
    calculate = CALCULATIONS[name]

    whole = calculate(candles, period)

    for t in range(candles.length):
        prefix = calculate(candles.until(t), period)
        for column, column_until in zip(whole, prefix, strict=True):
            assert same_bits(column[: t + 1], column_until)
            assert hole <= lead or np.isnan(column[hole:]).all()


@pytest.mark.parametrize("name", [name for name in CALCULATIONS if " " not in name])
@given(candles=histories(), period=st.integers(2, 8))
def test_warm_up_names_the_first_value(name: str, candles: History, period: int) -> None:
    """A warning about too short a history is right only if this number is."""
    arguments = ARGUMENTS[name](period) if name in ARGUMENTS else [period]
    first = warm_up(name, arguments)

    for column in CALCULATIONS[name](candles, period):
        assert column.size == candles.length
        assert np.isnan(column[:first]).all()
        assert np.isfinite(column[first:]).all()


@given(candles=histories(), period=st.integers(2, 8), lead=st.integers(1, 9))
def test_leading_gap_only_shifts_a_series(candles: History, period: int, lead: int) -> None:
    """A series on a series starts where its input does, with the values it would have had."""
    shifted = np.concatenate([np.full(lead, np.nan), candles.close])

    assert same_bits(series.ema(shifted, period)[lead:], series.ema(candles.close, period))

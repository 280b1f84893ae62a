"""Wrong periods: one sentence that names function and argument."""

from collections.abc import Callable

import numpy as np
import pytest

from milobot.indicators import series
from milobot.indicators.arguments import percentage, whole_number

CLOSE = np.arange(50, dtype=np.float64) + 1


@pytest.mark.parametrize("value", [0, 1, -3, 100_001, 14.0, "14", None, True, np.ones(2)])
def test_what_is_no_period_is_refused(value: object) -> None:
    """A float or a bool where a period belongs is a slip in the script."""
    with pytest.raises(ValueError, match="calculate_rsi: period must be a whole number from 2"):
        series.rsi(CLOSE, value)  # type: ignore[arg-type]  # wrong on purpose


def test_refusal_is_one_whole_sentence() -> None:
    """The user reads it as it is."""
    with pytest.raises(ValueError, match="period") as refusal:
        series.rsi(CLOSE, 0)

    assert str(refusal.value) == (
        "calculate_rsi: period must be a whole number from 2 to 100000, not 0"
    )


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: series.sma(CLOSE, 1), "calculate_sma: period"),
        (lambda: series.ema(CLOSE, 1), "calculate_ema: period"),
        (lambda: series.atr(CLOSE, CLOSE, CLOSE, 0), "calculate_atr: period"),
        (lambda: series.macd(CLOSE, 1), "calculate_macd: fast"),
        (lambda: series.macd(CLOSE, 12, 100_001), "calculate_macd: slow"),
        (lambda: series.macd(CLOSE, 12, 26, 0), "calculate_macd: signal"),
        (lambda: series.stochastic(CLOSE, CLOSE, CLOSE, 0), "calculate_stochastic: k_period"),
        (lambda: series.stochastic(CLOSE, CLOSE, CLOSE, 1, 0), "calculate_stochastic: k_smooth"),
        (lambda: series.stochastic(CLOSE, CLOSE, CLOSE, 1, 1, 0), "calculate_stochastic: d_per"),
    ],
)
def test_every_period_is_checked_under_its_own_name(call: Callable[[], object], named: str) -> None:
    """TA-Lib itself would say "error code 2: Bad Parameter"."""
    with pytest.raises(ValueError, match=named):
        call()


@pytest.mark.parametrize(("fast", "slow"), [(26, 12), (12, 12)])
def test_macd_does_not_swap_its_averages(fast: int, slow: int) -> None:
    """TA-Lib swaps them silently; a sweep would then count every pair twice."""
    with pytest.raises(ValueError, match=f"fast must be below slow, not {fast} and {slow}"):
        series.macd(CLOSE, fast, slow)


def test_longest_period_is_taken() -> None:
    """The limit itself is allowed, and gives NaN on a short history."""
    assert np.isnan(series.sma(CLOSE, 100_000)).all()


def test_numpy_integers_are_whole_numbers() -> None:
    """A sweep in Python draws its periods from an array."""
    period = whole_number("calculate_sma", "period", np.int64(5), lowest=2)

    assert period == 5
    assert type(period) is int


@pytest.mark.parametrize("value", [-0.1, 100, float("nan"), float("inf"), True, "1", None])
def test_what_is_no_percentage_is_refused(value: object) -> None:
    """At 100 % no close could ever confirm a high."""
    with pytest.raises(ValueError, match="deviation must be a number from 0 to below 100"):
        percentage("calculate_zigzag", "deviation", value)


@pytest.mark.parametrize("value", [0, 1, 1.5, 99.9, np.float64(2.5)])
def test_percentages_are_taken(value: float) -> None:
    """Whole or not, the result is a plain float."""
    assert percentage("calculate_zigzag", "deviation", value) == float(value)

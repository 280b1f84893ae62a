"""Checks of what callers pass to indicators: one clear sentence instead of a wrong number."""

import math
import operator
from collections.abc import Sequence
from typing import SupportsIndex

import numpy as np
import numpy.typing as npt

Numbers = Sequence[float] | npt.NDArray[np.float64]
"""One number per candle, oldest first, as callers hold them."""

LONGEST_PERIOD = 100_000
"""TA-Lib's upper limit for every period, in candles."""


def whole_number(
    function: str, argument: str, value: object, *, lowest: int, highest: int = LONGEST_PERIOD
) -> int:
    """Return a whole-number argument as ``int``.

    NumPy integers pass; floats do not, even whole ones, nor do ``True`` and
    ``False``: each is more often a slip than a wish.

    Raises:
        ValueError: It is no whole number from ``lowest`` to ``highest``.
    """
    number = value if type(value) is int else _index(value)
    if number is None or not lowest <= number <= highest:
        raise ValueError(
            f"{function}: {argument} must be a whole number from {lowest} to {highest}, not {value!r}"
        )
    return number


def _index(value: object) -> int | None:
    if not isinstance(value, SupportsIndex) or isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:  # every array has __index__, but few know an answer
        return None


def percentage(function: str, argument: str, value: object) -> float:
    """Return a percentage from 0 to below 100 as ``float``.

    Raises:
        ValueError: It is no such number.
    """
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    if not 0.0 <= number < 100.0:  # noqa: PLR2004 - the definition of a percentage
        raise ValueError(
            f"{function}: {argument} must be a number from 0 to below 100, in percent, not {value!r}"
        )
    return number


def macd_periods(fast: object, slow: object, signal: object) -> tuple[int, int, int]:
    """Return MACD's periods, checked.

    Raises:
        ValueError: One is out of range, or ``fast`` is not below ``slow``.
    """
    fast = whole_number("calculate_macd", "fast", fast, lowest=2)
    slow = whole_number("calculate_macd", "slow", slow, lowest=2)
    signal = whole_number("calculate_macd", "signal", signal, lowest=1)
    if fast >= slow:
        raise ValueError(f"calculate_macd: fast must be below slow, not {fast} and {slow}")
    return fast, slow, signal


def stochastic_periods(
    k_period: object, k_smooth: object, d_period: object
) -> tuple[int, int, int]:
    """Return the stochastic oscillator's periods, checked.

    Raises:
        ValueError: One is out of range.
    """
    return (
        whole_number("calculate_stochastic", "k_period", k_period, lowest=1),
        whole_number("calculate_stochastic", "k_smooth", k_smooth, lowest=1),
        whole_number("calculate_stochastic", "d_period", d_period, lowest=1),
    )

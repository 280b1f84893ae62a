"""How much history an indicator needs: until its first value, and until values settle."""

from collections.abc import Callable, Sequence

from milobot.indicators.arguments import macd_periods, stochastic_periods, whole_number

_WILDER_MEMORY = 40
_EMA_MEMORY = 20


def warm_up(name: str, args: Sequence[object] = ()) -> int:
    """Return the index of an indicator's first value on a history without gaps.

    Args:
        name: ``sma``, ``ema``, ``rsi``, ``macd``, ``atr``, ``obv`` or ``stochastic``.
        args: Its periods in the order of the function; defaults where left out.

    Raises:
        ValueError: There is no such indicator, or it does not take these periods.

    >>> warm_up("rsi"), warm_up("sma", [20]), warm_up("macd", [12, 26])
    (14, 19, 33)
    """
    first, _ = _histories(name, args)
    return first


def stable_after(name: str, args: Sequence[object] = ()) -> int:
    """Return after how many candles a value no longer depends on where the history begins.

    A window forgets the moment it has moved on. A recursive average never quite
    does: a candle's weight falls by ``1 - 1/n`` per candle in Wilder's and by
    ``1 - 2/(n + 1)`` in an exponential one. After 40 and 20 periods it is
    ``e ** -40``, below the rounding of a float64. OBV's level always depends on
    the origin; the answer for it is 0 because no amount of history cures that.

    Args:
        name: As in :func:`warm_up`.
        args: As in :func:`warm_up`.

    Raises:
        ValueError: As in :func:`warm_up`.
    """
    _, settled = _histories(name, args)
    return settled


def _histories(name: str, args: Sequence[object]) -> tuple[int, int]:
    """Return the index of the first value and the history after which values have settled."""
    if name not in _INDICATORS:
        raise ValueError(f"no warm-up is known for {name!r}, only for {', '.join(_INDICATORS)}")
    histories, defaults = _INDICATORS[name]
    if len(args) > len(defaults):
        raise ValueError(f"calculate_{name} was given {len(args)} periods, it has {len(defaults)}")
    return histories(*args, *defaults[len(args) :])


def _sma_histories(period: object) -> tuple[int, int]:
    first = whole_number("calculate_sma", "period", period, lowest=2) - 1
    return first, first


def _ema_histories(period: object) -> tuple[int, int]:
    period = whole_number("calculate_ema", "period", period, lowest=2)
    return period - 1, _EMA_MEMORY * period


def _rsi_histories(period: object) -> tuple[int, int]:
    period = whole_number("calculate_rsi", "period", period, lowest=2)
    return period, _WILDER_MEMORY * period


def _atr_histories(period: object) -> tuple[int, int]:
    period = whole_number("calculate_atr", "period", period, lowest=1)
    return period, _WILDER_MEMORY * period


def _macd_histories(fast: object, slow: object, signal: object) -> tuple[int, int]:
    _, slow, signal = macd_periods(fast, slow, signal)
    return slow + signal - 2, _EMA_MEMORY * (slow + signal)


def _stochastic_histories(k_period: object, k_smooth: object, d_period: object) -> tuple[int, int]:
    first = sum(stochastic_periods(k_period, k_smooth, d_period)) - 3
    return first, first


def _obv_histories() -> tuple[int, int]:
    return 0, 0


# Defaults as in the functions; None where the caller has to name the period.
_INDICATORS: dict[str, tuple[Callable[..., tuple[int, int]], tuple[int | None, ...]]] = {
    "sma": (_sma_histories, (None,)),
    "ema": (_ema_histories, (None,)),
    "rsi": (_rsi_histories, (14,)),
    "macd": (_macd_histories, (12, 26, 9)),
    "atr": (_atr_histories, (14,)),
    "obv": (_obv_histories, ()),
    "stochastic": (_stochastic_histories, (14, 3, 3)),
}

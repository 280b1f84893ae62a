"""Laws that the numbers of a back-test keep, whatever was traded."""

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.backtests import FIRST_MS, LONG, SHORT, Plan, backtest_of, candles_of

from milobot.backtest.performance import Performance, measure
from milobot.backtest.report import to_json
from milobot.backtest.result import BacktestResult
from milobot.backtest.statistics import Summary, summarise
from milobot.domain.money import ZERO
from milobot.domain.timeframes import Timeframe

prices = st.integers(1, 10**6).map(lambda cents: cents / 100)
amounts = st.decimals(Decimal("0.001"), Decimal(50), places=3)
timeframes = st.sampled_from(
    [Timeframe.M1, Timeframe.H1, Timeframe.H8, Timeframe.D1, Timeframe.D3, Timeframe.MONTH]
)


@st.composite
def backtests(draw: st.DrawFn) -> BacktestResult:
    """Draw a back-test of up to 60 candles with round trips one after the other."""
    timeframe = draw(timeframes)
    closes = draw(st.lists(prices, min_size=1, max_size=60))
    candles = candles_of(
        closes,
        first_open=draw(prices),
        timeframe=timeframe,
        first_ms=timeframe.open_of(FIRST_MS + draw(st.integers(0, 10**10))),
    )
    edges = sorted(draw(st.lists(st.integers(0, len(closes) - 1), max_size=12)))
    plans = [
        Plan(
            entered,
            left,
            draw(st.sampled_from([LONG, SHORT])),
            draw(amounts),
            stop=draw(st.none() | amounts),
            fees=draw(amounts),
            funding=draw(amounts) - 25,
            reason=draw(st.sampled_from(["stop", "target", "close", "end_of_data"])),
        )
        for entered, left in zip(edges[::2], edges[1::2], strict=False)
    ]
    return backtest_of(candles, plans, timeframe=timeframe)


@st.composite
def curves(draw: st.DrawFn) -> tuple[Timeframe, list[float]]:
    """Draw a curve that never reaches zero, with its timeframe."""
    values = draw(st.lists(st.floats(1, 1e6), min_size=1, max_size=80))
    return draw(timeframes), [round(v, 8) for v in values]


def measured(curve: tuple[Timeframe, list[float]], *, start: float = 100.0) -> Performance:
    """Return the measures of a curve."""
    timeframe, values = curve
    candles = candles_of([1.0] * len(values), timeframe=timeframe)
    return measure(
        candles, timeframe, np.array(values), Decimal(str(start)), Decimal(str(values[-1]))
    )


def numbers(part: object) -> list[float]:
    """Return every float in a summary, however deep."""
    if isinstance(part, dict):
        return [n for value in part.values() for n in numbers(value)]
    return [part] if isinstance(part, float) else []


@given(backtests())
def test_return_is_what_the_round_trips_earned(result: BacktestResult) -> None:
    """The headline must be the sum of its parts, or one of both lies."""
    summary = summarise(result)

    earned = sum((t.pnl for t in result.round_trips), ZERO)
    assert summary.strategy.end_equity - summary.start_equity == earned
    assert summary.strategy.total_return == float(earned / result.start_equity)


@given(backtests())
def test_no_number_is_nan_or_infinite(result: BacktestResult) -> None:
    """A number that does not exist is None: NaN compares wrong and infinity sorts first."""
    found = numbers(to_json(result, summarise(result))["summary"])

    assert found
    assert all(map(math.isfinite, found))


@given(backtests())
def test_fractions_are_fractions(result: BacktestResult) -> None:
    """Drawdown, exposure and win rate have bounds; above 1 only below zero equity."""
    summary = summarise(result)
    equity = result.equity.exact(result.candles.close, result.start_equity)

    assert 0 <= summary.exposure <= 1
    assert summary.strategy.max_drawdown >= 0
    assert (summary.strategy.max_drawdown > 1) == (min(equity) < 0)
    assert 0 <= summary.buy_and_hold.max_drawdown < 1
    assert summary.trips.win_rate is None or 0 <= summary.trips.win_rate <= 1


@given(backtests())
def test_groups_add_up(result: BacktestResult) -> None:
    """Sides and exit reasons each split the same round trips, none lost and none twice."""
    trips = summarise(result).trips

    for groups in (trips.by_side.values(), trips.by_exit_reason.values()):
        assert sum(g.count for g in groups) == trips.count
        assert sum(g.wins for g in groups) == trips.wins
        assert sum((g.pnl for g in groups), ZERO) == sum((t.pnl for t in result.round_trips), ZERO)


@given(backtests())
def test_profit_factor_and_expectancy_agree(result: BacktestResult) -> None:
    """A factor above 1 and a positive mean are the same statement."""
    trips = summarise(result).trips

    if trips.profit_factor is not None and trips.expectancy is not None:
        assert (trips.profit_factor > 1) == (trips.expectancy > 0)
        assert (trips.profit_factor < 1) == (trips.expectancy < 0)


@given(backtests(), st.sampled_from([2, 10, 100]))
def test_ratios_do_not_depend_on_the_size_of_the_account(
    result: BacktestResult, factor: int
) -> None:
    """Ten times the money in everything is ten times the result and the same ratios."""
    one, many = summarise(result), summarise(_scaled(result, factor))

    _assert_same_ratios(one.strategy, many.strategy)
    assert many.strategy.end_equity == factor * one.strategy.end_equity
    assert many.exposure == one.exposure
    for name in ("win_rate", "profit_factor", "expectancy_r"):
        assert _is_same(getattr(one.trips, name), getattr(many.trips, name)), name


def _scaled(result: BacktestResult, factor: int) -> BacktestResult:
    plans = [
        Plan(
            int(np.searchsorted(result.candles.time, t.entry_time_ms)),
            int(np.searchsorted(result.candles.time, t.exit_time_ms)),
            t.side,
            factor * t.quantity,
            stop=t.stop,
            fees=factor * t.fees,
            funding=factor * t.funding,
            reason=t.exit_reason,
        )
        for t in result.round_trips
    ]
    return backtest_of(
        result.candles, plans, timeframe=result.timeframe, start=factor * result.start_equity
    )


def _assert_same_ratios(one: Performance, other: Performance) -> None:
    for name in ("total_return", "cagr", "max_drawdown", "sharpe", "sortino", "calmar"):
        assert _is_same(getattr(one, name), getattr(other, name)), name
    assert other.longest_under_water_ms == one.longest_under_water_ms


def _is_same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(one == pytest.approx(other, rel=1e-6))


@given(curves())
def test_drawdown_is_the_worst_of_all_pairs(curve: tuple[Timeframe, list[float]]) -> None:
    """Against the definition itself, slow and plain."""
    path = [100.0, *curve[1]]

    worst = max(
        (high - low) / high for at, high in enumerate(path) for low in [high, *path[at + 1 :]]
    )

    assert measured(curve).max_drawdown == pytest.approx(worst)


@given(curves(), st.floats(1, 1e6))
def test_drawdown_never_shrinks_as_the_run_goes_on(
    curve: tuple[Timeframe, list[float]], later: float
) -> None:
    """What was lost once stays in the record."""
    timeframe, values = curve
    before, after = measured(curve), measured((timeframe, [*values, round(later, 8)]))

    assert after.max_drawdown >= before.max_drawdown
    assert after.longest_under_water_ms >= before.longest_under_water_ms


@given(curves())
def test_time_under_water_against_a_plain_count(curve: tuple[Timeframe, list[float]]) -> None:
    """Against a loop that walks from close to close."""
    timeframe, values = curve
    opens = candles_of([1.0] * len(values), timeframe=timeframe).time.tolist()
    peak, since, longest, was_below = 100.0, opens[0], 0, False
    for opened, value in zip(opens, values, strict=True):
        closed = timeframe.next_open(opened)
        is_below = value < peak
        if is_below or was_below:  # a way back up counts until the close that completes it
            longest = max(longest, closed - since)
        if not is_below:
            peak, since = value, closed
        was_below = is_below

    assert measured(curve).longest_under_water_ms == longest


@given(curves())
def test_signs_agree(curve: tuple[Timeframe, list[float]]) -> None:
    """Growth has the sign of the return, Sharpe and Sortino have the sign of each other."""
    found = measured(curve)

    if found.cagr is not None:
        assert (found.cagr > 0) == (found.total_return > 0)
    if found.sharpe is not None and found.sortino is not None:
        assert (found.sharpe > 0) == (found.sortino > 0)


@given(backtests(), st.integers(1, 100))
def test_buy_and_hold_knows_the_market_only(result: BacktestResult, times: int) -> None:
    """The yardstick is the same for every script and in every price unit."""
    idle = replace(backtest_of(result.candles), timeframe=result.timeframe)
    candles = candles_of(
        (result.candles.close * times).tolist(),
        first_open=float(result.candles.open[0]) * times,
        timeframe=result.timeframe,
        first_ms=int(result.candles.time[0]),
    )

    traded, quiet = summarise(result), summarise(idle)
    dearer: Summary = summarise(backtest_of(candles, timeframe=result.timeframe))

    assert quiet.buy_and_hold == traded.buy_and_hold
    _assert_same_ratios(quiet.buy_and_hold, dearer.buy_and_hold)

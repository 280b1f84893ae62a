"""Round trips added up, against numbers worked out by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.backtests import HOUR_MS, LONG, SHORT, Plan, backtest_of, candles_of

from milobot.backtest.statistics import Group, risk_multiples, summarise
from milobot.domain.money import ZERO

# One win of 20 with a risk of 10, one loss of 10 with a risk of 5, one win of 5 without a
# stop, one result of exactly zero.
CLOSES = [100.0, 100.0, 120.0, 120.0, 130.0, 130.0, 135.0, 135.0, 135.0]
PLANS = [
    Plan(1, 3, LONG, stop=Decimal(90), reason="target"),
    Plan(4, 5, SHORT, stop=Decimal(125), reason="stop"),
    Plan(6, 7, LONG, fees=Decimal(1), funding=Decimal(-1)),
    Plan(8, 8, LONG),
]


def test_hand_worked_example() -> None:
    """Four round trips, every number checked with pencil and paper."""
    summary = summarise(backtest_of(candles_of(CLOSES), PLANS))
    trips = summary.trips

    assert (trips.count, trips.wins, trips.losses) == (4, 2, 1)
    assert trips.win_rate == 0.5
    assert trips.profit_factor == 2.5
    assert trips.expectancy == Decimal("3.75")
    assert trips.expectancy_r == pytest.approx((20 / 10 - 10 / 5) / 2)
    assert trips.average_win == Decimal("12.5")
    assert trips.average_loss == -10
    assert trips.largest_win == 20
    assert trips.largest_loss == -10
    assert trips.average_duration_ms == HOUR_MS
    assert trips.by_side == {LONG: Group(3, 2, Decimal(25)), SHORT: Group(1, 0, Decimal(-10))}
    assert summary.fees == 1
    assert summary.funding == -1
    assert summary.strategy.total_return == pytest.approx(0.0015)
    assert summary.exposure == pytest.approx(4 / 9)


def test_reasons_come_by_frequency() -> None:
    """The most frequent way out is read first; names decide ties."""
    summary = summarise(backtest_of(candles_of(CLOSES), PLANS))

    assert list(summary.trips.by_exit_reason.items()) == [
        ("close", Group(2, 1, Decimal(5))),
        ("stop", Group(1, 0, Decimal(-10))),
        ("target", Group(1, 1, Decimal(20))),
    ]


def test_nothing_traded() -> None:
    """A script that never entered has numbers where numbers exist and None elsewhere."""
    summary = summarise(backtest_of(candles_of(CLOSES)))
    trips = summary.trips

    assert summary.strategy.total_return == 0
    assert summary.strategy.max_drawdown == 0
    assert summary.exposure == 0
    assert summary.fees == 0
    assert summary.funding == 0
    assert (trips.count, trips.wins, trips.losses) == (0, 0, 0)
    assert trips.by_side == {LONG: Group(0, 0, ZERO), SHORT: Group(0, 0, ZERO)}
    assert trips.by_exit_reason == {}
    undefined = ("win_rate", "profit_factor", "expectancy", "expectancy_r", "average_duration_ms")
    assert [getattr(trips, name) for name in undefined] == [None] * 5
    assert (trips.average_win, trips.largest_win) == (None, None)
    assert (trips.average_loss, trips.largest_loss) == (None, None)


def test_one_candle() -> None:
    """The shortest back-test there is."""
    summary = summarise(backtest_of(candles_of([110.0], first_open=100.0)))

    assert summary.strategy.total_return == 0
    assert summary.buy_and_hold.total_return == pytest.approx(0.1)
    assert summary.buy_and_hold.sharpe is None
    assert summary.buy_and_hold.cagr is None


def test_profit_factor_needs_a_loss() -> None:
    """Without a loss it would be infinite, which no number says."""
    won = summarise(backtest_of(candles_of(CLOSES), PLANS[:1])).trips
    lost = summarise(backtest_of(candles_of(CLOSES), PLANS[1:2])).trips

    assert won.profit_factor is None
    assert lost.profit_factor == 0
    assert lost.average_win is None


def test_buy_and_hold_costs_nothing_and_starts_at_the_first_open() -> None:
    """The yardstick is the market from first open to last close, drawdown at closes."""
    result = backtest_of(candles_of([110.0, 88.0, 132.0], first_open=100.0), start=Decimal(500))

    held = summarise(result).buy_and_hold

    assert held.end_equity == 660
    assert held.total_return == pytest.approx(0.32)
    assert held.max_drawdown == pytest.approx(0.2)


def test_risk_is_measured_from_the_deciding_close() -> None:
    """Sizing by risk is measured there, so a stop hit is -1 R before costs, whatever the gap."""
    candles = candles_of(CLOSES)
    gapped = Plan(1, 3, entry_price=Decimal(95), exit_price=Decimal(90), stop=Decimal(90))

    (multiple,) = risk_multiples(backtest_of(candles, [gapped]).round_trips, candles)

    assert multiple == pytest.approx(-5 / 10)


def test_risk_that_is_not_known_or_zero_gives_no_multiple() -> None:
    """No stop, a stop at the reference, a signal from elsewhere: no R, no division by zero."""
    candles = candles_of(CLOSES)
    trips = backtest_of(
        candles, [Plan(1, 3), Plan(4, 5, stop=Decimal(120)), Plan(6, 7, stop=Decimal(100))]
    ).round_trips
    between = replace(trips[2], signal_time_ms=trips[2].signal_time_ms + 1)
    after = replace(trips[2], signal_time_ms=int(candles.time[-1]) + HOUR_MS)

    multiples = risk_multiples([*trips, between, after], candles)

    assert list(multiples) == [None, None, pytest.approx(5 / 30), None, None]


def test_account_that_is_gone_still_has_a_summary() -> None:
    """A short without a stop may lose more than there is; every number stays defined."""
    candles = candles_of([100.0, 100.0, 250.0, 300.0])

    summary = summarise(backtest_of(candles, [Plan(1, 3, SHORT)], start=Decimal(100)))

    assert summary.strategy.end_equity == -50
    assert summary.strategy.total_return == -1.5
    assert summary.strategy.max_drawdown == pytest.approx(1.5)
    assert summary.strategy.sharpe is None

"""What a back-test adds up to: its curve, its round trips, and buying and holding beside it.

Ratios are floats, money is Decimal, and a number that is not defined is None.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from milobot.backtest.performance import Performance, finite, measure
from milobot.backtest.result import BacktestResult
from milobot.domain.intents import PositionSide
from milobot.domain.market import CandleSeries
from milobot.domain.money import ZERO, decimal_from_float, to_money
from milobot.domain.round_trips import RoundTrip


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the round trips.

    Attributes:
        wins: Those with a net result above zero.
        pnl: Sum of their net results, in USDT.
    """

    count: int
    wins: int
    pnl: Decimal


@dataclass(frozen=True, slots=True)
class TripStatistics:
    """What the round trips have in common; every result is net of fees and funding.

    Attributes:
        wins: Round trips with a result above zero.
        losses: Those below zero; one of exactly zero is neither.
        win_rate: ``wins / count``; None without round trips.
        profit_factor: Sum of the wins / sum of the losses, as positive numbers; None
            without a loss.
        expectancy: Mean result in USDT, rounded to 1e-8; None without round trips.
        expectancy_r: Mean result in units of the risk at entry, over the round trips that
            had a stop (R multiples: Tharp, Trade Your Way to Financial Freedom); None
            without one.
        average_win: In USDT; None without a win. The same for the other three, losses
            being negative.
        average_duration_ms: Mean time from the entry's candle to the exit's.
        by_side: Long and short, both always there.
        by_exit_reason: Most frequent reason first.
    """

    count: int
    wins: int
    losses: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: Decimal | None
    expectancy_r: float | None
    average_win: Decimal | None
    average_loss: Decimal | None
    largest_win: Decimal | None
    largest_loss: Decimal | None
    average_duration_ms: int | None
    by_side: Mapping[PositionSide, Group]
    by_exit_reason: Mapping[str, Group]


@dataclass(frozen=True, slots=True)
class Summary:
    """All numbers of one back-test.

    Attributes:
        start_equity: Balance at the start, in USDT.
        strategy: Measures of the equity curve.
        buy_and_hold: The same for the whole start equity put into the symbol at the first
            open and valued at every close to the last: no leverage, no fee, no funding,
            fractions of a step allowed. Leaving costs out favours it, not the script.
        exposure: Fraction of closes at which something was held.
        fees: Paid for all round trips, in USDT.
        funding: Paid for all round trips, in USDT; negative when received.
    """

    start_equity: Decimal
    strategy: Performance
    buy_and_hold: Performance
    exposure: float
    fees: Decimal
    funding: Decimal
    trips: TripStatistics


def summarise(result: BacktestResult) -> Summary:
    """Return all numbers of a back-test over at least one candle."""
    candles, start = result.candles, result.start_equity
    trips = result.round_trips
    return Summary(
        start_equity=start,
        strategy=measure(
            candles,
            result.timeframe,
            result.equity.values(candles.close, start),
            start,
            result.end_equity,
        ),
        buy_and_hold=_buy_and_hold(result),
        exposure=result.equity.exposure(len(candles)),
        fees=sum((t.fees for t in trips), ZERO),
        funding=sum((t.funding for t in trips), ZERO),
        trips=_trip_statistics(trips, candles),
    )


def risk_multiples(trips: Sequence[RoundTrip], candles: CandleSeries) -> tuple[float | None, ...]:
    """Return the net result of each round trip in units of R, its risk at entry.

    R is what sizing by risk sizes by: quantity * distance of the first stop from the close
    of the deciding candle. None where the entry had no stop, or its candle is not there.

    Args:
        trips: Round trips of one symbol.
        candles: The script's candles.
    """
    signals = np.array([t.signal_time_ms for t in trips], dtype=np.int64)
    places = np.searchsorted(candles.time, signals).tolist()
    return tuple(
        _risk_multiple(trip, float(candles.close[place]))
        if place < len(candles) and candles.time[place] == trip.signal_time_ms
        else None
        for trip, place in zip(trips, places, strict=True)
    )


def _risk_multiple(trip: RoundTrip, reference: float) -> float | None:
    if trip.stop is None:
        return None
    risk = float(trip.quantity * abs(decimal_from_float(reference) - trip.stop))
    return finite(float(trip.pnl) / risk) if risk > 0 else None


def _buy_and_hold(result: BacktestResult) -> Performance:
    candles, start = result.candles, result.start_equity
    first, last = float(candles.open[0]), float(candles.close[-1])
    end = to_money(start * decimal_from_float(last) / decimal_from_float(first))
    values = float(start) * (candles.close / first)
    return measure(candles, result.timeframe, values, start, end)


def _trip_statistics(trips: Sequence[RoundTrip], candles: CandleSeries) -> TripStatistics:
    wins = [t.pnl for t in trips if t.pnl > 0]
    losses = [t.pnl for t in trips if t.pnl < 0]
    multiples = [r for r in risk_multiples(trips, candles) if r is not None]
    durations = [t.exit_time_ms - t.entry_time_ms for t in trips]
    return TripStatistics(
        count=len(trips),
        wins=len(wins),
        losses=len(losses),
        win_rate=len(wins) / len(trips) if trips else None,
        profit_factor=finite(float(sum(wins, ZERO) / -sum(losses, ZERO))) if losses else None,
        expectancy=_mean([t.pnl for t in trips]),
        expectancy_r=finite(sum(multiples) / len(multiples)) if multiples else None,
        average_win=_mean(wins),
        average_loss=_mean(losses),
        largest_win=max(wins, default=None),
        largest_loss=min(losses, default=None),
        average_duration_ms=sum(durations) // len(durations) if durations else None,
        by_side={side: _group(t for t in trips if t.side is side) for side in PositionSide},
        by_exit_reason=_by_exit_reason(trips),
    )


def _mean(amounts: Sequence[Decimal]) -> Decimal | None:
    return to_money(sum(amounts, ZERO) / len(amounts)) if amounts else None


def _group(trips: Iterable[RoundTrip]) -> Group:
    results = [t.pnl for t in trips]
    return Group(len(results), sum(r > 0 for r in results), sum(results, ZERO))


def _by_exit_reason(trips: Sequence[RoundTrip]) -> dict[str, Group]:
    reasons = sorted({t.exit_reason for t in trips})
    groups = {reason: _group(t for t in trips if t.exit_reason == reason) for reason in reasons}
    return dict(sorted(groups.items(), key=lambda item: -item[1].count))

"""Back-test results made from a few closes and planned round trips, books balanced."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from milobot.backtest.equity import EquityCurve
from milobot.backtest.result import BacktestResult
from milobot.domain.decisions import Decision, Outcome
from milobot.domain.intents import PositionSide
from milobot.domain.market import CandleSeries
from milobot.domain.money import ZERO, decimal_from_float, to_money
from milobot.domain.round_trips import RoundTrip
from milobot.domain.timeframes import Timeframe

FIRST_MS = 1_704_067_200_000  # 2024-01-01 00:00, a Monday
HOUR_MS = 3_600_000
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


@dataclass(frozen=True)
class Plan:
    """A round trip to be: entered at the open of one candle, left at the open of another.

    Decided at the close of the candle before; fees are booked at the entry, funding at the exit.
    """

    entered: int
    left: int
    side: PositionSide = LONG
    quantity: Decimal = Decimal(1)
    entry_price: Decimal | None = None
    exit_price: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    reason: str = "close"


def candles_of(
    closes: Sequence[float],
    *,
    first_open: float | None = None,
    timeframe: Timeframe = Timeframe.H1,
    first_ms: int = FIRST_MS,
) -> CandleSeries:
    """Return candles that open where the one before closed."""
    times = [first_ms]
    while len(times) < len(closes):
        times.append(timeframe.next_open(times[-1]))
    close = np.array(closes, dtype=np.float64)
    opened = np.concatenate([[closes[0] if first_open is None else first_open], close[:-1]])
    return CandleSeries(
        np.array(times, dtype=np.int64),
        opened,
        np.maximum(opened, close),
        np.minimum(opened, close),
        close,
        np.ones(len(close)),
    )


def trip_of(plan: Plan, candles: CandleSeries) -> RoundTrip:
    """Return the round trip of a plan, its result booked as the engine books it."""
    entry = plan.entry_price or decimal_from_float(float(candles.open[plan.entered]))
    exit_ = plan.exit_price or decimal_from_float(float(candles.open[plan.left]))
    gain = to_money(plan.side.sign * plan.quantity * (exit_ - entry))
    return RoundTrip(
        symbol="BTCUSDT",
        side=plan.side,
        quantity=plan.quantity,
        signal_time_ms=int(candles.time[max(plan.entered - 1, 0)]),
        entry_time_ms=int(candles.time[plan.entered]),
        entry_price=entry,
        stop=plan.stop,
        target=plan.target,
        exit_time_ms=int(candles.time[plan.left]),
        exit_price=exit_,
        exit_reason=plan.reason,
        fees=plan.fees,
        funding=plan.funding,
        pnl=gain - plan.fees - plan.funding,
    )


def backtest_of(
    candles: CandleSeries,
    plans: Sequence[Plan] = (),
    *,
    timeframe: Timeframe = Timeframe.H1,
    start: Decimal = Decimal(10_000),
) -> BacktestResult:
    """Return the result of round trips that follow each other, with the curve they make."""
    curve, wallet = EquityCurve(), start
    trips = []
    for plan in plans:
        trip = trip_of(plan, candles)
        signed = plan.side.sign * plan.quantity
        if plan.left > plan.entered:
            curve.note(plan.entered, wallet - plan.fees, signed, signed * trip.entry_price)
        wallet += trip.pnl
        curve.note(plan.left, wallet, ZERO, ZERO)
        trips.append(trip)
    return BacktestResult(
        script="macd_crossover",
        symbol="BTCUSDT",
        timeframe=timeframe,
        candles=candles,
        settings={"equity": "10000", "fee": "0.0005", "slippage": "0"},
        start_equity=start,
        end_equity=wallet,
        equity=curve,
        round_trips=tuple(trips),
        executions=(),
        decisions=(),
        repeated=0,
        prints=(),
        warm_up=0,
        warnings=(),
    )


def denial(code: str, reason: str, *, time_ms: int = FIRST_MS) -> Decision:
    """Return an entry that was not made."""
    return Decision(
        intent_key=f"macd_crossover|{time_ms}",
        owner="macd_crossover",
        symbol="BTCUSDT",
        time_ms=time_ms,
        action="long",
        outcome=Outcome.DENIED,
        code=code,
        reason=reason,
    )


def accepted(*, time_ms: int = FIRST_MS) -> Decision:
    """Return an entry that was sent."""
    return replace(denial("accepted", "entry sent", time_ms=time_ms), outcome=Outcome.ACCEPTED)

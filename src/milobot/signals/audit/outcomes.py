"""What became of each set-up, in numbers that can be added up."""

from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.signals.audit.attempts import Attempt
from milobot.signals.audit.desk import DeskTerms
from milobot.signals.audit.tracks import Track
from milobot.signals.door import SignalState
from milobot.signals.life.plans import stop_price
from milobot.signals.life.record import Plan

UNFINISHED, CUT_OFF = "unfinished", "cut_off"


@dataclass(frozen=True, slots=True)
class SetUpShape:
    """What a set-up asks for, before anything happens.

    Attributes:
        entry: Price it is measured from: posted, else the last one known; None without both.
        stop: Distance of the stop as a fraction of the entry.
        targets: Distance of each target, the same way.
    """

    symbol: str
    side: PositionSide
    entry: Decimal | None
    stop: float
    targets: tuple[float, ...]
    leverage: int
    has_stop: bool

    def chances(self) -> tuple[float, ...]:
        """Return how often each target comes before the stop if the market wanders at random.

        For a walk without drift that is ``stop / (stop + target)`` (the gambler's ruin,
        Feller, An Introduction to Probability Theory, vol. 1, XIV.2): what a hit rate is to
        be compared with.
        """
        return tuple(self.stop / (self.stop + target) for target in self.targets)

    def cost(self, fee: Decimal, slippage: Decimal) -> float:
        """Return what entry and exit cost in R, the risk at the stop."""
        return 2 * float(fee + slippage) / self.stop


@dataclass(frozen=True, slots=True)
class Result:
    """One set-up that was played.

    Attributes:
        first_price: The first that a follower could trade at.
        drift: How far that was beyond the entry, in the direction of the trade, as a fraction
            of it: what a follower is late by. None without a price to compare with.
        fate: State of the signal at the end; ``unfinished`` for one still open where the
            candles end, ``cut_off`` for one that still waits there.
        hits: Numbers of the targets that were reached, from 1.
        r: Net result in units of the risk taken; None where nothing filled.
        as_posted: The same exits counted from the posted entry without any cost, in R.
        fees: Paid, in R.
        candle_ms: Length of the candle it began on.
    """

    number: int
    message_id: str
    time_ms: int
    shape: SetUpShape
    fate: str
    code: str
    first_price: Decimal
    drift: float | None
    hits: tuple[int, ...]
    is_in_doubt: bool
    candle_ms: int
    r: float | None = None
    as_posted: float | None = None
    fees: float | None = None
    entry_ms: int = 0
    entry_price: Decimal | None = None
    exit_ms: int = 0
    exit_price: Decimal | None = None
    exit_reason: str = ""


def shape_of(plan: Plan, last_price: Decimal | None, default_stop: Decimal) -> SetUpShape | None:
    """Return the shape of a plan; None where no price is known to measure it from.

    Args:
        plan: Of the set-up.
        last_price: What it is measured from where it names no price.
        default_stop: Distance as a fraction, for a set-up without a stop.
    """
    entry = posted_price(plan) or last_price
    if entry is None or entry <= 0:
        return None
    sign = plan.side.sign
    return SetUpShape(
        symbol=plan.symbol,
        side=plan.side,
        entry=entry,
        stop=float(_stop_distance(plan, entry, default_stop)),
        targets=tuple(float((a.distance.value - entry) * sign / entry) for a in plan.aims),
        leverage=plan.leverage,
        has_stop=plan.stop is not None,
    )


def posted_price(plan: Plan) -> Decimal | None:
    """Return the price that a message names for its entry; None where it names none.

    Of a ladder that is the mean, of a zone the edge that the market meets first.
    """
    if len(plan.legs) > 1:
        return plan.reference
    return plan.legs[0].price


def _stop_distance(plan: Plan, entry: Decimal, default_stop: Decimal) -> Decimal:
    if plan.stop is None:
        return default_stop
    stop = stop_price(plan)
    if stop is None:  # a fraction of an entry that is not known before
        return plan.stop.value
    return (entry - stop) * plan.side.sign / entry


def result_of(attempt: Attempt, track: Track, terms: DeskTerms) -> Result | None:
    """Return what became of an attempt that was played to its end.

    None where its levels leave no distance to measure in: a stop at the entry.
    """
    before = float(track.candles.close[attempt.start - 1]) if attempt.start else None
    last = attempt.first_price if before is None else Decimal(repr(before))
    shape = shape_of(attempt.setup.plan, last, terms.limits.default_stop.value)
    if shape is None or shape.stop <= 0 or shape.entry is None:
        return None
    sign, trip = shape.side.sign, attempt.trip
    base = Result(
        number=attempt.setup.message.number,
        message_id=attempt.setup.message.message_id,
        time_ms=attempt.time_ms,
        shape=shape,
        fate=_fate(attempt),
        code=_code(attempt),
        first_price=attempt.first_price,
        drift=float((attempt.first_price - shape.entry) * sign / shape.entry),
        hits=_numbers(attempt),
        is_in_doubt=attempt.is_in_doubt,
        candle_ms=track.length_ms(attempt.start),
    )
    return base if trip is None else _with_trip(base, attempt, terms)


def _with_trip(base: Result, attempt: Attempt, terms: DeskTerms) -> Result:
    trip, shape = attempt.trip, base.shape
    if trip is None or shape.entry is None:
        return base
    risk = terms.equity * terms.risk
    gain = (trip.exit_price - shape.entry) * shape.side.sign / shape.entry
    return replace(
        base,
        r=float(trip.pnl / risk),
        as_posted=float(gain) / shape.stop,
        fees=float(trip.fees / risk),
        entry_ms=trip.entry_time_ms,
        entry_price=trip.entry_price,
        exit_ms=trip.exit_time_ms,
        exit_price=trip.exit_price,
        exit_reason=trip.exit_reason,
    )


def _fate(attempt: Attempt) -> str:
    signal, trip = attempt.signal, attempt.trip
    if trip is not None:
        return UNFINISHED if trip.exit_reason == "end_of_data" else SignalState.CLOSED.value
    return CUT_OFF if signal is None or not signal.state.is_final else signal.state.value


def _code(attempt: Attempt) -> str:
    return "" if attempt.signal is None or attempt.trip is not None else attempt.signal.code


def _numbers(attempt: Attempt) -> tuple[int, ...]:
    """Return the numbers of the posted targets that were reached, from 1."""
    aims = enumerate(attempt.setup.plan.aims, start=1)
    return tuple(number for number, a in aims if a.distance.value in attempt.hits)

"""A second back-tester, written from the rules alone, to hold the real one against.

It shares no code with milobot and calculates in exact fractions: where both agree to the last
digit, neither rounds, sizes or fills in a way the rules do not say:

* a decision at the close of a candle fills at the open of the next one;
* stop, target and size come from the close that decided, in that order;
* inside a candle the open comes first, then the stop, then the target;
* a candle that opens beyond the liquidation price takes the whole margin, without a fee and
  before any order;
* at the close of a candle of the script the stop moves, in favour only and never beyond that
  close: to zero net of both fees (break-even), then to its distance from the close (trailing);
* bookings are rounded to 1e-8 USDT, half to even; quantities are rounded down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from typing import Literal, NamedTuple

Want = Literal["long", "short", "close"] | None
Record = dict[str, object]

_PRICE_DIGITS = 18
_NO_BRACKETS_RATE = Fraction("0.004")
_ROOM = Fraction("0.1")


class Bar(NamedTuple):
    """One candle, prices as they stand in the file."""

    time: int
    open: Fraction
    high: Fraction
    low: Fraction
    close: Fraction


@dataclass(frozen=True)
class Plan:
    """What an entry asks for.

    Attributes:
        size: ``risk`` and ``equity`` as fractions of equity, ``usdt``, ``base``.
        reward: Target as a multiple of the stop distance; None without a target.
        trail: Distance that the stop keeps from the best close, as a fraction of the close
            that decided; None without.
        break_even: Multiple of the stop distance at which the stop moves to zero net.
    """

    size: Literal["risk", "equity", "usdt", "base"] = "risk"
    amount: Fraction = Fraction("0.01")
    leverage: int = 10
    stop: Fraction = Fraction("0.02")
    reward: Fraction | None = Fraction(2)
    trail: Fraction | None = None
    break_even: Fraction | None = None


@dataclass(frozen=True)
class Costs:
    """What trading costs; ``tick`` None leaves prices as they come out."""

    fee: Fraction = Fraction("0.0005")
    slippage: Fraction = Fraction(0)
    funding: Sequence[tuple[int, Fraction]] = ()
    tick: Fraction | None = None
    step: Fraction = Fraction("0.00000001")


@dataclass
class _Held:
    sign: int
    quantity: Fraction
    price: Fraction
    stop: Fraction
    target: Fraction | None
    reference: Fraction
    signal_time: int
    entry_time: int
    fees: Fraction
    first_stop: Fraction
    stop_reason: str = "stop"
    funding: Fraction = Fraction(0)


@dataclass
class PlainBacktest:
    """One account that trades one symbol.

    Attributes:
        round_trips: As the JSON report writes them.
        equity: Pairs of open time and equity at the close of that candle.
        denied: Entries that were refused.
    """

    plan: Plan
    costs: Costs
    wallet: Fraction
    round_trips: list[Record] = field(default_factory=list)
    equity: list[list[object]] = field(default_factory=list)
    denied: int = 0
    _held: _Held | None = None
    _mark: Fraction = Fraction(0)
    _paid_until: int = -1

    def run(self, candles: Sequence[Sequence[Bar]], wants: Sequence[Want]) -> None:
        """Trade.

        Args:
            candles: For each candle of the script the finer candles in it, or just itself.
            wants: What the script wants at the close of each.
        """
        for at, bars in enumerate(candles):
            want, before = (wants[at - 1], candles[at - 1]) if at else (None, bars)
            for place, bar in enumerate(bars):
                self._charge_funding(bar.time)
                self._liquidate(bar)
                if want is not None and place == 0:
                    self._carry_out(want, before[0].time, before[-1].close, bar)
                self._play(bar)
                self._mark = bar.close
            self._move_stop(bars[-1].close)
            if at == len(candles) - 1 and self._held:
                self._leave(bars[-1].close, bars[-1].time, "end_of_data")
            self.equity.append(
                [bars[0].time, written(self.wallet + self._open_gain(bars[-1].close))]
            )

    def _carry_out(self, want: Want, signal_time: int, close: Fraction, bar: Bar) -> None:
        sign = {"long": 1, "short": -1}.get(want or "", 0)
        if self._held and self._held.sign == sign:
            return
        if self._held:
            self._leave(bar.open, bar.time, "reversal" if sign else "close")
        if sign:
            self._enter(sign, signal_time, close, bar)

    def _enter(self, sign: int, signal_time: int, close: Fraction, bar: Bar) -> None:
        plan = self.plan
        stop = self._inwards(close * (1 - sign * plan.stop), sign)
        target = None
        if plan.reward is not None:
            target = self._inwards(close + sign * plan.reward * abs(close - stop), -sign)
        quantity = self._quantity(close, stop)
        if self._is_refused(sign, quantity, (close, stop, target), bar.open):
            self.denied += 1
            return
        price = self._worse(bar.open, sign)
        fee = money(quantity * price * self.costs.fee)
        self.wallet -= fee
        self._held = _Held(
            *(sign, quantity, price, stop, target, close, signal_time, bar.time, fee, stop)
        )

    def _quantity(self, close: Fraction, stop: Fraction) -> Fraction:
        plan = self.plan
        wanted = {
            "risk": self.wallet * plan.amount / abs(close - stop),
            "equity": self.wallet * plan.amount / close,
            "usdt": plan.amount / close,
            "base": plan.amount,
        }[plan.size]
        return wanted // self.costs.step * self.costs.step

    def _is_refused(
        self,
        sign: int,
        quantity: Fraction,
        levels: tuple[Fraction, Fraction, Fraction | None],
        price: Fraction,
    ) -> bool:
        close, stop, target = levels
        leverage = self.plan.leverage
        is_passed = sign * (price - stop) <= 0
        is_reached = target is not None and sign * (price - target) >= 0
        cost = quantity * self._worse(price, sign)
        is_short_of_margin = cost / leverage + cost * self.costs.fee > self.wallet
        room = sign * (stop - self._liquidation(price, sign))
        is_liquidated_first = room < _ROOM * abs(close - stop)
        return (
            self.wallet <= 0
            or quantity <= 0
            or is_passed
            or is_reached
            or is_short_of_margin
            or is_liquidated_first
        )

    def _play(self, bar: Bar) -> None:
        held = self._held
        if held is None:
            return
        worst, best = (bar.low, bar.high) if held.sign > 0 else (bar.high, bar.low)
        moments = ((bar.open, None), (worst, "stop"), (best, "target"))
        for price, only in moments:
            for reason, level, direction in (
                ("stop", held.stop, -held.sign),
                ("target", held.target, held.sign),
            ):
                if level is None or only not in {None, reason}:
                    continue
                if direction * (price - level) >= 0:
                    is_stop = reason == "stop"
                    self._leave(
                        price if only is None else level,
                        bar.time,
                        held.stop_reason if is_stop else reason,
                    )
                    return

    def _move_stop(self, close: Fraction) -> None:
        held, plan = self._held, self.plan
        if held is None:
            return
        sign, fee = held.sign, self.costs.fee
        armed_at = sign * (plan.break_even or 0) * abs(held.reference - held.first_stop)
        if plan.break_even is not None and sign * (close - held.reference - armed_at) >= 0:
            self._try_stop(held.price * (1 + sign * fee) / (1 - sign * fee), close, "break_even")
        if plan.trail is not None:
            self._try_stop(close - sign * held.reference * plan.trail, close, "trailing_stop")

    def _try_stop(self, level: Fraction, close: Fraction, reason: str) -> None:
        held = self._held
        assert held is not None
        level = self._inwards(level, held.sign)
        if held.sign * (level - held.stop) > 0 and held.sign * (close - level) > 0:
            held.stop, held.stop_reason = level, reason

    def _liquidate(self, bar: Bar) -> None:
        held = self._held
        if held and held.sign * (bar.open - self._liquidation(held.price, held.sign)) <= 0:
            self._leave(held.price * (1 - Fraction(held.sign, self.plan.leverage)), bar.time)

    def _leave(self, price: Fraction, time: int, reason: str = "liquidation") -> None:
        held = self._held
        assert held is not None
        fee = Fraction(0)
        if reason != "liquidation":
            price = self._worse(price, -held.sign)
            fee = money(held.quantity * price * self.costs.fee)
        gain = money(held.sign * held.quantity * (price - held.price))
        self.wallet += gain - fee
        fees = held.fees + fee
        self.round_trips.append(
            {
                "side": "LONG" if held.sign > 0 else "SHORT",
                "quantity": written(held.quantity),
                "signal_time": held.signal_time,
                "entry_time": held.entry_time,
                "entry_price": written(held.price),
                "stop": written(held.first_stop),
                "target": None if held.target is None else written(held.target),
                "exit_time": time,
                "exit_price": written(price),
                "exit_reason": reason,
                "fees": written(fees),
                "funding": written(held.funding),
                "pnl": written(gain - fees - held.funding),
            }
        )
        self._held = None

    def _charge_funding(self, time: int) -> None:
        """Charge what fell due since the candle before, at its close."""
        since, self._paid_until = self._paid_until, time
        for due, rate in self.costs.funding:
            if self._held and since < due <= time:
                amount = money(self._held.sign * self._held.quantity * self._mark * rate)
                self._held.funding += amount
                self.wallet -= amount

    def _liquidation(self, entry: Fraction, sign: int) -> Fraction:
        """Return where the margin is used up but for the maintenance rate, without brackets."""
        return (entry / self.plan.leverage - sign * entry) / (_NO_BRACKETS_RATE - sign)

    def _open_gain(self, close: Fraction) -> Fraction:
        held = self._held
        return money(held.sign * held.quantity * (close - held.price)) if held else Fraction(0)

    def _worse(self, price: Fraction, sign: int) -> Fraction:
        """Return a market fill's price; ``sign`` is +1 for a buy."""
        price *= 1 + sign * self.costs.slippage
        tick = self.costs.tick
        if tick is None:
            return price
        return (-(-price // tick) if sign > 0 else price // tick) * tick

    def _inwards(self, level: Fraction, sign: int) -> Fraction:
        """Return a level on the price grid; ``sign`` is +1 where up is towards the close."""
        tick = self.costs.tick
        if tick is None:
            return level
        return (-(-level // tick) if sign > 0 else level // tick) * tick


def money(value: Fraction) -> Fraction:
    """Round a booking to 1e-8, half to even."""
    return round(value, 8)


def written(value: Fraction) -> str:
    """Write a number as the report does: plain, 18 digits, no trailing zeros."""
    with localcontext(Context(prec=_PRICE_DIGITS, rounding=ROUND_HALF_EVEN)):
        number = Decimal(value.numerator) / Decimal(value.denominator)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

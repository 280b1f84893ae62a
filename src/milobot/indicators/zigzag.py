"""The ZigZag as a state machine: candles in, swing points out, each one for good.

In an up leg (a down leg mirrored) a higher high becomes the candidate.
Otherwise, once at least ``depth`` candles have passed since the candidate and
the close is at or below ``candidate * (1 - deviation / 100)``, the candidate is
confirmed at this candle, and the new candidate is the lowest low, the earliest
on ties, from candidate + ``depth`` to here. One candle confirms at most one
point.

At the start the highest high and the lowest low so far are both candidates,
each moved and tested as above; the first confirmed one wins, on a tie the later
one. Should a single candle hold both, the high counts as the later one.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from milobot.indicators.arguments import percentage, whole_number

Stack = list[tuple[int, float]]


class PointLog:
    """Swing points in the order in which they came about, as parallel lists.

    Attributes:
        index: Candle of each point.
        price: Its high or low.
        is_high: Which of the two.
        since: Candle from which on it is known: of a pivot the one that
            confirmed it, of a candidate the one that made it the candidate.
            Strictly increasing.
    """

    __slots__ = ("index", "is_high", "price", "since")

    def __init__(self) -> None:
        """Begin without points."""
        self.index: list[int] = []
        self.price: list[float] = []
        self.is_high: list[bool] = []
        self.since: list[int] = []

    def append(self, index: int, price: float, *, is_high: bool, since: int) -> None:
        """Add the point that came about at candle ``since``."""
        self.index.append(index)
        self.price.append(price)
        self.is_high.append(is_high)
        self.since.append(since)


class _Leg:
    """A candidate and the close that confirms it.

    Prices of lows are negated, so that for both kinds a better candidate is a
    greater number and a confirming close a smaller one.
    """

    __slots__ = ("factor", "index", "is_high", "limit", "price")

    def __init__(self, deviation: float, *, is_high: bool) -> None:
        change = deviation / 100.0
        self.is_high = is_high
        self.factor = 1.0 - change if is_high else 1.0 + change
        self.move(-1, -math.inf)

    def move(self, index: int, price: float) -> None:
        self.index = index
        self.price = price
        self.limit = price * self.factor


class _Columns(NamedTuple):
    """New candles as one leg sees them, in its sign."""

    ahead: Sequence[float]
    behind: Sequence[float]
    closes: Sequence[float]


class ZigZag:
    """Find swing points candle by candle, in amortised constant time for each.

    Attributes:
        deviation: Percent by which the close has to turn back.
        depth: Candles that have to pass before a candidate can be confirmed.
        length: Number of candles seen.
        pivots: The confirmed points.
        candidates: Each unconfirmed point there ever was. Before the first
            confirmation, where two are open, the later one.
    """

    def __init__(self, deviation: float = 1.0, depth: int = 10) -> None:
        """Begin before the first candle.

        Raises:
            ValueError: ``deviation`` is not from 0 to below 100, or ``depth``
                no whole number from 1 to 100000.
        """
        self.deviation = percentage("calculate_zigzag", "deviation", deviation)
        self.depth = whole_number("calculate_zigzag", "depth", depth, lowest=1)
        self.length = 0
        self.pivots = PointLog()
        self.candidates = PointLog()
        self._top = _Leg(self.deviation, is_high=True)
        self._bottom = _Leg(self.deviation, is_high=False)
        self._current: _Leg | None = None
        # Extremes that a coming confirmation may choose from: see _push.
        self._highs: Stack = []
        self._lows: Stack = []

    def append(self, high: float, low: float, close: float) -> None:
        """Take in the next candle; its prices are finite."""
        self.extend([high], [low], [close])

    def extend(
        self, highs: Sequence[float], lows: Sequence[float], closes: Sequence[float]
    ) -> None:
        """Take in the next candles, given as three lists of finite floats of one length."""
        negated_lows = [-low for low in lows]
        upward = _Columns(highs, negated_lows, closes)
        downward = _Columns(negated_lows, highs, [-close for close in closes])
        position, end = 0, len(closes)
        if self._current is None:
            position = self._find_first(upward, downward)
        while position < end:
            rising = self._current is self._top
            position = self._follow(position, upward if rising else downward)
        self.length += end

    def _find_first(self, upward: _Columns, downward: _Columns) -> int:
        """Move both candidates until one is confirmed; return the position after that."""
        offset, depth, top, bottom = self.length, self.depth, self._top, self._bottom
        for position, (high, low, close) in enumerate(zip(*upward, strict=True)):
            candle = position + offset
            is_higher, is_lower = high > top.price, low > bottom.price
            if is_higher:
                top.move(candle, high)
            if is_lower:
                bottom.move(candle, low)
            if is_higher or is_lower:
                self._log_candidate(top if is_higher else bottom, candle)
            if candle >= min(top.index, bottom.index) + depth:
                _push(self._highs, candle, high)
                _push(self._lows, candle, low)
                winner = self._first_confirmed(candle, close)
                if winner:
                    self._confirm(winner, candle)
                    return position + 1
        return len(downward.closes)

    def _first_confirmed(self, candle: int, close: float) -> _Leg | None:
        """Return the starting candidate that this candle confirms, on a tie the later one."""
        top, bottom = self._top, self._bottom
        is_top = candle >= top.index + self.depth and close <= top.limit
        is_bottom = candle >= bottom.index + self.depth and -close <= bottom.limit
        if is_top and is_bottom:
            return top if top.index >= bottom.index else bottom
        if is_top:
            return top
        return bottom if is_bottom else None

    def _follow(self, position: int, columns: _Columns) -> int:
        """Move the candidate until it is confirmed; return the position after that.

        This is the hot loop: plain floats and local names only.
        """
        leg = self._top if self._current is self._top else self._bottom
        ahead, behind, closes = columns
        own, other = self._stacks(leg)
        offset, depth = self.length, self.depth
        price, limit, ready = leg.price, leg.limit, leg.index + depth - offset
        for here in range(position, len(closes)):
            value = ahead[here]
            if value > price:
                leg.move(here + offset, value)
                price, limit, ready = value, leg.limit, here + depth
                self._log_candidate(leg, here + offset)
                own.clear()
                other.clear()
            elif here >= ready:
                _push(own, here + offset, value)
                _push(other, here + offset, behind[here])
                if closes[here] <= limit:
                    self._confirm(leg, here + offset)
                    return here + 1
        return len(closes)

    def _confirm(self, leg: _Leg, candle: int) -> None:
        """Make the candidate a pivot and turn round."""
        price = leg.price if leg.is_high else -leg.price
        self.pivots.append(leg.index, price, is_high=leg.is_high, since=candle)
        turned = self._bottom if leg.is_high else self._top
        _, other = self._stacks(leg)
        index, extreme = other[bisect_left(other, (leg.index + self.depth,))]
        turned.move(index, extreme)
        self._current = turned
        self._log_candidate(turned, candle)

    def _stacks(self, leg: _Leg) -> tuple[Stack, Stack]:
        return (self._highs, self._lows) if leg.is_high else (self._lows, self._highs)

    def _log_candidate(self, leg: _Leg, candle: int) -> None:
        price = leg.price if leg.is_high else -leg.price
        self.candidates.append(leg.index, price, is_high=leg.is_high, since=candle)


def _push(stack: Stack, index: int, value: float) -> None:
    """Append a value and drop all smaller ones, which can no longer be the greatest.

    So the first entry from any index on is the greatest value from there to
    the end, the earliest on ties, and nothing is ever scanned twice.
    """
    while stack and stack[-1][1] < value:
        stack.pop()
    stack.append((index, value))

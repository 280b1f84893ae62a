"""The equity curve: exact at every close, kept as the few places where it bends."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from milobot.domain.market import Floats
from milobot.domain.money import decimal_from_float, to_money


class Holding(NamedTuple):
    """What was held from the close of a script candle on.

    Attributes:
        script: Index of the script candle.
        wallet: Balance in USDT.
        quantity: Signed quantity, negative for a short.
        cost: Signed cost of it.
    """

    script: int
    wallet: Decimal
    quantity: Decimal
    cost: Decimal


class EquityCurve:
    """Equity at the close of each script candle: wallet plus open gain at that close."""

    def __init__(self) -> None:
        """Start without a holding."""
        self._holdings: list[Holding] = []

    def note(self, index: int, wallet: Decimal, quantity: Decimal, cost: Decimal) -> None:
        """Say what is held at the close of a script candle; the last word on a candle counts."""
        holding = Holding(index, wallet, quantity, cost)
        if self._holdings and self._holdings[-1].script == index:
            self._holdings[-1] = holding
        elif not self._holdings or self._holdings[-1][1:] != holding[1:]:
            self._holdings.append(holding)

    def exact(self, close: Floats, start: Decimal, *, first: int = 0) -> list[Decimal]:
        """Return the equity at every close from candle ``first`` on, to the last digit.

        Args:
            close: Closes of all script candles.
            start: Balance before the first holding.
            first: First candle wanted.
        """
        values: list[Decimal] = []
        for begin, end, held in self._spans(len(close), start):
            for price in close[max(begin, first) : end].tolist():
                if held.quantity:
                    gain = to_money(held.quantity * decimal_from_float(price) - held.cost)
                    values.append(held.wallet + gain)
                else:
                    values.append(held.wallet)
        return values

    def values(self, close: Floats, start: Decimal) -> Floats:
        """Return the equity at every close as floats, for statistics and plots."""
        result = np.empty(len(close))
        for begin, end, held in self._spans(len(close), start):
            open_gain = float(held.quantity) * close[begin:end] - float(held.cost)
            result[begin:end] = float(held.wallet) + open_gain
        return result

    def exposure(self, length: int) -> float:
        """Return the fraction of closes at which something was held."""
        held = sum(e - b for b, e, h in self._spans(length, Decimal(0)) if h.quantity)
        return held / length if length else 0.0

    def _spans(self, length: int, start: Decimal) -> list[tuple[int, int, Holding]]:
        nothing = Holding(0, start, Decimal(0), Decimal(0))
        starts = [nothing, *self._holdings]
        ends = [h.script for h in self._holdings] + [length]
        return [(h.script, end, h) for h, end in zip(starts, ends, strict=True) if end > h.script]

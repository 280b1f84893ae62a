"""What a market is: candles, the rules of a symbol, its leverage brackets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from milobot.domain.money import MONEY_STEP, ZERO
from milobot.errors import DataError

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


class Candle(NamedTuple):
    """Open, high, low, close and volume of one closed period.

    Attributes:
        time: Open time, UTC milliseconds.
        volume: Traded quantity in the base asset.
    """

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True, eq=False)
class CandleSeries:
    """Closed candles in order of time, as read-only columns of equal length.

    Building one checks shapes only; ``marketdata.files`` checks what a file claims.

    Raises:
        DataError: The columns are not one-dimensional and of equal length.
    """

    time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __post_init__(self) -> None:
        """Freeze the columns, so that nobody who holds a view can change history."""
        for name in COLUMNS:
            column = np.ascontiguousarray(
                getattr(self, name), dtype=np.int64 if name == "time" else np.float64
            )
            if column.flags.writeable:
                column = column.view()
                column.flags.writeable = False
            object.__setattr__(self, name, column)
        shapes = [getattr(self, name).shape for name in COLUMNS]
        if len(shapes[0]) != 1 or any(shape != shapes[0] for shape in shapes):
            raise DataError(f"candle columns differ in shape: {shapes}")

    @classmethod
    def empty(cls) -> Self:
        """Return a series without candles."""
        none = np.empty(0)
        return cls(np.empty(0, dtype=np.int64), none, none, none, none, none)

    @classmethod
    def from_candles(cls, candles: Sequence[Candle]) -> Self:
        """Return the series of ``candles``, which must be in order of time."""
        if not candles:
            return cls.empty()
        time, *prices = zip(*candles, strict=True)
        return cls(np.array(time, dtype=np.int64), *(np.array(p, dtype=np.float64) for p in prices))

    def __len__(self) -> int:
        """Return the number of candles."""
        return len(self.time)

    def __iter__(self) -> Iterator[Candle]:
        """Yield the candles as plain Python numbers, first to last."""
        columns = (getattr(self, name).tolist() for name in COLUMNS)
        return map(Candle._make, zip(*columns, strict=True))

    def __getitem__(self, index: int) -> Candle:
        """Return one candle; negative indices count from the end."""
        return Candle(
            int(self.time[index]),
            float(self.open[index]),
            float(self.high[index]),
            float(self.low[index]),
            float(self.close[index]),
            float(self.volume[index]),
        )

    def part(self, start: int, stop: int) -> Self:
        """Return candles ``start`` up to, not including, ``stop``, without copying."""
        return type(self)(*(getattr(self, name)[start:stop] for name in COLUMNS))

    def between(self, first_ms: int | None, last_ms: int | None) -> Self:
        """Return the candles whose open time lies in [first_ms, last_ms]; None leaves a side open."""
        start = 0 if first_ms is None else int(np.searchsorted(self.time, first_ms, side="left"))
        stop = (
            len(self) if last_ms is None else int(np.searchsorted(self.time, last_ms, side="right"))
        )
        return self.part(start, max(start, stop))

    def joined(self, later: "CandleSeries") -> "CandleSeries":
        """Return this series followed by ``later``."""
        return CandleSeries(
            *(np.concatenate([getattr(self, n), getattr(later, n)]) for n in COLUMNS)
        )

    def equals(self, other: "CandleSeries") -> bool:
        """Return whether both hold the same candles, to the last bit."""
        return all(np.array_equal(getattr(self, n), getattr(other, n)) for n in COLUMNS)


COLUMNS = ("time", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class LeverageBracket:
    """One row of a symbol's leverage table.

    Attributes:
        notional_floor: Lower bound of the position notional, in USDT, exclusive but for 0.
        notional_cap: Upper bound, inclusive.
        max_leverage: Highest leverage that may be set for such a notional.
        maintenance_margin_rate: Share of the notional that must stay as margin.
        maintenance_amount: Amount in USDT that makes the maintenance margin continuous
            across brackets; Binance calls it ``cum``, BingX ``maintAmount``.
    """

    notional_floor: Decimal
    notional_cap: Decimal
    max_leverage: int
    maintenance_margin_rate: Decimal
    maintenance_amount: Decimal


@dataclass(frozen=True, slots=True)
class SymbolRules:
    """What an exchange demands of orders for one symbol.

    Attributes:
        tick_size: Price grid; None where nothing is known (a bare file): prices stay unrounded.
        quantity_step: Grid of quantities in the base asset.
        min_quantity: Smallest quantity of an order.
        max_market_quantity: Largest quantity of one market order; None without a limit.
        min_notional: Smallest quantity * price of an entry, in USDT.
        brackets: Leverage brackets in order of notional; empty when unknown.
    """

    symbol: str
    tick_size: Decimal | None = None
    quantity_step: Decimal = MONEY_STEP
    min_quantity: Decimal = ZERO
    max_market_quantity: Decimal | None = None
    min_notional: Decimal = ZERO
    brackets: tuple[LeverageBracket, ...] = field(default=())

"""Ports: what the core asks of the world, as protocols that adapters implement."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from milobot.domain.market import CandleSeries, SymbolRules
from milobot.domain.timeframes import Timeframe


@dataclass(frozen=True, slots=True)
class CandleKey:
    """Names one stored candle series.

    Attributes:
        source: Exchange and environment, such as ``binance``, or ``file`` for imports.
    """

    source: str
    symbol: str
    timeframe: Timeframe


class Clock(Protocol):
    """Time, so that nothing else reads a clock."""

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        ...


class CandleStore(Protocol):
    """Closed candles that can be fetched again, and the symbol rules beside them."""

    def save_candles(self, key: CandleKey, candles: CandleSeries) -> int:
        """Store closed candles; those already stored stay as they are. Return how many are new."""
        ...

    def load_candles(
        self,
        key: CandleKey,
        *,
        first_ms: int | None = None,
        last_ms: int | None = None,
        limit: int | None = None,
    ) -> CandleSeries:
        """Return stored candles with open time in [first_ms, last_ms]; ``limit`` keeps the last."""
        ...

    def list_series(self) -> list[CandleKey]:
        """Return the key of every series that has candles."""
        ...

    def save_rules(self, source: str, rules: SymbolRules) -> None:
        """Store the rules and brackets of one symbol, replacing older ones."""
        ...

    def load_rules(self, source: str, symbol: str) -> SymbolRules | None:
        """Return the stored rules of a symbol, or None when there are none."""
        ...


class MarketFeed(Protocol):
    """Closed candles of one symbol and timeframe, each once, in order, without a gap."""

    def candles(self) -> AsyncIterator[CandleSeries]:
        """Yield what has closed since the last turn; usually one candle, more after a pause."""
        ...

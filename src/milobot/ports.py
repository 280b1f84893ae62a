"""Ports: what the core asks of the world, as protocols that adapters implement."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from milobot.domain.decisions import Decision
from milobot.domain.market import CandleSeries, SymbolRules
from milobot.domain.orders import FundingUpdate, Order, OrderUpdate
from milobot.domain.round_trips import RoundTrip
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


@dataclass(frozen=True, slots=True)
class Account:
    """What an account holds, in USDT.

    Attributes:
        wallet: Balance after all bookings; gains and losses not yet realized are left out.
        available: Wallet less the margin of open positions: what a new entry may tie up.
        unrealized_pnl: Gains of all open positions at mark price.
        taker_fee: Fee of a market order as a fraction of its notional.
    """

    wallet: Decimal
    available: Decimal
    unrealized_pnl: Decimal
    taker_fee: Decimal

    @property
    def equity(self) -> Decimal:
        """Return the wallet plus what closing everything at mark price would add."""
        return self.wallet + self.unrealized_pnl


class Exchange(Protocol):
    """An exchange account, real or simulated.

    Placing and cancelling answer with updates that go through ``engine.apply`` like
    every other news of an order.
    """

    async def fetch_account(self) -> Account:
        """Return balances and open gains."""
        ...

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol; ``DataError`` when it is not traded here."""
        ...

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price of the latest trade."""
        ...

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Send an order and return what is known of it at once."""
        ...

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw an order and return what is known of it at once."""
        ...


Update = OrderUpdate | FundingUpdate
Record = Order | Update | Decision | RoundTrip


class Journal(Protocol):
    """What must survive: every record is committed before its consequence leaves."""

    async def commit(self, *records: Record) -> None:
        """Store the records together; when this returns they survive a crash."""
        ...

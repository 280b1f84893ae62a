"""Ports: what the core asks of the world, as protocols that adapters implement."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.market import CandleSeries, LeverageBracket, SymbolRules
from milobot.domain.orders import Fill, FundingUpdate, Order, OrderUpdate
from milobot.domain.reports import (
    AccountNews,
    BookTicker,
    ClosedCandle,
    FundingRate,
    Income,
    KeyRights,
    MarginMode,
    MarkPrice,
    OrderReport,
    PositionReport,
    SymbolSettings,
)
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import Slot
from milobot.domain.timeframes import Timeframe

Update = OrderUpdate | FundingUpdate
News = Update | AccountNews


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
    """What the engine asks of an account, real or simulated.

    Placing and cancelling never raise for what an exchange or the way to it does. They
    answer with updates that go through ``engine.apply`` like every other news of an order:
    SUBMITTED, PARTIALLY_FILLED or FILLED when taken, REJECTED when refused for good,
    NOT_EXECUTED when it certainly did not happen, UNKNOWN when it may have: query then.
    A cancel that is not confirmed is UNKNOWN too. Only the cancellation of the waiting task
    is raised; the order stays PENDING then, which means the same as UNKNOWN.
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

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Set leverage and margin mode while flat, read them back and return what was read."""
        ...

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Send an order and return what is known of it at once."""
        ...

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw an order and return what is known of it at once."""
        ...


def attaches_exits(exchange: object) -> bool:
    """Return whether entries on an exchange carry their stop and target, as ``Order.attached``.

    Exchanges that say so have a property of this name. It is asked for with every entry, where
    an ``isinstance`` with a protocol would cost more than all that is calculated.
    """
    return bool(getattr(exchange, "attaches_exits", False))


class MarketData(Protocol):
    """Public data of one exchange. Every method raises ``ExchangeError`` kinds."""

    async def fetch_server_time(self) -> int:
        """Return the exchange's clock, UTC milliseconds."""
        ...

    async def fetch_all_rules(self) -> dict[str, SymbolRules]:
        """Return the rules of every symbol that may be traded: USDT perpetuals, trading now."""
        ...

    async def fetch_candles(
        self, symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int
    ) -> CandleSeries:
        """Return up to ``limit`` closed candles from ``first_ms`` on; None: the latest ones."""
        ...

    async def fetch_funding_rates(
        self, symbol: str, *, first_ms: int, last_ms: int
    ) -> list[FundingRate]:
        """Return the rates paid in [first_ms, last_ms], oldest first."""
        ...

    async def fetch_book_ticker(self, symbol: str) -> BookTicker:
        """Return best bid and ask."""
        ...

    async def fetch_mark_price(self, symbol: str) -> MarkPrice:
        """Return mark price and the coming funding."""
        ...


class ExchangeAccount(Exchange, Protocol):
    """An account at a real exchange. Queries and settings raise ``ExchangeError`` kinds."""

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """As ``Exchange``; NOT_EXECUTED if it would be signed after ``order.send_before_ms``."""
        ...

    async def fetch_order(self, order: Order) -> OrderReport | None:
        """Return the exchange's view of an order; None when it knows none: not yet, or no more."""
        ...

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Return the same as news, with the fills so far: it goes through ``engine.apply``."""
        ...

    async def fetch_stranger(self, symbol: str, exchange_order_id: str) -> OrderUpdate | None:
        """Return news of an order by their id, under the name and purpose they know it by."""
        ...

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return what rests, conditional orders included; None: in every symbol."""
        ...

    async def fetch_fills(
        self, symbol: str, *, first_ms: int | None = None, exchange_order_id: str = ""
    ) -> list[Fill]:
        """Return executions, oldest first; ``client_order_id`` is theirs where not told."""
        ...

    async def fetch_positions(self) -> list[PositionReport]:
        """Return what is open."""
        ...

    async def fetch_income(self, *, first_ms: int, last_ms: int) -> list[Income]:
        """Return bookings in [first_ms, last_ms], oldest first."""
        ...

    async def fetch_brackets(self) -> dict[str, tuple[LeverageBracket, ...]]:
        """Return the leverage brackets of every symbol that has any."""
        ...

    async def fetch_key_rights(self) -> KeyRights:
        """Return what the key may do."""
        ...

    async def fetch_is_hedged(self) -> bool:
        """Return whether the account is in hedge mode, which we do not trade in."""
        ...

    async def set_one_way(self) -> None:
        """Leave hedge mode; nothing happens when the account has left it already."""
        ...

    async def fetch_symbol_settings(self, symbol: str) -> SymbolSettings:
        """Return leverage and margin mode of a symbol."""
        ...


class Running(Protocol):
    """Something that works for as long as it is run."""

    async def run(self) -> None:
        """Keep going until cancelled; start it in a ``TaskGroup``."""
        ...


class CandleStream(Running, Protocol):
    """Closed candles of many series: each exactly once, in order, without a gap."""

    def candles(self) -> AsyncIterator[ClosedCandle]:
        """Yield candles as they close, for as long as the stream is open."""
        ...


class PriceStream(Running, Protocol):
    """Prices that matter only when fresh: old ones may be dropped."""

    def prices(self) -> AsyncIterator[MarkPrice | BookTicker]:
        """Yield prices as they come."""
        ...


class UserStream(Running, Protocol):
    """News of one account; may come twice, late or out of order, never in silence for long."""

    def news(self) -> AsyncIterator[News]:
        """Yield news as it comes; RECONNECTED after every gap."""
        ...


Record = TradeIntent | Slot | Order | Update | Decision | RoundTrip


@dataclass(frozen=True, slots=True)
class Books:
    """What an account's journal knows that still matters.

    Attributes:
        slots: Every slot that was ever used; their live orders are in ``orders`` alone.
        orders: Every order that has not ended.
    """

    slots: tuple[Slot, ...] = ()
    orders: tuple[Order, ...] = ()


class Journal(Protocol):
    """What must survive of one account: every record is committed before its consequence leaves.

    An order or a slot replaces what was kept of it before, unless that order had filled more:
    what comes later is newer then. Fills, payments, decisions and round trips are added. Fills and payments that are there already are not added again.
    """

    async def commit(self, *records: Record) -> None:
        """Store the records together; when this returns they survive a crash.

        Raises:
            LeaseLostError: Another process leads the account now.
            DuplicateIntentError: An intent with this key is there already.
            LedgerError: They could not be stored; nothing of them was.
        """
        ...

    async def load(self) -> Books:
        """Return what a restart has to know; ``LedgerError`` when it cannot be read."""
        ...

    async def find_order(self, client_order_id: str) -> Order | None:
        """Return an order with the ids of its fills, however long ago it ended."""
        ...

    async def find_nameless(self, symbol: str, exchange_order_id: str) -> Order | None:
        """Return the order of a symbol that the exchange knows by this id of its own."""
        ...

    async def booked_fills(self, symbol: str, *, first_ms: int) -> frozenset[str]:
        """Return the ids of the fills on record with a time from ``first_ms`` on."""
        ...

    async def find_decision(self, intent_key: str) -> Decision | None:
        """Return the latest decision about an intent."""
        ...

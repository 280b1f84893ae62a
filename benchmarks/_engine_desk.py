"""What the engine's benchmarks share: an account in the process that takes everything at once.

It costs nothing and waits for nothing, so what is measured is ours: engine, ledger, loop.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from time import time_ns
from typing import cast

from milobot.domain.alerts import Alert
from milobot.domain.intents import (
    Close,
    Distance,
    DistanceKind,
    Enter,
    PositionSide,
    Size,
    SizeKind,
    TradeIntent,
)
from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderStatus, OrderType, OrderUpdate
from milobot.domain.reports import MarginMode, OrderReport, PositionReport, SymbolSettings
from milobot.exchanges.times import real_sleep
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.inquiry import Inquiry
from milobot.execution.reconciler import Reconciler
from milobot.execution.trader import AccountTrader, Parts
from milobot.ports import Account, ExchangeAccount, Journal, MarketData

PRICE = Decimal(100)
ENTRY = Enter(
    PositionSide.LONG,
    Size(SizeKind.BASE, Decimal(1)),
    stop=Distance(DistanceKind.PERCENT, Decimal("0.05")),
)


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return time_ns() // 1_000_000


@dataclass
class WillingAccount:
    """Fills market orders at once and lets conditional ones rest.

    Attributes:
        on_order: Called when an order arrives.
        resting: Conditional orders that rest, by client order id.
        held: What is open, by symbol.
        prices: By symbol; 100 where none is set.
    """

    clock: SystemClock
    on_order: Callable[[Order], None] | None = None
    resting: dict[str, Order] = field(default_factory=dict)
    held: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    orders: int = 0
    _numbers: count = field(default_factory=count)  # type: ignore[type-arg]  # of ints

    async def fetch_account(self) -> Account:
        """Return an account that can pay for everything."""
        return Account(Decimal(10_000_000), Decimal(10_000_000), ZERO, ZERO)

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the rules of any symbol."""
        return SymbolRules(symbol, tick_size=Decimal("0.01"))

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price that is set, or one that never moves."""
        return self.prices.get(symbol, PRICE)

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Take what was asked for."""
        return SymbolSettings(symbol, leverage, margin_mode)

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Take an order and say what became of it."""
        self.orders += 1
        if self.on_order is not None:
            self.on_order(order)
        if order.type is not OrderType.MARKET:
            self.resting[order.client_order_id] = order
            return (self._news(order, OrderStatus.SUBMITTED),)
        sign = -1 if order.reduce_only else 1
        self.held[order.symbol] = self.held.get(order.symbol, ZERO) + sign * order.quantity
        fill = Fill(
            fill_id=str(next(self._numbers)),
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            price=self.prices.get(order.symbol, PRICE),
            fee=ZERO,
            time_ms=self.clock.now_ms(),
        )
        return (self._news(order, OrderStatus.FILLED, fill),)

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw an order."""
        self.resting.pop(order.client_order_id, None)
        return (self._news(order, OrderStatus.CANCELLED),)

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return what rests."""
        return [
            OrderReport(
                client_order_id=order.client_order_id,
                exchange_order_id=order.client_order_id,
                symbol=order.symbol,
                side=order.side,
                type=order.type,
                status=OrderStatus.SUBMITTED,
                quantity=order.quantity,
                time_ms=order.created_ms,
                trigger_price=order.trigger_price,
                reduce_only=order.reduce_only,
                close_position=order.close_position,
                is_conditional=True,
            )
            for order in self.resting.values()
            if symbol in {None, order.symbol}
        ]

    async def fetch_positions(self) -> list[PositionReport]:
        """Return what is open."""
        now_ms = self.clock.now_ms()
        return [
            PositionReport(symbol, PositionSide.LONG, held, PRICE, PRICE, ZERO, now_ms)
            for symbol, held in self.held.items()
            if held
        ]

    def _news(self, order: Order, status: OrderStatus, *fills: Fill) -> OrderUpdate:
        now_ms = self.clock.now_ms()
        return OrderUpdate(order.client_order_id, order.symbol, status, now_ms, fills)


@dataclass(frozen=True)
class EngineDesk:
    """An engine with its trader."""

    engine: ExecutionEngine
    trader: AccountTrader
    reconciler: Reconciler


def open_desk(account: ExchangeAccount, market: MarketData, journal: Journal) -> EngineDesk:
    """Put an engine on an account."""
    clock, told = SystemClock(), cast(Callable[[Alert], None], print)
    engine = ExecutionEngine(account, journal, clock, EngineConfig("bench:default"))
    reconciler = Reconciler("bench:default", engine, account, market, journal, clock, told)
    parts = Parts(engine, account, clock, real_sleep, told)
    inquiry = Inquiry(account, journal, clock)
    return EngineDesk(engine, AccountTrader(parts, inquiry, reconciler), reconciler)


def entry_of(symbol: str, number: int) -> TradeIntent:
    """Return a wish to enter."""
    now_ms = time_ns() // 1_000_000
    return TradeIntent(f"bench|{symbol}|{number}", f"bench:{symbol}", symbol, now_ms, ENTRY, PRICE)


def close_of(symbol: str, number: int) -> TradeIntent:
    """Return a wish to close."""
    now_ms = time_ns() // 1_000_000
    key = f"bench|{symbol}|{number}"
    return TradeIntent(key, f"bench:{symbol}", symbol, now_ms, Close(), PRICE)

"""An account at an exchange that keeps simple books and counts what it is asked."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.support.virtual_time import VirtualTime

from milobot.domain.intents import PositionSide, Side
from milobot.domain.market import CandleSeries, LeverageBracket, SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderStatus, OrderUpdate, Refusal
from milobot.domain.reports import (
    BookTicker,
    FundingRate,
    Income,
    KeyRights,
    MarginMode,
    MarkPrice,
    OrderReport,
    PositionReport,
    SymbolSettings,
)
from milobot.domain.timeframes import Timeframe
from milobot.errors import DataError, ExchangeError
from milobot.ports import Account

FEE = Decimal("0.0005")


@dataclass
class FakeAccount:
    """Fills every entry and exit at ``price`` at once and knows its balances to the last digit.

    Attributes:
        asked: How often each question was asked.
        takes_s: How long each answer is under way; the question is answered when it arrives.
        failure: What every question raises; None for none.
        order_failure: What placing raises after the exchange has carried it out.
        answer: Status that a placement is answered with; FILLED carries the fills.
        refusal: Why a placement is not taken.
        during_prepare: Happens while settings are being made.
        learned: Pairs of ids that were told.
    """

    time: VirtualTime
    wallet: Decimal = Decimal(10_000)
    price: Decimal = Decimal(100)
    takes_s: float = 0.0
    failure: ExchangeError | None = None
    order_failure: BaseException | None = None
    answer: OrderStatus = OrderStatus.FILLED
    refusal: Refusal | None = None
    during_prepare: Callable[[], None] | None = None
    asked: Counter[str] = field(default_factory=Counter)
    positions: dict[str, PositionReport] = field(default_factory=dict)
    margins: dict[str, Decimal] = field(default_factory=dict)
    settings: dict[str, SymbolSettings] = field(default_factory=dict)
    traded: set[str] = field(default_factory=lambda: {"BTCUSDT", "ETHUSDT"})
    learned: dict[str, str] = field(default_factory=dict)
    fills: int = 0

    @property
    def available(self) -> Decimal:
        """Return what an entry may tie up now."""
        return self.wallet - sum(self.margins.values(), ZERO)

    async def fetch_account(self) -> Account:
        """Return the books as they are when the question arrives."""
        await self._ask("account")
        gain = sum((p.unrealized_pnl for p in self._listed()), ZERO)
        told = Account(self.wallet, self.available, gain, FEE)
        await self._travel()
        return told

    async def fetch_positions(self) -> list[PositionReport]:
        """Return what is open."""
        await self._ask("positions")
        told = self._listed()
        await self._travel()
        return told

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return plain rules."""
        await self._ask("rules")
        if symbol not in self.traded:
            raise DataError(f"{symbol} is not traded")
        return SymbolRules(symbol, tick_size=Decimal("0.1"))

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price."""
        await self._ask("price")
        return self.price

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Set and read back."""
        await self._ask("prepare")
        if self.during_prepare is not None:
            self.during_prepare()
        self.settings[symbol] = SymbolSettings(symbol, leverage, margin_mode)
        return self.settings[symbol]

    async def fetch_symbol_settings(self, symbol: str) -> SymbolSettings:
        """Return what was set."""
        await self._ask("settings")
        return self.settings[symbol]

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Carry an order out and say so, or not."""
        await self._ask("place")
        if self.answer not in {OrderStatus.FILLED, OrderStatus.UNKNOWN}:
            news = OrderUpdate(order.client_order_id, order.symbol, self.answer, 0)
            return (replace(news, refusal=self.refusal),)
        fill = self._fill(order)
        await self._travel()
        if self.order_failure is not None:
            raise self.order_failure
        fills = () if self.answer is OrderStatus.UNKNOWN else (fill,)
        return (OrderUpdate(order.client_order_id, order.symbol, self.answer, 0, fills),)

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Confirm."""
        await self._ask("cancel")
        return (OrderUpdate(order.client_order_id, order.symbol, OrderStatus.CANCELLED, 0),)

    async def fetch_order(self, order: Order) -> OrderReport | None:
        """Know none."""
        await self._ask("order")
        return None

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Know of no trade."""
        await self._ask("update")
        return OrderUpdate(order.client_order_id, order.symbol, OrderStatus.NOT_EXECUTED, 0)

    async def fetch_stranger(self, symbol: str, exchange_order_id: str) -> OrderUpdate | None:
        """Know none."""
        await self._ask("stranger")
        return None

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return nothing."""
        await self._ask("open_orders")
        return []

    async def fetch_fills(
        self, symbol: str, *, first_ms: int | None = None, exchange_order_id: str = ""
    ) -> list[Fill]:
        """Return nothing."""
        await self._ask("fills")
        return []

    async def fetch_income(self, *, first_ms: int, last_ms: int) -> list[Income]:
        """Return nothing."""
        await self._ask("income")
        return []

    async def fetch_brackets(self) -> dict[str, tuple[LeverageBracket, ...]]:
        """Return nothing."""
        await self._ask("brackets")
        return {}

    async def fetch_key_rights(self) -> KeyRights:
        """Return that it may trade."""
        await self._ask("rights")
        return KeyRights(can_trade=True, can_withdraw=False)

    async def fetch_is_hedged(self) -> bool:
        """Return that it is not."""
        await self._ask("is_hedged")
        return False

    async def set_one_way(self) -> None:
        """Do nothing: it is."""
        await self._ask("set_one_way")

    def learn_order_ids(self, pairs: Mapping[str, str]) -> None:
        """Remember what was told."""
        self.learned.update(pairs)

    def _fill(self, order: Order) -> Fill:
        self.fills += 1
        notional = order.quantity * self.price
        fee = notional * FEE
        self.wallet -= fee
        if order.reduce_only:
            self._close(order)
        else:
            self._open(order, notional)
        return Fill(
            f"f{self.fills}",
            order.client_order_id,
            order.symbol,
            order.side,
            order.quantity,
            self.price,
            fee,
            self.time.now_ms(),
        )

    def _open(self, order: Order, notional: Decimal) -> None:
        side = PositionSide.LONG if order.side is Side.BUY else PositionSide.SHORT
        known = self.positions.get(order.symbol)
        quantity, cost = order.quantity, notional
        if known is not None:
            quantity, cost = quantity + known.quantity, cost + known.quantity * known.entry_price
        self.positions[order.symbol] = PositionReport(
            order.symbol, side, quantity, cost / quantity, self.price, ZERO, 0
        )
        margin = notional / order.leverage
        self.margins[order.symbol] = self.margins.get(order.symbol, ZERO) + margin

    def _close(self, order: Order) -> None:
        held = self.positions.pop(order.symbol)
        share = order.quantity / held.quantity
        gain = held.side.sign * order.quantity * (self.price - held.entry_price)
        self.wallet += gain
        self.margins[order.symbol] *= 1 - share
        if share < 1:
            rest = held.quantity - order.quantity
            self.positions[order.symbol] = replace(held, quantity=rest)

    def _listed(self) -> list[PositionReport]:
        return [
            replace(
                p,
                mark_price=self.price,
                unrealized_pnl=p.side.sign * p.quantity * (self.price - p.entry_price),
            )
            for p in self.positions.values()
        ]

    async def _travel(self) -> None:
        if self.takes_s:
            await self.time.sleep(self.takes_s)

    async def _ask(self, what: str) -> None:
        self.asked[what] += 1
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure


@dataclass
class FakeMarket:
    """Public data of the same exchange; only the list of what is traded is ever asked for."""

    account: FakeAccount

    async def fetch_server_time(self) -> int:
        """Return a time."""
        return 0

    async def fetch_all_rules(self) -> dict[str, SymbolRules]:
        """Return the rules of what is traded."""
        self.account.asked["all_rules"] += 1
        if self.account.failure is not None:
            raise self.account.failure
        return {symbol: SymbolRules(symbol) for symbol in self.account.traded}

    async def fetch_candles(
        self, symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int
    ) -> CandleSeries:
        """Return nothing."""
        return CandleSeries.empty()

    async def fetch_funding_rates(
        self, symbol: str, *, first_ms: int, last_ms: int
    ) -> list[FundingRate]:
        """Return nothing."""
        return []

    async def fetch_book_ticker(self, symbol: str) -> BookTicker:
        """Return one price on both sides."""
        price = self.account.price
        return BookTicker(symbol, price, Decimal(1), price, Decimal(1), 0)

    async def fetch_mark_price(self, symbol: str) -> MarkPrice:
        """Return the price."""
        price = self.account.price
        return MarkPrice(symbol, price, price, ZERO, 0, 0)

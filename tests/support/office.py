"""A trader at work on an account that says only what the test lets it say, on virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from tests.support.exchanges import SilentExchange, status_news
from tests.support.trading import SYMBOL, dec
from tests.support.virtual_time import VirtualTime

from milobot.domain.alerts import Alert
from milobot.domain.intents import PositionSide
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderStatus, OrderUpdate, Refusal
from milobot.domain.reports import MarkPrice, OrderReport, PositionReport
from milobot.errors import ExchangeError
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.inquiry import Inquiry
from milobot.execution.reconciler import Reconciler
from milobot.execution.trader import AccountTrader, Parts
from milobot.ports import Books, ExchangeAccount, MarketData
from milobot.storage.memory import MemoryJournal


@dataclass
class TellingAccount(SilentExchange):
    """An account whose listings and answers about single orders the test writes down.

    Attributes:
        known: What it says of single orders, by our id.
        resting: What it lists as resting.
        held: What it lists as open.
        asked: Orders that were asked for, in order.
        listings: How often everything was listed.
        failure: What every question raises; None for none.
        hangs: Purposes of orders whose placement is never answered.
        refuses: Purposes of orders that are refused: there is nothing to reduce, it says.
    """

    news_of: dict[str, OrderUpdate] = field(default_factory=dict)
    resting: list[OrderReport] = field(default_factory=list)
    held: list[PositionReport] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    listings: int = 0
    failure: ExchangeError | None = None
    hangs: set[OrderPurpose] = field(default_factory=set)
    refuses: set[OrderPurpose] = field(default_factory=set)

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Remember the order; answer never, or with nothing."""
        self.placed.append(order)
        if order.purpose in self.hangs:
            await asyncio.Event().wait()
        if order.purpose in self.refuses:
            news = status_news(order, OrderStatus.REJECTED)
            return (replace(news, refusal=Refusal.NOTHING_TO_REDUCE),)
        return ()

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Return what is written down."""
        self._fail()
        self.asked.append(order.client_order_id)
        return self.news_of.get(order.client_order_id)

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return what rests."""
        self._fail()
        self.listings += symbol is None
        return [o for o in self.resting if symbol in {None, o.symbol}]

    async def fetch_positions(self) -> list[PositionReport]:
        """Return what is open."""
        self._fail()
        return self.held

    async def fetch_fills(
        self, symbol: str, *, first_ms: int | None = None, exchange_order_id: str = ""
    ) -> list[Fill]:
        """Return nothing: fills come as news here."""
        return []

    async def fetch_stranger(self, symbol: str, exchange_order_id: str) -> OrderUpdate | None:
        """Know nobody else's orders."""
        return None

    async def fetch_mark_price(self, symbol: str) -> MarkPrice:
        """Return the last price as the mark price."""
        price = self.last_price
        return MarkPrice(symbol, price, price, price - price, 0, 0)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class Office:
    """A trader with its account, journal and clock.

    Attributes:
        told: The alerts so far.
    """

    def __init__(
        self, journal: MemoryJournal | None = None, account: TellingAccount | None = None
    ) -> None:
        """Put the parts together; ``at_work`` starts them."""
        self.time, self.account = VirtualTime(), account or TellingAccount()
        self.journal = journal or MemoryJournal()
        self.told: list[Alert] = []
        # It answers what a trader asks, not all that an exchange can be asked.
        listening = cast(ExchangeAccount, self.account)
        self.engine = ExecutionEngine(listening, self.journal, self.time, EngineConfig())
        self.reconciler = Reconciler(
            name="paper:default",
            engine=self.engine,
            account=listening,
            market=cast(MarketData, self.account),
            journal=self.journal,
            clock=self.time,
            tell=self.told.append,
        )
        self.trader = AccountTrader(
            Parts(self.engine, listening, self.time, self.time.sleep, self.told.append),
            Inquiry(listening, self.journal, self.time),
            self.reconciler,
        )

    @asynccontextmanager
    async def at_work(self, known: Books | None = None) -> AsyncIterator[None]:
        """Start the trader and keep it running."""
        await self.trader.start(known or Books())
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.trader.run())
            await self.time.run_for(0.01)
            yield
            running.cancel()


def long_position(time_ms: int) -> PositionReport:
    """Return one coin held long, as the exchange tells it."""
    side, price = PositionSide.LONG, dec("100")
    return PositionReport(SYMBOL, side, dec("1"), price, price, dec("0"), time_ms)


def listed(order: Order) -> OrderReport:
    """Return what a listing tells of an order that rests."""
    return OrderReport(
        order.client_order_id,
        "x1",
        SYMBOL,
        order.side,
        order.type,
        OrderStatus.SUBMITTED,
        order.quantity,
        order.created_ms,
        trigger_price=order.trigger_price,
        close_position=order.close_position,
    )

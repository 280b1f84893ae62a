"""A view of a fake account on virtual time, and random trades on it."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from tests.support.fake_account import FakeAccount, FakeMarket
from tests.support.virtual_time import VirtualTime

from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.domain.orders import Order, OrderPurpose, OrderType
from milobot.domain.reports import AccountNews, MarginMode, MarkPrice, NewsKind, PositionNews
from milobot.errors import ExchangeUnavailableError
from milobot.exchanges.account_view import AccountView, ViewPlan
from milobot.exchanges.times import ExchangeClock

BTC, ETH = "BTCUSDT", "ETHUSDT"
ISOLATED = MarginMode.ISOLATED
AWAY = ExchangeUnavailableError("the exchange is away")


def entry(
    side: Side = Side.BUY,
    quantity: str = "1",
    *,
    symbol: str = BTC,
    name: str = "entry",
    leverage: int = 10,
) -> Order:
    """Return a market entry."""
    kind, amount = OrderType.MARKET, Decimal(quantity)
    return Order(name, "k", symbol, side, kind, OrderPurpose.ENTRY, amount, 0, leverage=leverage)


def close(
    side: Side = Side.SELL, quantity: str = "1", *, symbol: str = BTC, name: str = "close"
) -> Order:
    """Return a market order that can only reduce."""
    kind, amount = OrderType.MARKET, Decimal(quantity)
    return Order(name, "k", symbol, side, kind, OrderPurpose.CLOSE, amount, 0, reduce_only=True)


@dataclass
class Scene:
    """A view of a fake account."""

    time: VirtualTime
    account: FakeAccount
    view: AccountView

    def mark(self, symbol: str, price: str) -> None:
        """Let the price stream tell a mark price."""
        now_ms, value = self.time.now_ms(), Decimal(price)
        self.view.hear(MarkPrice(symbol, value, value, ZERO, 0, now_ms))

    async def trade(self, chance: random.Random, number: int) -> None:
        """Enter or close something at a new price; the stream tells of it, or not."""
        self.account.price = Decimal(chance.randint(80, 120))
        symbol = chance.choice((BTC, ETH))
        await self.view.fetch_last_price(symbol)
        held = self.account.positions.get(symbol)
        if held is None:
            quantity, leverage = str(chance.randint(1, 9)), chance.choice((1, 3, 20))
            await self.view.prepare_symbol(symbol, leverage=leverage, margin_mode=ISOLATED)
            side = chance.choice((Side.BUY, Side.SELL))
            await self._send(
                entry(side, quantity, symbol=symbol, name=f"e{number}", leverage=leverage)
            )
        else:
            part = chance.choice((held.quantity, held.quantity / 4))
            await self._send(close(held.side.exit, str(part), symbol=symbol, name=f"c{number}"))
        if chance.random() < 0.5:
            self.view.hear(self._news(symbol))

    async def _send(self, order: Order) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.view.place_order(order))
            await self.time.run_for(0.2)

    def _news(self, symbol: str) -> AccountNews:
        held = self.account.positions.get(symbol)
        side, quantity, entry_price = None, ZERO, Decimal(0)
        if held is not None:
            side, quantity, entry_price = held.side, held.quantity, held.entry_price
        return AccountNews(
            NewsKind.POSITION,
            self.time.now_ms(),
            symbol=symbol,
            wallet=self.account.wallet,
            positions=(PositionNews(symbol, side, quantity, entry_price),),
        )


async def begin(
    *,
    first: bool = True,
    held: str = "",
    plan: ViewPlan | None = None,
    is_measured: bool = False,
) -> Scene:
    """Return a view of an account, asked for once unless not ``first``.

    Args:
        first: Whether the account has been read.
        held: Quantity of a long BTCUSDT position at 100 with leverage 10; empty for none.
        plan: How the view keeps what it knows.
        is_measured: Whether the exchange's clock is known.
    """
    time = VirtualTime()
    account = FakeAccount(time)
    if held:
        await account.place_order(entry(quantity=held))
    clock = ExchangeClock(time)
    if is_measured:
        clock.learn(asked_ms=time.now_ms(), told_ms=time.now_ms(), received_ms=time.now_ms())
    view = AccountView(account, FakeMarket(account), clock, plan, sleep=time.sleep)
    if first:
        await view.fetch_account()
    return Scene(time, account, view)


@asynccontextmanager
async def running(scene: Scene) -> AsyncIterator[None]:
    """Keep the view fresh meanwhile."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(scene.view.run())
        await scene.time.run_for(0)
        yield
        task.cancel()

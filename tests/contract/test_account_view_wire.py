"""The account view over the wire, beside the exchange's own books."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

import pytest
from tests.support.account_scene import BTC, ETH, ISOLATED, close, entry
from tests.support.local_clients import Client, plain_client
from tests.support.wire import bars

from milobot.domain.intents import Side
from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.account_keeper import KeeperTimes
from milobot.exchanges.account_view import AccountView, ViewPlan
from milobot.exchanges.margin_holds import HoldTimes
from milobot.local_exchange.core.accounts import Account as Books
from milobot.local_exchange.core.timing import ClockMode
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, ExchangeSetup

WIRE = ("binance", "bingx")
# BingX tells balances with four digits.
TOLD = Decimal("0.0001")
SOON = ViewPlan(
    settings_apart_s=0.01,
    account=KeeperTimes(least_ms=50, holds=HoldTimes(settle_ms=100)),
)


@dataclass
class Desk:
    """A view of an account at a local exchange, fed by the account's stream."""

    is_quick: bool
    local: LocalExchange
    client: Client
    view: AccountView
    books: Books

    async def trade(self, chance: random.Random, number: int) -> None:
        """Enter, add to or close a position in one symbol."""
        symbol = chance.choice((BTC, ETH))
        book = self.books.books.get(symbol)
        price = await self.view.fetch_last_price(symbol)
        if book is None or book.position.is_flat:
            # BingX takes one change a second: there each symbol keeps its leverage.
            leverage = chance.choice((1, 2, 5)) if self.is_quick else 2
            await self.view.prepare_symbol(symbol, leverage=leverage, margin_mode=ISOLATED)
            side = chance.choice((Side.BUY, Side.SELL))
            amount = self.books.available * leverage * Decimal(chance.randint(2, 40)) / 100 / price
            quantity = str(amount.quantize(Decimal("0.01")))
            name = f"milo{number}e"
            order = entry(side, quantity, symbol=symbol, name=name, leverage=leverage)
        else:
            held = book.position
            parts = (held.quantity, (held.quantity / 2).quantize(Decimal("0.01")))
            quantity, name = str(chance.choice(parts)), f"milo{number}c"
            order = close(held.side.exit, quantity, symbol=symbol, name=name)
        await self.view.place_order(order)


@asynccontextmanager
async def desk_of(venue: str, plan: ViewPlan = SOON, seed: int = 0) -> AsyncIterator[Desk]:
    """Open an exchange and an account on it, with everything that feeds the view running."""
    setup = ExchangeSetup(
        candles={BTC: _walk(seed), ETH: _walk(seed + 1000)},
        timeframe=Timeframe.M1,
        dialects=(venue,),
        clock=ClockMode.WALL,
        has_limits=False,
    )
    async with LocalExchange(setup) as local, plain_client(venue, local) as client:
        await local.advance()
        view = AccountView(client.account, client.market, client.clock, plan)
        feed, prices = client.user_feed(), client.price_feed([BTC, ETH])

        async def listen() -> None:
            async for news in feed.news():
                view.hear(news)

        async def watch() -> None:
            async for price in prices.prices():
                view.hear(price)

        async with asyncio.TaskGroup() as group:
            works = (feed.run(), listen(), prices.run(), watch(), view.run())
            tasks = [group.create_task(work) for work in works]
            is_quick = venue == "binance"
            yield Desk(is_quick, local, client, view, local.venues[venue].accounts[DEFAULT_KEY])
            for task in tasks:
                task.cancel()


@pytest.mark.parametrize(
    ("venue", "seed", "trades"),
    [("binance", 0, 25), ("binance", 1, 25), ("binance", 2, 25), ("bingx", 3, 6)],
)
async def test_view_never_shows_more_than_the_exchange_has(
    venue: str, seed: int, trades: int
) -> None:
    """A series of trades at moving prices; at rest both tell the same to the last digit."""
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    async with desk_of(venue, seed=seed) as desk:
        for number in range(trades):
            await desk.trade(chance, number)
            assert (await desk.view.fetch_account()).available <= desk.books.available + TOLD
            await desk.local.advance(chance.choice((0, 1, 2)))
            assert (await desk.view.fetch_account()).available <= desk.books.available + TOLD
        await asyncio.sleep(0.8)
        seen = await desk.view.fetch_account()
        told = await desk.client.account.fetch_account()

    assert len(desk.books.executions) == trades
    assert (seen.wallet, seen.available) == (told.wallet, told.available)
    assert abs(seen.unrealized_pnl - told.unrealized_pnl) < TOLD * 2


async def test_entries_that_leave_together_do_not_count_on_the_same_margin() -> None:
    """Each of them sees the others' margin taken, though no answer has told of it."""
    async with desk_of("binance") as desk:
        for symbol in (BTC, ETH):
            await desk.view.prepare_symbol(symbol, leverage=2, margin_mode=ISOLATED)
            await desk.view.fetch_last_price(symbol)
        numbers = count()

        async def enter(symbol: str) -> Decimal:
            order = entry(quantity="6", symbol=symbol, name=f"milo{next(numbers)}", leverage=2)
            before = (await desk.view.fetch_account()).available
            await desk.view.place_order(order)
            return before

        first, second = await asyncio.gather(enter(BTC), enter(ETH))
        after = await desk.view.fetch_account()

    assert first == 10_000
    assert 6_900 < second < 7_000
    assert after.available <= desk.books.available


@pytest.mark.parametrize("venue", WIRE)
async def test_user_who_trades_by_hand_is_seen(venue: str) -> None:
    """What somebody else ties up is asked for as soon as the stream tells of it."""
    async with desk_of(venue, ViewPlan()) as desk:
        await desk.view.fetch_account()
        await asyncio.sleep(0.3)  # until the stream is there
        await desk.client.account.prepare_symbol(BTC, leverage=2, margin_mode=ISOLATED)
        await desk.client.account.place_order(entry(quantity="5", name="byhand", leverage=2))
        await asyncio.sleep(0.3)
        seen = await desk.view.fetch_account()

    assert seen.available <= desk.books.available + TOLD
    assert seen.available > 7_000


def _walk(seed: int) -> CandleSeries:
    """Return candles around 1,000 that move by up to a hundredth each."""
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    price, rows = 1_000.0, []
    for _ in range(80):
        end = round(price * (1 + chance.uniform(-0.01, 0.01)), 1)
        rows.append((price, max(price, end), min(price, end), end))
        price = end
    return bars(*rows)

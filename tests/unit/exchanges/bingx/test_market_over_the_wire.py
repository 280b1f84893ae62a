"""Candles, prices and accounts of the local exchange, read by the BingX client."""

import asyncio

import pytest
from tests.support.bingx_wire import (
    PRICE,
    client_of,
    our_entry,
    trading,
    until,
)
from tests.support.wire import START_MS, bars, flat_bars

from milobot.domain.orders import OrderStatus, Refusal
from milobot.domain.reports import ClosedCandle
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.errors import AuthenticationError, DataError
from milobot.local_exchange.core.accounts import Rights
from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET
from milobot.local_exchange.setup import Credentials as Account


async def test_closed_candles_come_once_and_in_order() -> None:
    """History by listing, the rest by stream; a dropped socket leaves no hole."""
    prices = [(PRICE + n, PRICE + n + 5, PRICE + n - 5, PRICE + n + 1) for n in range(12)]
    async with trading(bars(*prices), history=3) as desk:
        await desk.client.market.fetch_server_time()
        series = ("BTCUSDT", Timeframe.M1)
        feed = desk.client.candle_feed({series: START_MS})
        heard: list[ClosedCandle] = []

        async def listen() -> None:
            async for closed in feed.candles():
                heard.append(closed)  # noqa: PERF401 - it must be seen while it grows

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(feed.run()), group.create_task(listen())]
            await until(lambda: len(heard) >= 3)
            for step in range(10):
                await desk.exchange.advance()
                await desk.client.market.fetch_server_time()
                if step == 4:
                    await desk.exchange.drop_streams()
                    await until(lambda: feed._streams[0].health.connections == 2)
            await until(lambda: len(heard) >= 7)
            for task in tasks:
                task.cancel()

        times = [one.candle.time for one in heard]
        assert times == [START_MS + n * MINUTE_MS for n in range(len(times))]
        assert [one.candle.close for one in heard] == [p[3] for p in prices[: len(heard)]]


async def test_prices_come_as_they_change() -> None:
    """Mark price and book, the latest of each."""
    async with trading() as desk:
        feed = desk.client.price_feed(["BTCUSDT"])
        async with asyncio.TaskGroup() as group:
            running = group.create_task(feed.run())
            await until(lambda: bool(feed._streams and feed._streams[0].health.connections))
            prices = feed.prices()
            kinds: set[type] = set()
            while len(kinds) < 2:
                await desk.exchange.advance()
                async with asyncio.timeout(5):
                    price = await anext(prices)
                assert price.symbol == "BTCUSDT"
                kinds.add(type(price))
            running.cancel()


async def test_keys_and_accounts_that_do_not_fit_are_said_so() -> None:
    """Wrong key, rights, hedge mode, unknown symbol: one sentence each."""
    rights = Rights(can_trade=False, can_withdraw=True)
    account = Account(DEFAULT_KEY, DEFAULT_SECRET, rights)
    async with trading(flat_bars(4), credentials=(account,)) as desk:
        told = await desk.client.account.fetch_key_rights()
        (update,) = await desk.client.account.place_order(our_entry())
        with pytest.raises(DataError, match="did you mean BTCUSDT"):
            await desk.client.account.fetch_rules("BTCUSD")
        async with client_of(desk.exchange, "wrong") as stranger:
            with pytest.raises(AuthenticationError, match="apiKey"):
                await stranger.account.fetch_account()

        assert (told.can_trade, told.can_withdraw) == (False, True)
        assert (update.status, update.refusal) == (OrderStatus.REJECTED, Refusal.KEY)


async def test_hedge_mode_is_left() -> None:
    """Orders are refused in it; leaving it is one call."""
    async with trading(flat_bars(4)) as desk:
        venue = desk.exchange.venues["bingx"]
        venue.accounts[DEFAULT_KEY].is_hedged = True

        (update,) = await desk.client.account.place_order(our_entry())
        was_hedged = await desk.client.account.fetch_is_hedged()
        await desk.client.account.set_one_way()

        assert was_hedged
        assert (update.status, update.refusal) == (OrderStatus.REJECTED, Refusal.HEDGE_MODE)
        assert not await desk.client.account.fetch_is_hedged()

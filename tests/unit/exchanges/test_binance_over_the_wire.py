"""The whole Binance client over real sockets, against an exchange that was written apart from it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from tests.support.binance import entry, stop
from tests.support.wire import flat_bars, setup_of

from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType, OrderUpdate
from milobot.domain.reports import AccountNews, BookTicker, ClosedCandle, MarginMode, NewsKind
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.signing import Credentials
from milobot.exchanges.gateway import Timeouts
from milobot.exchanges.options import ClientOptions
from milobot.exchanges.streams import StreamPlan
from milobot.local_exchange.faults import parse_rule
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET
from milobot.ports import News

ISOLATED = MarginMode.ISOLATED
OPTIONS = ClientOptions(
    timeouts=Timeouts(order_s=0.15, query_s=1.0, download_s=2.0),
    plan=StreamPlan(reconnect_delay_s=0.05, stable_after_s=0.05),
)
TAKEN = {OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED}
NOT_TAKEN = {OrderStatus.REJECTED, OrderStatus.NOT_EXECUTED}
# Faults after which nobody on our side can know.
IN_DOUBT = {
    "timeout_after_accept", "timeout_before_accept", "drop_before", "drop_after",
    "late_execution", "cut_body", "empty_body", "empty_json", "truncated_json", "html",
    "endless_body", "huge_body", "http_error", "unknown_503", "unknown_1006", "timeout_1007",
    "maintenance", "-4116", "-1000",
}  # fmt: skip
IN_NO_DOUBT = {
    "latency", "invisible", "partial_fill", "unavailable_503", "overload_503", "internal_503",
    "rate_limited", "banned", "-1015", "-1021", "-2011", "-2019", "-2021", "-2022", "-4061",
    "-4118", "-4120", "-4130", "-4131", "-4161", "-4509",
}  # fmt: skip


@dataclass
class Desk:
    """A client, its exchange, and what its streams have told so far."""

    exchange: LocalExchange
    client: BinanceClient
    news: list[News] = field(default_factory=list)
    candles: list[ClosedCandle] = field(default_factory=list)

    async def until(self, is_there: Any) -> None:
        """Wait until something has happened, three seconds at most."""
        async with asyncio.timeout(3):
            while not is_there():  # noqa: ASYNC110 - it is the other side's doing
                await asyncio.sleep(0.01)

    def statuses(self, client_order_id: str) -> list[OrderStatus]:
        """Return what the stream said of an order."""
        return [
            n.status
            for n in self.news
            if isinstance(n, OrderUpdate) and n.client_order_id == client_order_id
        ]


@asynccontextmanager
async def trading(**more: Any) -> AsyncIterator[Desk]:
    setup = setup_of(flat_bars(40), history=10, dialects=("binance",), has_limits=False, **more)
    async with LocalExchange(setup) as exchange:
        hosts = BinanceHosts.at(exchange.binance_url)
        key = Credentials(DEFAULT_KEY, DEFAULT_SECRET)
        async with BinanceClient(hosts, key, OPTIONS) as client:
            yield Desk(exchange, client)


@asynccontextmanager
async def listening(desk: Desk) -> AsyncIterator[None]:
    user = desk.client.user_feed()
    feed = desk.client.candle_feed({("BTCUSDT", Timeframe.M1): None})

    async def news() -> None:
        async for one in user.news():
            desk.news.append(one)

    async def candles() -> None:
        async for one in feed.candles():
            desk.candles.append(one)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in (user.run(), feed.run(), news(), candles())]
        await asyncio.sleep(0.1)
        yield
        for task in tasks:
            task.cancel()


async def test_a_trade_from_settings_to_stop() -> None:
    """Everything a live bot does in a day, once, over HTTP and both kinds of sockets."""
    async with trading() as desk, listening(desk):
        account = desk.client.account
        settings = await account.prepare_symbol("BTCUSDT", leverage=10, margin_mode=ISOLATED)
        rules = await account.fetch_rules("BTCUSDT")
        (bought,) = await account.place_order(entry("0.010"))
        (rests,) = await account.place_order(stop("39000"))
        (listed,) = await account.fetch_open_orders("BTCUSDT")
        (position,) = await account.fetch_positions()

        await desk.exchange.move_price("BTCUSDT", Decimal(38_900))
        await desk.until(lambda: OrderStatus.FILLED in desk.statuses("milo2"))
        stopped = await account.fetch_update(stop("39000"))

        assert (settings.leverage, settings.margin_mode) == (10, ISOLATED)
        assert rules.brackets
        assert (bought.status, bought.fills[0].quantity) == (OrderStatus.FILLED, Decimal("0.010"))
        assert rests.status is OrderStatus.SUBMITTED
        assert (listed.client_order_id, listed.close_position) == ("milo2", True)
        assert (position.quantity, position.leverage) == (Decimal("0.010"), 10)
        assert stopped is not None
        assert (stopped.status, len(stopped.fills)) == (OrderStatus.FILLED, 1)
        assert await account.fetch_positions() == []
        assert (await account.fetch_account()).wallet < Decimal(10_000)
        assert {income.kind for income in await account.fetch_income(
            first_ms=0, last_ms=desk.client.clock.now_ms() + 1
        )} >= {"fee", "realized_pnl"}  # fmt: skip


async def test_streams_come_back_and_lose_no_candle() -> None:
    """Sockets drop while candles close; the listing fills in what was missed."""
    async with trading() as desk, listening(desk):
        await desk.exchange.advance(4)
        await desk.until(lambda: len(desk.candles) >= 1)
        await desk.exchange.drop_streams()
        await desk.exchange.advance(8)
        await desk.until(lambda: any(isinstance(n, AccountNews) for n in desk.news))
        await desk.until(lambda: len(desk.candles) >= 5)

        times = [one.candle.time for one in desk.candles]
        assert times == list(range(times[0], times[0] + len(times) * 60_000, 60_000))
        assert isinstance(desk.news[0], AccountNews)
        assert desk.news[0].kind is NewsKind.RECONNECTED


async def test_an_expired_listen_key_is_replaced() -> None:
    """After it the next order is heard of again."""
    async with trading() as desk, listening(desk):
        await desk.exchange.expire_listen_keys()
        await desk.until(lambda: len(desk.news) > 0)
        await desk.client.account.place_order(entry("0.010"))

        await desk.until(lambda: OrderStatus.FILLED in desk.statuses("milo1"))


async def test_prices_are_fresh() -> None:
    """Mark price and book come over two connections, as the exchange routes them."""
    async with trading() as desk:
        feed = desk.client.price_feed(["BTCUSDT"])
        async with asyncio.TaskGroup() as group:
            task = group.create_task(feed.run())
            await asyncio.sleep(0.1)
            await desk.exchange.move_price("BTCUSDT", Decimal(41_000))
            seen: dict[type, Any] = {}
            async with asyncio.timeout(3):
                async for price in feed.prices():
                    seen[type(price)] = price
                    if len(seen) == 2:
                        break
            task.cancel()

        assert seen[BookTicker].bid_price == 41_000


async def test_market_data_needs_no_key() -> None:
    """Paper trading on production's candles asks nobody for a key."""
    async with trading() as desk:
        hosts = BinanceHosts.at(desk.exchange.binance_url)
        async with BinanceClient(hosts) as client:
            candles = await client.market.fetch_candles(
                "BTCUSDT", Timeframe.M1, first_ms=None, limit=3
            )
            mark = await client.market.fetch_mark_price("BTCUSDT")
            rates = await client.market.fetch_funding_rates("BTCUSDT", first_ms=0, last_ms=1)

            assert len(candles) > 0
            assert mark.mark_price == 40_000
            assert rates == []


def moved_stop(number: int) -> Order:
    return replace(stop("39000", client_order_id=f"s{number}"), close_position=False)


@pytest.mark.parametrize("fault", sorted(IN_DOUBT | IN_NO_DOUBT))
@pytest.mark.parametrize("purpose", [OrderPurpose.ENTRY, OrderPurpose.STOP])
async def test_classification_agrees_with_the_ledger(fault: str, purpose: OrderPurpose) -> None:
    """What was executed is never called refused, and what was refused never called taken."""
    async with trading() as desk:
        account = desk.client.account
        await desk.client.market.fetch_server_time()
        await account.place_order(entry("0.010", client_order_id="first"))
        desk.exchange.plan.extend([parse_rule({"fault": fault, "on": "place*"})])
        order = entry("0.010") if purpose is OrderPurpose.ENTRY else moved_stop(1)

        (update,) = await account.place_order(order)

        await desk.exchange.elapse(5000)
        requests = desk.exchange.ledger()["requests"]
        sent = [row for row in requests if row["call"].startswith("place")][1:]
        assert len(sent) == 1
        executed = sent[0]["executed"]
        assert update.status in ({*TAKEN, OrderStatus.UNKNOWN} if executed else
                                 {*NOT_TAKEN, OrderStatus.UNKNOWN})  # fmt: skip
        assert (update.status is OrderStatus.UNKNOWN) is (fault in IN_DOUBT)
        assert order.type in {OrderType.MARKET, OrderType.STOP_MARKET}

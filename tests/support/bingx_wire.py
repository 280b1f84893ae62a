"""A BingX client that trades on the local exchange, written apart from it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.support.bingx import entry, stop
from tests.support.wire import START_MS, bars, setup_of

from milobot.domain.market import CandleSeries
from milobot.domain.orders import Order, OrderPurpose, OrderType, OrderUpdate
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.signing import Credentials
from milobot.exchanges.gateway import Timeouts
from milobot.exchanges.options import ClientOptions
from milobot.exchanges.streams import StreamPlan
from milobot.local_exchange.faults import parse_rule_text
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET
from milobot.ports import News

PRICE = 40_000.0
FALLING = bars((PRICE,) * 4, (PRICE, PRICE, 38_900.0, 38_950.0), *[(38_950.0,) * 4] * 5)
STOP_AT, TARGET_AT = Decimal(39_000), Decimal(41_000)


@dataclass
class Desk:
    """A client and the exchange that it trades on."""

    exchange: LocalExchange
    client: BingxClient
    heard: list[News] = field(default_factory=list)

    def strike(self, text: str) -> None:
        """Plan a fault."""
        self.exchange.plan.extend([parse_rule_text(text)])

    def truth(self) -> dict[str, Any]:
        """Return what the account really holds."""
        (account,) = self.exchange.ledger()["accounts"]
        return dict(account)

    def resting_stops(self) -> int:
        """Return how many stops really rest."""
        return sum(one["status"] == "NEW" for one in self.truth()["conditionals"])

    def updates(self, client_order_id: str) -> list[OrderUpdate]:
        """Return the news heard of an order."""
        return [
            news
            for news in self.heard
            if isinstance(news, OrderUpdate) and news.client_order_id == client_order_id
        ]


def options() -> ClientOptions:
    """Return options with which nobody waits for long."""
    timeouts = Timeouts(order_s=0.4, query_s=1.0, download_s=1.0)
    return ClientOptions(timeouts=timeouts, plan=StreamPlan(reconnect_delay_s=0.05))


def client_of(exchange: LocalExchange, key: str = DEFAULT_KEY) -> BingxClient:
    """Return a client of an exchange."""
    hosts = BingxHosts.at(exchange.bingx_url)
    return BingxClient(hosts, Credentials(key, DEFAULT_SECRET), options())


@asynccontextmanager
async def trading(candles: CandleSeries = FALLING, **more: Any) -> AsyncIterator[Desk]:
    """Yield a client and its exchange, on which one candle has closed."""
    setup = setup_of(candles, dialects=("bingx",), heartbeat_s=0.05, **more)
    async with LocalExchange(setup) as exchange:
        await exchange.advance()
        async with client_of(exchange) as client:
            yield Desk(exchange, client)


@asynccontextmanager
async def listening(desk: Desk) -> AsyncIterator[None]:
    """Let a desk hear the news of its account."""
    feed = desk.client.user_feed()

    async def listen() -> None:
        async for news in feed.news():
            desk.heard.append(news)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(feed.run()), group.create_task(listen())]
        await until(lambda: feed._stream is not None and feed._stream.health.connections > 0)
        yield
        for task in tasks:
            task.cancel()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, for ten seconds at most."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - the exchange has no event to wait for
            await asyncio.sleep(0.01)


def our_entry(**more: Any) -> Order:
    """Return an entry of now, on the exchange's clock."""
    return entry(created_ms=START_MS, **more)


def our_stop(trigger: Decimal = STOP_AT, **more: Any) -> Order:
    """Return the stop of that entry."""
    return stop(str(trigger), created_ms=START_MS, **more)


def our_target(**more: Any) -> Order:
    """Return its target."""
    terms = {
        "client_order_id": "milo3",
        "type": OrderType.TAKE_PROFIT_MARKET,
        "purpose": OrderPurpose.TARGET,
        "close_position": False,
        **more,
    }
    return our_stop(TARGET_AT, **terms)

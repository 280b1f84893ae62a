"""Send orders for a real minute, 10 a second on Binance and 8 on BingX; nothing may wait.

The local exchange runs in a process of its own, with the budgets and headers of the real
ones. The orders are those of set-ups: a limit entry, a stop and a target in turn, one request
each. Exits may use a whole budget, entries four fifths; BingX allows 10 a second, so entries
alone could not keep up 8 a second evenly. Limits: every order taken, no wait by the limiter.
"""

import asyncio
import statistics
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal

from milobot.app.exchange_process import ExchangeAddress, local_exchange
from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.signing import Credentials as BinanceKey
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.signing import Credentials as BingxKey
from milobot.exchanges.options import ClientOptions

SECONDS = 60
SYMBOL = "BTCUSDT"
RATES = {"binance": 10, "bingx": 8}
Client = BinanceClient | BingxClient


@dataclass
class Waits:
    """Sleeps that a client asked for: on this path only its limiter does."""

    seconds: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Note and sleep."""
        self.seconds.append(seconds)
        await asyncio.sleep(seconds)


@dataclass
class Tally:
    """What became of the orders of one client."""

    taken_ms: list[float] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def _order(number: int) -> Order:
    """Return an entry, a stop or a target that rests far from the market."""
    name, made = f"milo{number}", 0
    quantity, away = Decimal("0.010"), Decimal(number)
    if number % 3 == 0:
        kind, purpose, price = OrderType.LIMIT, OrderPurpose.ENTRY, Decimal(10_000)
        return Order(name, "k", SYMBOL, Side.BUY, kind, purpose, quantity, made, price=price)
    is_stop = number % 3 == 1
    return Order(
        name,
        "k",
        SYMBOL,
        Side.SELL,
        OrderType.STOP_MARKET if is_stop else OrderType.TAKE_PROFIT_MARKET,
        OrderPurpose.STOP if is_stop else OrderPurpose.TARGET,
        quantity,
        made,
        reduce_only=True,
        trigger_price=Decimal(10_000) + away if is_stop else Decimal(900_000) - away,
    )


async def order(client: Client, number: int, tally: Tally) -> None:
    """Send one order that rests, and note what became of it."""
    wanted = _order(number)
    start = time.perf_counter()
    (news,) = await client.account.place_order(wanted)
    if news.status is OrderStatus.SUBMITTED:
        tally.taken_ms.append((time.perf_counter() - start) * 1000)
    else:
        tally.others.append(f"{news.status}: {news.reason}")


async def drive(name: str, client: Client, waits: Waits) -> bool:
    """Send at an even pace for a minute; print the result, return whether it is met."""
    rate, tally = RATES[name], Tally()
    await client.market.fetch_server_time()
    settings = await client.account.fetch_symbol_settings(SYMBOL)
    await client.account.prepare_symbol(SYMBOL, leverage=50, margin_mode=settings.margin_mode)
    kind, purpose, quantity = OrderType.MARKET, OrderPurpose.ENTRY, Decimal(1)
    entry = Order("held", "k", SYMBOL, Side.BUY, kind, purpose, quantity, 0)
    await client.account.place_order(entry)  # what the exits are for
    waits.seconds.clear()
    loop = asyncio.get_running_loop()
    start = loop.time() + 1.5  # the settings have left the window of a second
    async with asyncio.TaskGroup() as group:
        for number in range(rate * SECONDS):
            await asyncio.sleep(start + number / rate - loop.time())
            group.create_task(order(client, number, tally))
    took = loop.time() - start
    p95 = statistics.quantiles(tally.taken_ms, n=20)[-1]
    longest = max(waits.seconds, default=0.0) * 1000
    is_met = len(tally.taken_ms) == rate * SECONDS and not waits.seconds
    print(
        f"{name}: {len(tally.taken_ms)} of {rate * SECONDS} orders taken in {took:.1f} s"
        f" ({rate}/s), p50 {statistics.median(tally.taken_ms):.1f} ms, p95 {p95:.1f} ms;"
        f" {len(waits.seconds)} waits by the limiter, the longest {longest:.0f} ms:"
        f" {'met' if is_met else 'MISSED'}"
    )
    for other in tally.others[:3]:
        print(f"  not taken: {other}")
    return is_met


async def main() -> int:
    """Drive both at the same time, on one exchange that speaks both; 1 when a limit is missed."""
    flags = ["--dialect", "both", "--market", "1", "--days", "2", "--symbol", SYMBOL,
             "--lock-step", "--port", "0", "--wallet", "1000000"]  # fmt: skip
    async with local_exchange(flags) as exchange, asyncio.TaskGroup() as group:
        runs = [
            group.create_task(_run("binance", _binance(exchange, binance := Waits()), binance)),
            group.create_task(_run("bingx", _bingx(exchange, bingx := Waits()), bingx)),
        ]
    return int(not all(run.result() for run in runs))


async def _run(name: str, client: Client, waits: Waits) -> bool:
    async with client:
        return await drive(name, client, waits)


def _binance(exchange: ExchangeAddress, waits: Waits) -> BinanceClient:
    key = BinanceKey(exchange.api_key, exchange.secret)
    options = ClientOptions(sleep=waits.sleep)
    return BinanceClient(BinanceHosts.at(exchange.url), key, options)


def _bingx(exchange: ExchangeAddress, waits: Waits) -> BingxClient:
    key = BingxKey(exchange.api_key, exchange.secret)
    return BingxClient(BingxHosts.at(exchange.url), key, ClientOptions(sleep=waits.sleep))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

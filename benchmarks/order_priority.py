"""Measure how soon an order leaves while twenty candle downloads are queued before it.

The server answers each download after 0.4 s, so the queue lasts for seconds; the moment at
which an order reaches it is compared with the moment of the call. The yardstick is the same
order with nothing queued. Limit: 50 ms.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import aiohttp

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.signing import Credentials as BinanceKey
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.signing import Credentials as BingxKey

DOWNLOADS = 20
ORDERS = 8
APART_S = 0.25
LIMIT_MS = 50.0
Client = BinanceClient | BingxClient


async def delays_ms(client: Client, base: str) -> list[float]:
    """Return milliseconds from each call to the order's arrival."""
    called = []
    for number in range(ORDERS):
        order = Order(
            f"milo{number}", "k", "BTCUSDT", Side.BUY, OrderType.LIMIT, OrderPurpose.ENTRY,
            Decimal("0.010"), 0, price=Decimal("40000.1"),
        )  # fmt: skip
        called.append(time.monotonic())
        (news,) = await client.account.place_order(order)
        if news.status is not OrderStatus.SUBMITTED:
            raise RuntimeError(f"the order was not taken: {news}")
        await asyncio.sleep(APART_S)
    async with aiohttp.ClientSession() as session, session.get(f"{base}/arrivals") as answer:
        arrivals = [at for path, at in await answer.json() if path.endswith("order")]
    return [(at - start) * 1000 for start, at in zip(called, arrivals, strict=True)]


async def compare(client: Client, base: str, name: str) -> bool:
    """Measure with an empty queue and with a full one; print both, return whether it is met."""
    await client.market.fetch_server_time()
    free = await delays_ms(client, base)
    async with asyncio.TaskGroup() as group:
        queued = [
            group.create_task(
                client.market.fetch_candles("BTCUSDT", Timeframe.M1, first_ms=None, limit=1000)
            )
            for _ in range(DOWNLOADS)
        ]
        await asyncio.sleep(0.1)
        behind = await delays_ms(client, base)
        left = sum(not task.done() for task in queued)
        if not left:
            raise RuntimeError("the downloads had ended before the last order left")
    worst, ratio = max(behind), statistics.median(behind) / statistics.median(free)
    print(
        f"{name}: an order behind {DOWNLOADS} downloads reaches the exchange after"
        f" {statistics.median(behind):.1f} ms, {worst:.1f} ms at most ({left} still queued at the"
        f" end); with nothing queued {statistics.median(free):.1f} ms ({ratio:.1f} times);"
        f" limit {LIMIT_MS:.0f} ms: {'met' if worst <= LIMIT_MS else 'MISSED'}"
    )
    return worst <= LIMIT_MS


async def run(base: str) -> bool:
    """Measure both clients, one after the other; return whether both are within the limit."""
    async with BinanceClient(BinanceHosts.at(base), BinanceKey("key", "secret")) as usd_m:
        first = await compare(usd_m, base, "binance")
    async with BingxClient(BingxHosts.at(base), BingxKey("key", "secret")) as swap:
        return await compare(swap, base, "bingx") and first


def main() -> int:
    """Run the server beside us; 1 when a limit is missed."""
    script = Path(__file__).with_name("_order_server.py")
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        if server.stdout is None or server.stdin is None:
            raise RuntimeError("the server has no pipes")
        try:
            is_met = asyncio.run(run(f"http://127.0.0.1:{server.stdout.readline().strip()}"))
        finally:
            server.stdin.close()
            server.wait(5)
    return int(not is_met)


if __name__ == "__main__":
    sys.exit(main())

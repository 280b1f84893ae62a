"""Measure what a client adds to an order: ours, raw aiohttp with HMAC, and ccxt.

All three send the same limit order to the same server in another process, taking turns in
every order of turns, so that each meets the same machine and the same neighbour. Limit: 1.3
times raw, p50, from the call to the parsed answer. The processor time of this process is
printed beside it: where others keep the machine busy, waiting for the server hides what a
client costs, and that does not. An order that fills costs a second request for its fills,
which is counted apart: it is sent after the order, not before.
"""

import asyncio
import hashlib
import hmac
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import ccxt.async_support as ccxt
import orjson
from yarl import URL

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.exchanges.binance import client as binance
from milobot.exchanges.binance import requests as binance_requests
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.signing import Credentials as BinanceKey
from milobot.exchanges.bingx import client as bingx
from milobot.exchanges.bingx import requests as bingx_requests
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.signing import Credentials as BingxKey
from milobot.exchanges.limits import Limit

ROUNDS = 1200
WARM_UP = 100
LIMIT_RATIO = 1.3
SYMBOL = "BTC/USDT:USDT"
BINANCE_MARKET = {
    "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING",
    "deliveryDate": 4133404800000, "onboardDate": 1569398400000, "baseAsset": "BTC",
    "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": 2, "quantityPrecision": 3,
    "underlyingType": "COIN", "contractSize": 1, "orderTypes": ["LIMIT", "MARKET"],
    "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.1", "maxPrice": "9999999", "tickSize": "0.1"},
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
    ],
}  # fmt: skip
BINGX_MARKET = {
    "contractId": "100", "symbol": "BTC-USDT", "size": "0.0001", "quantityPrecision": 4,
    "pricePrecision": 1, "feeRate": 0.0005, "makerFeeRate": 0.0002, "takerFeeRate": 0.0005,
    "tradeMinLimit": 0, "tradeMinQuantity": 0.0001, "tradeMinUSDT": 2, "currency": "USDT",
    "asset": "BTC", "status": 1, "apiStateOpen": "true", "apiStateClose": "true",
}  # fmt: skip
Send = Callable[[int], Awaitable[None]]


def limit_order(number: int) -> Order:
    """Return an order that rests."""
    return Order(
        f"milo{number}",
        "k",
        "BTCUSDT",
        Side.BUY,
        OrderType.LIMIT,
        OrderPurpose.ENTRY,
        Decimal("0.010"),
        0,
        price=Decimal("40000.1"),
    )


def _lift(limiter: Any, limits: tuple[Limit, ...]) -> None:
    """Let the limiter count, and hold nothing back: what is measured here is not its waiting."""
    for limit in limits:
        limiter.set_limit(Limit(limit.name, 10**9, limit.window_ms))


def ours(client: binance.BinanceClient | bingx.BingxClient) -> Send:
    """Return a sender through our client."""
    orders = [limit_order(number) for number in range(ROUNDS + WARM_UP)]  # the engine's work

    async def send(number: int) -> None:
        (news,) = await client.account.place_order(orders[number])
        if news.status is not OrderStatus.SUBMITTED:
            raise RuntimeError(f"the order was not taken: {news}")

    return send


def raw(session: aiohttp.ClientSession, base: str, *, is_bingx: bool) -> Send:
    """Return a sender that signs and posts, and reads the answer, with nothing around it."""
    path = "/openApi/swap/v2/trade/order" if is_bingx else "/fapi/v1/order"
    name = "clientOrderId" if is_bingx else "newClientOrderId"
    header = "X-BX-APIKEY" if is_bingx else "X-MBX-APIKEY"
    symbol = "BTC-USDT" if is_bingx else "BTCUSDT"
    more = {} if is_bingx else {"newOrderRespType": "RESULT"}

    async def send(number: int) -> None:
        query = urlencode(
            {
                "symbol": symbol,
                "side": "BUY",
                "type": "LIMIT",
                "positionSide": "BOTH",
                name: f"raw{number}",
                "quantity": "0.010",
                "price": "40000.1",
                "timeInForce": "GTC",
                **more,
                "recvWindow": "2000",
                "timestamp": str(time.time_ns() // 1_000_000),
            }
        )
        digest = hmac.new(b"secret", query.encode(), hashlib.sha256).hexdigest()
        query = f"{query}&signature={digest}"
        headers, body = {header: "key"}, None
        url = f"{base}{path}"
        if is_bingx:
            url = f"{url}?{query}"
        else:  # Binance takes orders as forms, and so do we and ccxt
            headers["Content-Type"], body = "application/x-www-form-urlencoded", query
        async with session.post(URL(url, encoded=True), headers=headers, data=body) as answer:
            orjson.loads(await answer.read())

    return send


def theirs(exchange: Any, name: str) -> Send:
    """Return a sender through ccxt."""

    async def send(number: int) -> None:
        await exchange.create_order(SYMBOL, "limit", "buy", 0.01, 40000.1, {name: f"ccxt{number}"})

    return send


def oracle(name: str, base: str) -> Any:
    """Return ccxt on the server, with one market and no limiter, as exchanges.md advises."""
    keys = {"apiKey": "key", "secret": "secret", "enableRateLimit": False}
    if name == "binance":
        exchange = ccxt.binanceusdm(keys)
        for key in exchange.urls["api"]:
            if key.startswith("fapi"):
                version = key[-2:].lower() if key[-2:] in {"V2", "V3"} else "v1"
                exchange.urls["api"][key] = f"{base}/fapi/{version}"
        exchange.set_markets([exchange.parse_market(BINANCE_MARKET)])
        return exchange
    exchange = ccxt.bingx(keys)
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], f"{base}/openApi")
    exchange.set_markets([exchange.parse_market(BINGX_MARKET)])
    return exchange


@dataclass(slots=True)
class Cost:
    """What each order cost, in microseconds: on the clock, and of the processor."""

    took: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)


async def measure(senders: dict[str, Send]) -> dict[str, Cost]:
    """Return what orders cost each sender; they take turns, and who follows whom changes."""
    costs = {name: Cost() for name in senders}
    orders = list(itertools.permutations(senders))
    for number in range(ROUNDS + WARM_UP):
        for name in orders[number % len(orders)]:
            start, worked = time.perf_counter_ns(), time.thread_time_ns()
            await senders[name](number)
            if number >= WARM_UP:
                costs[name].took.append((time.perf_counter_ns() - start) / 1e3)
                costs[name].worked.append((time.thread_time_ns() - worked) / 1e3)
    return costs


def report(dialect: str, costs: dict[str, Cost]) -> bool:
    """Print p50 and p95 of each, the ratios and the verdict; return whether it is met."""
    middle = {name: statistics.median(cost.took) for name, cost in costs.items()}
    for name, cost in costs.items():
        p95 = statistics.quantiles(cost.took, n=20)[-1]
        ratio = middle[name] / middle["raw"]
        print(
            f"{dialect}, {name}: p50 {middle[name]:.0f} us, p95 {p95:.0f} us, {ratio:.2f} times"
            f" raw; processor p50 {statistics.median(cost.worked):.0f} us"
        )
    ratio = middle["milobot"] / middle["raw"]
    print(
        f"{dialect}: {ratio:.2f} times raw, {middle['milobot'] / middle['ccxt']:.2f} times ccxt;"
        f" limit {LIMIT_RATIO} times raw: {'met' if ratio <= LIMIT_RATIO else 'MISSED'}"
    )
    return ratio <= LIMIT_RATIO


async def compare(base: str) -> bool:
    """Measure both dialects; return whether both are within the limit."""
    is_met = True
    async with (
        aiohttp.ClientSession() as session,
        binance.BinanceClient(BinanceHosts.at(base), BinanceKey("key", "secret")) as usd_m,
        bingx.BingxClient(BingxHosts.at(base), BingxKey("key", "secret")) as swap,
    ):
        _lift(usd_m.limiter, binance_requests.LIMITS)
        _lift(swap.limiter, bingx_requests.LIMITS)
        for dialect, client in (("binance", usd_m), ("bingx", swap)):
            exchange = oracle(dialect, base)
            senders = {
                "raw": raw(session, base, is_bingx=dialect == "bingx"),
                "milobot": ours(client),
                "ccxt": theirs(
                    exchange, "newClientOrderId" if dialect == "binance" else "clientOrderID"
                ),
            }
            is_met &= report(dialect, await measure(senders))
            await exchange.close()
    return is_met


def main() -> int:
    """Run the server beside us and compare; 1 when a limit is missed."""
    script = Path(__file__).with_name("_order_server.py")
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        if server.stdout is None or server.stdin is None:
            raise RuntimeError("the server has no pipes")
        try:
            is_met = asyncio.run(compare(f"http://127.0.0.1:{server.stdout.readline().strip()}"))
        finally:
            server.stdin.close()
            server.wait(5)
    return int(not is_met)


if __name__ == "__main__":
    sys.exit(main())

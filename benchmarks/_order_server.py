"""A server for the benchmarks: answers orders at once and candles late, notes when each came.

It does as little as an answer takes, so that what is measured is the client. It prints its
port and ends when its input does. Times are of the monotonic clock, which processes share.
"""

import asyncio
import sys
import time

import orjson
from aiohttp import web

_CANDLES_S = 0.4
_START_MS = 1_700_000_000_000


class Server:
    """Answers in both dialects."""

    def __init__(self) -> None:
        """Start with no arrivals."""
        self.arrivals: list[tuple[str, float]] = []
        self._orders = 8_389_765_000_000_000_000

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        bingx = "/openApi/swap"
        return [
            web.get("/arrivals", self.told),
            web.get("/fapi/v1/time", self.binance_time),
            web.post("/fapi/v1/order", self.binance_order),
            web.get("/fapi/v1/klines", self.binance_candles),
            web.get(f"{bingx}/v2/server/time", self.bingx_time),
            web.post(f"{bingx}/v2/trade/order", self.bingx_order),
            web.get(f"{bingx}/v3/quote/klines", self.bingx_candles),
            web.get(f"{bingx}/v2/quote/klines", self.bingx_candles),
        ]

    async def told(self, _request: web.Request) -> web.Response:
        """Return and forget the arrivals."""
        told, self.arrivals = self.arrivals, []
        return _json(told)

    async def binance_time(self, _request: web.Request) -> web.Response:
        """Return the time."""
        return _json({"serverTime": time.time_ns() // 1_000_000})

    async def binance_order(self, request: web.Request) -> web.Response:
        """Take an order; it rests."""
        asked = await self._asked(request)
        self._orders += 1
        return _json(
            {
                "orderId": self._orders,
                "symbol": asked["symbol"],
                "status": "NEW",
                "clientOrderId": asked["newClientOrderId"],
                "price": asked["price"],
                "avgPrice": "0.00",
                "origQty": asked["quantity"],
                "executedQty": "0",
                "cumQty": "0",
                "cumQuote": "0",
                "timeInForce": "GTC",
                "type": "LIMIT",
                "reduceOnly": False,
                "closePosition": False,
                "side": asked["side"],
                "positionSide": "BOTH",
                "stopPrice": "0",
                "workingType": "CONTRACT_PRICE",
                "priceProtect": False,
                "origType": "LIMIT",
                "updateTime": time.time_ns() // 1_000_000,
            }
        )

    async def binance_candles(self, request: web.Request) -> web.Response:
        """Return one candle, late."""
        await self._asked(request)
        await asyncio.sleep(_CANDLES_S)
        row = [_START_MS, "1", "1", "1", "1", "1", _START_MS + 59_999, "1", 1, "1", "1", "0"]
        return _json([row])

    async def bingx_time(self, _request: web.Request) -> web.Response:
        """Return the time."""
        return _json({"code": 0, "msg": "", "data": {"serverTime": time.time_ns() // 1_000_000}})

    async def bingx_order(self, request: web.Request) -> web.Response:
        """Take an order; it rests."""
        asked = await self._asked(request)
        self._orders += 1
        name = asked.get("clientOrderId") or asked.get("clientOrderID") or ""
        order = {
            "orderId": self._orders,
            "symbol": asked["symbol"],
            "positionSide": "BOTH",
            "side": asked["side"],
            "type": asked["type"],
            "price": float(asked["price"]),
            "quantity": float(asked["quantity"]),
            "stopPrice": 0,
            "workingType": "",
            "clientOrderId": name,
            "clientOrderID": name,
            "timeInForce": "GTC",
        }
        return _json({"code": 0, "msg": "", "data": {"order": order}})

    async def bingx_candles(self, request: web.Request) -> web.Response:
        """Return one candle, late."""
        await self._asked(request)
        await asyncio.sleep(_CANDLES_S)
        row = {"open": "1", "close": "1", "high": "1", "low": "1", "volume": "1", "time": _START_MS}
        return _json({"code": 0, "msg": "", "data": [row]})

    async def _asked(self, request: web.Request) -> dict[str, str]:
        self.arrivals.append((request.path, time.monotonic()))
        return {**request.query, **(await request.post())}  # type: ignore[dict-item]  # no files


def _json(payload: object) -> web.Response:
    return web.Response(body=orjson.dumps(payload), content_type="application/json")


async def main() -> None:
    """Serve on a free port until the input ends."""
    application = web.Application()
    application.add_routes(Server().routes())
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())

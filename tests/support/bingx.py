"""A BingX client over a transport without a network."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.support.fake_transport import FakeTransport, reply
from tests.support.virtual_time import VirtualTime

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderType, Refusal
from milobot.exchanges.bingx import market_mapping, market_requests, requests
from milobot.exchanges.bingx.account import BingxAccount
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.exchanges.bingx.market import BingxMarket
from milobot.exchanges.bingx.orders import BingxOrders
from milobot.exchanges.bingx.outcomes import DIALECT
from milobot.exchanges.bingx.signing import BingxSigner, Credentials
from milobot.exchanges.bingx.usage import LearningTransport
from milobot.exchanges.breaker import CircuitBreaker
from milobot.exchanges.gateway import Gateway, GatewayParts
from milobot.exchanges.limits import DownloadPace, PriorityLimiter
from milobot.exchanges.times import ExchangeClock
from milobot.exchanges.wire import Answer, Facts, SignedCall

CREDENTIALS = Credentials("key", "secret")
HOSTS = BingxHosts("test", "https://rest.test", "wss://stream.test/swap-market")
ORDER = "/openApi/swap/v2/trade/order"
PLACE, QUERY, CANCEL = f"POST {ORDER}", f"GET {ORDER}", f"DELETE {ORDER}"
OPEN = "GET /openApi/swap/v2/trade/openOrders"
TIME = "GET /openApi/swap/v2/server/time"
HISTORY = "GET /openApi/swap/v2/trade/allOrders"
FILLS = "GET /openApi/swap/v2/trade/fillHistory"
ORDER_ID, STOP_ID = 1735950529123455000, 1735950529123455007
TIME_MS = 1_700_000_000_000


@dataclass
class TimedTransport(FakeTransport):
    """Answers questions for the time as BingX words it, and does not note them."""

    async def send(self, request: SignedCall) -> Facts:
        """Answer by script."""
        if "/server/time" in request.url and not self._scripts.get(TIME):
            self.asked_time += 1
            return ok({"serverTime": self.time.now_ms() + self.skew_ms})
        return await super().send(request)


@dataclass
class Bench:
    """Everything of a client, with the world under control."""

    time: VirtualTime
    transport: FakeTransport
    limiter: PriorityLimiter
    gateway: Gateway
    market: BingxMarket
    orders: BingxOrders
    account: BingxAccount


def bench(*, skew_ms: int = 0) -> Bench:
    """Return a client whose waits take no time."""
    time = VirtualTime()
    transport = TimedTransport(time, skew_ms=skew_ms)

    async def sleep(seconds: float) -> None:
        time.step(max(int(seconds * 1000), 1))

    pace = DownloadPace(parallel=5, apart_s=0)
    limiter = PriorityLimiter("BingX", time, requests.LIMITS, pace=pace, sleep=sleep)
    clock = ExchangeClock(time)
    gateway = Gateway(
        GatewayParts(
            dialect=DIALECT,
            transport=LearningTransport(transport, limiter, clock),
            limiter=limiter,
            breaker=CircuitBreaker("BingX", time),
            clock=clock,
            sign=BingxSigner(HOSTS, CREDENTIALS),
            usage=lambda _: (),
            is_clock_error=lambda judgement: judgement.refusal is Refusal.CLOCK,
            clock_call=market_requests.fetch_server_time(),
            read_time=market_mapping.parse_server_time,
            sleep=sleep,
        )
    )
    market = BingxMarket(gateway)
    orders = BingxOrders(gateway, sleep)
    account = BingxAccount(HOSTS, gateway, market, orders)
    return Bench(time, transport, limiter, gateway, market, orders, account)


def ok(data: Any, **headers: Any) -> Answer:
    """Return an answer in BingX's envelope."""
    return reply({"code": 0, "msg": "", "data": data}, **headers)


def refused(code: int, text: str = "no", status: int = 200, **headers: Any) -> Answer:
    """Return a refusal as BingX words it: with HTTP status 200."""
    return reply({"code": code, "msg": text, "data": {}}, status, **headers)


def entry(quantity: str = "0.010", **more: Any) -> Order:
    """Return a market entry."""
    terms: dict[str, Any] = {
        "client_order_id": "milo1",
        "intent_key": "k",
        "symbol": "BTCUSDT",
        "side": Side.BUY,
        "type": OrderType.MARKET,
        "purpose": OrderPurpose.ENTRY,
        "quantity": Decimal(quantity),
        "created_ms": TIME_MS,
    }
    return Order(**{**terms, **more})


def stop(trigger: str = "60000", **more: Any) -> Order:
    """Return a stop that closes a long position."""
    terms: dict[str, Any] = {
        "client_order_id": "milo2",
        "side": Side.SELL,
        "type": OrderType.STOP_MARKET,
        "purpose": OrderPurpose.STOP,
        "reduce_only": True,
        "close_position": True,
        "trigger_price": Decimal(trigger),
    }
    return entry(**{**terms, **more})


def placed_payload(**more: Any) -> dict[str, Any]:
    """Return what BingX answers to a placed order: no status, no quantity."""
    order = {
        "symbol": "BTC-USDT",
        "orderId": ORDER_ID,
        "side": "BUY",
        "positionSide": "BOTH",
        "type": "MARKET",
        "clientOrderID": "milo1",
        "workingType": "",
        **more,
    }
    return {"order": order}


def order_payload(status: str = "PENDING", filled: str = "0.000", **more: Any) -> dict[str, Any]:
    """Return an order as queries tell it."""
    return {
        "symbol": "BTC-USDT",
        "orderId": ORDER_ID,
        "side": "BUY",
        "positionSide": "BOTH",
        "type": "MARKET",
        "origQty": "0.010",
        "price": "0.0",
        "executedQty": filled,
        "avgPrice": "61000.0" if float(filled) else "0.0",
        "stopPrice": "",
        "status": status,
        "time": TIME_MS,
        "updateTime": TIME_MS + 500,
        "clientOrderId": "milo1",
        "reduceOnly": False,
        "closePosition": False,
        "triggerOrderId": 0,
        **more,
    }


def stop_payload(status: str = "NEW", filled: str = "0.000", **more: Any) -> dict[str, Any]:
    """Return a stop as queries tell it; it has no id of ours."""
    terms = {
        "orderId": STOP_ID,
        "side": "SELL",
        "type": "STOP_MARKET",
        "stopPrice": "60000.0",
        "clientOrderId": "",
        "closePosition": True,
    }
    return order_payload(status, filled, **{**terms, **more})


def fill_payload(number: int, quantity: str, **more: Any) -> dict[str, Any]:
    """Return an execution as BingX lists it."""
    return {
        "symbol": "BTC-USDT",
        "orderId": str(ORDER_ID),
        "tradeId": str(number),
        "side": "BUY",
        "qty": quantity,
        "price": "61000.0",
        "commission": "-0.305",
        "commissionAsset": "USDT",
        "filledTime": f"2023-11-15T06:13:20.{number:03d}+0800",
        **more,
    }


def fills(*rows: dict[str, Any]) -> Answer:
    """Return a listing of executions."""
    return ok({"fill_history_orders": list(rows), "total": len(rows)})


def listed(*rows: dict[str, Any]) -> Answer:
    """Return a listing of orders."""
    return ok({"orders": list(rows)})

"""A Binance client over a transport without a network."""

from dataclasses import dataclass
from decimal import Decimal

from tests.support.fake_transport import FakeTransport
from tests.support.virtual_time import VirtualTime

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderType
from milobot.exchanges.binance import market_mapping, requests
from milobot.exchanges.binance.account import BinanceAccount
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.binance.market import BinanceMarket
from milobot.exchanges.binance.orders import BinanceOrders
from milobot.exchanges.binance.outcomes import CLOCK_CODES, DIALECT
from milobot.exchanges.binance.signing import BinanceSigner, Credentials
from milobot.exchanges.breaker import CircuitBreaker
from milobot.exchanges.deadlines import Deadline, no_deadline
from milobot.exchanges.gateway import Gateway, GatewayParts
from milobot.exchanges.limits import DownloadPace, PriorityLimiter
from milobot.exchanges.times import ExchangeClock

CREDENTIALS = Credentials("key", "secret")
HOSTS = BinanceHosts("test", "https://rest.test", "wss://stream.test", "https://rights.test")


@dataclass
class Bench:
    """Everything of a client, with the world under control."""

    time: VirtualTime
    transport: FakeTransport
    limiter: PriorityLimiter
    breaker: CircuitBreaker
    gateway: Gateway
    market: BinanceMarket
    orders: BinanceOrders
    account: BinanceAccount


def bench(*, skew_ms: int = 0, deadline: Deadline = no_deadline) -> Bench:
    """Return a client whose waits take no time; ``deadline`` ends its right to trade."""
    time = VirtualTime()
    transport = FakeTransport(time, skew_ms=skew_ms)

    async def sleep(seconds: float) -> None:
        time.step(max(int(seconds * 1000), 1))

    pace = DownloadPace(parallel=5, apart_s=0)
    limiter = PriorityLimiter("Binance", time, requests.LIMITS, pace=pace, sleep=sleep)
    breaker = CircuitBreaker("Binance", time)
    gateway = Gateway(
        GatewayParts(
            dialect=DIALECT,
            transport=transport,
            limiter=limiter,
            breaker=breaker,
            clock=ExchangeClock(time),
            sign=BinanceSigner(HOSTS, CREDENTIALS),
            usage=market_mapping.parse_usage,
            is_clock_error=lambda judgement: judgement.code in CLOCK_CODES,
            clock_call=requests.fetch_server_time(),
            read_time=market_mapping.parse_server_time,
            sleep=sleep,
            signing_deadline=deadline,
        )
    )
    market = BinanceMarket(gateway, limiter)
    orders = BinanceOrders(gateway, sleep)
    account = BinanceAccount(gateway, market, orders, tells_rights=True)
    return Bench(time, transport, limiter, breaker, gateway, market, orders, account)


def entry(quantity: str = "0.010", *, client_order_id: str = "milo1") -> Order:
    """Return a market entry."""
    return Order(
        client_order_id=client_order_id,
        intent_key="k",
        symbol="BTCUSDT",
        side=Side.BUY,
        type=OrderType.MARKET,
        purpose=OrderPurpose.ENTRY,
        quantity=Decimal(quantity),
        created_ms=0,
    )


def stop(trigger: str = "60000", *, client_order_id: str = "milo2") -> Order:
    """Return a stop that closes a long position."""
    return Order(
        client_order_id=client_order_id,
        intent_key="k",
        symbol="BTCUSDT",
        side=Side.SELL,
        type=OrderType.STOP_MARKET,
        purpose=OrderPurpose.STOP,
        quantity=Decimal("0.010"),
        created_ms=0,
        reduce_only=True,
        close_position=True,
        trigger_price=Decimal(trigger),
    )


def order_payload(status: str = "NEW", filled: str = "0", **more: object) -> dict[str, object]:
    """Return a plain order as Binance tells it."""
    return {
        "orderId": 9007199254740993,
        "clientOrderId": "milo1",
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "MARKET",
        "status": status,
        "origQty": "0.010",
        "executedQty": filled,
        "avgPrice": "61000.0" if filled != "0" else "0",
        "updateTime": 1_700_000_000_500,
        **more,
    }


def algo_payload(status: str = "NEW", child: str = "", **more: object) -> dict[str, object]:
    """Return a conditional order as Binance tells it."""
    return {
        "algoId": 1000001270850379,
        "clientAlgoId": "milo2",
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "0.010",
        "algoStatus": status,
        "actualOrderId": child,
        "triggerPrice": "60000.0",
        "closePosition": True,
        "updateTime": 1_700_000_000_600,
        **more,
    }


def fill_payload(number: int, quantity: str, **more: object) -> dict[str, object]:
    """Return an execution as Binance tells it."""
    return {
        "id": number,
        "orderId": 9007199254740993,
        "symbol": "BTCUSDT",
        "side": "BUY",
        "qty": quantity,
        "price": "61000.0",
        "commission": "0.305",
        "commissionAsset": "USDT",
        "time": 1_700_000_000_500 + number,
        **more,
    }

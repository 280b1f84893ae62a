"""Plain signed requests to a local exchange, written from the documentation, not from our clients."""

import gzip
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlencode

import aiohttp

from milobot.domain.market import Candle, CandleSeries
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET, ExchangeSetup

START_MS = 1_704_067_200_000
LIMIT = aiohttp.ClientTimeout(total=10)


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]


def bars(*rows: tuple[float, float, float, float], first_ms: int = START_MS) -> CandleSeries:
    """Return one-minute candles from (open, high, low, close)."""
    return CandleSeries.from_candles(
        [Candle(first_ms + i * MINUTE_MS, *row, 10.0) for i, row in enumerate(rows)]
    )


def flat_bars(count: int, price: float = 40_000.0) -> CandleSeries:
    """Return candles of a market that stands still."""
    return bars(*[(price, price, price, price)] * count)


def setup_of(candles: CandleSeries, **more: Any) -> ExchangeSetup:
    """Return a lock-step exchange for BTCUSDT on one-minute candles."""
    return ExchangeSetup(**{"candles": {"BTCUSDT": candles}, "timeframe": Timeframe.M1, **more})


class BinanceWire:
    """Signs as the Binance documentation says."""

    def __init__(
        self, exchange: LocalExchange, key: str = DEFAULT_KEY, secret: str = DEFAULT_SECRET
    ) -> None:
        """Keep the address and the key."""
        self.exchange = exchange
        self.key, self.secret = key, secret
        self.session = aiohttp.ClientSession(timeout=LIMIT)

    async def __aenter__(self) -> Self:
        """Open."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.session.close()

    def signed(self, **params: Any) -> str:
        """Return a query with time and signature."""
        query = urlencode({"timestamp": self.exchange.clock.now_ms(), **params})
        digest = hmac.new(self.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        return f"{query}&signature={digest}"

    async def call(self, method: str, path: str, **params: Any) -> Answer:
        """Send a signed request and return what came back."""
        return await self.send(method, f"{path}?{self.signed(**params)}")

    async def send(self, method: str, target: str) -> Answer:
        """Send a request as it is."""
        url = f"{self.exchange.binance_url}{target}"
        async with self.session.request(method, url, headers={"X-MBX-APIKEY": self.key}) as answer:
            return await _read(answer)

    async def order(self, side: str = "BUY", quantity: str = "0.01", **more: Any) -> Answer:
        """Place a market order and return its result."""
        params = {
            "symbol": "BTCUSDT",
            "side": side,
            "type": "MARKET",
            "quantity": quantity,
            "newOrderRespType": "RESULT",
            **more,
        }
        return await self.call("POST", "/fapi/v1/order", **params)

    async def limit(self, price: str, side: str = "BUY", **more: Any) -> Answer:
        """Place a limit order."""
        params = {"type": "LIMIT", "price": price, "timeInForce": "GTC", **more}
        return await self.order(side, **params)

    async def algo(self, trigger: str, type_: str = "STOP_MARKET", **more: Any) -> Answer:
        """Place a conditional exit of a long position."""
        params = {
            "algoType": "CONDITIONAL",
            "symbol": "BTCUSDT",
            "side": "SELL",
            "type": type_,
            "triggerPrice": trigger,
            **({} if "closePosition" in more else {"quantity": "0.01", "reduceOnly": "true"}),
            **more,
        }
        return await self.call("POST", "/fapi/v1/algoOrder", **params)

    async def position(self) -> Any:
        """Return the BTCUSDT position."""
        answer = await self.call("GET", "/fapi/v2/positionRisk", symbol="BTCUSDT")
        return answer.body[0]

    async def user_socket(self) -> aiohttp.ClientWebSocketResponse:
        """Open the user stream."""
        key = (await self.send("POST", "/fapi/v1/listenKey")).body["listenKey"]
        return await self.socket(f"/private/ws?listenKey={key}")

    async def socket(self, path: str) -> aiohttp.ClientWebSocketResponse:
        """Open a stream."""
        return await self.session.ws_connect(f"{self.exchange.binance_ws_url}{path}")


class BingxWire(BinanceWire):
    """Signs as the BingX documentation says: over the raw values, sent encoded."""

    def signed(self, **params: Any) -> str:
        """Return a query with time and signature."""
        full = {"timestamp": self.exchange.clock.now_ms(), **params}
        raw = "&".join(f"{name}={value}" for name, value in full.items())
        digest = hmac.new(self.secret.encode(), raw.encode(), hashlib.sha256).hexdigest()
        encoded = "&".join(f"{n}={quote(str(v), safe='')}" for n, v in full.items())
        return f"{encoded}&signature={digest}"

    async def send(self, method: str, target: str) -> Answer:
        """Send a request as it is."""
        url = f"{self.exchange.bingx_url}{target}"
        async with self.session.request(
            method, _encoded(url), headers={"X-BX-APIKEY": self.key}
        ) as answer:
            return await _read(answer)

    async def order(self, side: str = "BUY", quantity: str = "0.01", **more: Any) -> Answer:
        """Place a market order."""
        params = {
            "symbol": "BTC-USDT",
            "side": side,
            "positionSide": "BOTH",
            "type": "MARKET",
            "quantity": quantity,
            **more,
        }
        return await self.call("POST", "/openApi/swap/v2/trade/order", **params)

    async def position(self) -> Any:
        """Return the open position, or None."""
        path = "/openApi/swap/v2/user/positions"
        rows = (await self.call("GET", path, symbol="BTC-USDT")).body["data"]
        return rows[0] if rows else None

    async def user_socket(self) -> aiohttp.ClientWebSocketResponse:
        """Open the user stream."""
        path = "/openApi/user/auth/userDataStream"
        key = (await self.send("POST", path)).body["listenKey"]
        return await self.session.ws_connect(f"{self.exchange.bingx_ws_url}?listenKey={key}")


@asynccontextmanager
async def binance_on(setup: ExchangeSetup, *, opens: bool = True) -> AsyncIterator[BinanceWire]:
    """Run an exchange and a Binance client on it; the first candle has opened."""
    async with LocalExchange(setup) as exchange, BinanceWire(exchange) as wire:
        if opens:
            await exchange.advance()
        yield wire


@asynccontextmanager
async def bingx_on(setup: ExchangeSetup, *, opens: bool = True) -> AsyncIterator[BingxWire]:
    """Run an exchange and a BingX client on it; the first candle has opened."""
    async with LocalExchange(setup) as exchange, BingxWire(exchange) as wire:
        if opens:
            await exchange.advance()
        yield wire


async def next_event(socket: aiohttp.ClientWebSocketResponse, kind: str = "") -> Any:
    """Return the next event, of one kind if named; gzipped frames are unpacked."""
    while True:
        message = await socket.receive(timeout=20)
        if message.type is aiohttp.WSMsgType.BINARY:
            text = gzip.decompress(message.data).decode()
        elif message.type is aiohttp.WSMsgType.TEXT:
            text = message.data
        else:
            return None
        if text == "Ping":
            if kind == "Ping":
                return text
            continue
        event = json.loads(text)
        if not kind or event.get("e") == kind:
            return event


def _encoded(url: str) -> Any:
    from yarl import URL  # noqa: PLC0415 - comes with aiohttp

    return URL(url, encoded=True)


async def _read(answer: aiohttp.ClientResponse) -> Answer:
    text = await answer.text()
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    return Answer(answer.status, body, dict(answer.headers))

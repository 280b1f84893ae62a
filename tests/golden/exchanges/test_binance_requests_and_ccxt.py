"""Our requests beside ccxt's for the same action: method, path, parameters, signature."""

import gzip
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt.async_support as ccxt
import orjson
import pytest
from tests.support.shared_data import shared_file

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderType
from milobot.domain.reports import MarginMode
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.binance import requests
from milobot.exchanges.binance.hosts import PRODUCTION
from milobot.exchanges.binance.signing import BinanceSigner, Credentials
from milobot.exchanges.wire import Access, Call, Priority

SYMBOL = "BTC/USDT:USDT"
TIME_MS = 1_700_000_000_000
KEY = Credentials("key", "secret")


def order(kind: OrderType, purpose: OrderPurpose, side: Side, **more: Any) -> Order:
    return Order("milo1", "k", "BTCUSDT", side, kind, purpose, Decimal("0.010"), 0, **more)


BUY, SELL = Side.BUY, Side.SELL
ENTRY = order(OrderType.MARKET, OrderPurpose.ENTRY, BUY)
CLOSE = order(OrderType.MARKET, OrderPurpose.CLOSE, SELL, reduce_only=True)
LIMIT = order(OrderType.LIMIT, OrderPurpose.ENTRY, BUY, price=Decimal("90000.10"))
BACKSTOP = order(
    OrderType.STOP_MARKET, OrderPurpose.STOP, SELL,
    reduce_only=True, close_position=True, trigger_price=Decimal("80000.0"),
)  # fmt: skip
MOVED_STOP = order(
    OrderType.STOP_MARKET, OrderPurpose.STOP, SELL,
    reduce_only=True, trigger_price=Decimal("81000.5"),
)  # fmt: skip
TARGET = order(
    OrderType.TAKE_PROFIT_MARKET, OrderPurpose.TARGET, SELL,
    reduce_only=True, trigger_price=Decimal(99000),
)  # fmt: skip
NAMED = {"clientOrderId": "milo1"}
BY_LAST = {"workingType": "CONTRACT_PRICE"}
Action = Callable[[Any], Awaitable[Any]]

SAME: dict[str, tuple[Call, Action]] = {
    "market entry": (
        requests.place_order(ENTRY),
        lambda x: x.create_order(SYMBOL, "market", "buy", 0.01, None, NAMED),
    ),
    "market close": (
        requests.place_order(CLOSE),
        lambda x: x.create_order(
            SYMBOL, "market", "sell", 0.01, None, {**NAMED, "reduceOnly": True}
        ),
    ),
    "limit entry": (
        requests.place_order(LIMIT),
        lambda x: x.create_order(SYMBOL, "limit", "buy", 0.01, 90000.1, NAMED),
    ),
    "backstop": (
        requests.place_order(BACKSTOP),
        lambda x: x.create_order(
            SYMBOL,
            "market",
            "sell",
            None,
            None,
            {**NAMED, "stopLossPrice": 80000, "closePosition": True, **BY_LAST},
        ),
    ),
    "moved stop": (
        requests.place_order(MOVED_STOP),
        lambda x: x.create_order(
            SYMBOL,
            "market",
            "sell",
            0.01,
            None,
            {**NAMED, "stopLossPrice": 81000.5, "reduceOnly": True, **BY_LAST},
        ),
    ),
    "target": (
        requests.place_order(TARGET),
        lambda x: x.create_order(
            SYMBOL,
            "market",
            "sell",
            0.01,
            None,
            {**NAMED, "takeProfitPrice": 99000, "reduceOnly": True, **BY_LAST},
        ),
    ),
    "cancel": (requests.cancel_order(ENTRY), lambda x: x.cancel_order(None, SYMBOL, NAMED)),
    "cancel stop": (
        requests.cancel_order(BACKSTOP),
        lambda x: x.cancel_order(None, SYMBOL, {**NAMED, "trigger": True}),
    ),
    "query": (requests.fetch_order(ENTRY), lambda x: x.fetch_order(None, SYMBOL, NAMED)),
    "query stop": (
        requests.fetch_order(BACKSTOP),
        lambda x: x.fetch_order(None, SYMBOL, {**NAMED, "trigger": True}),
    ),
    "open orders": (
        requests.fetch_open_orders("BTCUSDT", is_conditional=False),
        lambda x: x.fetch_open_orders(SYMBOL),
    ),
    "open stops": (
        requests.fetch_open_orders("BTCUSDT", is_conditional=True),
        lambda x: x.fetch_open_orders(SYMBOL, params={"trigger": True}),
    ),
    "leverage": (requests.set_leverage("BTCUSDT", 10), lambda x: x.set_leverage(10, SYMBOL)),
    "margin mode": (
        requests.set_margin_mode("BTCUSDT", MarginMode.ISOLATED),
        lambda x: x.set_margin_mode("isolated", SYMBOL),
    ),
    "one way": (requests.set_one_way(), lambda x: x.set_position_mode(False)),
    "hedge mode?": (requests.fetch_position_mode(), lambda x: x.fetch_position_mode()),
    "account": (requests.fetch_account(), lambda x: x.fetch_balance()),
    "positions": (requests.fetch_positions(), lambda x: x.fetch_positions()),
    "brackets": (requests.fetch_brackets(), lambda x: x.fetch_leverage_tiers()),
    "fees": (requests.fetch_fees("BTCUSDT"), lambda x: x.fetch_trading_fee(SYMBOL)),
    "symbol settings": (
        requests.fetch_symbol_settings("BTCUSDT"),
        lambda x: x.fetch_margin_mode(SYMBOL),
    ),
    "income": (
        requests.fetch_income(first_ms=TIME_MS, last_ms=TIME_MS + 1),
        lambda x: x.fetch_ledger(None, TIME_MS, 1000, {"endTime": TIME_MS + 1}),
    ),
    "candles": (
        requests.fetch_candles(
            "BTCUSDT", Timeframe.M1, first_ms=TIME_MS, limit=10, priority=Priority.QUERY
        ),
        lambda x: x.fetch_ohlcv(SYMBOL, "1m", TIME_MS, 10),
    ),
    "funding rates": (
        requests.fetch_funding_rates("BTCUSDT", first_ms=TIME_MS, last_ms=TIME_MS + 1),
        lambda x: x.fetch_funding_rate_history(SYMBOL, TIME_MS, 1000, {"until": TIME_MS + 1}),
    ),
    "book ticker": (
        requests.fetch_book_ticker("BTCUSDT"),
        lambda x: x.fetch_bids_asks([SYMBOL]),
    ),
    "mark price": (requests.fetch_mark_price("BTCUSDT"), lambda x: x.fetch_funding_rate(SYMBOL)),
    "time": (requests.fetch_server_time(), lambda x: x.fetch_time()),
    "listen key": (requests.create_listen_key(), lambda x: x.fapiPrivatePostListenKey()),
}


@pytest.fixture(name="oracle", scope="module")
def make_oracle() -> Any:
    """Return ccxt with the markets of 2025, its clock stopped, sending nothing."""
    with gzip.open(shared_file("raw_json/exchangeInfo_um_2025-01-09.json.gz")) as file:
        markets = orjson.loads(file.read())

    class Oracle(ccxt.binanceusdm):  # type: ignore[misc]  # ccxt is untyped
        """Notes the request instead of sending it."""

        async def fetch(
            self, url: str, method: str = "GET", headers: Any = None, body: Any = None
        ) -> Any:
            """Note a request; only the markets are answered."""
            if "exchangeInfo" in url:
                return markets
            self.noted.append((method, url, body or ""))
            return {}

        def nonce(self) -> int:
            """Return always the same time."""
            return TIME_MS

    oracle = Oracle({"apiKey": "key", "secret": "secret", "enableRateLimit": False})
    oracle.options["recvWindow"] = 2000
    oracle.has["fetchCurrencies"] = False
    oracle.noted = []
    return oracle


async def asked_by(oracle: Any, action: Action) -> tuple[str, str, str]:
    """Return method, path and query of what ccxt sends for an action."""
    await oracle.load_markets()
    oracle.noted.clear()
    with suppress(Exception):  # it cannot read the empty answer; the request is what counts
        await action(oracle)
    method, url, body = oracle.noted[-1]  # before it, it may ask for brackets of its own accord
    parts = urlsplit(url)
    return method, parts.path, body or parts.query


@pytest.mark.parametrize(("call", "action"), SAME.values(), ids=SAME.keys())
async def test_request_equals_that_of_ccxt(oracle: Any, call: Call, action: Action) -> None:
    """Nobody can try the real exchange from here: a second opinion on every request."""
    signed = BinanceSigner(PRODUCTION, KEY)(call, TIME_MS, 1.0)
    parts = urlsplit(signed.url)
    ours = signed.body or parts.query

    method, path, theirs = await asked_by(oracle, action)

    assert (signed.method, parts.path) == (method, path)
    assert dict(parse_qsl(ours)) == dict(parse_qsl(theirs))
    if call.access is Access.SIGNED:
        assert ours == theirs  # the order of parameters too, so the signature is the same


def test_numbers_leave_without_exponent() -> None:
    """A price of 0.0000001 as 1E-7 is no number to every parser."""
    tiny = order(OrderType.LIMIT, OrderPurpose.ENTRY, BUY, price=Decimal("1E-7"))
    huge = Order("m", "k", "X", BUY, OrderType.MARKET, OrderPurpose.ENTRY, Decimal("1E+9"), 0)

    assert ("price", "0.0000001") in requests.place_order(tiny).params
    assert ("quantity", "1000000000") in requests.place_order(huge).params

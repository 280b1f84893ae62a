"""Our BingX requests beside ccxt's for the same action: method, path, parameters, signature.

Where they differ the difference is listed with its reason; anything else would fail.
"""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt.async_support as ccxt
import orjson
import pytest

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderType
from milobot.domain.reports import MarginMode
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.bingx import market_requests, requests
from milobot.exchanges.bingx.hosts import PRODUCTION
from milobot.exchanges.bingx.signing import BingxSigner, Credentials, signature
from milobot.exchanges.wire import Access, Call, Priority

SYMBOL = "BTC/USDT:USDT"
TIME_MS = 1_700_000_000_000
KEY = Credentials("key", "secret")
MARKET = {
    "contractId": "100", "symbol": "BTC-USDT", "size": "0.0001", "quantityPrecision": 4,
    "pricePrecision": 1, "feeRate": 0.0005, "makerFeeRate": 0.0002, "takerFeeRate": 0.0005,
    "tradeMinLimit": 0, "tradeMinQuantity": 0.0001, "tradeMinUSDT": 2, "currency": "USDT",
    "asset": "BTC", "status": 1, "apiStateOpen": "true", "apiStateClose": "true",
}  # fmt: skip
Action = Callable[[Any], Awaitable[Any]]


def order(kind: OrderType, purpose: OrderPurpose, side: Side, **more: Any) -> Order:
    return Order("milo1", "k", "BTCUSDT", side, kind, purpose, Decimal("0.010"), 0, **more)


BUY, SELL = Side.BUY, Side.SELL
ENTRY = order(OrderType.MARKET, OrderPurpose.ENTRY, BUY)
CLOSE = order(OrderType.MARKET, OrderPurpose.CLOSE, SELL, reduce_only=True)
LIMIT = order(OrderType.LIMIT, OrderPurpose.ENTRY, BUY, price=Decimal("90000.10"))
STOP = order(
    OrderType.STOP_MARKET, OrderPurpose.STOP, SELL, reduce_only=True, trigger_price=Decimal(81000)
)
TARGET = order(
    OrderType.TAKE_PROFIT_MARKET, OrderPurpose.TARGET, SELL,
    reduce_only=True, trigger_price=Decimal(99000),
)  # fmt: skip
NAMED = {"clientOrderId": "milo1"}
BY_LAST = {"workingType": "CONTRACT_PRICE"}


@dataclass(frozen=True)
class Pair:
    """One action, ours and theirs, and what is known to differ.

    Attributes:
        ours: Parameters that only we send, with the reason.
        theirs: Parameters that only ccxt sends, with the reason.
        written: Parameters that both send in other words, with the reason.
    """

    call: Call
    action: Action
    ours: dict[str, str] = field(default_factory=dict)
    theirs: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)


ID_NAME = "documented as clientOrderId; an order under the other name may get an empty id (3d)"
OUR_ID, THEIR_ID = {"clientOrderId": ID_NAME}, {"clientOrderID": ID_NAME}
AS_FLOAT = {"stopPrice": "ccxt writes floats, 81000.0; we write plain decimals",
            "price": "ccxt writes floats", "quantity": "ccxt writes floats"}  # fmt: skip
WINDOW = {"recvWindow": "ccxt sends none on BingX (4, clock): late requests would be executed"}
PAIRS: dict[str, Pair] = {
    "market entry": Pair(
        requests.place_order(ENTRY),
        lambda x: x.create_order(SYMBOL, "market", "buy", 0.01, None, NAMED),
        OUR_ID, THEIR_ID, AS_FLOAT,
    ),
    "market close": Pair(
        requests.place_order(CLOSE),
        lambda x: x.create_order(
            SYMBOL, "market", "sell", 0.01, None, {**NAMED, "reduceOnly": True}
        ),
        OUR_ID, THEIR_ID, AS_FLOAT,
    ),
    "limit entry": Pair(
        requests.place_order(LIMIT),
        lambda x: x.create_order(SYMBOL, "limit", "buy", 0.01, 90000.1, NAMED),
        {**OUR_ID, "timeInForce": "GTC is the default; said, it does not hang on that"},
        THEIR_ID, AS_FLOAT,
    ),
    "stop": Pair(
        requests.place_order(STOP),
        lambda x: x.create_order(
            SYMBOL, "market", "sell", 0.01, None,
            {"stopLossPrice": 81000, "reduceOnly": True, **BY_LAST},
        ),
        written=AS_FLOAT,
    ),
    "target": Pair(
        requests.place_order(TARGET),
        lambda x: x.create_order(
            SYMBOL, "market", "sell", 0.01, None,
            {"takeProfitPrice": 99000, "reduceOnly": True, **BY_LAST},
        ),
        written=AS_FLOAT,
    ),
    "cancel": Pair(
        requests.cancel_order("BTCUSDT", exchange_order_id="17"),
        lambda x: x.cancel_order("17", SYMBOL),
    ),
    "query": Pair(
        requests.fetch_order("BTCUSDT", exchange_order_id="17"),
        lambda x: x.fetch_order("17", SYMBOL),
    ),
    "open orders": Pair(
        requests.fetch_open_orders("BTCUSDT"), lambda x: x.fetch_open_orders(SYMBOL)
    ),
    "leverage": Pair(
        requests.set_leverage("BTCUSDT", 10),
        lambda x: x.set_leverage(10, SYMBOL, {"side": "BOTH"}),
    ),
    "leverage?": Pair(requests.fetch_leverage("BTCUSDT"), lambda x: x.fetch_leverage(SYMBOL)),
    "margin mode": Pair(
        requests.set_margin_mode("BTCUSDT", MarginMode.ISOLATED),
        lambda x: x.set_margin_mode("isolated", SYMBOL),
    ),
    "margin mode?": Pair(
        requests.fetch_margin_mode("BTCUSDT"), lambda x: x.fetch_margin_mode(SYMBOL)
    ),
    "one way": Pair(requests.set_one_way(), lambda x: x.set_position_mode(False)),
    "hedge mode?": Pair(requests.fetch_position_mode(), lambda x: x.fetch_position_mode()),
    "account": Pair(requests.fetch_balance(), lambda x: x.fetch_balance()),
    "positions": Pair(requests.fetch_positions(), lambda x: x.fetch_positions()),
    "brackets": Pair(
        requests.fetch_brackets("BTCUSDT"), lambda x: x.fetch_market_leverage_tiers(SYMBOL)
    ),
    "fees": Pair(requests.fetch_fees(), lambda x: x.fetch_trading_fee(SYMBOL)),
    "contracts": Pair(
        market_requests.fetch_contracts(), lambda x: x.swapV2PublicGetQuoteContracts()
    ),
    "candles": Pair(
        market_requests.fetch_candles(
            "BTCUSDT", Timeframe.M1, first_ms=TIME_MS, limit=10, priority=Priority.QUERY
        ),
        lambda x: x.fetch_ohlcv(SYMBOL, "1m", TIME_MS, 10),
        {"endTime": "we ask for one page with both ends; ccxt leaves the end to the exchange"},
    ),
    "book ticker": Pair(
        market_requests.fetch_book_ticker("BTCUSDT"),
        lambda x: x.swapV2PublicGetQuoteBookTicker({"symbol": "BTC-USDT"}),
    ),
    "mark price": Pair(
        market_requests.fetch_mark_price("BTCUSDT"), lambda x: x.fetch_funding_rate(SYMBOL)
    ),
    "time": Pair(market_requests.fetch_server_time(), lambda x: x.fetch_time()),
    "listen key": Pair(
        requests.create_listen_key(), lambda x: x.userAuthPrivatePostUserDataStream()
    ),
}  # fmt: skip


@pytest.fixture(name="oracle")
def make_oracle() -> Any:
    """Return ccxt with one market, its clock stopped, sending nothing."""

    class Oracle(ccxt.bingx):  # type: ignore[misc]  # ccxt is untyped
        """Notes the request instead of sending it."""

        async def fetch(
            self, url: str, method: str = "GET", headers: Any = None, body: Any = None
        ) -> Any:
            """Note a request."""
            self.noted.append((method, url, body or ""))
            return {"code": 0, "data": {}}

        def nonce(self) -> int:
            """Return always the same time."""
            return TIME_MS

        def milliseconds(self) -> int:
            """Return always the same time."""
            return TIME_MS

    oracle = Oracle({"apiKey": "key", "secret": "secret", "enableRateLimit": False})
    oracle.options["defaultType"] = "swap"
    oracle.set_markets([oracle.parse_market(MARKET)])
    oracle.noted = []
    return oracle


async def asked_by(oracle: Any, action: Action) -> tuple[str, str, dict[str, str]]:
    """Return method, path and parameters of what ccxt sends for an action."""
    with contextlib.suppress(Exception):  # it cannot read the empty answer; the request counts
        await action(oracle)
    method, url, body = oracle.noted[0]
    parts = urlsplit(url)
    return method, parts.path, dict(parse_qsl(body or parts.query))


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
async def test_request_differs_from_that_of_ccxt_only_where_it_must(
    oracle: Any, pair: Pair
) -> None:
    """Nobody can try the real exchange from here: a second opinion on every request."""
    signed = BingxSigner(PRODUCTION, KEY)(pair.call, TIME_MS, 1.0)
    parts = urlsplit(signed.url)
    ours = dict(parse_qsl(parts.query))

    method, path, theirs = await asked_by(oracle, pair.action)

    assert signed.method == method
    assert parts.path == path
    only_ours = set(pair.ours)
    if pair.call.access is Access.SIGNED:
        only_ours |= set(WINDOW)
        assert ours.pop("signature") == signature(_raw(ours), KEY.secret)
        assert theirs.pop("signature") == signature(_raw(theirs), KEY.secret)
    assert ours.keys() - theirs.keys() == only_ours
    assert theirs.keys() - ours.keys() == set(pair.theirs)
    for name in ours.keys() & theirs.keys():
        if name in pair.written:
            assert Decimal(ours[name]) == Decimal(theirs[name])
        else:
            assert (name, ours[name]) == (name, theirs[name])


async def test_attached_exits_say_the_same_as_those_of_ccxt(oracle: Any) -> None:
    """One text that is signed raw and sent encoded; numbers are compared as such."""
    stop = replace(ENTRY, type=OrderType.STOP_MARKET, trigger_price=Decimal(80000))
    target = replace(ENTRY, type=OrderType.TAKE_PROFIT_MARKET, trigger_price=Decimal(99000))
    call = requests.place_order(replace(ENTRY, attached=(stop, target)))
    signed = BingxSigner(PRODUCTION, KEY)(call, TIME_MS, 1.0)
    ours = dict(parse_qsl(urlsplit(signed.url).query))

    _, _, theirs = await asked_by(
        oracle,
        lambda x: x.create_order(
            SYMBOL, "market", "buy", 0.01, None,
            {
                **NAMED,
                "stopLoss": {"triggerPrice": 80000, **BY_LAST},
                "takeProfit": {"triggerPrice": 99000, **BY_LAST},
            },
        ),
    )  # fmt: skip

    for name in ("stopLoss", "takeProfit"):
        mine, other = orjson.loads(ours[name]), orjson.loads(theirs[name])
        assert mine == {key: other.get(key) for key in mine}, other
    assert theirs.pop("signature") == signature(_raw(theirs), KEY.secret)


def _raw(params: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(params.items())

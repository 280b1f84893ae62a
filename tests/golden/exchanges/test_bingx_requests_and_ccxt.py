"""Our requests beside ccxt's for the same action: method, path, parameters, signature."""

import contextlib
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt.async_support as ccxt
import pytest
from tests.support.bingx import entry, stop
from tests.support.payloads import rest_answers

from milobot.domain.intents import Side
from milobot.domain.orders import OrderPurpose, OrderType
from milobot.domain.reports import MarginMode
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.bingx import market_requests, requests
from milobot.exchanges.bingx.hosts import PRODUCTION
from milobot.exchanges.bingx.requests import AttachedExits
from milobot.exchanges.bingx.signing import BingxSigner, Credentials, ordered, signature
from milobot.exchanges.wire import Access, Call, Priority

SYMBOL = "BTC/USDT:USDT"
TIME_MS = 1_700_000_000_000
KEY = Credentials("key", "secret")
# ccxt sends the id under a name that BingX's documents do not know: the documented one is ours.
THEIR_NAME = "clientOrderID"
NAMED = {"clientOrderId": "milo1"}
BY_LAST = {"workingType": "CONTRACT_PRICE"}
Action = Callable[[Any], Awaitable[Any]]

CLOSE = entry(side=Side.SELL, purpose=OrderPurpose.CLOSE, reduce_only=True)
LIMIT = entry(type=OrderType.LIMIT, price=Decimal("90000.10"))
BY_QUANTITY = stop("81000.5", close_position=False)
TARGET = stop(
    "99000",
    type=OrderType.TAKE_PROFIT_MARKET,
    purpose=OrderPurpose.TARGET,
    close_position=False,
)

SAME: dict[str, tuple[Call, Action]] = {
    "market entry": (
        requests.place_order(entry()),
        lambda x: x.create_order(SYMBOL, "market", "buy", 0.01, None, NAMED),
    ),
    "market close": (
        requests.place_order(CLOSE),
        lambda x: x.create_order(
            SYMBOL, "market", "sell", 0.01, None, {**NAMED, "reduceOnly": "true"}
        ),
    ),
    "limit entry": (
        requests.place_order(LIMIT),
        lambda x: x.create_order(
            SYMBOL, "limit", "buy", 0.01, 90000.1, {**NAMED, "timeInForce": "GTC"}
        ),
    ),
    "stop of the position": (
        requests.place_order(stop()),
        lambda x: x.create_order(
            SYMBOL,
            "market",
            "sell",
            0.01,
            None,
            {"stopLossPrice": 60000, "closePosition": True, **BY_LAST},
        ),
    ),
    "stop by quantity": (
        requests.place_order(BY_QUANTITY),
        lambda x: x.create_order(
            SYMBOL,
            "market",
            "sell",
            0.01,
            None,
            {"stopLossPrice": 81000.5, "reduceOnly": "true", **BY_LAST},
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
            {"takeProfitPrice": 99000, "reduceOnly": "true", **BY_LAST},
        ),
    ),
    "cancel": (
        requests.cancel_order("BTCUSDT", exchange_order_id="7"),
        lambda x: x.cancel_order("7", SYMBOL),
    ),
    "query": (
        requests.fetch_order("BTCUSDT", exchange_order_id="7"),
        lambda x: x.fetch_order("7", SYMBOL),
    ),
    "open orders": (requests.fetch_open_orders("BTCUSDT"), lambda x: x.fetch_open_orders(SYMBOL)),
    "leverage": (
        requests.set_leverage("BTCUSDT", 10),
        lambda x: x.set_leverage(10, SYMBOL, {"side": "BOTH"}),
    ),
    "leverage?": (requests.fetch_leverage("BTCUSDT"), lambda x: x.fetch_leverage(SYMBOL)),
    "margin mode": (
        requests.set_margin_mode("BTCUSDT", MarginMode.ISOLATED),
        lambda x: x.set_margin_mode("isolated", SYMBOL),
    ),
    "margin mode?": (requests.fetch_margin_mode("BTCUSDT"), lambda x: x.fetch_margin_mode(SYMBOL)),
    "one way": (requests.set_one_way(), lambda x: x.set_position_mode(hedged=False, symbol=SYMBOL)),
    "hedge mode?": (requests.fetch_position_mode(), lambda x: x.fetch_position_mode(SYMBOL)),
    "balance": (requests.fetch_balance(), lambda x: x.fetch_balance({"type": "swap"})),
    "positions": (requests.fetch_positions(), lambda x: x.fetch_positions()),
    "brackets": (
        requests.fetch_brackets("BTCUSDT"),
        lambda x: x.fetch_market_leverage_tiers(SYMBOL),
    ),
    "fees": (requests.fetch_fees(), lambda x: x.swapV2PrivateGetUserCommissionRate()),
    "listen key": (
        requests.create_listen_key(),
        lambda x: x.userAuthPrivatePostUserDataStream(),
    ),
    "extend the listen key": (
        requests.extend_listen_key("k"),
        lambda x: x.userAuthPrivatePutUserDataStream({"listenKey": "k"}),
    ),
    "rights": (requests.fetch_key_rights(), lambda x: x.accountV1PrivateGetAccountApiPermissions()),
    "contracts": (market_requests.fetch_contracts(), lambda x: x.fetch_swap_markets({})),
    "time": (market_requests.fetch_server_time(), lambda x: x.fetch_time()),
    "candles": (
        market_requests.fetch_candles(
            "BTCUSDT", Timeframe.M1, first_ms=TIME_MS, limit=10, priority=Priority.QUERY
        ),
        lambda x: x.fetch_ohlcv(SYMBOL, "1m", TIME_MS, 10, {"until": TIME_MS + 599_999}),
    ),
    "latest candles": (
        market_requests.fetch_candles(
            "BTCUSDT", Timeframe.H4, first_ms=None, limit=10, priority=Priority.QUERY
        ),
        lambda x: x.fetch_ohlcv(SYMBOL, "4h", None, 10),
    ),
    "funding rates": (
        market_requests.fetch_funding_rates("BTCUSDT", first_ms=TIME_MS, last_ms=TIME_MS + 1),
        lambda x: x.fetch_funding_rate_history(SYMBOL, TIME_MS, 1000, {"until": TIME_MS + 1}),
    ),
    "mark price": (
        market_requests.fetch_mark_price("BTCUSDT"),
        lambda x: x.fetch_mark_price(SYMBOL),
    ),
}


@pytest.fixture(name="oracle", scope="module")
def make_oracle() -> Any:
    """Return ccxt with recorded contracts, its clock stopped, sending nothing."""
    contracts = next(
        one.data for one in rest_answers("bingx_net") if one.name == "ExchangeData/GetContracts"
    )

    class Oracle(ccxt.bingx):  # type: ignore[misc]
        """Notes the request instead of sending it."""

        async def fetch(
            self, url: str, method: str = "GET", headers: Any = None, body: Any = None
        ) -> Any:
            """Note a request; only the contracts are answered."""
            self.noted.append((method, url, body or ""))
            return contracts if "swap/v2/quote/contracts" in url else {"code": 0, "data": {}}

        def nonce(self) -> int:
            """Return always the same time."""
            return TIME_MS

    oracle = Oracle({"apiKey": "key", "secret": "secret", "enableRateLimit": False})
    oracle.options["defaultType"] = "swap"
    oracle.options["fetchMarkets"] = {"types": ["linear"]}
    oracle.has["fetchCurrencies"] = False
    oracle.noted = []
    return oracle


async def asked_by(oracle: Any, action: Action) -> tuple[str, str, dict[str, str]]:
    """Return method, path and parameters of what ccxt sends for an action."""
    await oracle.load_markets()
    oracle.noted.clear()
    with contextlib.suppress(Exception):  # it cannot read the empty answer; the request counts
        await action(oracle)
    method, url, _ = oracle.noted[0]
    parts = urlsplit(url)
    return method, parts.path, dict(parse_qsl(parts.query))


def sent_by_us(call: Call) -> tuple[str, str, dict[str, str]]:
    signed = BingxSigner(PRODUCTION, KEY)(call, TIME_MS, 1.0)
    parts = urlsplit(signed.url)
    return signed.method, parts.path, dict(parse_qsl(parts.query))


def as_ccxt_would(ours: dict[str, str]) -> dict[str, str]:
    """Return our parameters without what the notes on exchanges say that ccxt lacks or misnames."""
    kept = {name: value for name, value in ours.items() if name not in {"recvWindow", "signature"}}
    if "clientOrderId" in kept:
        kept[THEIR_NAME] = kept.pop("clientOrderId")
    return kept


@pytest.mark.parametrize(("call", "action"), SAME.values(), ids=SAME.keys())
async def test_request_equals_that_of_ccxt(oracle: Any, call: Call, action: Action) -> None:
    """Nobody can try the real exchange from here: a second opinion on every request."""
    method, path, theirs = await asked_by(oracle, action)
    our_method, our_path, ours = sent_by_us(call)
    their_signature = theirs.pop("signature", "")

    assert (our_method, our_path) == (method, path)
    assert {n: plain(v) for n, v in as_ccxt_would(ours).items()} == {
        n: plain(v) for n, v in theirs.items()
    }
    if call.access is Access.SIGNED:
        # The same rule of signing, shown on what ccxt signs: by name, before it is encoded.
        assert signature(ordered(tuple(theirs.items())), "secret") == their_signature
        assert int(ours["recvWindow"]) == 2000


def plain(value: str) -> str:
    """Return a number without the zeros that ccxt's floats add."""
    try:
        return str(Decimal(value).normalize())
    except ArithmeticError:
        return value


async def test_attached_exits_equal_those_of_ccxt(oracle: Any) -> None:
    """Signed before it is encoded: the one request in which that makes a difference."""
    exits = AttachedExits(Decimal(60000), Decimal("63000.5"))
    _, _, ours = sent_by_us(requests.place_order(entry(), exits))

    _, _, theirs = await asked_by(
        oracle,
        lambda x: x.create_order(
            SYMBOL,
            "market",
            "buy",
            0.01,
            None,
            {
                **NAMED,
                "stopLoss": {"triggerPrice": 60000, **BY_LAST},
                "takeProfit": {"triggerPrice": 63000.5, **BY_LAST},
            },
        ),
    )

    for name in ("stopLoss", "takeProfit"):
        assert json.loads(ours[name]) == json.loads(theirs[name])
    their_signature = theirs.pop("signature")
    assert signature(ordered(tuple(theirs.items())), "secret") == their_signature

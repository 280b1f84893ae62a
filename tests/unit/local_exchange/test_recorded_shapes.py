"""Our answers have the keys and the kinds of values that recorded answers have."""

import json
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from tests.support.shared_data import shared_file
from tests.support.wire import (
    BinanceWire,
    BingxWire,
    binance_on,
    bingx_on,
    flat_bars,
    next_event,
)
from tests.unit.local_exchange.test_bingx import exit_at

from milobot.domain.timeframes import Timeframe
from milobot.local_exchange.core.market import FundingRates
from milobot.local_exchange.setup import ExchangeSetup

# (method and path, parameters): everything of the recordings that is served here. A name in
# braces is filled with what the scenario made before.
SYMBOL = {"symbol": "BTCUSDT"}
LIMIT = {**SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "39000.0"}
LIMIT = {**LIMIT, "timeInForce": "GTC"}
STOP = {**SYMBOL, "algoType": "CONDITIONAL", "side": "SELL", "type": "STOP_MARKET"}
STOP = {**STOP, "triggerPrice": "38500.0", "quantity": "0.001", "reduceOnly": "true"}
BINANCE: list[tuple[str, dict[str, str]]] = [
    ("POST /fapi/v1/leverage", {**SYMBOL, "leverage": "21"}),
    ("POST /fapi/v1/marginType", {"symbol": "ETHUSDT", "marginType": "ISOLATED"}),
    ("GET /fapi/v1/accountConfig", {}),
    ("GET /fapi/v2/account", {}),
    ("GET /fapi/v3/account", {}),
    ("GET /fapi/v3/balance", {}),
    ("GET /fapi/v1/leverageBracket", {}),
    ("GET /fapi/v1/income", {}),
    ("GET /fapi/v1/multiAssetsMargin", {}),
    ("GET /fapi/v2/positionRisk", {}),
    ("GET /fapi/v3/positionRisk", {}),
    ("GET /fapi/v1/symbolConfig", {}),
    ("GET /fapi/v1/commissionRate", SYMBOL),
    ("POST /fapi/v1/positionSide/dual", {"dualSidePosition": "false"}),
    ("PUT /fapi/v1/listenKey", {}),
    ("POST /fapi/v1/listenKey", {}),
    ("DELETE /fapi/v1/listenKey", {}),
    ("GET /fapi/v1/ticker/bookTicker", SYMBOL),
    ("GET /fapi/v1/exchangeInfo", {}),
    ("GET /fapi/v1/fundingRate", SYMBOL),
    ("GET /fapi/v1/klines", {**SYMBOL, "interval": "1m"}),
    ("GET /fapi/v1/premiumIndex", SYMBOL),
    ("GET /fapi/v1/depth", SYMBOL),
    ("GET /fapi/v1/trades", SYMBOL),
    ("GET /fapi/v1/time", {}),
    ("GET /fapi/v1/ticker/24hr", SYMBOL),
    ("GET /fapi/v2/ticker/price", SYMBOL),
    ("POST /fapi/v1/order", LIMIT),
    ("GET /fapi/v1/order", {**SYMBOL, "origClientOrderId": "limit"}),
    ("GET /fapi/v1/openOrder", {**SYMBOL, "origClientOrderId": "limit"}),
    ("GET /fapi/v1/openOrders", SYMBOL),
    ("GET /fapi/v1/allOrders", SYMBOL),
    ("GET /fapi/v1/userTrades", SYMBOL),
    ("DELETE /fapi/v1/order", {**SYMBOL, "origClientOrderId": "limit"}),
    ("DELETE /fapi/v1/allOpenOrders", SYMBOL),
    ("POST /fapi/v1/algoOrder", STOP),
    ("GET /fapi/v1/algoOrder", {"clientAlgoId": "stop"}),
    ("GET /fapi/v1/openAlgoOrders", {}),
    ("GET /fapi/v1/allAlgoOrders", SYMBOL),
    ("DELETE /fapi/v1/algoOrder", {"clientAlgoId": "stop"}),
    ("DELETE /fapi/v1/algoOpenOrders", SYMBOL),
]
PAIR = {"symbol": "BTC-USDT"}
ENTRY = {**PAIR, "side": "BUY", "positionSide": "BOTH", "type": "MARKET", "quantity": "0.01"}
SWAP = "/openApi/swap"
BINGX: list[tuple[str, dict[str, str]]] = [
    (f"GET {SWAP}/v3/user/balance", {}),
    (f"GET {SWAP}/v2/user/income", {}),
    (f"GET {SWAP}/v2/trade/leverage", PAIR),
    (f"POST {SWAP}/v2/trade/leverage", {**PAIR, "side": "BOTH", "leverage": "21"}),
    (f"GET {SWAP}/v2/trade/marginType", PAIR),
    (f"POST {SWAP}/v2/trade/marginType", {"symbol": "ETH-USDT", "marginType": "ISOLATED"}),
    (f"GET {SWAP}/v1/trade/assetMode", {}),
    (f"GET {SWAP}/v1/positionSide/dual", {}),
    (f"POST {SWAP}/v1/positionSide/dual", {"dualSidePosition": "false"}),
    (f"GET {SWAP}/v2/user/commissionRate", {}),
    ("POST /openApi/user/auth/userDataStream", {}),
    (f"GET {SWAP}/v2/quote/bookTicker", PAIR),
    (f"GET {SWAP}/v2/quote/contracts", {}),
    (f"GET {SWAP}/v2/quote/premiumIndex", PAIR),
    (f"GET {SWAP}/v2/quote/fundingRate", PAIR),
    (f"GET {SWAP}/v3/quote/klines", {**PAIR, "interval": "1m"}),
    (f"GET {SWAP}/v1/ticker/price", PAIR),
    (f"GET {SWAP}/v2/quote/depth", PAIR),
    (f"GET {SWAP}/v2/quote/trades", PAIR),
    (f"GET {SWAP}/v2/quote/ticker", PAIR),
    (f"POST {SWAP}/v2/trade/order", ENTRY),
    (f"POST {SWAP}/v2/trade/order/test", ENTRY),
    (f"GET {SWAP}/v2/trade/order", {**PAIR, "clientOrderId": "limit"}),
    (f"GET {SWAP}/v2/trade/openOrders", PAIR),
    (f"GET {SWAP}/v2/trade/allOrders", PAIR),
    (f"GET {SWAP}/v1/trade/fullOrder", PAIR),
    (f"GET {SWAP}/v2/trade/allFillOrders", PAIR),
    (f"GET {SWAP}/v1/maintMarginRatio", PAIR),
    (f"GET {SWAP}/v2/user/positions", PAIR),
    (f"DELETE {SWAP}/v2/trade/order", {**PAIR, "clientOrderId": "limit"}),
    (f"DELETE {SWAP}/v2/trade/allOpenOrders", PAIR),
    (f"POST {SWAP}/v2/trade/closeAllPositions", {}),
]
# Told of trailing stops only, which are not served here; the recorded orders are such.
ON_PURPOSE = ("activatePrice is missing", "priceRate is missing")


@cache
def recordings(name: str) -> dict[str, list[Any]]:
    """Return the recorded answers by method and path."""
    rows = json.loads(shared_file(f"exchange_api/{name}").read_text())
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(f"{row['method']} {row['path']}", []).append(row["response"])
    return found


def kind(value: Any) -> str:
    """Return what kind of value it is; whole and broken numbers are one kind."""
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else type(value).__name__


def differences(recorded: Any, ours: Any, where: str = "") -> list[str]:
    """Return where ours lacks a key or has another kind of value."""
    if recorded is None:
        return []
    if kind(recorded) != kind(ours):
        return [f"{where}: {kind(recorded)} recorded, {kind(ours)} here"]
    if isinstance(recorded, dict):
        missing = [f"{where}.{key} is missing" for key in recorded if key not in ours]
        return missing + [
            found
            for key in recorded
            if key in ours
            for found in differences(recorded[key], ours[key], f"{where}.{key}")
        ]
    if isinstance(recorded, list) and recorded:
        return differences(recorded[0], ours[0], f"{where}[0]") if ours else [f"{where} is empty"]
    return []


def setup() -> ExchangeSetup:
    """Return an exchange with two symbols and funding behind it, all limits off."""
    return ExchangeSetup(
        candles={"BTCUSDT": flat_bars(1000), "ETHUSDT": flat_bars(1000, 2_500.0)},
        timeframe=Timeframe.M1,
        history=500,
        funding=FundingRates.fixed(Decimal("0.0001")),
        has_limits=False,
    )


async def prepare_binance(wire: BinanceWire) -> None:
    """Make a position, fills, a resting order, a stop and a listen key."""
    await wire.order()
    await wire.order("SELL", "0.005")
    await wire.limit("39000.0", newClientOrderId="limit")
    await wire.algo("38000.0", clientAlgoId="stop", quantity="0.005")
    await wire.send("POST", "/fapi/v1/listenKey")


async def prepare_bingx(wire: BingxWire) -> None:
    """Make a position with an attached stop, fills and a resting order."""
    await wire.order(stopLoss=exit_at(39_000))
    await wire.order(type="LIMIT", price="39000.0", clientOrderId="limit")


@pytest.mark.parametrize(("target", "params"), BINANCE)
async def test_binance_answer_has_the_recorded_shape(target: str, params: dict[str, str]) -> None:
    """Written from recordings of others: whoever reads the real exchange reads this one."""
    method, path = target.split(" ")
    recorded = recordings("binance_net_rest.json")[target]
    async with binance_on(setup()) as wire:
        await prepare_binance(wire)
        ours = (await wire.call(method, path, **params)).body

    found = [difference for one in recorded for difference in differences(one, ours)]
    assert [f for f in found if not f.endswith(ON_PURPOSE)] == []


@pytest.mark.parametrize(("target", "params"), BINGX)
async def test_bingx_answer_has_the_recorded_shape(target: str, params: dict[str, str]) -> None:
    """The same for the other dialect."""
    method, path = target.split(" ")
    recorded = recordings("bingx_net_rest.json")[target]
    async with bingx_on(setup()) as wire:
        await prepare_bingx(wire)
        ours = (await wire.call(method, path, **params)).body

    found = [difference for one in recorded for difference in differences(one, ours)]
    assert [f for f in found if not f.endswith(ON_PURPOSE)] == []


def pushed(name: str) -> Any:
    """Return the push of a recorded subscription."""
    text = shared_file(f"exchange_api/{name}.txt").read_text().partition("\n=")[2]
    return json.loads(text)


BINANCE_PUSHES = [
    ("Klines", "/market/ws/btcusdt@kline_1m", ""),
    ("MarkPrice", "/market/ws/btcusdt@markPrice@1s", ""),
    ("BookTicker", "/public/ws/btcusdt@bookTicker", ""),
    ("OrderUpdate", "", "ORDER_TRADE_UPDATE"),
    ("AccountUpdate", "", "ACCOUNT_UPDATE"),
    ("AlgoOrderUpdate", "", "ALGO_UPDATE"),
]
# Told of trailing stops only.
TRAILING = (".o.AP is missing", ".o.cr is missing")


@pytest.mark.parametrize(("name", "path", "kind"), BINANCE_PUSHES)
async def test_binance_push_has_the_recorded_shape(name: str, path: str, kind: str) -> None:
    """Streams as they were recorded, market and user."""
    recorded = pushed(f"binance_net/Subscriptions/{name}")["data"]
    async with binance_on(setup()) as wire:
        socket = await (wire.socket(path) if path else wire.user_socket())
        await prepare_binance(wire)
        await wire.exchange.advance()
        ours = await next_event(socket, kind)
        await socket.close()

    assert [f for f in differences(recorded, ours) if not f.endswith(TRAILING)] == []


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("Klines", "kline_1m"),
        ("MarkPrice", "markPrice"),
        ("Price", "lastPrice"),
        ("BookPrice", "bookTicker"),
    ],
)
async def test_bingx_push_has_the_recorded_shape(name: str, stream: str) -> None:
    """The same for the other dialect's market streams."""
    recorded = pushed(f"bingx_net/Subscriptions/{name}")
    async with bingx_on(setup()) as wire:
        socket = await wire.session.ws_connect(wire.exchange.bingx_ws_url)
        await socket.send_json({"id": "1", "reqType": "sub", "dataType": f"BTC-USDT@{stream}"})
        await next_event(socket)
        await wire.exchange.advance()
        ours = await next_event(socket)
        await socket.close()

    assert differences(recorded, ours) == []

"""ccxt, unpatched, trades on the local exchange in both dialects: proof from outside.

Only hosts and options are changed, as anybody would to reach another host.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.wire import bars, setup_of

from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET

ccxt = pytest.importorskip("ccxt")
ccxt_pro = pytest.importorskip("ccxt.pro")
ccxt_async = pytest.importorskip("ccxt.async_support")

SYMBOL = "BTC/USDT:USDT"
PRICE = 40_000.0
CREDENTIALS = {"apiKey": DEFAULT_KEY, "secret": DEFAULT_SECRET}
DIALECTS = ("binance", "bingx")


def market() -> LocalExchange:
    """Return an exchange whose market stands still, then falls through the stop."""
    quiet = [(PRICE, PRICE, PRICE, PRICE)] * 30
    fall = [(PRICE, PRICE, 38_800.0, 38_900.0)] + [(38_900.0,) * 4] * 30
    return LocalExchange(setup_of(bars(*quiet, *fall), history=10))


def client_of(dialect: str, exchange: LocalExchange, library: Any) -> Any:
    """Return a ccxt client whose hosts point at the exchange."""
    if dialect == "binance":
        client = library.binanceusdm(CREDENTIALS)
        base = f"{exchange.binance_url}/fapi"
        for name in list(client.urls["api"]):
            if name.startswith("fapi"):
                version = next((v for v in ("v2", "v3") if name.endswith(v.upper())), "v1")
                client.urls["api"][name] = f"{base}/{version}"
        address = f"{exchange.binance_ws_url}/ws"
    else:
        client = library.bingx({**CREDENTIALS, "options": {"defaultType": "swap"}})
        for name, url in client.urls["api"].items():
            if isinstance(url, str):
                client.urls["api"][name] = f"{exchange.bingx_url}/openApi"
        address = exchange.bingx_ws_url
    if "ws" in client.urls["api"]:
        client.urls["api"]["ws"]["linear"] = address
    client.has["fetchCurrencies"] = False
    return client


@asynccontextmanager
async def trading(dialect: str, library: Any = ccxt_async) -> AsyncIterator[tuple[Any, Any]]:
    """Run an exchange and a ccxt client that has loaded its markets."""
    async with market() as exchange:
        await exchange.advance()
        client = client_of(dialect, exchange, library)
        try:
            await client.load_markets()
            yield client, exchange
        finally:
            await client.close()


def conditional(dialect: str) -> dict[str, Any]:
    """Return what ccxt needs to find conditional orders of a dialect."""
    return {"trigger": True} if dialect == "binance" else {}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_ccxt_reads_markets_tiers_balance_and_settings(dialect: str) -> None:
    """What a client learns before its first order, in the library's own terms."""
    async with trading(dialect) as (client, _):
        rules = client.market(SYMBOL)
        assert (rules["precision"]["amount"], rules["limits"]["amount"]["min"]) == (0.001, 0.001)
        assert rules["precision"]["price"] == 0.1
        assert (rules["linear"], rules["swap"], rules["active"]) == (True, True, True)
        balance = await client.fetch_balance()
        assert (balance["USDT"]["free"], balance["USDT"]["total"]) == (10_000.0, 10_000.0)
        side = {} if dialect == "binance" else {"side": "BOTH"}
        await client.set_leverage(10, SYMBOL, side)
        await client.set_margin_mode("isolated", SYMBOL)
        leverage = await client.fetch_leverage(SYMBOL)
        assert leverage["longLeverage"] == 10
        tiers = await client.fetch_market_leverage_tiers(SYMBOL)
        assert (tiers[0]["minNotional"], tiers[0]["maxNotional"]) == (0.0, 50_000.0)
        assert tiers[1]["maintenanceMarginRate"] == 0.005


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_ccxt_reads_market_data(dialect: str) -> None:
    """Candles of any timeframe, ticker, book, funding."""
    async with trading(dialect) as (client, exchange):
        candles = await client.fetch_ohlcv(SYMBOL, "5m")
        assert [row[4] for row in candles] == [PRICE, PRICE, PRICE]
        assert candles[0][0] < candles[-1][0]
        assert (await client.fetch_ticker(SYMBOL))["last"] == PRICE
        book = await client.fetch_order_book(SYMBOL)
        assert (book["bids"][0][0], book["asks"][0][0]) == (PRICE, PRICE)
        assert (await client.fetch_funding_rate(SYMBOL))["fundingRate"] == 0.0
        assert await client.fetch_time() == exchange.clock.now_ms()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_ccxt_trades_with_stop_and_target_to_the_end(dialect: str) -> None:
    """Entry with a client id, stop and target resting, the market falls, the stop fills."""
    async with trading(dialect) as (client, exchange):
        entry = await client.create_order(
            SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "entry-1"}
        )
        assert (entry["status"], entry["filled"], entry["average"]) == ("closed", 0.01, PRICE)
        assert entry["clientOrderId"] == "entry-1"
        stop = await client.create_order(
            SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": 39_000, "reduceOnly": True}
        )
        target = await client.create_order(
            SYMBOL, "market", "sell", 0.01, None, {"takeProfitPrice": 41_000, "reduceOnly": True}
        )
        extra = conditional(dialect)
        resting = await client.fetch_open_orders(SYMBOL, params=extra)
        assert {order["id"] for order in resting} == {stop["id"], target["id"]}
        position = (await client.fetch_positions([SYMBOL]))[0]
        assert (position["contracts"], position["side"]) == (0.01, "long")
        assert position["entryPrice"] == PRICE
        await exchange.advance(43)

        done = await client.fetch_order(stop["id"], SYMBOL, extra)
        assert done["status"] == "closed"
        trades = await client.fetch_my_trades(
            SYMBOL, params={} if dialect == "binance" else {"startTs": 0, "endTs": 10**13}
        )
        assert sorted((t["side"], t["price"], t["amount"]) for t in trades) == [
            ("buy", PRICE, 0.01),
            ("sell", 39_000.0, 0.01),
        ]
        assert [p for p in await client.fetch_positions([SYMBOL]) if p["contracts"]] == []
        await client.cancel_all_orders(SYMBOL, extra)
        assert await client.fetch_open_orders(SYMBOL, params=extra) == []


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_ccxt_places_finds_and_cancels_limit_orders(dialect: str) -> None:
    """By id; what is gone is OrderNotFound in the library's own words."""
    async with trading(dialect) as (client, _):
        placed = await client.create_order(
            SYMBOL, "limit", "buy", 0.01, 39_500, {"clientOrderId": "low-1", "timeInForce": "GTC"}
        )
        assert placed["status"] == "open"
        assert placed["clientOrderId"] == "low-1"
        found = await client.fetch_order(placed["id"], SYMBOL)
        assert (found["price"], found["remaining"], found["type"]) == (39_500.0, 0.01, "limit")
        assert [o["id"] for o in await client.fetch_open_orders(SYMBOL)] == [placed["id"]]
        gone = await client.cancel_order(placed["id"], SYMBOL)
        assert gone["status"] == "canceled"
        assert await client.fetch_open_orders(SYMBOL) == []
        with pytest.raises(ccxt.ExchangeError):
            await client.cancel_order(placed["id"], SYMBOL)
        with pytest.raises(ccxt.ExchangeError):
            await client.fetch_order("77", SYMBOL)


async def test_ccxt_attaches_exits_to_an_entry_on_bingx() -> None:
    """The JSON parameters are signed raw and sent encoded; both exits rest after the fill."""
    async with trading("bingx") as (client, _):
        params = {"stopLoss": {"triggerPrice": 39_000}, "takeProfit": {"triggerPrice": 41_000}}
        await client.create_order(SYMBOL, "market", "buy", 0.01, None, params)

        rows = await client.fetch_open_orders(SYMBOL)
        levels = [(row["stopLossPrice"], row["takeProfitPrice"]) for row in rows]
        assert levels == [(39_000.0, None), (None, 41_000.0)]


async def test_ccxt_meets_refusals_as_errors() -> None:
    """An order that the wallet cannot carry raises; on BingX even with the right class."""
    async with trading("bingx") as (client, _):
        with pytest.raises(ccxt.InsufficientFunds):
            await client.create_order(SYMBOL, "market", "buy", 50)
    async with trading("binance") as (client, _):
        with pytest.raises(ccxt.ExchangeError, match="-2019"):
            await client.create_order(SYMBOL, "market", "buy", 50)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_ccxt_pro_watches_candles_orders_and_positions(dialect: str) -> None:
    """The library's sockets live on ours: subscription, heartbeats, gzip, listen key."""
    async with trading(dialect, ccxt_pro) as (client, exchange):
        arrived = asyncio.Event()

        async def play() -> None:
            while not arrived.is_set():
                await exchange.advance()
                await asyncio.sleep(0.02)

        async def watch_candle() -> Any:
            found = await client.watch_ohlcv(SYMBOL, "1m")
            arrived.set()
            return found

        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            candles = tasks.create_task(watch_candle())
            orders = tasks.create_task(client.watch_orders(SYMBOL))
            positions = tasks.create_task(client.watch_positions([SYMBOL]))
            tasks.create_task(play())
            hubs = [streams.hub for streams in exchange._streams]
            while not any(c.listen_key for h in hubs for c in h.connections):  # noqa: ASYNC110 - ccxt says no word when it listens
                await asyncio.sleep(0.01)
            await client.create_order(SYMBOL, "market", "buy", 0.01)

        assert candles.result()[-1][4] == PRICE
        assert orders.result()[-1]["side"] == "buy"
        held = positions.result()[-1]
        assert (held["contracts"], held["side"]) == (0.01, "long")

"""Every recorded payload of Binance: read, refused with a reason, or of no concern to us."""

import itertools
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
import pytest
from tests.support.binance import bench
from tests.support.fake_transport import reply
from tests.support.payloads import (
    Payload,
    gzipped_json,
    raw_payloads,
    recorded_frames,
    rest_answers,
    subscription_frames,
)
from tests.support.shared_data import shared_file

from milobot.domain.orders import OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.timeframes import Timeframe
from milobot.errors import ProtocolError
from milobot.exchanges.binance import mapping, market_mapping
from milobot.exchanges.binance.events import UserEvents
from milobot.exchanges.binance.outcomes import read
from milobot.exchanges.binance.stream import event_of
from milobot.exchanges.fields import Fields
from milobot.exchanges.wire import Answer

Reader = Callable[[Any], object]
NOW_MS = 2_000_000_000_000


def orders(data: Any) -> object:
    return mapping.parse_orders(data, is_conditional=False)


def algo_orders(data: Any) -> object:
    return mapping.parse_orders(data, is_conditional=True)


def fills(data: Any) -> object:
    return mapping.parse_fills(data, client_order_id="", prices={})


def account(data: Any) -> object:
    return mapping.parse_account(data, Decimal(0))


def candles(data: Any) -> object:
    return market_mapping.parse_candles(data)


def exchange_info(data: Any) -> object:
    return market_mapping.parse_limits(data), market_mapping.parse_all_rules(data)


def success(data: Any) -> object:
    assert read(Answer(200, {}, orjson.dumps(data))).is_success
    return data


def listen_key(data: Any) -> object:
    return Fields(data, "the listen key").text("listenKey")


def symbol_settings(data: Any) -> object:
    return mapping.parse_symbol_settings(data, data[0]["symbol"])


def fees(data: Any) -> object:
    return Fields(data, "the fees").decimal("takerCommissionRate")


def hedge_mode(data: Any) -> object:
    return Fields(data, "the position mode").flag("dualSidePosition")


# What the client asks for, and what reads the answer.
READERS: dict[str, Reader] = {
    "POST /fapi/v1/order": mapping.parse_order,
    "GET /fapi/v1/order": mapping.parse_order,
    "DELETE /fapi/v1/order": mapping.parse_order,
    "GET /fapi/v1/openOrder": mapping.parse_order,
    "PUT /fapi/v1/order": mapping.parse_order,
    "GET /fapi/v1/openOrders": orders,
    "GET /fapi/v1/allOrders": orders,
    "GET /fapi/v1/forceOrders": orders,
    "POST /fapi/v1/algoOrder": mapping.parse_algo_order,
    "GET /fapi/v1/algoOrder": mapping.parse_algo_order,
    "DELETE /fapi/v1/algoOrder": mapping.parse_algo_order,
    "GET /fapi/v1/openAlgoOrders": algo_orders,
    "GET /fapi/v1/allAlgoOrders": algo_orders,
    "GET /fapi/v1/userTrades": fills,
    "GET /fapi/v3/positionRisk": mapping.parse_positions,
    "GET /fapi/v2/positionRisk": mapping.parse_positions,
    "GET /fapi/v3/account": account,
    "GET /fapi/v2/account": account,
    "GET /fapi/v1/income": mapping.parse_income,
    "GET /fapi/v1/leverageBracket": market_mapping.parse_all_brackets,
    "GET /fapi/v1/symbolConfig": symbol_settings,
    "GET /fapi/v1/commissionRate": fees,
    "GET /fapi/v1/accountConfig": hedge_mode,
    "POST /fapi/v1/leverage": success,
    "POST /fapi/v1/marginType": success,
    "POST /fapi/v1/positionSide/dual": success,
    "POST /fapi/v1/listenKey": listen_key,
    "PUT /fapi/v1/listenKey": success,
    "DELETE /fapi/v1/listenKey": success,
    "DELETE /fapi/v1/allOpenOrders": success,
    "DELETE /fapi/v1/algoOpenOrders": success,
    "GET /fapi/v1/time": market_mapping.parse_server_time,
    "GET /fapi/v1/exchangeInfo": exchange_info,
    "GET /fapi/v1/klines": candles,
    "GET /fapi/v1/continuousKlines": candles,
    "GET /fapi/v1/markPriceKlines": candles,
    "GET /fapi/v1/indexPriceKlines": candles,
    "GET /fapi/v1/premiumIndexKlines": candles,
    "GET /fapi/v1/fundingRate": market_mapping.parse_funding_rates,
    "GET /fapi/v1/ticker/bookTicker": market_mapping.parse_book_ticker,
    "GET /fapi/v1/premiumIndex": market_mapping.parse_mark_price,
    "GET /fapi/v2/ticker/price": market_mapping.parse_last_price,
}

# The same for payloads that are known by their name only.
NAMED: dict[str, Reader] = {
    "roq/exchange_info_ack/usd_m": exchange_info,
    "roq/listen_key_ack/simple": listen_key,
    "roq/open_orders_ack/json_open_orders_simple_1": orders,
    "roq/order_cancel_ack/simple": mapping.parse_order,
    "nautilus/account_info_v2": account,
    "nautilus/open_algo_orders": algo_orders,
    "nautilus/order_response": mapping.parse_order,
    "nautilus/http_futures_account_position_side_dual": hedge_mode,
    "nautilus/http_futures_account_symbol_config": symbol_settings,
    "nautilus/http_futures_market_book_ticker": market_mapping.parse_book_ticker,
    "nautilus/http_futures_market_continuous_klines": candles,
    "nautilus/http_futures_market_exchange_info": exchange_info,
    "nautilus/http_futures_market_funding_rate": market_mapping.parse_funding_rates,
    "nautilus/http_futures_market_klines": candles,
    "nautilus/http_futures_market_mark_price_klines": candles,
    "nautilus/http_futures_market_premium_index": market_mapping.parse_mark_price,
    "nautilus/http_futures_wallet_commission_rate_btcusdt": fees,
    "nautilus/http_futures_wallet_commission_rate_btcusdt_quarterly": fees,
    "nautilus/http_futures_wallet_commission_rate_ethusdt": fees,
    "ccxt/rest/parseTrade/L4844#0": lambda data: fills([data]),
    "ccxt/rest/parseOrder/L5600#6": mapping.parse_order,
    "ccxt/rest/fetchPositionsRisk/L11122#0": mapping.parse_positions,
}

# Payloads that the client would never be answered with, and why.
LEFT_OUT: dict[str, str] = {
    "roq/countdown_cancel_all_ack": "a dead man's switch is not used: it would cancel the stops",
    "roq/filters": "a part of exchangeInfo, which is read as a whole",
    "roq/wsapi_": "orders go over HTTP: one path, one table of outcomes",
    "jkorf/ws/": "orders go over HTTP: one path, one table of outcomes",
    "nautilus/balance": "balances come with the account",
    "nautilus/http_futures_market_ticker_24hr": "the price of the latest trade is asked for alone",
    "nautilus/http_futures_market_trades": "single trades of others are not used",
    "ccxt/rest/parseOrder": "spot, margin or portfolio accounts, which are not traded",
    "ccxt/rest/fetchO": "spot, margin or portfolio accounts, which are not traded",
    "ccxt/rest/parseAccountPosition": "positions come from positionRisk",
    "ccxt/pro/": "a part of an event or an answer over sockets",
}
UNUSED_PATHS = (
    "/sapi/", "/futures/data/", "/fapi/v1/batchOrders", "/fapi/v1/convert/", "/asyn",
    "/fapi/v1/feeBurn", "/fapi/v1/multiAssetsMargin", "/fapi/v1/positionMargin", "/fapi/v3/balance",
    "/fapi/v1/rateLimit/order", "/fapi/v1/adlQuantile", "/fapi/v1/apiTradingStatus", "Trades",
    "/fapi/v1/assetIndex", "/fapi/v1/indexInfo", "/fapi/v1/constituents", "/fapi/v1/fundingInfo",
    "/fapi/v1/insuranceBalance", "/fapi/v1/openInterest", "/fapi/v1/depth", "/fapi/v1/ticker/24hr",
    "/fapi/v1/trades", "/fapi/v1/countdownCancelAll", "/fapi/v1/orderAmendment",
)  # fmt: skip


def is_unused(path: str) -> bool:
    return path not in READERS and any(part in path for part in UNUSED_PATHS)


def is_event(payload: Payload) -> bool:
    data = payload.data
    return isinstance(data, dict) and ("e" in data or "stream" in data)


def test_every_rest_answer_is_read_or_not_asked_for() -> None:
    """89 answers: what the client asks for it must understand, and the rest it never asks for."""
    answers = rest_answers("binance_net")
    asked = [one for one in answers if not is_unused(one.path)]

    for one in asked:
        assert READERS[one.path](one.data) is not None, one.name

    assert (len(answers), len(asked)) == (89, 42)


def test_every_raw_payload_is_read_or_left_out_for_a_reason() -> None:
    """126 payloads of four connectors; a new one without a place here fails."""
    verdicts: Counter[str] = Counter()
    for one in raw_payloads("binance"):
        if is_event(one):
            verdicts["event"] += 1
        elif (reader := READERS.get(one.path) or NAMED.get(one.name)) is not None:
            assert reader(one.data) is not None, one.name
            verdicts["read"] += 1
        else:
            reasons = [why for prefix, why in LEFT_OUT.items() if one.name.startswith(prefix)]
            assert reasons or is_unused(one.path), one.name
            verdicts["left out"] += 1

    assert verdicts == {"event": 48, "read": 42, "left out": 36}


def test_every_event_is_read_or_counted() -> None:
    """Private events become news; those of the market on a user stream are skipped and counted."""
    reader = UserEvents()
    frames = [*subscription_frames("binance_net"), *filter(is_event, raw_payloads("binance"))]
    events = [event for one in frames if (event := _event(one.data)) is not None]

    news = [item for event in events for item in reader.parse(event)]

    assert (len(frames), len(events)) == (73, 71)
    assert reader.skipped.total() == 37
    assert reader.skipped["TRADE_LITE"] == 4
    assert sum(isinstance(item, OrderUpdate) for item in news) == 20


def _event(data: Any) -> dict[str, Any] | None:
    """Return the event of a frame; None where a frame holds a list of prices."""
    try:
        return event_of(orjson.dumps(data))
    except ProtocolError:
        assert isinstance(data["data"], list)
        return None


def test_forced_orders_are_told_apart() -> None:
    """Liquidation, ADL and settlement are ours to book: nobody else tells the engine."""
    forced = {
        one.name: item
        for one in raw_payloads("binance")
        if any(word in one.name for word in ("liquidation", "_adl", "settlement", "delivery"))
        for event in [_event(one.data) if is_event(one) else None]
        if event is not None
        for item in UserEvents().parse(event)
        if isinstance(item, OrderUpdate)
    }

    assert len(forced) == 6
    assert {item.purpose for item in forced.values()} == {OrderPurpose.LIQUIDATION}
    assert len({item.client_order_id for item in forced.values()}) == len(forced)


def test_finished_is_not_filled() -> None:
    """Recorded: FINISHED with nothing executed. Believing it would show a stop that never was."""
    payload = next(p for p in raw_payloads("binance") if p.name.endswith("finished_canceled"))
    update, follow = UserEvents().parse(_event(payload.data))

    assert isinstance(update, OrderUpdate)
    assert update.status is OrderStatus.TRIGGERED
    assert follow is not None


@pytest.mark.parametrize(
    ("name", "listed", "traded", "weight"),
    [
        ("exchangeInfo_um_2025-01-09.json.gz", 410, 351, 6000),
        ("exchangeInfo_um_MAINNET_2021-07-22.json.gz", 122, 117, 2400),
    ],
)
def test_rules_come_from_filters(name: str, listed: int, traded: int, weight: int) -> None:
    """The field pricePrecision is not the tick size: for 293 of 410 symbols they differ."""
    data = gzipped_json(name)
    rules = market_mapping.parse_all_rules(data)
    limits = {limit.name: limit.most for limit in market_mapping.parse_limits(data)}

    assert (len(data["symbols"]), len(rules)) == (listed, traded)
    assert limits["weight"] == weight
    for row in data["symbols"]:
        if row["symbol"] in rules:
            filters = {f["filterType"]: f for f in row["filters"]}
            known = rules[row["symbol"]]
            assert known.tick_size == Decimal(filters["PRICE_FILTER"]["tickSize"])
            assert known.quantity_step >= Decimal(filters["LOT_SIZE"]["stepSize"])
            assert known.max_market_quantity == Decimal(filters["MARKET_LOT_SIZE"]["maxQty"])
            assert known.min_notional == Decimal(filters["MIN_NOTIONAL"]["notional"])


def test_brackets_follow_each_other() -> None:
    """A hole between two brackets would leave a notional without maintenance rate."""
    brackets = market_mapping.parse_all_brackets(
        gzipped_json("leverageBracket_um_2024-10-24.json.gz")
    )

    assert len(brackets) > 100
    for rows in brackets.values():
        assert rows[0].notional_floor == 0
        for lower, upper in itertools.pairwise(rows):
            assert upper.notional_floor == lower.notional_cap
            assert upper.max_leverage <= lower.max_leverage


def test_recorded_stream_yields_its_closed_candles() -> None:
    """915 frames of 2021, four kinds mixed: two candles closed among them."""
    events = [event_of(frame) for frame in recorded_frames()]
    kinds = Counter(event["e"] for event in events if event is not None)
    closed = [
        candle
        for event in events
        if event is not None and event["e"] == "kline"
        if (candle := market_mapping.parse_stream_candle(event)) is not None
    ]

    assert (len(events), kinds["kline"], kinds["bookTicker"]) == (915, 30, 393)
    assert sorted((c.symbol, c.timeframe.value) for c in closed) == [
        ("AKROUSDT", "1m"),
        ("SUSHIUSDT", "1m"),
    ]


async def test_last_candle_of_a_listing_is_left_out_while_it_forms() -> None:
    """Recorded: the last of 13 rows is not closed; storing it would freeze a wrong candle."""
    data = orjson.loads(
        shared_file("raw_json/klines_um_BTCUSDT_1d_rest_response.json").read_bytes()
    )
    desk = bench()
    desk.transport.on("GET /fapi/v1/klines", reply(data))
    desk.time.step(data[-1][0] + 1000 - desk.time.now_ms())

    series = await desk.market.fetch_candles("BTCUSDT", Timeframe.D1, first_ms=None, limit=13)

    assert (len(data), len(series)) == (13, 12)

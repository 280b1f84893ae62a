"""Every recorded payload of BingX: read, refused with a reason, or of no concern to us."""

import gzip
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
import pytest
from tests.support.payloads import Payload, raw_payloads, rest_answers, subscription_frames

from milobot.domain.margin import brackets_are_continuous
from milobot.domain.orders import OrderStatus
from milobot.domain.reports import AccountNews, BookTicker, MarkPrice
from milobot.errors import ProtocolError
from milobot.exchanges.bingx import mapping, market_mapping
from milobot.exchanges.bingx.events import FollowOrder, UserEvents
from milobot.exchanges.bingx.frames import event_of
from milobot.exchanges.bingx.outcomes import read
from milobot.exchanges.bingx.payloads import rows_of
from milobot.exchanges.wire import Answer

Reader = Callable[[Any], object]
NOW_MS = 2_000_000_000_000


def success(data: Any) -> object:
    assert read(Answer(200, {}, orjson.dumps(data))).is_success
    return data


def account(data: Any) -> object:
    return mapping.parse_account(data, assets=("USDT",), taker_fee=Decimal(0))


def candles(data: Any) -> object:
    return market_mapping.parse_candles(data)


def book_ticker(data: Any) -> object:
    return market_mapping.parse_book_ticker(data, now_ms=NOW_MS)


def mark_price(data: Any) -> object:
    return market_mapping.parse_mark_price(data, now_ms=NOW_MS)


def leverage(data: Any) -> object:
    return mapping.parse_leverage(data), market_mapping.parse_max_leverage(data)


def brackets(data: Any) -> object:
    return market_mapping.parse_brackets(data, symbol="BTCUSDT", max_leverage=125)


def listen_key(data: Any) -> object:
    assert success(data)["listenKey"]  # type: ignore[index]  # a payload is anything
    return data


def extended(data: Any) -> object:
    assert data is None  # the body is empty: the status alone tells
    return "204"


def swap_orders(data: Any) -> object:
    return [mapping.order_of(row) for row in rows_of(data, "the orders", "success")]


# What the client asks for, and what reads the answer.
READERS: dict[str, Reader] = {
    "POST /openApi/swap/v2/trade/order": mapping.parse_order,
    "POST /openApi/swap/v2/trade/order/test": mapping.parse_order,
    "GET /openApi/swap/v2/trade/order": mapping.parse_order,
    "DELETE /openApi/swap/v2/trade/order": mapping.parse_order,
    "GET /openApi/swap/v2/trade/openOrders": mapping.parse_orders,
    "GET /openApi/swap/v2/trade/allOrders": mapping.parse_orders,
    "GET /openApi/swap/v1/trade/fullOrder": mapping.parse_orders,
    "GET /openApi/swap/v2/trade/forceOrders": mapping.parse_orders,
    "POST /openApi/swap/v2/trade/batchOrders": mapping.parse_orders,
    "DELETE /openApi/swap/v2/trade/allOpenOrders": swap_orders,
    "DELETE /openApi/swap/v2/trade/batchOrders": swap_orders,
    "GET /openApi/swap/v2/user/positions": mapping.parse_positions,
    "GET /openApi/swap/v3/user/balance": account,
    "GET /openApi/swap/v2/user/income": mapping.parse_income,
    "GET /openApi/swap/v2/user/commissionRate": mapping.parse_taker_fee,
    "GET /openApi/swap/v1/maintMarginRatio": brackets,
    "GET /openApi/swap/v2/trade/leverage": leverage,
    "POST /openApi/swap/v2/trade/leverage": success,
    "GET /openApi/swap/v2/trade/marginType": mapping.parse_margin_mode,
    "POST /openApi/swap/v2/trade/marginType": success,
    "GET /openApi/swap/v1/positionSide/dual": mapping.parse_is_hedged,
    "POST /openApi/swap/v1/positionSide/dual": success,
    "POST /openApi/user/auth/userDataStream": listen_key,
    "PUT /openApi/user/auth/userDataStream": extended,
    "DELETE /openApi/user/auth/userDataStream": extended,
    "GET /openApi/swap/v2/quote/contracts": market_mapping.parse_contracts,
    "GET /openApi/swap/v3/quote/klines": candles,
    "GET /openApi/swap/v1/market/markPriceKlines": candles,
    "GET /openApi/swap/v2/quote/fundingRate": market_mapping.parse_funding_rates,
    "GET /openApi/swap/v2/quote/bookTicker": book_ticker,
    "GET /openApi/swap/v2/quote/premiumIndex": mark_price,
    "GET /openApi/swap/v1/ticker/price": market_mapping.parse_last_price,
}


def bare(reader: Reader) -> Reader:
    """Return a reader for what stands in an envelope elsewhere."""
    return lambda data: reader({"code": 0, "msg": "", "data": data})


# The same for payloads that are known by their name only.
NAMED: dict[str, Reader] = {
    "ccxt/rest/fetchOHLCV/L1097#0": candles,
    "ccxt/rest/parseOHLCV/L1139#2": lambda data: bare(candles)([data]),
    "ccxt/rest/parseOHLCV/L1139#0": lambda data: bare(candles)([data]),
    "ccxt/rest/parseFundingRate/L1580#0": bare(mark_price),
    "ccxt/rest/parseFundingRateHistory/L1669#0": lambda data: bare(
        market_mapping.parse_funding_rates
    )([data]),
    "ccxt/rest/fetchBalance/L2218#0": account,
    "ccxt/rest/fetchPositions/L2494#0": mapping.parse_positions,
    "ccxt/rest/parsePosition/L2618#0": lambda data: bare(mapping.parse_positions)([data]),
    "ccxt/rest/parseOrder/L3285#0": bare(mapping.parse_order),
    "ccxt/rest/parseOrder/L3285#2": bare(mapping.parse_order),
    "ccxt/rest/createOrder/L3073#0": mapping.parse_order,
    "ccxt/rest/createOrders/L3206#0": mapping.parse_orders,
    "ccxt/rest/cancelOrder/L3760#0": mapping.parse_order,
    "ccxt/rest/cancelAllOrders/L3885#0": mapping.parse_orders,
    "ccxt/rest/fetchOrder/L4224#0": mapping.parse_order,
    "ccxt/rest/fetchOpenOrders/L4472#0": mapping.parse_orders,
    "ccxt/rest/fetchLeverage/L5430#0": leverage,
    "ccxt/rest/parseLeverage/L5453#0": bare(leverage),
    "ccxt/rest/setLeverage/L5536#0": success,
    "ccxt/rest/fetchTradingFee/L6401#0": mapping.parse_taker_fee,
    "ccxt/rest/fetchTradingFee/L6417#0": mapping.parse_taker_fee,
}

# Payloads that the client would meet only by mistake: it says what is wrong with them.
REFUSED: dict[str, tuple[Reader, str]] = {
    "ccxt/rest/createOrder/L3073#2": (mapping.parse_order, "an order has no field type"),
    "ccxt/rest/fetchOpenOrders/L4472#2": (mapping.parse_orders, "the orders has no field orders"),
    "jkorf/Trading/GetUserTrades": (mapping.parse_fills, "has no field side"),
}

# Payloads that the client would never be answered with, and why.
LEFT_OUT: dict[str, str] = {
    "ccxt/rest/parseTrade": "single trades of others are not used",
    "ccxt/rest/fetchOrderBook": "best bid and ask are asked for alone",
    "ccxt/rest/parseOpenInterest": "open interest is not used",
    "ccxt/rest/fetchPositionHistory": "what is closed is told by fills and income",
    "ccxt/rest/parsePosition/L2618#2": "what is closed is told by fills and income",
    "ccxt/rest/parseOrder/L3285#4": "a spot order",
    "ccxt/rest/parseOrder/L3615#0": "a part of an order: the exit attached to it",
    "ccxt/rest/cancelOrder/L3703#0": "a TWAP order, which is not used",
    "ccxt/rest/setMargin": "margin is not moved by hand",
    "ccxt/rest/closePosition": "positions are closed by reduce-only orders, which have an id",
}
UNUSED_PATHS = (
    "/twap/", "multiAssets", "assetMode", "marginAssets", "positionMargin", "getVst", "openInterest",
    "/quote/ticker", "/quote/depth", "/quote/trades", "historicalTrades", "cancelAllAfter",
    "cancelReplace", "closeAllPositions", "closePosition", "amend", "positionHistory",
    # Its executions have neither side nor id; fillHistory's have both.
    "allFillOrders",
)  # fmt: skip


def is_unused(path: str) -> bool:
    return path not in READERS and any(part in path for part in UNUSED_PATHS)


def is_frame(payload: Payload) -> bool:
    data = payload.data
    return payload.name.startswith(("ccxt/pro/", "jkorf/ws/")) and isinstance(data, dict)


def test_every_rest_answer_is_read_or_not_asked_for() -> None:
    """56 answers: what the client asks for it must understand, and the rest it never asks for."""
    answers = rest_answers("bingx_net")
    asked = [one for one in answers if not is_unused(one.path)]

    for one in asked:
        assert READERS[one.path](one.data) is not None, one.name

    assert (len(answers), len(asked)) == (56, 33)


def test_every_raw_payload_is_read_refused_or_left_out_for_a_reason() -> None:
    """67 payloads of two connectors; a new one without a place here fails."""
    verdicts: Counter[str] = Counter()
    for one in raw_payloads("bingx"):
        if is_frame(one):
            verdicts["frame"] += 1
        elif one.name in REFUSED:
            refusing, reason = REFUSED[one.name]
            with pytest.raises(ProtocolError, match=reason):
                refusing(one.data)
            verdicts["refused"] += 1
        elif (reader := READERS.get(one.path) or NAMED.get(one.name)) is not None:
            assert reader(one.data) is not None, one.name
            verdicts["read"] += 1
        else:
            reasons = [why for prefix, why in LEFT_OUT.items() if one.name.startswith(prefix)]
            assert reasons or is_unused(one.path), one.name
            verdicts["left out"] += 1

    assert verdicts == {"frame": 12, "read": 32, "refused": 3, "left out": 20}


def market_price(name: str, data: Any) -> object:
    if "@kline_" in name:
        return market_mapping.parse_stream_candles(name, data)
    if name.endswith("@markPrice"):
        return market_mapping.parse_stream_mark_price(data)
    if name.endswith("@bookTicker"):
        return market_mapping.parse_stream_book_ticker(data)
    return None


def test_every_market_frame_is_read_or_not_subscribed_to() -> None:
    """Packed as it comes over the wire; candles in both of their forms."""
    read_: list[object] = []
    unread: list[object] = []
    frames = [*subscription_frames("bingx_net"), *filter(is_frame, raw_payloads("bingx"))]
    for one in frames:
        try:
            event = event_of(gzip.compress(orjson.dumps(one.data)))
        except ProtocolError:
            assert one.data["code"] != 0  # a subscription that was refused
            continue
        if event is not None and event.get("dataType"):
            told = market_price(event["dataType"], event["data"])
            (unread if told is None else read_).append(told)

    assert len(frames) == 21
    assert (len(read_), len(unread)) == (6, 8)
    assert sum(isinstance(one, MarkPrice | BookTicker) for one in read_) == 2


def test_private_events_become_news_or_a_question() -> None:
    """An execution names no fill: it is asked for. A transfer is news of the balance."""
    reader = UserEvents()
    private = [
        one.data for one in raw_payloads("bingx") if isinstance(one.data, dict) and "e" in one.data
    ]

    news = [item for data in private for item in reader.parse(data)]

    follow = next(item for item in news if isinstance(item, FollowOrder))
    assert (follow.symbol, follow.exchange_order_id) == ("LTCUSDT", "1711312357852147712")
    assert (follow.filled_quantity, follow.is_over) == (Decimal("0.1"), True)
    assert follow.time_ms == 1_696_843_635_475  # the order's own time is told as 0
    balance = next(item for item in news if isinstance(item, AccountNews))
    assert (balance.wallet, balance.reason) == (
        Decimal("86.59497382000000050000"),
        "ASSET_TRANSFER",
    )
    assert reader.skipped["trade"] == 1  # one of the market, recorded without its envelope


def answer(name: str) -> Any:
    return next(one.data for one in rest_answers("bingx_net") if one.name == name)


def test_digits_of_contracts_are_steps() -> None:
    """BingX's precisions are real decimals, unlike Binance's."""
    found = market_mapping.parse_contracts(answer("ExchangeData/GetContracts"))

    rules = found["BTCUSDT"].rules
    assert (rules.tick_size, rules.quantity_step) == (Decimal("0.1"), Decimal("0.0001"))
    assert (rules.min_quantity, rules.min_notional) == (Decimal("0.0001"), Decimal(2))
    assert found["BTCUSDT"].max_leverage == 125
    assert all(symbol.endswith("USDT") and "-" not in symbol for symbol in found)


def test_maintenance_amounts_are_continuous() -> None:
    """The recurrence of the notes holds in every recorded bracket; leverage never exceeds 1/(2r)."""
    found = market_mapping.parse_brackets(
        answer("Trading/GetPositionAndMarginInfo"), symbol="BTCUSDT", max_leverage=150
    )

    assert len(found) > 1
    assert brackets_are_continuous(found)
    assert [b.max_leverage for b in found] == sorted((b.max_leverage for b in found), reverse=True)
    assert all(2 * b.max_leverage * b.maintenance_margin_rate <= 1 for b in found)


def test_a_recorded_cancel_proves_nothing() -> None:
    """The order in the answer to a cancel still says PENDING."""
    report = mapping.parse_order(answer("Trading/CancelOrder"))

    assert report.status is OrderStatus.SUBMITTED


def test_large_ids_stay_exact() -> None:
    """Beyond 2^53 a float would name another order."""
    text = b'{"code":0,"msg":"","data":{"order":{"symbol":"BTC-USDT","orderId":1735950529123455123,'
    text += b'"side":"BUY","type":"MARKET"}}}'

    reply = read(Answer(200, {}, text))

    assert mapping.parse_order(reply.data).exchange_order_id == "1735950529123455123"

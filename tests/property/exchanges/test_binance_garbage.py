"""Damaged answers: whatever arrives, a reason comes out and never a crash."""

import copy
import json
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.binance import algo_payload, fill_payload, order_payload

from milobot.errors import ProtocolError
from milobot.exchanges.binance import mapping, market_mapping
from milobot.exchanges.binance.events import UserEvents
from milobot.exchanges.binance.outcomes import DIALECT
from milobot.exchanges.binance.stream import event_of
from milobot.exchanges.outcomes import Outcome, is_present, judge
from milobot.exchanges.wire import Answer

JUNK: list[Any] = [
    None, "", "x", "NaN", "1e400", "-1", 0, -1, 2**70, 1.5, True, [], {}, [{}], {"a": 1}, "\x00",
]  # fmt: skip
CANDLE = [1_700_000_040_000, "1", "2", "0.5", "1.5", "10", 1_700_000_099_999]
KLINE = {"t": 1, "s": "BTCUSDT", "i": "1m", "x": True, "o": "1", "h": "1", "l": "1", "c": "1",
         "v": "1"}  # fmt: skip
ORDER_EVENT = {
    "s": "BTCUSDT", "c": "milo1", "S": "BUY", "X": "FILLED", "i": 7, "l": "1", "z": "1", "L": "2",
    "n": "0.1", "N": "USDT", "T": 1, "t": 3,
}  # fmt: skip
ALGO_EVENT = {"caid": "milo2", "aid": 9, "s": "BTCUSDT", "X": "FINISHED", "ai": "7"}
ACCOUNT_EVENT = {
    "m": "FUNDING_FEE", "B": [{"a": "USDT", "wb": "1", "bc": "1"}],
    "P": [{"s": "BTCUSDT", "pa": "1", "ep": "1", "ps": "BOTH"}],
}  # fmt: skip
SYMBOL = {
    "symbol": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING", "quoteAsset": "USDT",
    "marginAsset": "USDT",
    "filters": [
        {"filterType": "PRICE_FILTER", "tickSize": "0.1"},
        {"filterType": "LOT_SIZE", "stepSize": "1", "minQty": "1", "maxQty": "9"},
    ],
}  # fmt: skip
LIMIT = {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 5}
POSITION = {
    "symbol": "BTCUSDT", "positionAmt": "1", "positionSide": "BOTH", "entryPrice": "1",
    "markPrice": "1", "unRealizedProfit": "0", "updateTime": 1, "marginType": "cross",
    "leverage": "4",
}  # fmt: skip
INCOME = {"incomeType": "COMMISSION", "income": "1", "asset": "USDT", "time": 1, "tranId": 5}
BRACKET = {
    "symbol": "X", "brackets": [{"notionalFloor": 0, "notionalCap": 5, "initialLeverage": 20,
    "maintMarginRatio": 0.01, "cum": 0}],
}  # fmt: skip

READERS: dict[str, tuple[Any, Any]] = {
    "order": (mapping.parse_order, order_payload("FILLED", "0.01")),
    "algo order": (mapping.parse_algo_order, algo_payload("FINISHED", "77")),
    "orders": (lambda d: mapping.parse_orders(d, is_conditional=True), [algo_payload()]),
    "fills": (
        lambda d: mapping.parse_fills(d, client_order_id="", prices={}),
        [fill_payload(1, "1"), fill_payload(2, "1")],
    ),
    "positions": (mapping.parse_positions, [POSITION]),
    "account": (
        lambda d: mapping.parse_account(d, Decimal(0)),
        {"assets": [{"asset": "USDT", "walletBalance": "1", "availableBalance": "1",
                     "unrealizedProfit": "0"}]},
    ),
    "income": (mapping.parse_income, [INCOME, {**INCOME, "incomeType": "FUNDING_FEE"}]),
    "settings": (
        lambda d: mapping.parse_symbol_settings(d, "X"),
        [{"symbol": "X", "marginType": "ISOLATED", "leverage": 5}],
    ),
    "rules": (market_mapping.parse_all_rules, {"symbols": [SYMBOL]}),
    "limits": (market_mapping.parse_limits, {"rateLimits": [LIMIT]}),
    "brackets": (market_mapping.parse_all_brackets, [BRACKET]),
    "candles": (market_mapping.parse_candles, [CANDLE, CANDLE]),
    "stream candle": (market_mapping.parse_stream_candle, {"e": "kline", "k": KLINE}),
    "order event": (
        lambda d: UserEvents().parse(d), {"e": "ORDER_TRADE_UPDATE", "T": 1, "o": ORDER_EVENT}
    ),
    "algo event": (lambda d: UserEvents().parse(d), {"e": "ALGO_UPDATE", "T": 1, "o": ALGO_EVENT}),
    "account event": (
        lambda d: UserEvents().parse(d), {"e": "ACCOUNT_UPDATE", "T": 1, "a": ACCOUNT_EVENT}
    ),
}  # fmt: skip


def damage(data: Any, chance: Random) -> Any:
    """Return a payload with one thing missing or replaced, at a random depth."""
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    if not keys:
        return chance.choice(JUNK)
    key = chance.choice(keys)
    inner = data[key]
    if isinstance(inner, (dict, list)) and chance.random() < 0.7:
        data[key] = damage(inner, chance)
    elif chance.random() < 0.3:
        del data[key]
    else:
        data[key] = chance.choice(JUNK)
    return data


@pytest.mark.parametrize("name", READERS)
@given(chance=st.randoms())
@settings(max_examples=80)
def test_a_damaged_payload_is_read_or_refused(name: str, chance: Random) -> None:
    """Nothing but ProtocolError: any other exception would end the loop that reads."""
    reader, good = READERS[name]
    reader(copy.deepcopy(good))

    damaged = damage(copy.deepcopy(good), chance)

    with suppress(ProtocolError):
        reader(damaged)


@given(status=st.integers(100, 599), body=st.binary(max_size=60))
def test_any_answer_is_judged(status: int, body: bytes) -> None:
    """A judgement for everything, and no order taken without its id."""
    judgement = judge(Answer(status, {}, body), DIALECT, is_complete=is_present)

    if judgement.outcome is Outcome.ACCEPTED:
        assert 200 <= status < 300
        assert judgement.data is not None
    else:
        assert judgement.reason
        assert str(judgement.as_error()) == judgement.reason


@given(
    status=st.integers(100, 599),
    code=st.integers(-9999, 300),
    text=st.text(max_size=20),
)
def test_any_code_is_judged(status: int, code: int, text: str) -> None:
    """Codes that nobody knows yet will come."""
    body = json.dumps({"code": code, "msg": text}).encode()

    judgement = judge(Answer(status, {}, body), DIALECT, is_complete=lambda _: False)

    assert judgement.outcome is not Outcome.ACCEPTED
    if status >= 500 and judgement.outcome is Outcome.NOT_EXECUTED:
        assert judgement.source


@given(st.one_of(st.binary(max_size=50), st.text(max_size=50)))
def test_any_frame_is_an_event_or_refused(frame: str | bytes) -> None:
    """What a stream sends is not ours to choose."""
    try:
        event = event_of(frame)
    except ProtocolError:
        return
    assert event is None or "e" in event

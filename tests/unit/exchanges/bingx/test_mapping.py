"""Odd payloads of BingX: older forms that still come, and forms that nobody promised."""

from decimal import Decimal
from typing import Any

import pytest
from tests.support.bingx import fill_payload, fills, order_payload, stop_payload

from milobot.domain.intents import PositionSide, Side
from milobot.domain.orders import OrderStatus
from milobot.errors import ProtocolError
from milobot.exchanges.bingx import mapping, market_mapping
from milobot.exchanges.bingx.ids import OrderIds
from milobot.exchanges.bingx.outcomes import read

POSITION = {
    "symbol": "BNB-USDT",
    "positionAmt": "0.20",
    "positionSide": "SHORT",
    "avgPrice": "246.00",
    "unrealizedProfit": "-0.40",
    "liquidationPrice": 0,
}


def envelope(data: Any) -> dict[str, Any]:
    return {"code": 0, "msg": "", "data": data}


def listed_fills(*rows: dict[str, Any]) -> list[Any]:
    return mapping.parse_fills(read(fills(*rows)).data)


def test_a_mark_price_that_is_not_told_follows_from_the_gain() -> None:
    """Older answers lack it: a short that lost 0.40 on 0.20 stands 2 above its entry."""
    (position,) = mapping.parse_positions(envelope([POSITION, {**POSITION, "positionAmt": "0"}]))

    assert (position.side, position.mark_price) == (PositionSide.SHORT, Decimal(248))
    assert position.liquidation_price is None
    assert (position.leverage, position.margin_mode) == (None, None)


@pytest.mark.parametrize(("amount", "side"), [("-3", PositionSide.SHORT), ("3", PositionSide.LONG)])
def test_a_position_without_a_direction_has_that_of_its_sign(
    amount: str, side: PositionSide
) -> None:
    """One-way mode may say BOTH."""
    row = {**POSITION, "positionSide": "BOTH", "positionAmt": amount}

    (position,) = mapping.parse_positions(envelope([row]))

    assert (position.side, position.quantity) == (side, Decimal(3))


def test_fills_without_ids_get_the_same_ones_each_time() -> None:
    """Two equal executions in one list are two."""
    nameless = fill_payload(1, "0.004", tradeId="")
    first = listed_fills(nameless, nameless)
    again = listed_fills(nameless, nameless)

    assert len({fill.fill_id for fill in first}) == 2
    assert [fill.fill_id for fill in first] == [fill.fill_id for fill in again]


def test_fills_of_the_older_list_are_read_by_its_names() -> None:
    """``volume`` for the quantity; of the two times the one whose zone is right."""
    row = fill_payload(
        1, "0", volume="0.5", filledTm="2023-11-15T06:13:20Z", side="Ask", clientOrderID="MILO7"
    )
    del row["qty"]

    (fill,) = listed_fills(row)

    assert (fill.quantity, fill.side, fill.client_order_id) == (Decimal("0.5"), Side.SELL, "milo7")
    assert fill.time_ms == 1_700_000_000_001


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"side": "SIDEWAYS"}, "no side"),
        ({"filledTime": "yesterday"}, "no time"),
        ({"filledTime": "2023-11-15T06:13:20"}, "without a zone"),
        ({"qty": "NaN"}, "no number"),
        ({"symbol": "BTCUSDT"}, "no symbol"),
    ],
)
def test_a_fill_that_cannot_be_read_is_refused(more: dict[str, Any], said: str) -> None:
    """A guess here is a wrong position."""
    with pytest.raises(ProtocolError, match=said):
        listed_fills(fill_payload(1, "0.1", **more))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NEW", OrderStatus.SUBMITTED),
        ("PENDING", OrderStatus.SUBMITTED),
        ("CANCELLED", OrderStatus.CANCELLED),
        ("CANCELED", OrderStatus.CANCELLED),
        ("FAILED", OrderStatus.REJECTED),
        ("EXPIRED", OrderStatus.EXPIRED),
    ],
)
def test_statuses_are_written_in_several_ways(word: str, status: OrderStatus) -> None:
    """Recorded: both spellings of cancelled."""
    assert mapping.parse_order(envelope({"order": order_payload(word)})).status is status


def test_flags_and_numbers_may_be_texts() -> None:
    """ReduceOnly as "true", prices as numbers, a leverage that is empty."""
    payload = stop_payload(reduceOnly="true", closePosition="false", stopPrice=60000.5, leverage="")

    report = mapping.parse_order(envelope(payload))

    assert (report.reduce_only, report.close_position) == (True, False)
    assert report.trigger_price == Decimal("60000.5")


def test_an_order_that_names_itself_as_its_trigger_has_no_child() -> None:
    """Recorded so for plain orders too."""
    own = order_payload(triggerOrderId=1735950529123455000)

    assert mapping.parse_order(envelope(own)).child_order_id == ""
    assert mapping.parse_order(envelope(stop_payload(triggerOrderId=9))).child_order_id == "9"


@pytest.mark.parametrize("data", [None, [], {}, {"code": 0}, envelope("text"), envelope(None)])
def test_an_answer_of_another_shape_is_no_order(data: Any) -> None:
    """Not understood is not the same as none."""
    with pytest.raises(ProtocolError):
        mapping.parse_order(data)


@pytest.mark.parametrize("data", [{}, envelope({}), envelope({"orders": {}}), envelope("x")])
def test_an_answer_of_another_shape_is_no_empty_list(data: Any) -> None:
    """Read as empty it would say that no stop rests."""
    with pytest.raises(ProtocolError):
        mapping.parse_orders(data)


@pytest.mark.parametrize("data", [{"code": 0}, envelope({})])
def test_a_position_mode_that_is_not_told_is_not_one_way(data: Any) -> None:
    """Hedge mode unseen would reverse every close."""
    with pytest.raises(ProtocolError):
        mapping.parse_is_hedged(data)


def test_a_leverage_without_a_most_is_refused() -> None:
    """Zero would allow no position and say nothing of why."""
    with pytest.raises(ProtocolError, match="how high"):
        market_mapping.parse_max_leverage(envelope({"longLeverage": 5, "shortLeverage": 5}))


def test_an_account_in_another_asset_has_no_usdt() -> None:
    """Coins of another kind are no margin of ours."""
    account = mapping.parse_account(
        envelope([{"asset": "USDC", "balance": "5"}]), assets=("USDT",), taker_fee=Decimal(0)
    )

    assert (account.wallet, account.available) == (Decimal(0), Decimal(0))


def test_candles_may_come_as_lists() -> None:
    """Documented so for v3, recorded otherwise: both are read."""
    row = [60_000, "1", "3", "0.5", "2", "7", 119_999]

    series = market_mapping.parse_candles(envelope([row]))

    assert (series[0].time, series[0].close) == (60_000, 2.0)
    assert len(market_mapping.parse_candles(envelope(None))) == 0
    for broken in (envelope({}), envelope([[1, 2]]), envelope([["a", 1, 1, 1, 1, 1]])):
        with pytest.raises(ProtocolError):
            market_mapping.parse_candles(broken)


@pytest.mark.parametrize(
    ("channel", "data"),
    [("BTC-USDT@kline_7m", []), ("BTC-USDT@kline_1m", "x"), ("BTC-USDT@kline_1m", [1])],
)
def test_a_candle_event_of_another_shape_is_refused(channel: str, data: Any) -> None:
    """Counted by the stream as a frame that makes no sense."""
    with pytest.raises(ProtocolError):
        market_mapping.parse_stream_candles(channel, data)


def test_pairs_of_ids_are_kept_within_bounds() -> None:
    """A bot that runs for months must not grow with every order."""
    ids = OrderIds()
    ids.bind("", "1")
    ids.bind("a", "")
    for number in range(6000):
        ids.bind(f"c{number}", f"x{number}")

    assert ids.exchange_id("c5999") == "x5999"
    assert ids.client_id("x0") == ids.exchange_id("c0") == ids.exchange_id("a") == ""
    assert ids.is_free("x0")
    assert not ids.is_free("x5999")
    assert not ids.is_free("")

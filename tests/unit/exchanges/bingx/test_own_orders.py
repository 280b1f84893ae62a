"""What the answer to an order says, at a glance and read field by field."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderPurpose, OrderStatus, OrderType
from milobot.errors import ProtocolError
from milobot.exchanges.bingx.own_orders import _at_a_glance, _read, parse_own

ORDER = Order(
    "milo1A",
    "k",
    "BTCUSDT",
    Side.BUY,
    OrderType.LIMIT,
    OrderPurpose.ENTRY,
    Decimal("0.010"),
    0,
    price=Decimal("40000.1"),
)
TOLD = {
    "orderId": 8389765000000000001,
    "symbol": "BTC-USDT",
    "side": "BUY",
    "type": "LIMIT",
    "price": 40000.1,
    "quantity": 0.01,
    "clientOrderId": "milo1a",
    "clientOrderID": "milo1a",
}


def answer(**changes: Any) -> dict[str, Any]:
    """Return the answer with fields that differ; None leaves a field out."""
    told = {name: value for name, value in {**TOLD, **changes}.items() if value is not None}
    return {"code": 0, "msg": "", "data": {"order": told}}


@pytest.mark.parametrize("name", ["milo1a", "milo1A"])
def test_the_usual_answer_is_read_at_a_glance_as_it_is_read_in_full(name: str) -> None:
    """Two ways to read one answer must never tell two things."""
    usual = answer(clientOrderId=name)

    report = _at_a_glance(usual, ORDER)

    assert report is not None
    assert report.status is OrderStatus.SUBMITTED
    assert report == _read(usual, ORDER) == parse_own(usual, ORDER)


@pytest.mark.parametrize(
    "unusual",
    [
        answer(orderId="8389765000000000001"),
        answer(orderId=None, orderID="8389765000000000001"),
        answer(clientOrderId=None),
        answer(clientOrderId="", clientOrderID=None),
        answer(status="FILLED", executedQty="0.010"),
        answer(status="PENDING", updateTime=1_700_000_000_000),
        answer(time=1_700_000_000_000),
        {"code": 0, "data": TOLD},
    ],
)
def test_any_other_answer_is_read_in_full(unusual: dict[str, Any]) -> None:
    """What a glance does not know it must not guess; the order was taken all the same."""
    assert _at_a_glance(unusual, ORDER) is None
    assert parse_own(unusual, ORDER) == _read(unusual, ORDER) is not None


@pytest.mark.parametrize(
    "foreign",
    [
        answer(orderId=0),
        answer(orderId=None),
        answer(clientOrderId="another"),
        answer(symbol="ETH-USDT"),
        answer(side="SELL"),
        answer(type="MARKET"),
    ],
)
def test_the_order_of_another_is_never_taken_for_ours(foreign: dict[str, Any]) -> None:
    """It would be booked as ours."""
    assert parse_own(foreign, ORDER) is None


@pytest.mark.parametrize("broken", [None, [], {"code": 0}, {"data": None}, {"data": {"order": 1}}])
def test_an_answer_without_an_order_is_told(broken: object) -> None:
    """The outcome is then unknown, never accepted."""
    with pytest.raises(ProtocolError):
        parse_own(broken, ORDER)


def test_a_stop_is_read_in_full() -> None:
    """It has an id of a second order that a plain one lacks."""
    stop = replace(ORDER, type=OrderType.STOP_MARKET, trigger_price=Decimal(30000), price=None)
    told = answer(type="STOP_MARKET", triggerOrderId=7)

    assert _at_a_glance(told, stop) is None
    report = parse_own(told, stop)

    assert report is not None
    assert (report.is_conditional, report.child_order_id) == (True, "7")

"""BingX's answer to an order of ours, read while the caller waits. Pure."""

from typing import Any

from milobot.domain.orders import Order, OrderStatus
from milobot.domain.reports import OrderReport
from milobot.exchanges.bingx.mapping import client_id_of, side_of, status_of
from milobot.exchanges.bingx.payloads import fields_of, first_of
from milobot.exchanges.bingx.symbols import from_wire, to_wire
from milobot.exchanges.fields import Fields

_FURTHER_NEWS = frozenset({"status", "executedQty", "updateTime", "time"})


def parse_own(data: Any, order: Order) -> OrderReport | None:
    """Return what the answer to placing an order says of it; None if it is another order's.

    What we asked for is taken from the order: an answer repeats it, and is read while the
    caller waits. An id of ours that is not echoed is no reason to doubt: some answers lack
    it, and BingX's own id names the order as well.
    """
    return _at_a_glance(data, order) or _read(data, order)


def _at_a_glance(data: Any, order: Order) -> OrderReport | None:
    """Return what the usual answer says: our plain order, new, and nothing else to be read.

    It is what nearly every order gets, while the caller waits: reading its fields one by one
    costs more than all else that follows. None for any other answer, which says nothing of it.
    """
    try:
        told = data["data"]["order"]
        exchange_id, name = told["orderId"], told["clientOrderId"]
        is_ours = (
            type(exchange_id) is int
            and exchange_id > 0
            and name in {order.client_order_id, order.client_order_id.lower()}
            and told["symbol"] == to_wire(order.symbol)
            and told["side"] == order.side.value
            and told["type"] == order.type.value
        )
    except (KeyError, TypeError):
        return None
    if not is_ours or order.type.is_conditional or not _FURTHER_NEWS.isdisjoint(told):
        return None
    return OrderReport(
        client_order_id=name.lower(),
        exchange_order_id=str(exchange_id),
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        status=OrderStatus.SUBMITTED,
        quantity=order.quantity,
        time_ms=0,
    )


def _read(data: Any, order: Order) -> OrderReport | None:
    answer = fields_of(data, "an order")
    fields = answer.object("order") if answer.has("order") else answer
    exchange_id = fields.identity_or_empty(first_of(fields, "orderId", "orderID"))
    client_id = client_id_of(fields)
    if not exchange_id or not _is_of(fields, client_id, order):
        return None
    is_conditional = order.type.is_conditional
    child_id = fields.identity_or_empty("triggerOrderId") if is_conditional else ""
    return OrderReport(
        client_order_id=client_id,
        exchange_order_id=exchange_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        status=status_of(fields.text_or_empty("status") or "NEW"),
        quantity=order.quantity,
        time_ms=fields.integer_or_zero("updateTime") or fields.integer_or_zero("time"),
        filled_quantity=fields.decimal_or_zero("executedQty"),
        is_conditional=is_conditional,
        child_order_id="" if child_id == exchange_id else child_id,
    )


def _is_of(fields: Fields, client_id: str, order: Order) -> bool:
    return (
        (not client_id or client_id == order.client_order_id.lower())
        and from_wire(fields.text("symbol")) == order.symbol
        and side_of(fields.text("side")) is order.side
        and fields.text("type") == order.type
    )

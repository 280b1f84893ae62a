"""How BingX writes orders, positions and accounts; the keys follow its recorded answers."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from milobot.domain.money import ZERO, format_decimal
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.contracts import Contract
from milobot.local_exchange.core.orders import Conditional, Execution, Status, Ticket, VenueOrder
from milobot.local_exchange.wire import Json
from milobot.simulation.book import Book

QUOTE = "USDT"
USER_ID = "1341158271307522053"
SHORT_ID = "25307298"
_ZONE = timezone(timedelta(hours=8))
_STATUS = {
    Status.NEW: "PENDING",
    Status.CANCELED: "CANCELLED",
    Status.REJECTED: "FAILED",
    Status.TRIGGERED: "PENDING",
    Status.FINISHED: "FILLED",
}


def symbol_name(symbol: str) -> str:
    """Return BingX's name of a symbol: BTC-USDT for BTCUSDT."""
    for quote in ("USDT", "USDC"):
        if symbol.endswith(quote):
            return f"{symbol.removesuffix(quote)}-{quote}"
    return symbol


def symbol_of(name: str) -> str:
    """Return the symbol that BingX calls ``name``; what has no hyphen names none."""
    return name.replace("-", "") if "-" in name else f"?{name}"


def four(value: Decimal) -> str:
    """Write an amount with four digits, as the exchange does."""
    return f"{value:.4f}"


def price_text(contract: Contract, value: Decimal) -> str:
    """Write a price with the digits of its grid."""
    return f"{value:.{contract.price_digits}f}"


def quantity_text(contract: Contract, value: Decimal) -> str:
    """Write a quantity with the digits of its grid."""
    return f"{value:.{contract.quantity_digits}f}"


def order(
    contract: Contract, item: VenueOrder, account: Account, parent: Conditional | None = None
) -> Json:
    """Return an order as queries answer it.

    A conditional order keeps its id when it triggers: ``parent`` lends its child the name.
    """
    ticket = parent.ticket if parent else item.ticket
    attached = [c for c in account.conditionals.values() if c.entry_id == item.id]
    return {
        **_identity(contract, parent.id if parent else item.id, ticket),
        "origQty": quantity_text(contract, item.quantity),
        "price": price_text(contract, ticket.price or item.average_price),
        "executedQty": quantity_text(contract, item.filled),
        "avgPrice": price_text(contract, item.average_price),
        "cumQuote": format_decimal(item.cost.quantize(Decimal("0.0001"))),
        "profit": four(item.realized),
        "commission": f"{-item.fee:.6f}",
        "status": _STATUS.get(item.status, item.status.value),
        "time": (parent or item).created_ms,
        "updateTime": item.updated_ms,
        "leverage": f"{item.leverage}X",
        "stopLoss": _attached(attached, "STOP"),
        "takeProfit": _attached(attached, "TAKE_PROFIT"),
        "triggerOrderId": parent.id if parent else 0,
    }


def conditional(contract: Contract, item: Conditional, account: Account) -> Json:
    """Return a conditional order as queries answer it; once triggered, as its child is."""
    if item.child is not None:
        return order(contract, item.child, account, item)
    status = "NEW" if item.status is Status.NEW else _STATUS.get(item.status, item.status.value)
    return {
        **_identity(contract, 0 if item.is_nameless else item.id, item.ticket),
        "origQty": quantity_text(contract, item.quantity or ZERO),
        "price": price_text(contract, item.ticket.price or ZERO),
        "executedQty": quantity_text(contract, ZERO),
        "avgPrice": price_text(contract, ZERO),
        "cumQuote": "0",
        "profit": "0.0000",
        "commission": "0.000000",
        "status": status,
        "time": item.created_ms,
        "updateTime": item.updated_ms,
        "leverage": f"{account.leverage(item.ticket.symbol)}X",
        "stopLoss": _attached([], "STOP"),
        "takeProfit": _attached([], "TAKE_PROFIT"),
        "triggerOrderId": 0,
    }


def _identity(contract: Contract, number: int, ticket: Ticket) -> dict[str, Json]:
    trigger = ticket.trigger
    return {
        "symbol": symbol_name(ticket.symbol),
        "orderId": number,
        "side": ticket.side,
        "positionSide": ticket.position_side,
        "type": ticket.type_name,
        "stopPrice": price_text(contract, trigger.price) if trigger else "",
        "workingType": trigger.by if trigger else "MARK_PRICE",
        "clientOrderId": ticket.client_id,
        "reduceOnly": ticket.reduce_only,
        "closePosition": ticket.close_position,
        "timeInForce": ticket.time_in_force,
        "postOnly": ticket.time_in_force == "GTX",
        "advanceAttr": 0,
        "positionID": 0,
        "takeProfitEntrustPrice": 0,
        "stopLossEntrustPrice": 0,
        "orderType": "",
        "stopGuaranteed": False,
        "trailingStopRate": 0,
        "trailingStopDistance": 0,
        "isTwap": False,
        "mainOrderId": "",
    }


def _attached(items: list[Conditional], kind: str) -> Json:
    found = next((c for c in items if c.trigger.kind == kind), None)
    return {
        "type": found.ticket.type_name if found else "",
        "quantity": float(found.quantity or 0) if found else 0,
        "stopPrice": float(found.trigger.price) if found else 0,
        "price": 0,
        "workingType": found.trigger.by if found else "",
        "StopGuaranteed": "",
    }


def placed(contract: Contract, item: VenueOrder | Conditional) -> Json:
    """Return an order as the answer to placing it."""
    ticket = item.ticket
    is_done = isinstance(item, VenueOrder) and item.filled > 0
    average = item.average_price if isinstance(item, VenueOrder) else ZERO
    status = _STATUS.get(item.status, item.status.value)
    return {
        "orderId": item.id,
        "orderID": str(item.id),
        "symbol": symbol_name(ticket.symbol),
        "positionSide": ticket.position_side,
        "side": ticket.side,
        "type": ticket.type_name,
        "price": float(ticket.price or 0),
        "quantity": float(item.quantity or 0),
        "stopPrice": float(ticket.trigger.price) if ticket.trigger else 0,
        "workingType": ticket.trigger.by if ticket.trigger else "MARK_PRICE",
        "clientOrderID": ticket.client_id,
        "clientOrderId": ticket.client_id,
        "timeInForce": ticket.time_in_force,
        "priceRate": 0,
        "reduceOnly": ticket.reduce_only,
        "closePosition": str(ticket.close_position).lower(),
        "activationPrice": 0,
        "stopGuaranteed": "",
        "status": status if not isinstance(item, Conditional) else "NEW",
        "avgPrice": price_text(contract, average) if is_done else "0",
        "executedQty": quantity_text(
            contract, item.filled if isinstance(item, VenueOrder) else ZERO
        ),
    }


def fill(contract: Contract, item: Execution, order_id: int) -> Json:
    """Return a fill as ``allFillOrders`` answers it.

    Of its two times the first names the wrong zone, as recorded answers do.
    """
    moment = datetime.fromtimestamp(item.time_ms // 1000, _ZONE)
    local, milliseconds = moment.strftime("%Y-%m-%dT%H:%M:%S"), item.time_ms % 1000
    return {
        "filledTm": f"{local}Z",
        "volume": quantity_text(contract, item.quantity),
        "price": price_text(contract, item.price),
        "amount": four(item.quantity * item.price),
        "commission": f"{-item.fee:.8f}",
        "currency": contract.quote,
        "orderId": str(order_id),
        "tradeId": str(item.id),
        "liquidatedPrice": "",
        "liquidatedMarginRatio": "",
        "filledTime": f"{local}.{milliseconds:03d}+0800",
        "clientOrderID": item.client_id,
        "clientOrderId": item.client_id,
        "symbol": symbol_name(item.symbol),
        "side": item.side,
        "positionSide": "BOTH",
        "role": "maker" if item.is_maker else "taker",
    }


def position(account: Account, contract: Contract, book: Book, mark: Decimal) -> Json:
    """Return an open position."""
    held = book.position
    gain = account.unrealized_pnl(contract.symbol, mark)
    amount = quantity_text(contract, held.quantity)
    return {
        "positionId": str(1_700_000_000_000_000_000 + len(contract.symbol)),
        "symbol": symbol_name(contract.symbol),
        "currency": contract.quote,
        "positionAmt": amount,
        "availableAmt": amount,
        "positionSide": held.side,
        "isolated": account.margin_mode(contract.symbol) == "ISOLATED",
        "avgPrice": format_decimal(held.entry_price.quantize(Decimal("0.00000001"))),
        "initialMargin": four(book.margin),
        "margin": four(book.margin + gain),
        "leverage": book.leverage,
        "unrealizedProfit": four(gain),
        "realisedProfit": four(held.realized_pnl),
        "liquidationPrice": float(book.liquidation or 0),
        "pnlRatio": four(gain / book.margin if book.margin else ZERO),
        "maxMarginReduction": "0.0000",
        "riskRate": "0.0000",
        "markPrice": price_text(contract, mark),
        "positionValue": four(held.quantity * mark),
        "onlyOnePosition": True,
        "updateTime": account.updated_ms.get(contract.symbol, 0),
        "createTime": account.updated_ms.get(contract.symbol, 0),
    }

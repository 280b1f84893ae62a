"""How Binance writes orders, positions and accounts; the keys follow its recorded answers."""

from decimal import Decimal

from milobot.domain.margin import initial_margin, maintenance_margin
from milobot.domain.money import ZERO, format_decimal
from milobot.local_exchange.core.accounts import Account, Income
from milobot.local_exchange.core.contracts import Contract
from milobot.local_exchange.core.orders import (
    Conditional,
    Execution,
    Origin,
    Status,
    VenueOrder,
)
from milobot.local_exchange.wire import Json
from milobot.simulation.book import Book


def money(value: Decimal) -> str:
    """Write an amount with eight digits, as the exchange does."""
    return f"{value:.8f}"


def price_text(contract: Contract, value: Decimal) -> str:
    """Write a price with the digits of its grid."""
    return f"{value:.{contract.price_digits}f}"


def average_text(value: Decimal) -> str:
    """Write an average price, which lies on no grid."""
    return format_decimal(value.quantize(Decimal("0.00000001"))) if value else "0.0"


def quantity_text(contract: Contract, value: Decimal) -> str:
    """Write a quantity with the digits of its grid."""
    return f"{value:.{contract.quantity_digits}f}"


def order(contract: Contract, item: VenueOrder, *, as_new: bool = False) -> Json:
    """Return an order as REST answers it; ``as_new`` as the acknowledgement, before any fill."""
    ticket = item.ticket
    filled = ZERO if as_new else item.filled
    cost = ZERO if as_new else item.cost
    average = ZERO if as_new else item.average_price
    return {
        "orderId": item.id,
        "symbol": ticket.symbol,
        "status": Status.NEW if as_new else item.status,
        "clientOrderId": ticket.client_id,
        "price": price_text(contract, ticket.price or ZERO),
        "avgPrice": f"{average:.5f}" if average else "0.00000",
        "origQty": quantity_text(contract, item.quantity),
        "executedQty": quantity_text(contract, filled),
        "cumQty": quantity_text(contract, filled),
        "cumQuote": format_decimal(cost.quantize(Decimal("0.00001"))),
        "timeInForce": ticket.time_in_force,
        "type": _type_name(item),
        "reduceOnly": ticket.reduce_only,
        "closePosition": False,
        "side": ticket.side,
        "positionSide": "BOTH",
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": _type_name(item),
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": item.created_ms,
        "updateTime": item.updated_ms,
    }


def _type_name(item: VenueOrder) -> str:
    return "LIQUIDATION" if item.origin is Origin.LIQUIDATION else item.ticket.kind.value


def algo_order(contract: Contract, item: Conditional) -> Json:
    """Return a conditional order as REST answers it."""
    ticket, child = item.ticket, item.child
    trigger = price_text(contract, item.trigger.price)
    return {
        "algoId": item.id,
        "clientAlgoId": ticket.client_id,
        "algoType": "CONDITIONAL",
        "orderType": ticket.type_name,
        "symbol": ticket.symbol,
        "side": ticket.side,
        "positionSide": "BOTH",
        "timeInForce": ticket.time_in_force,
        "quantity": quantity_text(contract, item.quantity or ZERO),
        "algoStatus": item.status,
        "actualOrderId": str(child.id) if child else "",
        "actualPrice": f"{child.average_price:.5f}" if child else "0.00000",
        "actualQty": quantity_text(contract, child.filled) if child else "0.000",
        "actualType": child.ticket.kind.value if child else "",
        "triggerPrice": trigger,
        "price": price_text(contract, ticket.price or ZERO),
        "icebergQuantity": None,
        "tpTriggerPrice": "0.000",
        "tpPrice": "0.000",
        "slTriggerPrice": "0.000",
        "slPrice": "0.000",
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": item.trigger.by,
        "priceMatch": "NONE",
        "closePosition": ticket.close_position,
        "priceProtect": False,
        "reduceOnly": ticket.reduce_only,
        "activatePrice": "",
        "callbackRate": "",
        "createTime": item.created_ms,
        "updateTime": item.updated_ms,
        "triggerTime": item.triggered_ms,
        "goodTillDate": 0,
    }


def trade(contract: Contract, item: Execution) -> Json:
    """Return a fill as ``userTrades`` answers it."""
    return {
        "symbol": item.symbol,
        "id": item.id,
        "orderId": item.order_id,
        "side": item.side,
        "price": price_text(contract, item.price),
        "qty": quantity_text(contract, item.quantity),
        "realizedPnl": money(item.realized),
        "quoteQty": format_decimal(item.quantity * item.price),
        "commission": money(item.fee),
        "commissionAsset": contract.quote,
        "time": item.time_ms,
        "positionSide": "BOTH",
        "buyer": item.side.value == "BUY",
        "maker": item.is_maker,
    }


def income(item: Income, asset: str) -> Json:
    """Return a booking as ``income`` answers it."""
    return {
        "symbol": item.symbol,
        "incomeType": item.kind,
        "income": money(item.amount),
        "asset": asset,
        "info": item.kind,
        "time": item.time_ms,
        "tranId": str(item.id),
        "tradeId": str(item.trade_id) if item.trade_id else "",
    }


def position_risk(account: Account, contract: Contract, book: Book, mark: Decimal) -> Json:
    """Return a position as ``positionRisk`` answers it, version 2 and 3 in one."""
    held, symbol = book.position, contract.symbol
    is_open = not held.is_flat
    notional = held.side.sign * held.quantity * mark
    gain = account.unrealized_pnl(symbol, mark)
    isolated = book.margin if is_open else ZERO
    mode = account.margin_mode(symbol)
    top = contract.rules.brackets[-1].notional_cap
    needed = maintenance_margin(abs(notional), contract.rules.brackets) if is_open else ZERO
    tied = initial_margin(abs(notional), book.leverage)
    return {
        "symbol": symbol,
        "positionAmt": quantity_text(contract, held.side.sign * held.quantity),
        "entryPrice": average_text(held.entry_price),
        "breakEvenPrice": average_text(held.entry_price),
        "markPrice": money(mark),
        "unRealizedProfit": money(gain),
        "liquidationPrice": money(book.liquidation) if book.liquidation else "0",
        "leverage": str(book.leverage if is_open else account.leverage(symbol)),
        "maxNotionalValue": format_decimal(top),
        "marginType": "isolated" if mode == "ISOLATED" else "cross",
        "isolatedMargin": money(isolated + gain) if mode == "ISOLATED" else money(ZERO),
        "isAutoAddMargin": "false",
        "positionSide": "BOTH",
        "notional": money(notional) if is_open else "0",
        "marginAsset": contract.quote,
        "isolatedWallet": money(isolated) if mode == "ISOLATED" else "0",
        "initialMargin": money(tied),
        "maintMargin": money(needed),
        "positionInitialMargin": money(tied),
        "openOrderInitialMargin": "0",
        "adl": 0,
        "adlQuantile": 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": account.updated_ms.get(symbol, 0),
    }

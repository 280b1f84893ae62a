"""Binance's private payloads in our words: orders, fills, positions, account. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from milobot.domain.intents import PositionSide, Side
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderStatus, OrderType
from milobot.domain.reports import (
    Income,
    IncomeKind,
    MarginMode,
    OrderReport,
    PositionReport,
    SymbolSettings,
)
from milobot.errors import ProtocolError
from milobot.exchanges.fields import Fields, objects
from milobot.ports import Account

USDT = "USDT"
STATUSES = {
    "NEW": OrderStatus.SUBMITTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
    "NEW_INSURANCE": OrderStatus.SUBMITTED,
    "NEW_ADL": OrderStatus.SUBMITTED,
}
# FINISHED is "filled or cancelled in the matching engine": only the child order tells which.
ALGO_STATUSES = {
    "NEW": OrderStatus.SUBMITTED,
    "TRIGGERING": OrderStatus.TRIGGERED,
    "TRIGGERED": OrderStatus.TRIGGERED,
    "FINISHED": OrderStatus.TRIGGERED,
    "CANCELED": OrderStatus.CANCELLED,
    "EXPIRED": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
}
_INCOME = {
    "REALIZED_PNL": IncomeKind.REALIZED_PNL,
    "COMMISSION": IncomeKind.FEE,
    "FUNDING_FEE": IncomeKind.FUNDING,
    "TRANSFER": IncomeKind.TRANSFER,
    "INTERNAL_TRANSFER": IncomeKind.TRANSFER,
    "CROSS_COLLATERAL_TRANSFER": IncomeKind.TRANSFER,
    "INSURANCE_CLEAR": IncomeKind.LIQUIDATION,
}
_MARGIN_MODES = {
    "isolated": MarginMode.ISOLATED,
    "cross": MarginMode.CROSS,
    "crossed": MarginMode.CROSS,
}
_HOUR_MS = 3_600_000
_FORCED = ("autoclose-", "adl_autoclose", "settlement_autoclose-", "delivery_autoclose-")
_SIDES = {side.value: side for side in Side}
_POSITION_SIDES = {side.value: side for side in PositionSide}
_TYPES = {kind.value: kind for kind in OrderType}


def parse_order(data: Any) -> OrderReport:
    """Return a plain order as the exchange sees it."""
    fields = Fields(data, "an order")
    return OrderReport(
        client_order_id=fields.text_or_empty("clientOrderId"),
        exchange_order_id=fields.identity("orderId"),
        symbol=fields.text("symbol"),
        side=side_of(fields.text("side")),
        type=_TYPES.get(fields.text("type")),
        status=status_of(fields.text("status"), STATUSES),
        quantity=fields.decimal("origQty"),
        time_ms=fields.integer_or_zero("updateTime") or fields.integer_or_zero("time"),
        filled_quantity=fields.decimal_or_zero("executedQty"),
        average_price=fields.decimal_or_zero("avgPrice"),
        price=fields.decimal_or_none("price"),
        trigger_price=fields.decimal_or_none("stopPrice"),
        reduce_only=fields.flag("reduceOnly"),
        close_position=fields.flag("closePosition"),
    )


def parse_own(data: Any, order: Order) -> OrderReport | None:
    """Return what an answer about a plain order of ours says of it; None if it is another's.

    What we asked for is taken from the order: an answer repeats it, and is read while the
    caller waits.
    """
    fields = Fields(data, "an order")
    is_own = fields.text_or_empty("clientOrderId") == order.client_order_id
    if not is_own or fields.text("symbol") != order.symbol:
        return None
    return OrderReport(
        client_order_id=order.client_order_id,
        exchange_order_id=fields.identity("orderId"),
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        status=status_of(fields.text("status"), STATUSES),
        quantity=order.quantity,
        time_ms=fields.integer("updateTime"),
        filled_quantity=fields.decimal("executedQty"),
    )


def parse_algo_order(data: Any) -> OrderReport:
    """Return a conditional order; TRIGGERED until its child order says what came of it."""
    fields = Fields(data, "a conditional order")
    kind = fields.text_or_empty("orderType") or fields.text("type")
    return OrderReport(
        client_order_id=fields.text_or_empty("clientAlgoId"),
        exchange_order_id=fields.identity("algoId"),
        symbol=fields.text("symbol"),
        side=side_of(fields.text("side")),
        type=_TYPES.get(kind),
        status=status_of(fields.text("algoStatus"), ALGO_STATUSES),
        quantity=fields.decimal_or_zero("quantity"),
        time_ms=fields.integer("updateTime"),
        price=fields.decimal_or_none("price"),
        trigger_price=fields.decimal_or_none("triggerPrice"),
        reduce_only=fields.flag("reduceOnly"),
        close_position=fields.flag("closePosition"),
        is_conditional=True,
        child_order_id=fields.identity_or_empty("actualOrderId"),
        reason=fields.text_or_empty("rejectReason"),
    )


def parse_orders(data: Any, *, is_conditional: bool) -> list[OrderReport]:
    """Return a listing of orders of one kind."""
    if not isinstance(data, list):
        raise ProtocolError("the orders are no list")
    parse = parse_algo_order if is_conditional else parse_order
    return [parse(row) for row in data]


def parse_fills(data: Any, *, client_order_id: str, prices: Mapping[str, Decimal]) -> list[Fill]:
    """Return executions, oldest first.

    Args:
        data: The listing.
        client_order_id: Our order's id; empty where the listing is of several: then the
            exchange's order id stands in, since a listing of executions holds no other.
        prices: USDT per unit of an asset that fees are paid in.
    """
    found = [_fill(row, client_order_id, prices) for row in objects(data, "the executions")]
    return sorted(found, key=lambda fill: (fill.time_ms, len(fill.fill_id), fill.fill_id))


def parse_positions(data: Any) -> list[PositionReport]:
    """Return what is open; empty rows are left out."""
    return [
        _position(row) for row in objects(data, "the positions") if row.decimal("positionAmt") != 0
    ]


def parse_account(data: Any, taker_fee: Decimal) -> Account:
    """Return the USDT part of the account; other assets are no margin of ours."""
    for row in Fields(data, "the account").rows("assets"):
        if row.text("asset") == USDT:
            return Account(
                wallet=row.decimal("walletBalance"),
                available=row.decimal("availableBalance"),
                unrealized_pnl=row.decimal("unrealizedProfit"),
                taker_fee=taker_fee,
            )
    return Account(ZERO, ZERO, ZERO, taker_fee)


def parse_income(data: Any) -> list[Income]:
    """Return bookings, oldest first."""
    found = [_income(row) for row in objects(data, "the bookings")]
    return sorted(found, key=lambda income: income.time_ms)


def parse_symbol_settings(data: Any, symbol: str) -> SymbolSettings:
    """Return leverage and margin mode of a symbol."""
    for row in objects(data, "the symbol settings"):
        if row.text("symbol") == symbol:
            mode = margin_mode_of(row.text("marginType"))
            return SymbolSettings(symbol, row.integer("leverage"), mode)
    raise ProtocolError(f"Binance has no settings for {symbol}")


def side_of(word: str) -> Side:
    """Return the side of an order."""
    side = _SIDES.get(word)
    if side is None:
        raise ProtocolError(f"{word[:20]!r} is no side of an order")
    return side


def status_of(word: str, known: Mapping[str, OrderStatus]) -> OrderStatus:
    """Return the status of an order."""
    if word not in known:
        raise ProtocolError(f"{word[:30]!r} is no status of an order that is known here")
    return known[word]


def margin_mode_of(word: str) -> MarginMode:
    """Return a margin mode."""
    mode = _MARGIN_MODES.get(word.lower())
    if mode is None:
        raise ProtocolError(f"{word[:20]!r} is no margin mode")
    return mode


def position_side_of(amount: Decimal, word: str) -> PositionSide:
    """Return the direction of a position: by its word in hedge mode, else by its sign."""
    named = _POSITION_SIDES.get(word)
    return named or (PositionSide.LONG if amount > 0 else PositionSide.SHORT)


def fee_in_usdt(amount: Decimal, asset: str, prices: Mapping[str, Decimal]) -> Decimal:
    """Return a fee in USDT; zero for an asset without a price: better than a lost fill."""
    return amount if asset in {"", USDT} else amount * prices.get(asset, ZERO)


def purpose_of(client_order_id: str) -> OrderPurpose | None:
    """Return LIQUIDATION for orders of the exchange's own: liquidation, ADL, settlement."""
    return OrderPurpose.LIQUIDATION if client_order_id.startswith(_FORCED) else None


def identity_of(client_order_id: str, exchange_order_id: str) -> str:
    """Return what an order goes by: the exchange's own share one name, so their id joins it."""
    is_shared = purpose_of(client_order_id) and not any(c.isdigit() for c in client_order_id)
    return f"{client_order_id}-{exchange_order_id}" if is_shared else client_order_id


def funding_id(symbol: str, time_ms: int) -> str:
    """Return the identity of a funding payment, the same from events and from listings.

    Both tell it some milliseconds or seconds after the full hour at which it was due.
    """
    return f"{symbol}-funding-{time_ms - time_ms % _HOUR_MS}"


def _fill(row: Fields, client_order_id: str, prices: Mapping[str, Decimal]) -> Fill:
    fee = row.decimal_or_zero("commission")
    return Fill(
        fill_id=row.identity("id"),
        client_order_id=client_order_id or row.identity("orderId"),
        symbol=row.text("symbol"),
        side=side_of(row.text("side")),
        quantity=row.decimal("qty"),
        price=row.decimal("price"),
        fee=fee_in_usdt(fee, row.text_or_empty("commissionAsset"), prices),
        time_ms=row.integer("time"),
    )


def _position(row: Fields) -> PositionReport:
    amount = row.decimal("positionAmt")
    has_mode = row.has("marginType")
    return PositionReport(
        symbol=row.text("symbol"),
        side=position_side_of(amount, row.text_or_empty("positionSide")),
        quantity=abs(amount),
        entry_price=row.decimal("entryPrice"),
        mark_price=row.decimal("markPrice"),
        unrealized_pnl=row.decimal("unRealizedProfit"),
        time_ms=row.integer("updateTime"),
        liquidation_price=row.decimal_or_none("liquidationPrice"),
        leverage=row.integer("leverage") if row.has("leverage") else None,
        margin_mode=margin_mode_of(row.text("marginType")) if has_mode else None,
    )


def _income(row: Fields) -> Income:
    kind = _INCOME.get(row.text("incomeType"), IncomeKind.OTHER)
    symbol, time_ms = row.text_or_empty("symbol"), row.integer("time")
    is_funding = kind is IncomeKind.FUNDING and symbol
    return Income(
        income_id=funding_id(symbol, time_ms) if is_funding else row.identity("tranId"),
        kind=kind,
        symbol=symbol,
        asset=row.text("asset"),
        amount=row.decimal("income"),
        time_ms=time_ms,
    )

"""BingX's private payloads in our words: orders, fills, positions, account. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from milobot.domain.intents import PositionSide, Side
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, OrderStatus, OrderType
from milobot.domain.reports import (
    Income,
    IncomeKind,
    KeyRights,
    MarginMode,
    OrderReport,
    PositionReport,
)
from milobot.errors import ProtocolError
from milobot.exchanges.bingx.payloads import fields_of, first_of, rows_of
from milobot.exchanges.bingx.symbols import from_wire
from milobot.exchanges.fields import Fields
from milobot.ports import Account

STATUSES = {
    "NEW": OrderStatus.SUBMITTED,
    "PENDING": OrderStatus.SUBMITTED,
    "WORKING": OrderStatus.SUBMITTED,
    "TRIGGERED": OrderStatus.TRIGGERED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "CANCELLED": OrderStatus.CANCELLED,
    "EXPIRED": OrderStatus.EXPIRED,
    "FAILED": OrderStatus.REJECTED,
    "REJECTED": OrderStatus.REJECTED,
}
# "Ask" and "Bid" stand in answers about closing a position.
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL, "Bid": Side.BUY, "Ask": Side.SELL}
_INCOME = {
    "REALIZED_PNL": IncomeKind.REALIZED_PNL,
    "TRADING_FEE": IncomeKind.FEE,
    "FUNDING_FEE": IncomeKind.FUNDING,
    "TRANSFER": IncomeKind.TRANSFER,
    "INSURANCE_CLEAR": IncomeKind.LIQUIDATION,
    "ADL": IncomeKind.LIQUIDATION,
}
_MARGIN_MODES = {"ISOLATED": MarginMode.ISOLATED, "CROSSED": MarginMode.CROSS}
_TYPES = {kind.value: kind for kind in OrderType}
CONDITIONAL_TYPES = {kind.value: kind for kind in OrderType if kind.is_conditional}
FORCED_TYPES = frozenset({"LIQUIDATION", "ADL"})
_CONDITIONAL = {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"} | {
    "TRIGGER_LIMIT",
    "TRIGGER_MARKET",
    "TRAILING_STOP_MARKET",
    "TRAILING_TP_SL",
}
_MAY_TRADE, _MAY_WITHDRAW, _MAY_SEND_TO_OTHERS = 3, 5, 7
_HOUR_MS = 3_600_000


def parse_order(data: Any) -> OrderReport:
    """Return the order in an answer, bare or under ``order``."""
    fields = fields_of(data, "an order")
    return order_of(fields.object("order") if fields.has("order") else fields)


def is_forced(data: Any) -> bool:
    """Return whether the order in an answer is the exchange's own: a liquidation or ADL."""
    fields = fields_of(data, "an order")
    order = fields.object("order") if fields.has("order") else fields
    return order.text_or_empty("type") in FORCED_TYPES


def parse_orders(data: Any) -> list[OrderReport]:
    """Return a listing of orders."""
    return [order_of(row) for row in rows_of(data, "the orders", "orders")]


def order_of(fields: Fields) -> OrderReport:
    """Return an order; the answer to placing one holds neither status nor quantities.

    An attached exit may be listed without an id: its ``exchange_order_id`` is empty then.
    """
    exchange_id = fields.identity_or_empty(first_of(fields, "orderId", "orderID"))
    kind = fields.text("type")
    is_conditional = kind in _CONDITIONAL
    child_id = fields.identity_or_empty("triggerOrderId") if is_conditional else ""
    return OrderReport(
        client_order_id=client_id_of(fields),
        exchange_order_id=exchange_id,
        symbol=from_wire(fields.text("symbol")),
        side=side_of(fields.text("side")),
        type=_TYPES.get(kind),
        status=status_of(fields.text_or_empty("status") or "NEW"),
        quantity=fields.decimal_or_zero(first_of(fields, "origQty", "quantity")),
        time_ms=fields.integer_or_zero("updateTime") or fields.integer_or_zero("time"),
        filled_quantity=fields.decimal_or_zero("executedQty"),
        average_price=fields.decimal_or_zero("avgPrice"),
        price=fields.decimal_or_none("price"),
        trigger_price=fields.decimal_or_none("stopPrice"),
        reduce_only=fields.flag("reduceOnly"),
        close_position=fields.flag("closePosition"),
        is_conditional=is_conditional,
        child_order_id="" if child_id == exchange_id else child_id,
    )


def parse_fills(data: Any) -> list[Fill]:
    """Return executions, oldest first, each named by our id where told, else by the order's.

    Lists that hold no ids of executions get some of their own, the same each time.
    """
    rows = rows_of(data, "the executions", "fill_history_orders", "fill_orders")
    seen: dict[str, int] = {}
    found = [_fill(row, seen) for row in rows]
    return sorted(found, key=_age)


def parse_fills_of(data: Any, order_ids: Collection[str]) -> dict[str, tuple[Fill, ...]]:
    """Return the executions of some orders in a listing, by BingX's id of the order.

    Raises:
        ProtocolError: One of them lacks its side or an id of its own.
    """
    found: dict[str, list[Fill]] = {}
    for row in rows_of(data, "the executions", "fill_orders", "fill_history_orders"):
        order_id = row.identity("orderId")
        if order_id in order_ids:
            row.identity("tradeId")  # one of our own making would be another's elsewhere
            found.setdefault(order_id, []).append(_fill(row, {}))
    return {name: tuple(sorted(fills, key=_age)) for name, fills in found.items()}


def parse_positions(data: Any) -> list[PositionReport]:
    """Return what is open; empty rows are left out."""
    rows = rows_of(data, "the positions")
    return [_position(row) for row in rows if row.decimal("positionAmt") != 0]


def parse_account(data: Any, *, assets: Sequence[str], taker_fee: Decimal) -> Account:
    """Return the part of the account that is kept in the first of ``assets`` that it has."""
    found = {row.text("asset"): row for row in _balances(data)}
    row = next((found[asset] for asset in assets if asset in found), None)
    if row is None:
        return Account(ZERO, ZERO, ZERO, taker_fee)
    return Account(
        wallet=row.decimal_or_zero("balance"),
        available=row.decimal_or_zero("availableMargin"),
        unrealized_pnl=row.decimal_or_zero("unrealizedProfit"),
        taker_fee=taker_fee,
    )


def parse_taker_fee(data: Any) -> Decimal:
    """Return the fee of a market order as a fraction of its notional."""
    fields = fields_of(data, "the fees")
    rates = fields.object("commission") if fields.has("commission") else fields
    return rates.decimal("takerCommissionRate")


def parse_income(data: Any) -> list[Income]:
    """Return bookings, oldest first."""
    found = [_income(row) for row in rows_of(data, "the bookings")]
    return sorted(found, key=lambda income: income.time_ms)


def parse_leverage(data: Any) -> tuple[int, int]:
    """Return the leverage of long and of short positions."""
    fields = fields_of(data, "the leverage")
    return fields.integer("longLeverage"), fields.integer("shortLeverage")


def parse_margin_mode(data: Any) -> MarginMode:
    """Return the margin mode of a symbol."""
    word = fields_of(data, "the margin mode").text("marginType")
    mode = _MARGIN_MODES.get(word)
    if mode is None:
        raise ProtocolError(f"{word[:30]!r} is no margin mode that is traded in: use isolated")
    return mode


def parse_is_hedged(data: Any) -> bool:
    """Return whether the account is in hedge mode."""
    fields = fields_of(data, "the position mode")
    if not fields.has("dualSidePosition"):
        raise ProtocolError("the position mode is missing in the answer")
    return fields.flag("dualSidePosition")


def parse_key_rights(data: Any) -> KeyRights:
    """Return what a key may do: 3 trades perpetuals, 5 withdraws, 7 sends to other accounts."""
    inner = data.get("data") if isinstance(data, dict) else None
    if not isinstance(inner, dict):
        inner = data
    granted = inner.get("permissions") if isinstance(inner, dict) else None
    if not isinstance(granted, list):
        raise ProtocolError("the rights of the key are missing in the answer")
    numbers = {int(one) for one in granted if str(one).isdecimal()}
    addresses = inner.get("ipAddresses")
    return KeyRights(
        can_trade=_MAY_TRADE in numbers,
        can_withdraw=bool(numbers & {_MAY_WITHDRAW, _MAY_SEND_TO_OTHERS}),
        is_address_bound=bool(addresses) if isinstance(addresses, list) else None,
    )


def client_id_of(fields: Fields) -> str:
    """Return our id as BingX stores it, in lower case; answers differ in its field's name."""
    return fields.text_or_empty(first_of(fields, "clientOrderId", "clientOrderID")).lower()


def side_of(word: str) -> Side:
    """Return the side of an order."""
    if word not in _SIDES:
        raise ProtocolError(f"{word[:20]!r} is no side of an order")
    return _SIDES[word]


def status_of(word: str, known: Mapping[str, OrderStatus] = STATUSES) -> OrderStatus:
    """Return the status of an order."""
    if word not in known:
        raise ProtocolError(f"{word[:30]!r} is no status of an order that is known here")
    return known[word]


def position_side_of(amount: Decimal, word: str) -> PositionSide:
    """Return the direction of a position: by its word where there is one, else by its sign."""
    if word in set(PositionSide):
        return PositionSide(word)
    return PositionSide.LONG if amount > 0 else PositionSide.SHORT


def funding_id(symbol: str, time_ms: int) -> str:
    """Return the identity of a funding payment, the same from events and from listings.

    Both tell it some seconds after the full hour at which it was due.
    """
    return f"{symbol}-funding-{time_ms - time_ms % _HOUR_MS}"


def parse_moment(text: str) -> int:
    """Return the milliseconds of a time such as ``2023-12-16T20:58:36.000+0800``.

    >>> parse_moment("1970-01-01T08:00:01.500+0800")
    1500
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ProtocolError(f"{text[:40]!r} is no time") from None
    if moment.tzinfo is None:
        raise ProtocolError(f"{text[:40]!r} is a time without a zone")
    return round(moment.timestamp() * 1000)


def _balances(data: Any) -> list[Fields]:
    """Return the balances of an account, a list today, one object in the version before."""
    inner = data.get("data") if isinstance(data, dict) else None
    if isinstance(inner, dict):
        return [Fields(inner, "the account").object("balance")]
    return list(rows_of(data, "the account"))


def _age(fill: Fill) -> tuple[int, int, str]:
    return fill.time_ms, len(fill.fill_id), fill.fill_id


def _fill(row: Fields, seen: dict[str, int]) -> Fill:
    order_id = row.identity("orderId")
    quantity, price = row.decimal(first_of(row, "qty", "volume")), row.decimal("price")
    # Of the two times of older lists ``filledTm`` names the wrong zone.
    moment = row.text(first_of(row, "filledTime", "filledTm"))
    fill_id = row.identity_or_empty("tradeId")
    if not fill_id:
        fill_id = f"{order_id}-{moment}-{price}-{quantity}"
        seen[fill_id] = seen.get(fill_id, 0) + 1
        fill_id = f"{fill_id}-{seen[fill_id]}"
    return Fill(
        fill_id=fill_id,
        client_order_id=client_id_of(row) or order_id,
        symbol=from_wire(row.text("symbol")),
        side=side_of(row.text("side")),
        quantity=quantity,
        price=price,
        fee=-row.decimal_or_zero("commission"),
        time_ms=parse_moment(moment),
    )


def _position(row: Fields) -> PositionReport:
    amount = row.decimal("positionAmt")
    side = position_side_of(amount, row.text_or_empty("positionSide"))
    entry, gain = row.decimal("avgPrice"), row.decimal_or_zero("unrealizedProfit")
    # Older answers lack the mark price: it follows from the gain.
    mark = row.decimal_or_zero("markPrice") or entry + side.sign * gain / abs(amount)
    mode = MarginMode.ISOLATED if row.flag("isolated") else MarginMode.CROSS
    return PositionReport(
        symbol=from_wire(row.text("symbol")),
        side=side,
        quantity=abs(amount),
        entry_price=entry,
        mark_price=mark,
        unrealized_pnl=gain,
        time_ms=row.integer_or_zero("updateTime"),
        liquidation_price=row.decimal_or_none("liquidationPrice"),
        leverage=row.integer("leverage") if row.has("leverage") else None,
        margin_mode=mode if row.has("isolated") else None,
    )


def _income(row: Fields) -> Income:
    kind = _INCOME.get(row.text("incomeType"), IncomeKind.OTHER)
    name, time_ms = row.text_or_empty("symbol"), row.integer("time")
    symbol = from_wire(name) if name else ""
    is_funding = kind is IncomeKind.FUNDING and symbol
    return Income(
        income_id=funding_id(symbol, time_ms) if is_funding else row.identity("tranId"),
        kind=kind,
        symbol=symbol,
        asset=row.text("asset"),
        amount=row.decimal("income"),
        time_ms=time_ms,
    )

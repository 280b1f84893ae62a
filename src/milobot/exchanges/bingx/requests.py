"""Requests to BingX about an account, built without side effects: an action in, a call out.

Numbers are written as plain decimals. Rates are those of BingX's interface description,
per user and interface; placing orders is the exception, raised to 10 a second on
2025-10-16.
"""

from milobot.domain.money import ZERO, format_decimal
from milobot.domain.orders import Order, OrderPurpose, OrderType
from milobot.domain.reports import MarginMode
from milobot.exchanges.bingx.symbols import to_wire
from milobot.exchanges.limits import Limit
from milobot.exchanges.wire import Access, Call, Method, Params, Priority

MARKET_10S, MARKET_1M, ACCOUNT_10S = "market-10s", "market-1m", "account-10s"
MOST_ROWS = 1000
# Orders and fills are listed for at most seven days at a time (else 109400).
MOST_SPAN_MS = 7 * 86_400_000
TRIGGERED_BY = "CONTRACT_PRICE"

_ORDER = "/openApi/swap/v2/trade/order"
_OPEN_ORDERS = "/openApi/swap/v2/trade/openOrders"
_ALL_ORDERS = "/openApi/swap/v2/trade/allOrders"
_FILLS = "/openApi/swap/v2/trade/fillHistory"
_ALL_FILLS = "/openApi/swap/v2/trade/allFillOrders"
_POSITIONS = "/openApi/swap/v2/user/positions"
_BALANCE = "/openApi/swap/v3/user/balance"
_INCOME = "/openApi/swap/v2/user/income"
_FEES = "/openApi/swap/v2/user/commissionRate"
_BRACKETS = "/openApi/swap/v1/maintMarginRatio"
_LEVERAGE = "/openApi/swap/v2/trade/leverage"
_MARGIN = "/openApi/swap/v2/trade/marginType"
_MODE = "/openApi/swap/v1/positionSide/dual"
_RIGHTS = "/openApi/v1/account/apiPermissions"
_LISTEN_KEY = "/openApi/user/auth/userDataStream"

_RATES: dict[tuple[Method, str], int] = {
    ("POST", _ORDER): 10,
    ("DELETE", _ORDER): 5,
    ("GET", _ORDER): 5,
    ("GET", _OPEN_ORDERS): 5,
    ("GET", _ALL_ORDERS): 5,
    ("GET", _FILLS): 5,
    ("GET", _ALL_FILLS): 5,
    ("GET", _POSITIONS): 5,
    ("GET", _BALANCE): 5,
    ("GET", _INCOME): 5,
    ("GET", _FEES): 5,
    ("GET", _BRACKETS): 5,
    ("GET", _LEVERAGE): 5,
    ("POST", _LEVERAGE): 5,
    ("GET", _MARGIN): 2,
    ("POST", _MARGIN): 2,
    ("GET", _MODE): 2,
    ("POST", _MODE): 2,
    ("GET", _RIGHTS): 2,
    ("POST", _LISTEN_KEY): 2,
    ("PUT", _LISTEN_KEY): 2,
}
_EXITS = {OrderPurpose.STOP, OrderPurpose.TARGET, OrderPurpose.CLOSE}
_ATTACHED_AS = {OrderType.STOP_MARKET: "stopLoss", OrderType.TAKE_PROFIT_MARKET: "takeProfit"}
_SECOND_MS = 1000


def budget_of(method: str, path: str) -> str:
    """Return the name of the budget of one interface."""
    return f"{method} {path}"


# An entry carries its stop and target along, so one of ten is enough to keep for exits, which
# go first as soon as any order has left the window. Were it two, eight entries a second would
# be the very most there is: each delay would be handed on for ever.
_KEPT = {("POST", _ORDER): 1}
USER_LIMITS = {
    budget_of(*interface): Limit(budget_of(*interface), rate, _SECOND_MS, _KEPT.get(interface))
    for interface, rate in _RATES.items()
}
LIMITS = (
    Limit(MARKET_10S, 500, 10_000),
    Limit(MARKET_1M, 1000, 60_000),
    Limit(ACCOUNT_10S, 2000, 10_000),
    *USER_LIMITS.values(),
)


def place_order(order: Order) -> Call:
    """Return the call that places an order with the exits attached to it.

    Only market and limit orders take our id.
    """
    params: Params = (
        ("symbol", to_wire(order.symbol)),
        ("type", order.type.value),
        ("side", order.side.value),
        ("positionSide", "BOTH"),
    )
    if order.type.is_conditional:
        params += _conditional_terms(order)
    else:
        params += _plain_terms(order) + _attached_terms(order)
    priority = Priority.EXIT if is_exit(order) else Priority.ORDER
    return _signed("POST", _ORDER, params, priority)


def cancel_order(symbol: str, *, client_order_id: str = "", exchange_order_id: str = "") -> Call:
    """Return the call that cancels an order by either id."""
    params = _named(symbol, client_order_id, exchange_order_id)
    return _signed("DELETE", _ORDER, params, Priority.ORDER)


def fetch_order(symbol: str, *, client_order_id: str = "", exchange_order_id: str = "") -> Call:
    """Return the call that asks for an order by either id."""
    return _query(_ORDER, _named(symbol, client_order_id, exchange_order_id))


def fetch_open_orders(symbol: str | None) -> Call:
    """Return the call that lists resting orders, conditional ones too; None: in every symbol."""
    return _query(_OPEN_ORDERS, (("symbol", to_wire(symbol)),) if symbol else ())


def fetch_order_history(symbol: str, *, first_ms: int, last_ms: int) -> Call:
    """Return the call that lists orders of a symbol, ended ones too."""
    return _query(_ALL_ORDERS, (*_span(symbol, first_ms, last_ms), ("limit", str(MOST_ROWS))))


def fetch_fills(
    symbol: str, *, first_ms: int, last_ms: int, exchange_order_id: str = "", page: int = 1
) -> Call:
    """Return the call that lists executions."""
    params: Params = (
        ("symbol", to_wire(symbol)),
        ("startTs", str(first_ms)),
        ("endTs", str(last_ms)),
        ("pageIndex", str(page)),
        ("pageSize", str(MOST_ROWS)),
    )
    return _query(
        _FILLS, (*params, ("orderId", exchange_order_id)) if exchange_order_id else params
    )


def fetch_all_fills(*, first_ms: int, last_ms: int) -> Call:
    """Return the call that lists the executions of all symbols, in the base asset."""
    span = (("startTs", str(first_ms)), ("endTs", str(last_ms)))
    return _query(_ALL_FILLS, (("tradingUnit", "COIN"), *span))


def fetch_positions() -> Call:
    """Return the call for open positions."""
    return _query(_POSITIONS)


def fetch_balance() -> Call:
    """Return the call for balances."""
    return _query(_BALANCE)


def fetch_income(*, first_ms: int, last_ms: int) -> Call:
    """Return the call that lists bookings."""
    params = (("startTime", str(first_ms)), ("endTime", str(last_ms)), ("limit", str(MOST_ROWS)))
    return _query(_INCOME, params)


def fetch_fees() -> Call:
    """Return the call for the account's fee rates."""
    return _query(_FEES)


def fetch_brackets(symbol: str, priority: Priority = Priority.QUERY) -> Call:
    """Return the call for the maintenance margin of a symbol."""
    return _signed("GET", _BRACKETS, (("symbol", to_wire(symbol)),), priority)


def fetch_leverage(symbol: str, priority: Priority = Priority.QUERY) -> Call:
    """Return the call for the leverage of a symbol and the highest there is."""
    return _signed("GET", _LEVERAGE, (("symbol", to_wire(symbol)),), priority)


def fetch_margin_mode(symbol: str) -> Call:
    """Return the call for the margin mode of a symbol."""
    return _query(_MARGIN, (("symbol", to_wire(symbol)),))


def fetch_position_mode() -> Call:
    """Return the call that asks for hedge mode."""
    return _query(_MODE)


def fetch_key_rights() -> Call:
    """Return the call that says what the key may do."""
    return _query(_RIGHTS)


def set_one_way() -> Call:
    """Return the call that leaves hedge mode."""
    return _signed("POST", _MODE, (("dualSidePosition", "false"),), Priority.ORDER)


def set_leverage(symbol: str, leverage: int) -> Call:
    """Return the call that sets the leverage of a symbol, which needs a side."""
    params = (("symbol", to_wire(symbol)), ("side", "BOTH"), ("leverage", str(leverage)))
    return _signed("POST", _LEVERAGE, params, Priority.ORDER)


def set_margin_mode(symbol: str, mode: MarginMode) -> Call:
    """Return the call that sets the margin mode of a symbol."""
    word = "ISOLATED" if mode is MarginMode.ISOLATED else "CROSSED"
    params = (("symbol", to_wire(symbol)), ("marginType", word))
    return _signed("POST", _MARGIN, params, Priority.ORDER)


def create_listen_key() -> Call:
    """Return the call for a new listen key; signed, although the key's header would do."""
    return _signed("POST", _LISTEN_KEY, (), Priority.VITAL)


def extend_listen_key(key: str) -> Call:
    """Return the call that extends a listen key by an hour."""
    return _signed("PUT", _LISTEN_KEY, (("listenKey", key),), Priority.VITAL)


def is_exit(order: Order) -> bool:
    """Return whether an order can only reduce risk."""
    return order.reduce_only or order.close_position or order.purpose in _EXITS


def _plain_terms(order: Order) -> Params:
    terms: Params = (
        ("clientOrderId", order.client_order_id),
        ("quantity", format_decimal(order.quantity)),
    )
    if order.type is OrderType.LIMIT and order.price is not None:
        # A limit order that closes is the way out where no market order fills: it must not rest.
        kept = "IOC" if order.purpose is OrderPurpose.CLOSE else "GTC"
        terms += (("price", format_decimal(order.price)), ("timeInForce", kept))
    return (*terms, ("reduceOnly", "true")) if order.reduce_only else terms


def _conditional_terms(order: Order) -> Params:
    terms: Params = (("workingType", TRIGGERED_BY),)
    if order.trigger_price is not None:
        terms += (("stopPrice", format_decimal(order.trigger_price)),)
    if order.close_position:
        return (
            *terms,
            ("closePosition", "true"),
        )  # takes neither quantity nor reduceOnly beside it
    terms += (("quantity", format_decimal(order.quantity)),)
    return (*terms, ("reduceOnly", "true")) if order.reduce_only else terms


def _attached_terms(order: Order) -> Params:
    return tuple((_ATTACHED_AS[one.type], _exit_json(one)) for one in order.attached)


def _exit_json(attached: Order) -> str:
    """Return an attached exit; its numbers are plain decimals, which no JSON library promises."""
    trigger_price = ZERO if attached.trigger_price is None else attached.trigger_price
    return (
        f'{{"type":"{attached.type.value}","stopPrice":{format_decimal(trigger_price)},'
        f'"workingType":"{TRIGGERED_BY}","quantity":{format_decimal(attached.quantity)}}}'
    )


def _span(symbol: str, first_ms: int, last_ms: int) -> Params:
    times = (("startTime", str(first_ms)), ("endTime", str(last_ms)))
    return (("symbol", to_wire(symbol)), *times)


def _named(symbol: str, client_order_id: str, exchange_order_id: str) -> Params:
    identity = (
        ("orderId", exchange_order_id) if exchange_order_id else ("clientOrderId", client_order_id)
    )
    return (("symbol", to_wire(symbol)), identity)


def _query(path: str, params: Params = ()) -> Call:
    return _signed("GET", path, params, Priority.QUERY)


def _signed(method: Method, path: str, params: Params, priority: Priority) -> Call:
    costs = ((budget_of(method, path), 1), (ACCOUNT_10S, 1))
    return Call(method, path, params, Access.SIGNED, priority, costs)

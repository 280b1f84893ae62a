"""Requests to Binance USD-M, built without side effects: an action in, a call out.

Parameters stand in the order in which ccxt sends them, so that both can be compared by
their signature. Weights are those of Binance's interface description.
"""

from milobot.domain.money import format_decimal
from milobot.domain.orders import Order, OrderPurpose, OrderType
from milobot.domain.reports import MarginMode
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.limits import Limit
from milobot.exchanges.wire import Access, Call, Params, Priority

WEIGHT, ORDERS_10S, ORDERS_1M, REQUESTS = "weight", "orders-10s", "orders-1m", "requests"
# Until exchangeInfo says otherwise.
LIMITS = (
    Limit(WEIGHT, 2400, 60_000),
    Limit(ORDERS_10S, 300, 10_000),
    Limit(ORDERS_1M, 1200, 60_000),
    Limit(REQUESTS, 1200, 60_000),
)
MOST_CANDLES = 1500
MOST_ROWS = 1000
_ORDER_COSTS = ((ORDERS_10S, 1), (ORDERS_1M, 1), (REQUESTS, 1))
_EXITS = {OrderPurpose.STOP, OrderPurpose.TARGET, OrderPurpose.CLOSE}
_SIGNED = Access.SIGNED


def place_order(order: Order) -> Call:
    """Return the call that places an order, conditional ones through the algo service."""
    is_conditional = order.type.is_conditional
    params: Params = (
        ("symbol", order.symbol),
        ("side", order.side.value),
        ("clientAlgoId" if is_conditional else "newClientOrderId", order.client_order_id),
        ("newOrderRespType", "RESULT"),
        ("type", order.type.value),
    )
    params += _conditional_terms(order) if is_conditional else _plain_terms(order)
    return Call(
        "POST",
        "/fapi/v1/algoOrder" if is_conditional else "/fapi/v1/order",
        params,
        _SIGNED,
        Priority.EXIT if is_exit(order) else Priority.ORDER,
        _ORDER_COSTS,
    )


def cancel_order(order: Order) -> Call:
    """Return the call that cancels an order by its client id."""
    return Call("DELETE", _order_path(order), _named(order), _SIGNED, Priority.ORDER, _cost(1))


def fetch_order(order: Order) -> Call:
    """Return the call that asks for an order by its client id."""
    return _query(_order_path(order), _named(order))


def fetch_order_by_id(symbol: str, exchange_order_id: str) -> Call:
    """Return the call that asks for a plain order by the exchange's id."""
    return _query("/fapi/v1/order", (("symbol", symbol), ("orderId", exchange_order_id)))


def fetch_open_orders(symbol: str | None, *, is_conditional: bool) -> Call:
    """Return the call that lists resting orders of one kind; None: in every symbol."""
    path = "/fapi/v1/openAlgoOrders" if is_conditional else "/fapi/v1/openOrders"
    return _query(path, (("symbol", symbol),) if symbol else (), 1 if symbol else 40)


def fetch_fills(symbol: str, *, first_ms: int | None, exchange_order_id: str) -> Call:
    """Return the call that lists executions."""
    params: Params = (("symbol", symbol),)
    if exchange_order_id:
        params += (("orderId", exchange_order_id),)
    if first_ms is not None:
        params += (("startTime", str(first_ms)),)
    return _query("/fapi/v1/userTrades", (*params, ("limit", str(MOST_ROWS))), 5)


def fetch_income(*, first_ms: int, last_ms: int) -> Call:
    """Return the call that lists bookings."""
    params = (("startTime", str(first_ms)), ("limit", str(MOST_ROWS)), ("endTime", str(last_ms)))
    return _query("/fapi/v1/income", params, 30)


def fetch_account() -> Call:
    """Return the call for balances."""
    return _query("/fapi/v3/account", (), 5)


def fetch_positions() -> Call:
    """Return the call for open positions."""
    return _query("/fapi/v3/positionRisk", (), 5)


def fetch_brackets() -> Call:
    """Return the call for all leverage brackets."""
    return _query("/fapi/v1/leverageBracket")


def fetch_fees(symbol: str) -> Call:
    """Return the call for the account's fee rates."""
    return _query("/fapi/v1/commissionRate", (("symbol", symbol),), 20)


def fetch_symbol_settings(symbol: str) -> Call:
    """Return the call for leverage and margin mode of a symbol."""
    return _query("/fapi/v1/symbolConfig", (("symbol", symbol),), 5)


def fetch_position_mode() -> Call:
    """Return the call that asks for hedge mode."""
    return _query("/fapi/v1/positionSide/dual", (), 30)


def fetch_account_rights() -> Call:
    """Return the call that says whether the account may trade."""
    return _query("/fapi/v1/accountConfig", (), 5)


def fetch_key_rights() -> Call:
    """Return the call that says what the key may do; it goes to another host."""
    path = "/sapi/v1/account/apiRestrictions"
    return Call("GET", path, (), _SIGNED, Priority.QUERY, ((REQUESTS, 1),), base="rights")


def set_one_way() -> Call:
    """Return the call that leaves hedge mode."""
    return _setting("/fapi/v1/positionSide/dual", (("dualSidePosition", "false"),))


def set_leverage(symbol: str, leverage: int) -> Call:
    """Return the call that sets the leverage of a symbol."""
    return _setting("/fapi/v1/leverage", (("symbol", symbol), ("leverage", str(leverage))))


def set_margin_mode(symbol: str, mode: MarginMode) -> Call:
    """Return the call that sets the margin mode of a symbol."""
    word = "ISOLATED" if mode is MarginMode.ISOLATED else "CROSSED"
    return _setting("/fapi/v1/marginType", (("symbol", symbol), ("marginType", word)))


def fetch_server_time() -> Call:
    """Return the call for the server's time."""
    return _public("/fapi/v1/time", priority=Priority.ORDER)


def fetch_exchange_info() -> Call:
    """Return the call for symbols, filters and limits."""
    return _public("/fapi/v1/exchangeInfo")


def fetch_candles(
    symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int, priority: Priority
) -> Call:
    """Return the call for candles."""
    params: Params = (("interval", timeframe.value), ("limit", str(limit)), ("symbol", symbol))
    if first_ms is not None:
        params += (("startTime", str(first_ms)),)
    weight = next((w for most, w in ((99, 1), (499, 2), (1000, 5)) if limit <= most), 10)
    return _public("/fapi/v1/klines", params, weight, priority)


def fetch_funding_rates(symbol: str, *, first_ms: int, last_ms: int) -> Call:
    """Return the call for rates that were paid."""
    params = (
        ("symbol", symbol),
        ("startTime", str(first_ms)),
        ("endTime", str(last_ms)),
        ("limit", str(MOST_ROWS)),
    )
    return _public("/fapi/v1/fundingRate", params, priority=Priority.DOWNLOAD)


def fetch_book_ticker(symbol: str) -> Call:
    """Return the call for best bid and ask."""
    return _public("/fapi/v1/ticker/bookTicker", (("symbol", symbol),), 2)


def fetch_mark_price(symbol: str) -> Call:
    """Return the call for mark price and funding."""
    return _public("/fapi/v1/premiumIndex", (("symbol", symbol),))


def fetch_last_price(symbol: str) -> Call:
    """Return the call for the price of the latest trade."""
    return _public("/fapi/v2/ticker/price", (("symbol", symbol),))


def create_listen_key() -> Call:
    """Return the call for a listen key: the active one, extended, or a new one."""
    return Call("POST", "/fapi/v1/listenKey", (), Access.KEY, Priority.VITAL, _cost(1))


def extend_listen_key() -> Call:
    """Return the call that extends the active listen key by an hour."""
    return Call("PUT", "/fapi/v1/listenKey", (), Access.KEY, Priority.VITAL, _cost(1))


def is_exit(order: Order) -> bool:
    """Return whether an order can only reduce risk."""
    return order.reduce_only or order.close_position or order.purpose in _EXITS


def _plain_terms(order: Order) -> Params:
    terms: Params = (("quantity", format_decimal(order.quantity)),)
    if order.type is OrderType.LIMIT and order.price is not None:
        # A limit order that closes is the way out where no market order fills: it must not rest.
        kept = "IOC" if order.purpose is OrderPurpose.CLOSE else "GTC"
        terms += (("price", format_decimal(order.price)), ("timeInForce", kept))
    return (*terms, ("reduceOnly", "true")) if order.reduce_only else terms


def _conditional_terms(order: Order) -> Params:
    terms: Params = ()
    if not order.close_position:
        terms += (("quantity", format_decimal(order.quantity)),)
    if order.trigger_price is not None:
        terms += (("triggerPrice", format_decimal(order.trigger_price)),)
    if order.close_position:
        terms += (("closePosition", "true"),)  # takes no reduceOnly beside it
    elif order.reduce_only:
        terms += (("reduceOnly", "true"),)
    return (*terms, ("workingType", "CONTRACT_PRICE"), ("algoType", "CONDITIONAL"))


def _order_path(order: Order) -> str:
    return "/fapi/v1/algoOrder" if order.type.is_conditional else "/fapi/v1/order"


def _named(order: Order) -> Params:
    name = "clientAlgoId" if order.type.is_conditional else "origClientOrderId"
    return (("symbol", order.symbol), (name, order.client_order_id))


def _cost(weight: int) -> tuple[tuple[str, int], ...]:
    return ((WEIGHT, weight), (REQUESTS, 1))


def _query(path: str, params: Params = (), weight: int = 1) -> Call:
    return Call("GET", path, params, _SIGNED, Priority.QUERY, _cost(weight))


def _public(
    path: str, params: Params = (), weight: int = 1, priority: Priority = Priority.QUERY
) -> Call:
    return Call("GET", path, params, Access.PUBLIC, priority, _cost(weight))


def _setting(path: str, params: Params) -> Call:
    return Call("POST", path, params, _SIGNED, Priority.ORDER, _cost(1))

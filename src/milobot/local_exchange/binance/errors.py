"""Error codes and messages of the Binance USD-M dialect."""

from collections.abc import Mapping

from milobot.local_exchange.core.orders import Refusal
from milobot.local_exchange.wire import ApiError

_BAD_REQUEST = 400

# Code and message of a refusal. Source: USD-M futures "Error Codes" of the API documentation.
REFUSALS: dict[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Refusal.MALFORMED: (-1102, "Mandatory parameter was not sent, was empty/null, or malformed."),
    Refusal.BELOW_MIN_QUANTITY: (-4003, "Quantity less than or equal to zero."),
    Refusal.ABOVE_MAX_QUANTITY: (-4005, "Quantity greater than max quantity."),
    Refusal.QUANTITY_STEP: (-1111, "Precision is over the maximum defined for this asset."),
    Refusal.PRICE_TICK: (-4014, "Price not increased by tick size."),
    Refusal.MIN_NOTIONAL: (
        -4164,
        "Order's notional must be no smaller than {least} (unless you choose reduce only).",
    ),
    Refusal.MARGIN: (-2019, "Margin is insufficient."),
    Refusal.LEVERAGE: (-2027, "Exceeded the maximum allowable position at current leverage."),
    Refusal.LEVERAGE_REDUCTION: (
        -4161,
        "Leverage reduction is not supported in Isolated Margin Mode with open positions.",
    ),
    Refusal.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Refusal.NO_POSITION: (
        -4509,
        (
            "Time in Force (TIF) GTE can only be used with open positions. Please ensure that "
            "positions are available."
        ),
    ),
    Refusal.WOULD_TRIGGER: (-2021, "Order would immediately trigger."),
    Refusal.WOULD_TAKE: (
        -5022,
        (
            "Due to the order could not be executed as maker, the Post Only order will be "
            "rejected. The order will not be recorded in the order history"
        ),
    ),
    Refusal.DUPLICATE_ID: (-4116, "ClientOrderId is duplicated."),
    Refusal.SECOND_CLOSE_POSITION: (
        -4130,
        (
            "An open stop or take profit order with GTE and closePosition in the direction is "
            "existing."
        ),
    ),
    Refusal.NOT_FOUND: (-2013, "Order does not exist."),
    Refusal.NOT_OPEN: (-2011, "Unknown order sent."),
    Refusal.NO_CHANGE: (-4046, "No need to change margin type."),
    Refusal.HAS_POSITION: (-4048, "Margin type cannot be changed if there exists position."),
    Refusal.HAS_ORDERS: (-4047, "Margin type cannot be changed if there exists open orders."),
    Refusal.NO_PRICE: (
        -1008,
        "Server is currently overloaded with other requests. Please try again in a few minutes.",
    ),
    Refusal.POSITION_SIDE: (-4061, "Order's position side does not match user's setting."),
}

# Messages of codes that only fault plans bring about.
MESSAGES: dict[int, str] = {
    -1000: "Unknown error, please check your request or try again later.",
    -1001: "Internal error; unable to process your request. Please try again.",
    -1003: "Too many requests; current limit is 2400 requests per minute.",
    -1006: "An unexpected response was received from the message bus. Execution status unknown.",
    -1007: "Timeout waiting for response from backend server. Send status unknown; execution "
    "status unknown.",
    -1008: "Server is currently overloaded with other requests. Please try again in a few minutes.",
    -1015: "Too many new orders; current limit is 300 orders per TEN_SECONDS.",
    -1021: "Timestamp for this request is outside of the recvWindow.",
    -1022: "Signature for this request is not valid.",
    -1109: "Invalid account.",
    -2010: "New order rejected.",
    -2014: "API-key format invalid.",
    -2015: "Invalid API-key, IP, or permissions for action.",
    -2018: "Balance is insufficient.",
    -4015: "Client order id is not valid.",
    -4059: "No need to change position side.",
    -4118: "ReduceOnly Order Failed. Please check your existing position and open orders.",
    -4120: "Order type not supported for this endpoint. Please use the Algo Order API endpoints "
    "instead.",
    -4131: "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
    **{code: text for code, text in REFUSALS.values() if "{" not in text},
}

_STATUS = {
    -1007: 408,
    -1003: 429,
    -1015: 429,
    -1000: 503,
    -1006: 503,
    -1008: 503,
    -2014: 401,
    -2015: 401,
}


def error(code: int, text: str | None = None) -> ApiError:
    """Return the error of a code with its usual message and status."""
    return ApiError(_STATUS.get(code, _BAD_REQUEST), code, text or MESSAGES.get(code, "Error."))


def injected(fault: str, settings: Mapping[str, float | str]) -> ApiError:
    """Return the error that a fault answers with."""
    if fault == "reject":
        code = int(float(settings["code"])) or -2010
        return error(code)
    if fault == "http_error":
        return ApiError(int(float(settings["status"])), None, "<html>Gateway error</html>")
    retry = str(max(1, int(float(settings.get("seconds", 1)))))
    table = {
        "unknown_503": ApiError(503, -1000, MESSAGES[-1000]),
        "unavailable_503": ApiError(503, None, "Service Unavailable."),
        "overload_503": ApiError(503, -1008, MESSAGES[-1008]),
        "internal_503": ApiError(503, -1001, MESSAGES[-1001]),
        "unknown_1006": ApiError(503, -1006, MESSAGES[-1006]),
        "timeout_1007": ApiError(408, -1007, MESSAGES[-1007]),
        "rate_limited": ApiError(429, -1003, MESSAGES[-1003], {"Retry-After": retry}),
        "banned": ApiError(
            418,
            -1003,
            "Way too many requests; IP banned until further notice. Please use the websocket for "
            "live updates to avoid bans.",
            {"Retry-After": retry},
        ),
        "maintenance": ApiError(503, None, "<html><h1>System is under maintenance.</h1></html>"),
    }
    return table[fault]

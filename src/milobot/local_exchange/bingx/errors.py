"""Error codes and messages of the BingX dialect: HTTP 200 with a code, but for the rate limit."""

from collections.abc import Mapping

from milobot.local_exchange.core.orders import Refusal
from milobot.local_exchange.wire import ApiError

_OK = 200

# Source: the error codes of the swap v2 documentation and recorded answers.
REFUSALS: dict[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_SYMBOL: (
        109425,
        "{symbol} not exist, please verify it in api: /openApi/swap/v2/quote/contracts",
    ),
    Refusal.MALFORMED: (109400, "Invalid parameters, err:{name}: this field is required"),
    Refusal.BELOW_MIN_QUANTITY: (101400, "The minimum order amount is {least_quantity}."),
    Refusal.ABOVE_MAX_QUANTITY: (101211, "The order quantity is above the maximum."),
    Refusal.QUANTITY_STEP: (109400, "Invalid parameters, err:quantity: precision is too high"),
    Refusal.PRICE_TICK: (109400, "Invalid parameters, err:price: precision is too high"),
    Refusal.MIN_NOTIONAL: (
        110425,
        "Please ensure that the minimum nominal value of the order placed must be greater than 2u",
    ),
    Refusal.MARGIN: (101204, "Insufficient margin"),
    Refusal.LEVERAGE: (101209, "The maximum position value for this leverage is exceeded"),
    Refusal.LEVERAGE_REDUCTION: (80013, "The leverage cannot be reduced with an open position"),
    Refusal.REDUCE_ONLY: (101205, "No position to close"),
    Refusal.NO_POSITION: (101205, "No position to close"),
    Refusal.WOULD_TRIGGER: (110412, "The trigger price would trigger the order immediately"),
    Refusal.WOULD_TAKE: (101215, "A post-only order would be executed immediately"),
    Refusal.DUPLICATE_ID: (101481, "The clientOrderId is duplicated"),
    Refusal.SECOND_CLOSE_POSITION: (109400, "Such an order closes the position already"),
    Refusal.NOT_FOUND: (109421, "order not exist"),
    Refusal.NOT_OPEN: (109421, "order not exist"),
    Refusal.NO_CHANGE: (80014, "No need to change the margin type"),
    Refusal.HAS_POSITION: (80012, "The margin type cannot be changed with an open position"),
    Refusal.HAS_ORDERS: (80012, "The margin type cannot be changed with open orders"),
    Refusal.NO_PRICE: (109500, "The current system is busy, please try again later"),
    Refusal.POSITION_SIDE: (
        109400,
        "In the One-way mode, the 'PositionSide' field can only be set to BOTH.",
    ),
}

# Messages of codes that only fault plans bring about, and those that the dialect raises itself.
MESSAGES: dict[int, str] = {
    80001: "request failed",
    80012: "service unavailable",
    80014: "Invalid parameters",
    80016: "order does not exist",
    80017: "position does not exist",
    80019: "the request is being processed",
    100001: "Signature verification failed due to signature mismatch",
    100004: "Permission denied, the API key was created without the permission",
    100410: "The current system is busy, please try again later",
    100412: "Null signature",
    100413: "Incorrect apiKey",
    100419: "IP does not match IP whitelist",
    100421: "Null timestamp or timestamp mismatch",
    100500: "The current system is busy, please try again later",
    101204: "Insufficient margin",
    101205: "No position to close",
    101209: "The same order number is only allowed once per second",
    101253: "margin is not enough",
    101400: "The minimum order amount is not reached",
    101481: "The clientOrderId is duplicated",
    101500: "RPC timeout",
    109201: "The same order number is only allowed to be submitted once within 1 second",
    109400: "Invalid parameters",
    109414: "order not exist or ended",
    109418: "trading pair is offline and cannot be ordered through the api",
    109421: "order not exist",
    109425: "the symbol does not exist",
    109429: "Too many requests, please try again later",
    109500: "The current system is busy, please try again later",
    110412: "The trigger price would trigger the order immediately",
}
_STATUS = {100410: 429, 109429: 429}


def error(code: int, text: str | None = None) -> ApiError:
    """Return the error of a code with its usual message and status."""
    return ApiError(_STATUS.get(code, _OK), code, text or MESSAGES.get(code, "error"))


def injected(fault: str, settings: Mapping[str, float | str]) -> ApiError:
    """Return the error that a fault answers with."""
    if fault == "reject":
        return error(int(float(settings["code"])) or 109400)
    if fault == "http_error":
        return ApiError(int(float(settings["status"])), None, "<html>Gateway error</html>")
    retry = str(max(1, int(float(settings.get("seconds", 1)))))
    table = {
        "unknown_503": ApiError(503, None, "<html>Service unknown</html>"),
        "unavailable_503": error(100500),
        "overload_503": error(109500),
        "internal_503": error(80012),
        "unknown_1006": error(80019),
        "timeout_1007": error(101500),
        "rate_limited": ApiError(429, 109429, MESSAGES[109429], {"Retry-After": retry}),
        "banned": ApiError(418, 100410, MESSAGES[100410], {"Retry-After": retry}),
        "maintenance": error(100503, "The system is under maintenance"),
    }
    return table[fault]

"""What BingX's answers mean: the table, each row with its source.

"3f" and "4" are sections of the notes on exchanges that this table was made from; "error
codes" is the list of common error codes in BingX's interface description, "recorded" an
answer that a public connector quotes. BingX answers most refusals with HTTP status 200.
"""

from typing import Any

import orjson

from milobot.domain.orders import Refusal
from milobot.errors import (
    AuthenticationError,
    ExchangeUnavailableError,
    OutcomeUnknownError,
    RateLimitedError,
)
from milobot.exchanges.outcomes import Dialect, Outcome, Reply, Row, codes
from milobot.exchanges.wire import Answer

NO_SUCH_ORDER_CODES = codes(80016, 109421)
RATE_CODES = codes(100410, 109429)

_OK = range(200, 300)
_SERVER = range(500, 600)
# Every answer has a code but the one that brings a listen key.
_ENVELOPE = {"code", "listenKey"}
_NO_CONTENT = 204
_NOT_FOUND = 404


def _only(status: int) -> range:
    return range(status, status + 1)


TABLE: tuple[Row, ...] = (
    # Too much, too often: refused at the door.
    Row(
        Outcome.NOT_EXECUTED,
        "3f: 100410 and 109429 rate limit, not executed",
        codes=RATE_CODES,
        refusal=Refusal.RATE_LIMITED,
        error=RateLimitedError,
    ),
    Row(
        Outcome.NOT_EXECUTED,
        "3f: HTTP 429 not executed",
        statuses=_only(429),
        refusal=Refusal.RATE_LIMITED,
        error=RateLimitedError,
    ),
    Row(
        Outcome.NOT_EXECUTED,
        "error codes: HTTP 418 is a ban after 429",
        statuses=_only(418),
        refusal=Refusal.RATE_LIMITED,
        error=RateLimitedError,
    ),
    # The same code says two things: the words decide before the duplicate id does.
    Row(
        Outcome.REJECTED,
        "error codes: 101209 'The maximum position value for this leverage is ...'",
        codes=codes(101209),
        text="maximum position",
        refusal=Refusal.POSITION_LIMIT,
    ),
    Row(
        Outcome.UNKNOWN,
        "3d and 3f: 101209, 109201 and 101481 same order number: already placed, query",
        codes=codes(101209, 109201, 101481),
        refusal=Refusal.DUPLICATE_ID,
        error=OutcomeUnknownError,
    ),
    # May have been carried out.
    Row(
        Outcome.UNKNOWN,
        "3f and 4: 80012 service unavailable, 80019 being processed, 101500 RPC timeout",
        codes=codes(80012, 80019, 101500),
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.UNKNOWN,
        "error codes: 100500 internal error; recorded: 109500 and 110500 busy, 100503",
        codes=codes(100500, 100503, 109500, 110500),
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    # Clock and key.
    Row(
        Outcome.REJECTED,
        "recorded: 100421 'This pair is currently restricted from API trading'",
        codes=codes(100421),
        text="restricted",
        refusal=Refusal.SYMBOL_NOT_TRADING,
    ),
    Row(
        Outcome.NOT_EXECUTED,
        "3f: 100421 timestamp mismatch, not executed",
        codes=codes(100421),
        refusal=Refusal.CLOCK,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.NOT_EXECUTED,
        "error tables of the order calls: 80014 'timestamp is invalid'",
        codes=codes(80014, 109400),
        text="timestamp is invalid",
        refusal=Refusal.CLOCK,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: 100001 100412 100413 signature or key, 100004 right, 100419 address;"
        " recorded: 100414 account suspended",
        codes=codes(100001, 100004, 100412, 100413, 100414, 100419),
        refusal=Refusal.KEY,
        error=AuthenticationError,
    ),
    # Refused for a reason of the order's own.
    Row(
        Outcome.REJECTED,
        "3f and error codes: 101204 insufficient margin; recorded: 101253, 100202",
        codes=codes(101204, 101253, 100202),
        refusal=Refusal.INSUFFICIENT_MARGIN,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: 101400 'Insufficient margin'",
        codes=codes(101400),
        text="insufficient margin",
        refusal=Refusal.INSUFFICIENT_MARGIN,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: 80017 position does not exist; recorded: 101205 no position to close,"
        " 101290 reduce only can only decrease",
        codes=codes(80017, 101205, 101290),
        refusal=Refusal.NOTHING_TO_REDUCE,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: 101400 'No position to close'",
        codes=codes(101400),
        text="no position to close",
        refusal=Refusal.NOTHING_TO_REDUCE,
    ),
    Row(
        Outcome.REJECTED,
        "recorded: 110424 'The order size must be less than the available amount of 100 USDT'",
        codes=codes(110424),
        text="USDT",
        refusal=Refusal.INSUFFICIENT_MARGIN,
    ),
    Row(
        Outcome.REJECTED,
        "recorded: 110424 the same of the base asset: position or other exits are in the way",
        codes=codes(110424),
        refusal=Refusal.NOTHING_TO_REDUCE,
    ),
    Row(
        Outcome.REJECTED,
        "recorded: 110412 the trigger price is passed already",
        codes=codes(110412),
        refusal=Refusal.WOULD_TRIGGER,
    ),
    Row(
        Outcome.REJECTED,
        "recorded: 'In the One-way mode, the PositionSide field can only be set to BOTH'",
        codes=codes(80014, 109400),
        text="positionside",
        refusal=Refusal.HEDGE_MODE,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: 101414 the maximum leverage is lower",
        codes=codes(101414),
        refusal=Refusal.POSITION_LIMIT,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: 80013 too many entrusted orders",
        codes=codes(80013),
        refusal=Refusal.TOO_MANY_ORDERS,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: 101415 suspended, 101514 no opening for now; recorded: 109418 offline,"
        " 109425 and 100204 unknown",
        codes=codes(100204, 101415, 101514, 109418, 109425),
        refusal=Refusal.SYMBOL_NOT_TRADING,
    ),
    Row(
        Outcome.REJECTED,
        "error tables of the order calls: 109400 '...,symbol not exist'",
        codes=codes(109400),
        text="not exist",
        refusal=Refusal.SYMBOL_NOT_TRADING,
    ),
    Row(
        Outcome.REJECTED,
        "3f: 80016 and 109421 order not found; error codes: 80018 already filled",
        codes=codes(80016, 80018, 109421),
        refusal=Refusal.NOT_RESTING,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: 80001 '... order not exist'; error table of cancelling: 109414 the same",
        codes=codes(80001, 109414),
        text="order not exist",
        refusal=Refusal.NOT_RESTING,
    ),
    Row(
        Outcome.REJECTED,
        "error table of cancelling: 80001 'The order doesn't exist'",
        codes=codes(80001),
        text="order doesn't exist",
        refusal=Refusal.NOT_RESTING,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: 80014 and 100400 arguments, 101211 price, 101400 size, 101460 beyond"
        " liquidation; recorded: 109400 parameters, 110425 minimum value",
        codes=codes(80014, 100400, 101211, 101400, 101460, 109400, 110425),
        refusal=Refusal.SIZE_OR_PRICE,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: 80020 risk forbidden, 101212 pending orders, 101215 post only would take;"
        " error table of the position mode: 109401 pending orders or position",
        codes=codes(80020, 101212, 101215, 109401),
    ),
    Row(
        Outcome.UNKNOWN,
        "4: a listen key that is gone answers 404, or 204; of an order neither says anything",
        codes=codes(_NOT_FOUND, _NO_CONTENT),
    ),
    Row(
        Outcome.UNKNOWN,
        "3f and 4: 504 'does not mean failed', 500, 502, 503",
        statuses=_SERVER,
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.UNKNOWN,
        "3f: 408 as a timeout",
        statuses=_only(408),
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
)


def read(answer: Answer) -> Reply:
    """Return an answer as BingX words it; never raises."""
    try:
        data = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return _without_data(answer)
    if not isinstance(data, dict) or not data.keys() & _ENVELOPE:
        # JSON, but not an answer of BingX: {} and the like say nothing about a request.
        return Reply(answer.status, "", "", None, is_success=answer.status in _OK)
    code, message = _text(data.get("code", 0)), _text(data.get("msg", ""))
    is_success = answer.status in _OK and code == "0"
    return Reply(answer.status, "" if code == "0" else code, message, data, is_success)


def _without_data(answer: Answer) -> Reply:
    """Read an answer without JSON; only the calls about listen keys have such by design."""
    if answer.status == _NO_CONTENT:
        return Reply(answer.status, str(_NO_CONTENT), "no content", None, is_success=False)
    if answer.status == _NOT_FOUND:
        return Reply(answer.status, str(_NOT_FOUND), "not found", None, is_success=False)
    return Reply(answer.status, "", "", None, is_success=answer.status in _OK)


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) else ""


DIALECT = Dialect("BingX", read, TABLE)

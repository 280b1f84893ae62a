"""What Binance's answers mean: the table, each row with its source.

"3f", "3a" and "4" are sections of the notes on exchanges that this table was made from;
"error codes" is the list of error codes in Binance's interface description.
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

CLOCK_CODES = codes(-1021)
ALREADY_SO_CODES = codes(-4046, -4059)
NO_SUCH_ORDER_CODES = codes(-2013)
LISTEN_KEY_GONE_CODES = codes(-1125)

_MOST_PLAIN_TEXT = 100
_SERVER = range(500, 600)
_CLIENT = range(400, 500)
_OK = range(200, 300)


def _only(status: int) -> range:
    return range(status, status + 1)


TABLE: tuple[Row, ...] = (
    # Too much, too often: refused at the door.
    Row(
        Outcome.NOT_EXECUTED,
        "3f: 429 / 418 / -1015 not executed",
        statuses=_only(429),
        refusal=Refusal.RATE_LIMITED,
        error=RateLimitedError,
    ),
    Row(
        Outcome.NOT_EXECUTED,
        "3f: 429 / 418 / -1015 not executed",
        statuses=_only(418),
        refusal=Refusal.RATE_LIMITED,
        error=RateLimitedError,
    ),
    Row(
        Outcome.NOT_EXECUTED,
        "3f: -1015 not executed; error codes: -1003 is its twin for weight",
        codes=codes(-1003, -1015),
        refusal=Refusal.RATE_LIMITED,
        error=RateLimitedError,
    ),
    # May have been carried out.
    Row(
        Outcome.UNKNOWN,
        "3f: -1007 and -1006 unknown, whatever the status",
        codes=codes(-1006, -1007),
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.UNKNOWN,
        "3f: duplicate client id: already placed, query",
        codes=codes(-4116),
        refusal=Refusal.DUPLICATE_ID,
        error=OutcomeUnknownError,
    ),
    # Overload: refused before the matching engine.
    Row(
        Outcome.NOT_EXECUTED,
        "3f and 4: 503 -1008 failed, back off",
        codes=codes(-1008),
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.UNKNOWN,
        "3f and 4: 503 'Unknown error, please check your request or try again later.'",
        codes=codes(-1000),
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.NOT_EXECUTED,
        "3f and 4: 503 'Service Unavailable.' failed",
        statuses=_only(503),
        text="service unavailable.",
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.NOT_EXECUTED,
        "4: 503 'Internal error; unable to process' failed",
        statuses=_only(503),
        text="internal error; unable to process",
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.UNKNOWN,
        "3f: 500/502/504 and every other 5xx",
        statuses=_SERVER,
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.UNKNOWN,
        "3f: 408",
        statuses=_only(408),
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    Row(
        Outcome.UNKNOWN,
        "error codes: -1001 disconnected, outside of 503 not said to be harmless",
        codes=codes(-1001),
        refusal=Refusal.UNAVAILABLE,
        error=ExchangeUnavailableError,
    ),
    # Clock and key.
    Row(
        Outcome.NOT_EXECUTED,
        "3f: -1021 not executed",
        codes=CLOCK_CODES,
        refusal=Refusal.CLOCK,
        error=ExchangeUnavailableError,
        advice="the clock is measured again for the next request",
    ),
    Row(
        Outcome.REJECTED,
        "error codes: -1002 -1022 -2014 -2015 -2017 key, signature, address or right refused",
        codes=codes(-1002, -1022, -2014, -2015, -2017),
        refusal=Refusal.KEY,
        error=AuthenticationError,
        advice="check the key, its secret, its list of addresses and its right to trade futures",
    ),
    Row(
        Outcome.REJECTED,
        "451 with JSON: a country that is not served",
        codes=codes(0),
        statuses=_only(451),
        refusal=Refusal.KEY,
        error=AuthenticationError,
    ),
    # Refused for a reason of the order's own.
    Row(
        Outcome.REJECTED,
        "3f: -2019; error codes: -2018 -2028 -4050 -4051",
        codes=codes(-2018, -2019, -2028, -4050, -4051),
        refusal=Refusal.INSUFFICIENT_MARGIN,
    ),
    Row(
        Outcome.REJECTED,
        "3f: -2022; design, Protection: -4118",
        codes=codes(-2022, -4118),
        refusal=Refusal.NOTHING_TO_REDUCE,
    ),
    Row(
        Outcome.REJECTED,
        "3a: -2021 would trigger at once",
        codes=codes(-2021),
        refusal=Refusal.WOULD_TRIGGER,
    ),
    Row(
        Outcome.REJECTED,
        "design, Protection: -4509 position not visible yet",
        codes=codes(-4509),
        refusal=Refusal.POSITION_NOT_VISIBLE,
    ),
    Row(
        Outcome.REJECTED,
        "design, Protection: -4131 no price within the band",
        codes=codes(-4131),
        refusal=Refusal.NO_COUNTERPARTY,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: -4130 a close-position stop rests already",
        codes=codes(-4130),
        refusal=Refusal.BACKSTOP_EXISTS,
    ),
    Row(
        Outcome.REJECTED,
        "recorded: wsapi_order_place -2027; error codes: -4161",
        codes=codes(-2027, -4161),
        refusal=Refusal.POSITION_LIMIT,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: -2025 -4045 too many open orders",
        codes=codes(-2025, -4045),
        refusal=Refusal.TOO_MANY_ORDERS,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: -4060 -4061 position side does not fit the account's mode",
        codes=codes(-4060, -4061),
        refusal=Refusal.HEDGE_MODE,
        advice="set the account to one-way mode",
    ),
    Row(
        Outcome.REJECTED,
        "error codes: -1121 -4108 -4140 -4141 symbol unknown, settling or closed",
        codes=codes(-1121, -4108, -4140, -4141),
        refusal=Refusal.SYMBOL_NOT_TRADING,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: filters and precision",
        codes=codes(-1111, -4003, -4004, -4005, -4013, -4014, -4016, -4023, -4024, -4164),
        refusal=Refusal.SIZE_OR_PRICE,
    ),
    Row(
        Outcome.REJECTED,
        "3f: -2011 and -2013 order not found",
        codes=codes(-2011, -2013),
        refusal=Refusal.NOT_RESTING,
    ),
    Row(
        Outcome.REJECTED,
        "error codes: a 4xx with a code of 11xx, 2xxx, 4xxx or 5xxx is the sender's fault",
        statuses=_CLIENT,
        codes=frozenset(
            str(-n) for n in (*range(1100, 1200), *range(2000, 3000), *range(4000, 6000))
        ),
    ),
)


def read(answer: Answer) -> Reply:
    """Return an answer as Binance words it; never raises."""
    try:
        data = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        # "Service Unavailable." comes as plain text; a web page is some proxy's word, not Binance's.
        plain = answer.body[:_MOST_PLAIN_TEXT].decode(errors="replace").strip()
        text = "" if "<" in plain else plain
        return Reply(answer.status, "", text, None, is_success=answer.status in _OK)
    code, message = "", ""
    if isinstance(data, dict) and "msg" in data:
        code, message = _text(data.get("code", "")), _text(data["msg"])
    is_success = answer.status in _OK and code in {"", "200"}
    return Reply(answer.status, code, message, data, is_success)


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) else ""


DIALECT = Dialect("Binance", read, TABLE)

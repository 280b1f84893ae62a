"""BingX's table of outcomes: what an order's answer means, row by row of the notes on exchanges."""

import orjson
import pytest

from milobot.domain.orders import Refusal
from milobot.errors import (
    AuthenticationError,
    ExchangeUnavailableError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
)
from milobot.exchanges.bingx.outcomes import DIALECT, TABLE, read
from milobot.exchanges.outcomes import Judgement, Outcome, judge
from milobot.exchanges.wire import Answer, Facts, Failure, FailureKind, Moment

BEFORE, AFTER = Moment.BEFORE_SENDING, Moment.AFTER_SENDING


def answer(code: int, text: str = "", status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, orjson.dumps({"code": code, "msg": text, "data": {}}))


def judged(facts: Facts) -> Judgement:
    return judge(facts, DIALECT, is_complete=lambda data: bool(data and data.get("data")))


UNKNOWN: dict[str, Facts] = {
    "timeout": Failure(AFTER, FailureKind.TIMEOUT, "timeout"),
    "dropped after sending": Failure(AFTER, FailureKind.DROPPED, "dropped"),
    "cut body": Failure(AFTER, FailureKind.CUT_BODY, "cut"),
    "endless body": Failure(AFTER, FailureKind.TOO_LARGE, "too large"),
    "200 empty": Answer(200, {}, b""),
    "200 truncated": Answer(200, {}, b'{"code": 0, "data": {"order'),
    "200 empty object": Answer(200, {}, b"{}"),
    "200 list": Answer(200, {}, b"[]"),
    "200 null": Answer(200, {}, b"null"),
    "200 number": Answer(200, {}, b"0"),
    "200 html": Answer(200, {}, b"<html>maintenance</html>"),
    "200 without data": Answer(200, {}, b'{"code": 0, "msg": ""}'),
    "204": Answer(204, {}, b""),
    "302": Answer(302, {"location": "https://elsewhere"}, b""),
    "401 html": Answer(401, {}, b"<html>a proxy</html>"),
    "403 html": Answer(403, {}, b"<html>a firewall</html>"),
    "404 html": Answer(404, {}, b"<html>nginx</html>"),
    "408": Answer(408, {}, b""),
    "500": Answer(500, {}, b""),
    "502 html": Answer(502, {}, b"<html>Bad Gateway</html>"),
    "503 html": Answer(503, {}, b"<html></html>"),
    "504": Answer(504, {}, b""),
    "504 with a code nobody knows": answer(504, status=504),
    "80012 service unavailable": answer(80012, "service unavailable"),
    "80012 margin is not enough": answer(80012, "margin is not enough"),
    "80019 being processed": answer(80019),
    "101500 rpc timeout": answer(101500),
    "100500 system busy": answer(100500),
    "100503 maintenance": answer(100503, "The system is under maintenance"),
    "109500 system busy": answer(109500),
    "110500 order system busy": answer(110500),
    "80001 request failed": answer(80001, "Request failed"),
    "109414 request failed": answer(109414, "Request failed"),
    "code nobody knows": answer(999999, "?"),
    "code as text nobody knows": Answer(200, {}, b'{"code": "x"}'),
}
DUPLICATE = {
    "101481": answer(101481),
    "109201": answer(109201, "The same order number is only allowed once within 1 second"),
    "101209": answer(101209, "The same order number is only allowed once per second"),
}
NOT_EXECUTED: dict[str, tuple[Facts, Refusal]] = {
    "no connection": (
        Failure(BEFORE, FailureKind.NO_CONNECTION, "refused"),
        Refusal.UNAVAILABLE,
    ),
    "too late": (Failure(BEFORE, FailureKind.TOO_LATE, "late"), Refusal.TOO_LATE),
    "rate 100410": (answer(100410, "rate limited"), Refusal.RATE_LIMITED),
    "rate 109429": (answer(109429), Refusal.RATE_LIMITED),
    "429": (Answer(429, {}, b""), Refusal.RATE_LIMITED),
    "418": (Answer(418, {}, b""), Refusal.RATE_LIMITED),
    "clock": (answer(100421, "Null timestamp or timestamp mismatch"), Refusal.CLOCK),
    "clock as a parameter": (answer(80014, "timestamp is invalid"), Refusal.CLOCK),
}
REJECTED: dict[str, tuple[Answer, Refusal]] = {
    "key": (answer(100413), Refusal.KEY),
    "signature": (answer(100001), Refusal.KEY),
    "no signature": (answer(100412), Refusal.KEY),
    "address": (answer(100419), Refusal.KEY),
    "right": (answer(100004), Refusal.KEY),
    "margin": (answer(101204), Refusal.INSUFFICIENT_MARGIN),
    "margin, other words": (answer(101400, "Insufficient margin"), Refusal.INSUFFICIENT_MARGIN),
    "margin, available amount": (
        answer(110424, "The order size must be less than the available amount of 100 USDT"),
        Refusal.INSUFFICIENT_MARGIN,
    ),
    "position, available amount": (
        answer(110424, "The order size must be less than the available amount of 0.01 BTC"),
        Refusal.NOTHING_TO_REDUCE,
    ),
    "no position": (answer(80017), Refusal.NOTHING_TO_REDUCE),
    "nothing to close": (answer(101205), Refusal.NOTHING_TO_REDUCE),
    "nothing, other words": (answer(101400, "No position to close"), Refusal.NOTHING_TO_REDUCE),
    "beyond the trigger": (answer(110412), Refusal.WOULD_TRIGGER),
    "position too large": (
        answer(101209, "The maximum position value for this leverage is 50000 USDT"),
        Refusal.POSITION_LIMIT,
    ),
    "leverage too high": (answer(101414), Refusal.POSITION_LIMIT),
    "too many orders": (answer(80013), Refusal.TOO_MANY_ORDERS),
    "pair suspended": (answer(101415), Refusal.SYMBOL_NOT_TRADING),
    "pair restricted": (
        answer(100421, "This pair is currently restricted from API trading"),
        Refusal.SYMBOL_NOT_TRADING,
    ),
    "pair unknown": (answer(109425), Refusal.SYMBOL_NOT_TRADING),
    "pair unknown, other code": (
        answer(109400, "CATI-USDT,symbol not exist"),
        Refusal.SYMBOL_NOT_TRADING,
    ),
    "hedge mode": (
        answer(109400, "In the One-way mode, the 'PositionSide' field can only be set to BOTH."),
        Refusal.HEDGE_MODE,
    ),
    "parameters": (answer(109400, "Invalid parameters"), Refusal.SIZE_OR_PRICE),
    "too small": (answer(101400, "The minimum order amount is 0.0001 BTC."), Refusal.SIZE_OR_PRICE),
    "minimum value": (answer(110425), Refusal.SIZE_OR_PRICE),
    "not resting": (answer(80016), Refusal.NOT_RESTING),
    "not resting, other code": (answer(109421), Refusal.NOT_RESTING),
    "filled already": (answer(80018), Refusal.NOT_RESTING),
    "order not exist": (
        answer(80001, "service has some errors, order not exist"),
        Refusal.NOT_RESTING,
    ),
    "not resting, when cancelling": (answer(109414, "order not exist"), Refusal.NOT_RESTING),
    "not resting, in other words": (
        answer(80001, "service has some errors, The order doesn't exist"),
        Refusal.NOT_RESTING,
    ),
    "risk": (answer(80020), Refusal.OTHER),
}


@pytest.mark.parametrize("facts", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_may_have_been_executed_is_unknown(facts: Facts) -> None:
    """Taking one of these for a refusal is how an order is sent twice."""
    assert judged(facts).outcome is Outcome.UNKNOWN
    assert judged(facts).reason


@pytest.mark.parametrize("facts", DUPLICATE.values(), ids=DUPLICATE.keys())
def test_a_duplicate_id_is_already_placed(facts: Facts) -> None:
    """It is no refusal: the order before it counts."""
    told = judged(facts)

    assert (told.outcome, told.refusal) == (Outcome.UNKNOWN, Refusal.DUPLICATE_ID)
    assert isinstance(told.as_error(), OutcomeUnknownError)


@pytest.mark.parametrize(("facts", "refusal"), NOT_EXECUTED.values(), ids=NOT_EXECUTED.keys())
def test_what_certainly_did_not_happen_may_be_repeated(facts: Facts, refusal: Refusal) -> None:
    """UNKNOWN here would cost the fence of twelve seconds for nothing."""
    told = judged(facts)

    assert (told.outcome, told.refusal) == (Outcome.NOT_EXECUTED, refusal)
    assert isinstance(told.as_error(), ExchangeUnavailableError)


@pytest.mark.parametrize(("facts", "refusal"), REJECTED.values(), ids=REJECTED.keys())
def test_a_refusal_is_in_our_words(facts: Answer, refusal: Refusal) -> None:
    """The engine acts on the word, not on a number of one exchange."""
    told = judged(facts)

    assert (told.outcome, told.refusal) == (Outcome.REJECTED, refusal)
    assert told.code in told.reason


def test_a_key_that_is_refused_stops_trading() -> None:
    """Not to be mixed up with a refused order."""
    assert isinstance(judged(answer(100413)).as_error(), AuthenticationError)


def test_a_rate_limit_says_how_long() -> None:
    """Retry-After is honoured."""
    told = judged(answer(100410, "too often", status=429, retry_after="7"))

    error = told.as_error()
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_s == 7


def test_a_business_refusal_is_no_outage() -> None:
    """Repeating it changes nothing."""
    assert type(judged(answer(109400)).as_error()) is RequestRefusedError
    assert type(judged(Answer(200, {}, b"<html>")).as_error()) is ProtocolError


@pytest.mark.parametrize("body", [b'{"code":0,"data":{"a":1}}', b'{"code":"0","data":{"a":1}}'])
def test_code_zero_is_success(body: bytes) -> None:
    """As a number and as a text."""
    assert judged(Answer(200, {}, body)).outcome is Outcome.ACCEPTED


def test_a_listen_key_comes_without_a_code() -> None:
    """The only answer of that kind."""
    assert read(Answer(200, {}, b'{"listenKey":"abc"}')).is_success


def test_success_with_a_server_error_is_no_success() -> None:
    """A gateway that answers 503 did not see the end of it."""
    assert judged(answer(0, status=503)).outcome is Outcome.UNKNOWN


def test_every_row_names_its_source() -> None:
    """A row that nobody can check is a guess."""
    assert all(row.source for row in TABLE)
    assert len({row.source for row in TABLE}) == len(TABLE)

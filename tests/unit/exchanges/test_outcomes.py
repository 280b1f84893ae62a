"""The table of outcomes: what an order's answer means, row by row of the notes on exchanges."""

import orjson
import pytest

from milobot.domain.orders import Refusal
from milobot.errors import (
    AuthenticationError,
    CircuitOpenError,
    ExchangeUnavailableError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
)
from milobot.exchanges.binance.outcomes import DIALECT, TABLE
from milobot.exchanges.outcomes import Judgement, Outcome, is_present, judge
from milobot.exchanges.wire import Answer, Facts, Failure, FailureKind, Moment

BEFORE, AFTER = Moment.BEFORE_SENDING, Moment.AFTER_SENDING


def answer(status: int, code: int | None = None, text: str = "", **headers: str) -> Answer:
    payload = {"code": code, "msg": text} if code is not None else {"msg": text}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, orjson.dumps(payload))


def judged(facts: Facts) -> Judgement:
    return judge(facts, DIALECT, is_complete=lambda data: bool(data) and "orderId" in data)


UNKNOWN: dict[str, Facts] = {
    "timeout": Failure(AFTER, FailureKind.TIMEOUT, "timeout"),
    "dropped after sending": Failure(AFTER, FailureKind.DROPPED, "dropped"),
    "cut body": Failure(AFTER, FailureKind.CUT_BODY, "cut"),
    "endless body": Failure(AFTER, FailureKind.TOO_LARGE, "too large"),
    "200 empty": Answer(200, {}, b""),
    "200 truncated": Answer(200, {}, b'{"orderId": 12'),
    "200 without id": Answer(200, {}, b'{"symbol": "BTCUSDT"}'),
    "200 list": Answer(200, {}, b"[]"),
    "200 null": Answer(200, {}, b"null"),
    "200 html": Answer(200, {}, b"<html>maintenance</html>"),
    "503 unknown error": answer(
        503, -1000, "Unknown error, please check your request or try again later."
    ),
    "408 -1007": answer(408, -1007, "Timeout waiting for response from backend server."),
    "400 -1006": answer(400, -1006, "An unexpected response was received from the message bus."),
    "500": answer(500),
    "502 html": Answer(502, {}, b"<html>Bad Gateway</html>"),
    "503 html": Answer(503, {}, b"<html></html>"),
    "503 page of a proxy": Answer(503, {}, b"<h1>Service Unavailable.</h1>"),
    "503 word of a proxy": Answer(503, {}, b"Service Unavailable"),
    "200 plain text": Answer(200, {}, b"OK"),
    "504": Answer(504, {}, b""),
    "504 -1007": answer(504, -1007),
    "408 bare": Answer(408, {}, b""),
    "404 html": Answer(404, {}, b"<html>nginx</html>"),
    "302": Answer(302, {"location": "https://elsewhere"}, b""),
    "400 code nobody knows": answer(400, -9999, "?"),
    "-1001 outside of 503": answer(400, -1001, "Internal error"),
    "duplicate id": answer(400, -4116, "ClientOrderId is duplicated."),
}
NOT_EXECUTED: dict[str, Facts] = {
    "no connection": Failure(BEFORE, FailureKind.NO_CONNECTION, "no connection"),
    "timeout while connecting": Failure(BEFORE, FailureKind.TIMEOUT, "timeout"),
    "own rate budget": Failure(BEFORE, FailureKind.RATE_LIMITED, "budget", 3.0),
    "circuit open": Failure(BEFORE, FailureKind.CIRCUIT_OPEN, "open"),
    "deadline": Failure(BEFORE, FailureKind.TOO_LATE, "late"),
    "429": answer(429, -1003, "Too many requests"),
    "429 html": Answer(429, {}, b"<html></html>"),
    "418": answer(418, -1003, "banned"),
    "-1015": answer(400, -1015, "Too many new orders"),
    "-1021": answer(400, -1021, "Timestamp for this request is outside of the recvWindow."),
    "503 service unavailable": answer(503, None, "Service Unavailable."),
    "503 service unavailable as plain text": Answer(503, {}, b"Service Unavailable."),
    "503 -1008": answer(503, -1008, "Server is currently overloaded with other requests."),
    "503 unable to process": answer(
        503, -1001, "Internal error; unable to process your request. Please try again."
    ),
}
REJECTED: dict[str, tuple[Facts, Refusal]] = {
    "margin": (answer(400, -2019, "Margin is insufficient."), Refusal.INSUFFICIENT_MARGIN),
    "reduce only": (answer(400, -2022, "ReduceOnly rejected."), Refusal.NOTHING_TO_REDUCE),
    "-4118": (answer(400, -4118, "ReduceOnly conflict"), Refusal.NOTHING_TO_REDUCE),
    "would trigger": (answer(400, -2021, "would trigger"), Refusal.WOULD_TRIGGER),
    "position not visible": (answer(400, -4509, "TIF GTE"), Refusal.POSITION_NOT_VISIBLE),
    "no counterparty": (answer(400, -4131, "PERCENT_PRICE"), Refusal.NO_COUNTERPARTY),
    "second backstop": (answer(400, -4130, "existing"), Refusal.BACKSTOP_EXISTS),
    "wrong endpoint": (answer(400, -4120, "use the Algo Service"), Refusal.OTHER),
    "hedge mode": (answer(400, -4061, "position side"), Refusal.HEDGE_MODE),
    "not found": (answer(400, -2011, "Unknown order sent."), Refusal.NOT_RESTING),
    "recorded -2027": (answer(400, -2027, "Exceeded the maximum"), Refusal.POSITION_LIMIT),
    "precision": (answer(400, -1111, "Precision is over the maximum"), Refusal.SIZE_OR_PRICE),
    "bad key": (answer(401, -2015, "Invalid API-key, IP, or permissions"), Refusal.KEY),
    "bad signature": (answer(400, -1022, "Signature is not valid."), Refusal.KEY),
    "country": (answer(451, 0, "Service unavailable from a restricted location"), Refusal.KEY),
    "any other parameter": (answer(400, -1102, "Mandatory parameter"), Refusal.OTHER),
}


@pytest.mark.parametrize("facts", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_may_have_been_executed_is_unknown(facts: Facts) -> None:
    """Taking one of these for a refusal sends the order twice."""
    assert judged(facts).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("facts", NOT_EXECUTED.values(), ids=NOT_EXECUTED.keys())
def test_what_was_refused_at_the_door_is_not_executed(facts: Facts) -> None:
    """These may be repeated at once: nothing was done."""
    judgement = judged(facts)

    assert judgement.outcome is Outcome.NOT_EXECUTED
    assert judgement.reason


@pytest.mark.parametrize(("facts", "refusal"), REJECTED.values(), ids=REJECTED.keys())
def test_refusals_are_final_and_say_why(facts: Facts, refusal: Refusal) -> None:
    """The engine acts on our word for the reason, never on a vendor's code."""
    judgement = judged(facts)

    assert (judgement.outcome, judgement.refusal) == (Outcome.REJECTED, refusal)
    assert judgement.code in judgement.reason


def test_an_order_with_its_id_is_accepted() -> None:
    """The only thing that counts as taken."""
    judgement = judged(Answer(200, {}, b'{"orderId": 9007199254740993}'))

    assert judgement.outcome is Outcome.ACCEPTED
    assert judgement.data["orderId"] == 9007199254740993
    assert judgement.error is None


def test_duplicate_id_asks_for_a_look() -> None:
    """It means that the order is there already: the opposite of a refusal."""
    assert judged(UNKNOWN["duplicate id"]).refusal is Refusal.DUPLICATE_ID


def test_every_row_names_its_source() -> None:
    """A row that nobody can check is a guess."""
    assert all(row.source for row in TABLE)


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        (answer(429, -1003, "slow down", retry_after="7"), RateLimitedError),
        (answer(401, -2014, "API-key format invalid."), AuthenticationError),
        (answer(400, -1121, "Invalid symbol."), RequestRefusedError),
        (Answer(200, {}, b"<html>"), ProtocolError),
        (answer(500), ExchangeUnavailableError),
        (Failure(BEFORE, FailureKind.CIRCUIT_OPEN, "open"), CircuitOpenError),
    ],
)
def test_reads_raise_the_kind_that_says_what_to_do(facts: Facts, error: type[Exception]) -> None:
    """A caller tells waiting from stopping by the class alone."""
    raised = judge(facts, DIALECT, is_complete=is_present).as_error()

    assert type(raised) is error
    assert isinstance(raised, RateLimitedError) is (error is RateLimitedError)
    if isinstance(raised, RateLimitedError):
        assert raised.retry_after_s == 7


def test_a_write_in_doubt_raises_that_it_is_in_doubt() -> None:
    """A setting that may have been changed must be read back, not repeated."""
    raised = judged(UNKNOWN["timeout"]).as_error(is_read=False)

    assert type(raised) is OutcomeUnknownError


def test_messages_are_one_short_printable_line() -> None:
    """What an exchange sends ends up on terminals and in logs."""
    reason = judged(answer(400, -1102, "a\x1b[31m\n" + "b" * 5000)).reason

    assert "\x1b" not in reason
    assert "\n" not in reason
    assert len(reason) < 300


@pytest.mark.parametrize("value", ["", "soon", "-5", "nan", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_retry_after_that_makes_no_sense_counts_as_absent(value: str) -> None:
    """A server's slip must not stop us for ever, nor crash us."""
    assert judged(answer(429, -1003, "x", retry_after=value)).wait_s == 0

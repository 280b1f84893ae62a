"""The gateway: reads are repeated, writes never; clock, limits and breaker learn on the way."""

import pytest
from tests.support.binance import bench, entry, stop
from tests.support.fake_transport import TIMEOUT, UNREACHABLE, refusal, reply

from milobot.domain.orders import Refusal
from milobot.errors import (
    AuthenticationError,
    CircuitOpenError,
    ExchangeError,
    ExchangeUnavailableError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
)
from milobot.exchanges.binance import requests
from milobot.exchanges.binance.user_stream import BinanceListenKeys
from milobot.exchanges.outcomes import Outcome
from milobot.exchanges.wire import Answer, Facts, Failure, FailureKind, Moment

PRICE = "GET /fapi/v2/ticker/price"
ORDER = "POST /fapi/v1/order"


@pytest.mark.parametrize(
    "trouble",
    [TIMEOUT, UNREACHABLE, refusal(-1000, status=503), Answer(200, {}, b"<html>"),
     refusal(-1003, status=429, retry_after="2")],
)  # fmt: skip
async def test_a_read_is_repeated(trouble: Facts) -> None:
    """Most trouble is over a moment later, and asking twice changes nothing."""
    desk = bench()
    desk.transport.on(PRICE, trouble, trouble, reply({"symbol": "BTCUSDT", "price": "6000.01"}))

    assert str(await desk.market.fetch_last_price("BTCUSDT")) == "6000.01"
    assert len(desk.transport.sent) == 3


@pytest.mark.parametrize(
    ("trouble", "error", "tries"),
    [
        (TIMEOUT, ExchangeUnavailableError, 4),
        (refusal(-1121), RequestRefusedError, 1),
        (refusal(-2015, status=401), AuthenticationError, 1),
        (Answer(200, {}, b"{"), ProtocolError, 4),
        (Failure(Moment.AFTER_SENDING, FailureKind.TOO_LARGE, "large"), ProtocolError, 1),
    ],
)
async def test_a_read_that_cannot_be_had_says_why(
    trouble: Facts, error: type[Exception], tries: int
) -> None:
    """Repeating a refusal would only cost weight."""
    desk = bench()
    desk.transport.on(PRICE, trouble)

    with pytest.raises(error):
        await desk.market.fetch_last_price("BTCUSDT")
    assert len(desk.transport.sent) == tries


@pytest.mark.parametrize(
    ("trouble", "cause"),
    [
        (UNREACHABLE, "no connection"),
        (refusal(-1000, status=503), "status 503"),
    ],
)
async def test_a_read_that_the_breaker_ends_names_what_broke_it(trouble: Facts, cause: str) -> None:
    """Five failures are no cause: whoever reads the sentence has to know what to mend."""
    desk = bench()
    desk.transport.on(PRICE, trouble)
    with pytest.raises(ExchangeUnavailableError):
        await desk.market.fetch_last_price("BTCUSDT")

    with pytest.raises(
        CircuitOpenError, match=f"^Binance failed 5 times in a row, last with {cause}:"
    ):
        await desk.market.fetch_last_price("BTCUSDT")


@pytest.mark.parametrize("trouble", [TIMEOUT, UNREACHABLE, refusal(-1021), refusal(-1007)])
async def test_a_write_is_sent_once(trouble: Facts) -> None:
    """Whatever came back: the dearest bug is an order that was sent twice."""
    desk = bench()
    desk.transport.on(ORDER, trouble)

    await desk.gateway.write(requests.place_order(entry()))

    assert desk.transport.names() == [ORDER]


async def test_requests_are_stamped_with_the_exchanges_time() -> None:
    """A clock ten seconds off must not matter."""
    desk = bench(skew_ms=10_000)
    desk.transport.on(ORDER, refusal(-2019))

    await desk.gateway.write(requests.place_order(entry()))

    stamped = int(desk.transport.sent[0].params["timestamp"])
    assert stamped == desk.time.now_ms() + 10_000
    assert desk.transport.sent[0].params["recvWindow"] == "2000"


async def test_a_question_for_the_time_that_is_refused_for_its_time_has_an_end() -> None:
    """Measuring the clock because measuring the clock failed would never come back."""
    desk = bench()
    desk.transport.on("GET /fapi/v1/time", refusal(-1021))

    with pytest.raises(ExchangeError):
        await desk.gateway.measure_clock()

    assert len(desk.transport.sent) <= 4


async def test_a_clock_error_measures_the_clock_again() -> None:
    """The order is lost for this time, the next one is in time; a read is repeated at once."""
    desk = bench()
    desk.transport.on(ORDER, refusal(-1021))
    desk.transport.on("GET /fapi/v3/positionRisk", refusal(-1021), reply([]))
    await desk.gateway.measure_clock()
    desk.transport.skew_ms = 7000

    judgement = await desk.gateway.write(requests.place_order(entry()))

    assert (judgement.outcome, judgement.refusal) == (Outcome.NOT_EXECUTED, Refusal.CLOCK)
    assert desk.gateway.clock.offset_ms == 7000
    desk.transport.skew_ms = -4000
    assert await desk.account.fetch_positions() == []
    assert desk.gateway.clock.offset_ms == -4000


async def test_nothing_is_signed_after_its_deadline() -> None:
    """A frozen process that wakes up must not send what was meant for a minute ago."""
    desk = bench(skew_ms=500)
    await desk.gateway.measure_clock()
    desk.transport.on(ORDER, refusal(-2019))
    now_ms = desk.gateway.clock.now_ms()

    late = await desk.gateway.write(requests.place_order(entry()), not_after_ms=now_ms - 1)
    in_time = await desk.gateway.write(requests.place_order(entry()), not_after_ms=now_ms)

    assert (late.outcome, late.refusal) == (Outcome.NOT_EXECUTED, Refusal.TOO_LATE)
    assert in_time.outcome is Outcome.REJECTED
    assert len(desk.transport.sent) == 1


async def test_nothing_is_changed_once_the_right_to_trade_has_ended() -> None:
    """The process that took over must be alone: orders, cancels and settings of the old one stay."""
    ends = [0]
    desk = bench(deadline=lambda: ends[0])
    await desk.gateway.measure_clock()
    desk.transport.on(ORDER, refusal(-2019))
    desk.transport.on(PRICE, reply({"symbol": "BTCUSDT", "price": "6000.01"}))
    desk.transport.on("POST /fapi/v1/listenKey", reply({"listenKey": "k"}))
    ends[0] = desk.gateway.clock.now_ms() - 1

    placed = await desk.gateway.write(requests.place_order(entry()))
    withdrawn = await desk.gateway.write(requests.cancel_order(entry()))
    with pytest.raises(ExchangeUnavailableError, match="may not trade"):
        await desk.gateway.demand(requests.set_leverage("BTCUSDT", 5))
    await desk.market.fetch_last_price("BTCUSDT")
    await BinanceListenKeys(desk.gateway).fetch()
    before = desk.transport.names()
    ends[0] = desk.gateway.clock.now_ms()
    renewed = await desk.gateway.write(requests.place_order(entry()))

    for late in (placed, withdrawn):
        assert (late.outcome, late.refusal) == (Outcome.NOT_EXECUTED, Refusal.TOO_LATE)
    assert before == [PRICE, "POST /fapi/v1/listenKey"]
    assert renewed.outcome is Outcome.REJECTED


async def test_a_ban_stops_all_traffic_until_its_end() -> None:
    """Whoever goes on after 418 is banned for longer."""
    desk = bench()
    desk.transport.on(PRICE, refusal(-1003, "banned", 418, retry_after="300"))
    desk.transport.on(ORDER, refusal(-2019))

    with pytest.raises(RateLimitedError, match="banned"):
        await desk.market.fetch_last_price("BTCUSDT")
    judgement = await desk.gateway.write(requests.place_order(entry()))

    assert (judgement.outcome, judgement.refusal) == (Outcome.NOT_EXECUTED, Refusal.RATE_LIMITED)
    assert judgement.wait_s > 290
    assert desk.transport.names() == [PRICE]
    desk.time.step(301_000)
    assert (await desk.gateway.write(requests.place_order(entry()))).outcome is Outcome.REJECTED


async def test_the_breaker_opens_and_exits_still_leave() -> None:
    """Five timeouts in a row; an exit tries all the same, and its answer closes the circuit."""
    desk = bench()
    await desk.gateway.measure_clock()
    desk.transport.on(PRICE, TIMEOUT)
    desk.transport.on("POST /fapi/v1/algoOrder", refusal(-4509))
    for _ in range(2):
        with pytest.raises((ExchangeUnavailableError, CircuitOpenError)):
            await desk.market.fetch_last_price("BTCUSDT")
    assert desk.breaker.is_open

    refused = await desk.gateway.write(requests.place_order(entry()))
    exits = await desk.gateway.write(requests.place_order(stop()))

    assert refused.refusal is Refusal.UNAVAILABLE
    assert refused.outcome is Outcome.NOT_EXECUTED
    assert exits.outcome is Outcome.REJECTED
    assert not desk.breaker.is_open


async def test_headers_feed_the_limiter() -> None:
    """What Binance has counted overrides our own count."""
    desk = bench()
    desk.transport.on(
        PRICE, reply({"price": "1"}, x_mbx_used_weight_1m="2399", x_mbx_order_count_10s="x")
    )
    await desk.market.fetch_last_price("BTCUSDT")
    before_ms = desk.time.now_ms()

    with pytest.raises(RateLimitedError):
        await desk.market.fetch_last_price("BTCUSDT")  # its patience is shorter than the minute

    assert desk.time.now_ms() - before_ms < 60_000
    assert len(desk.transport.sent) == 1


async def test_a_setting_in_doubt_is_told_as_such() -> None:
    """A leverage that may have been set must be read back."""
    desk = bench()
    desk.transport.on("POST /fapi/v1/leverage", TIMEOUT)

    with pytest.raises(OutcomeUnknownError):
        await desk.gateway.demand(requests.set_leverage("BTCUSDT", 5))
    assert len(desk.transport.sent) == 1


async def test_a_clock_that_cannot_be_read_stops_no_order() -> None:
    """Our own clock is good enough to try, and the answer tells if it is not."""
    desk = bench()
    desk.transport.on("GET /fapi/v1/time", UNREACHABLE)
    desk.transport.on(ORDER, refusal(-2019))

    assert (await desk.gateway.write(requests.place_order(entry()))).outcome is Outcome.REJECTED
    with pytest.raises(ExchangeUnavailableError):
        await desk.gateway.measure_clock()

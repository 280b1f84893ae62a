"""A listed candle counts as closed only with proof; a wrong one would be stored for good."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from tests.support import binance, bingx
from tests.support.fake_transport import UNREACHABLE, FakeTransport, reply

from milobot.domain.market import CandleSeries
from milobot.domain.timeframes import MINUTE_MS, Timeframe
from milobot.exchanges.closed_candles import SURE_AFTER_MS
from milobot.exchanges.gateway import Gateway
from milobot.exchanges.wire import Answer
from milobot.ports import MarketData

FIRST_MS = 1_700_000_040_000
LATER_MS = FIRST_MS + MINUTE_MS
CLOSE_MS = LATER_MS + MINUTE_MS
FORMING, FINAL = 1.25, 1.5


class Bench(Protocol):
    """What both benches have."""

    transport: FakeTransport
    gateway: Gateway

    @property
    def market(self) -> MarketData:
        """Return the market."""
        ...


@dataclass
class Venue:
    """An exchange with a candle that closed a minute ago and one about to close.

    Attributes:
        klines: Where it lists candles.
        time: Where it tells its time.
        wording: How it words a listing of (open time, close) rows.
        later_after_ms: How long after the close the next candle's row appears.
        lag_ms: How long after the close a listing still shows the candle as it formed.
    """

    bench: Bench
    klines: str
    time: str
    wording: Callable[[list[tuple[int, float]]], Answer]
    later_after_ms: int = 3_600_000
    lag_ms: int = 0
    listings: int = 0

    def __post_init__(self) -> None:
        """Answer listings."""
        self.bench.transport.on(f"GET {self.klines}", self._listing)

    def move_to(self, exchange_ms: int) -> None:
        """Let time pass until the exchange's clock shows a time."""
        transport = self.bench.transport
        transport.time.step(exchange_ms - transport.skew_ms - transport.time.now_ms())

    def jump(self, ms: int) -> None:
        """Let the exchange's clock jump; ours is ahead of it by that much if negative."""
        self.bench.transport.skew_ms += ms

    async def list(self) -> list[tuple[int, float]]:
        """Return open time and close of what the client takes for closed."""
        listed: CandleSeries = await self.bench.market.fetch_candles(
            "BTCUSDT", Timeframe.M1, first_ms=FIRST_MS, limit=3
        )
        return [(candle.time, candle.close) for candle in listed]

    def _listing(self) -> Answer:
        self.listings += 1
        transport = self.bench.transport
        age_ms = transport.time.now_ms() + transport.skew_ms - CLOSE_MS
        rows = [(FIRST_MS, FINAL), (LATER_MS, FINAL if age_ms >= self.lag_ms else FORMING)]
        if age_ms >= self.later_after_ms:
            rows.append((CLOSE_MS, FORMING))
        return self.wording(rows)


def on_binance(**more: Any) -> Venue:
    def wording(rows: list[tuple[int, float]]) -> Answer:
        tail = ["15", 3, "5", "7", "0"]
        return reply(
            [[t, "1", "2", "0.5", str(c), "10", t + MINUTE_MS - 1, *tail] for t, c in rows]
        )

    return Venue(binance.bench(), "/fapi/v1/klines", "/fapi/v1/time", wording, **more)


def on_bingx(**more: Any) -> Venue:
    def wording(rows: list[tuple[int, float]]) -> Answer:
        newest_first = reversed(rows)
        prices = {"open": "1", "high": "2", "low": "0.5", "volume": "10"}
        return bingx.ok([{**prices, "close": str(c), "time": t} for t, c in newest_first])

    swap = "/openApi/swap"
    return Venue(
        bingx.bench(), f"{swap}/v3/quote/klines", f"{swap}/v2/server/time", wording, **more
    )


both = pytest.mark.parametrize("venue_on", [on_binance, on_bingx])
VenueOn = Callable[..., Venue]
FIRST, BOTH = [(FIRST_MS, FINAL)], [(FIRST_MS, FINAL), (LATER_MS, FINAL)]


async def measured(venue_on: VenueOn, **more: Any) -> Venue:
    venue = venue_on(**more)
    await venue.bench.market.fetch_server_time()
    return venue


@both
@pytest.mark.parametrize("takes_ms", [0, 300])
async def test_close_between_question_and_answer_leaves_the_candle_out(
    venue_on: VenueOn, takes_ms: int
) -> None:
    """The answer may hold the candle as it formed: stored for good, it would lie for ever."""
    venue = await measured(venue_on)
    venue.move_to(CLOSE_MS - 100)
    venue.bench.transport.takes_ms = takes_ms

    assert await venue.list() == FIRST


@both
@pytest.mark.parametrize("jump_ms", [-2000, -30_000])
async def test_clock_that_runs_ahead_closes_no_candle(venue_on: VenueOn, jump_ms: int) -> None:
    """Clocks that jump apart at a candle's end made a forming candle look closed."""
    venue = await measured(venue_on)
    venue.move_to(CLOSE_MS + 1000)
    venue.jump(jump_ms)

    assert await venue.list() == FIRST
    # The exchange's word has set the clock right, too.
    assert venue.bench.gateway.clock.now_ms() == CLOSE_MS + 1000 + jump_ms


@both
async def test_later_row_proves_what_a_slow_clock_denies(venue_on: VenueOn) -> None:
    """Nobody has to wait for a clock where the market itself has moved on."""
    venue = await measured(venue_on, later_after_ms=0)
    venue.move_to(CLOSE_MS - 1500)
    venue.jump(2000)

    assert await venue.list() == BOTH
    assert venue.listings == 1


@both
async def test_exchange_that_says_the_time_is_past_is_listed_again(venue_on: VenueOn) -> None:
    """A quiet market has no later row; its candle still is closed, and final a moment later."""
    venue = await measured(venue_on, lag_ms=400)
    venue.move_to(CLOSE_MS)

    assert await venue.list() == BOTH
    assert venue.listings == 2


@both
async def test_next_candle_of_the_second_listing_is_left_out(venue_on: VenueOn) -> None:
    """It began while we waited, and forms."""
    venue = await measured(venue_on, later_after_ms=300)
    venue.move_to(CLOSE_MS + 100)

    assert await venue.list() == BOTH


@both
async def test_long_past_candles_need_no_second_question(venue_on: VenueOn) -> None:
    """Thousands of pages of history end far from now; each would cost twice."""
    venue = await measured(venue_on)
    venue.move_to(CLOSE_MS + SURE_AFTER_MS + 1)
    asked = venue.bench.transport.asked_time

    assert await venue.list() == BOTH
    assert (venue.listings, venue.bench.transport.asked_time) == (1, asked)


@both
async def test_exchange_that_does_not_tell_the_time_costs_only_the_last_row(
    venue_on: VenueOn,
) -> None:
    """What is proven must not be lost with what is not."""
    venue = await measured(venue_on)
    venue.move_to(CLOSE_MS + 1000)
    venue.bench.transport.on(f"GET {venue.time}", UNREACHABLE)

    assert await venue.list() == FIRST

"""A chart that follows what is entered, and asks the exchange no more than it must."""

import pytest
from tests.support.shown_accounts import MINUTE_MS, Shown, slot_of
from tests.support.trading import SYMBOL

from milobot.app.followed_chart import APART_MS, CANDLES, FollowedChart
from milobot.domain.positions import Position
from milobot.domain.slots import Slot
from milobot.errors import ExchangeUnavailableError

ETH = "ETHUSDT"
FIRST, SECOND = slot_of(SYMBOL, entered_ms=1), slot_of(ETH, entered_ms=2)
FLAT = Slot(SYMBOL, Position(SYMBOL))


def test_it_follows_what_was_entered_last() -> None:
    """A trader wants to see what the last signal did."""
    chart = FollowedChart()
    assert not chart.choose([FLAT])

    assert chart.choose([FIRST])
    assert not chart.choose([FIRST])
    assert chart.choose([FIRST, SECOND])
    assert chart.symbol == ETH


def test_it_stays_where_it_is_when_that_is_closed() -> None:
    """The end of a trade is what one wants to look at next."""
    chart = FollowedChart()
    chart.choose([FIRST, SECOND])

    assert not chart.choose([FIRST])
    assert chart.symbol == ETH


def test_a_wish_holds_until_something_else_is_entered() -> None:
    """Nobody studies a chart that jumps back; nobody wants to miss an entry either."""
    chart = FollowedChart()
    chart.choose([FIRST, SECOND])

    assert chart.choose([FIRST, SECOND], SYMBOL)
    assert not chart.choose([FIRST, SECOND])
    assert chart.symbol == SYMBOL
    assert chart.choose([FIRST, slot_of(ETH, entered_ms=3)])
    assert chart.symbol == ETH


def test_a_wish_for_what_is_not_held_changes_nothing() -> None:
    """A page must not make the bot ask for whatever it likes."""
    chart = FollowedChart()
    chart.choose([FIRST])

    assert not chart.choose([FIRST], ETH)
    assert chart.symbol == SYMBOL


async def test_candles_come_once_and_then_only_the_new_ones() -> None:
    """A few requests a minute, and never the same candle twice."""
    live, chart = Shown(), FollowedChart()
    assert not await chart.fetch(live)  # nothing is followed
    chart.choose([FIRST])

    await chart.fetch(live)
    await chart.fetch(live)  # too early: not asked
    assert len(chart.take_fresh()) == CANDLES
    live.step(APART_MS)
    await chart.fetch(live)
    assert len(chart.take_fresh()) == 0
    live.step(2 * MINUTE_MS)
    await chart.fetch(live)

    assert len(chart.take_fresh()) == 2
    assert live.market.asked == [("candles", SYMBOL)] * 3
    steps = set((chart.candles.time[1:] - chart.candles.time[:-1]).tolist())
    assert steps == {MINUTE_MS}


async def test_after_a_long_time_without_readers_it_begins_anew() -> None:
    """A hole in the middle of a chart would be taken for a market that stood still."""
    live, chart = Shown(), FollowedChart()
    chart.choose([FIRST])
    await chart.fetch(live)
    chart.take_fresh()
    live.step((CANDLES + 10) * MINUTE_MS)

    assert await chart.fetch(live)

    assert len(chart.take_fresh()) == len(chart.candles) == CANDLES


async def test_another_symbol_begins_with_its_own_candles() -> None:
    """Candles of two markets in one chart are a market that never was."""
    live, chart = Shown(), FollowedChart()
    chart.choose([FIRST])
    await chart.fetch(live)

    chart.choose([FIRST, SECOND])
    assert len(chart.take_fresh()) == 0
    await chart.fetch(live)  # at once: it is another one

    assert live.market.asked[-1] == ("candles", ETH)
    assert len(chart.take_fresh()) == CANDLES


async def test_an_exchange_that_is_away_is_not_asked_at_once_again() -> None:
    """What is trouble for the exchange must not become a storm of questions."""
    live, chart = Shown(), FollowedChart()
    live.market.failure = ExchangeUnavailableError("away")
    chart.choose([FIRST])

    with pytest.raises(ExchangeUnavailableError):
        await chart.fetch(live)
    await chart.fetch(live)

    assert live.market.count["candles"] == 1

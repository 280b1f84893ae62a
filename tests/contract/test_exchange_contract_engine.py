"""The contract of exchanges: the engine makes the same round trips on each."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from tests.support.scenes import (
    FALLS,
    FLAT,
    JUMPS_UP,
    RISES,
    dec,
)
from tests.support.trading import (
    at_price,
    base,
    decs,
    enter_long,
    enter_short,
    intent,
    percent,
    risk,
)
from tests.support.venues import (
    BTC,
    VENUES,
    Stand,
    scene,
    stand_of,
)

from milobot.domain.intents import Close, Distance, Enter
from milobot.domain.orders import OrderType
from milobot.domain.round_trips import RoundTrip

pytestmark = pytest.mark.parametrize("venue", VENUES)


def plan_of(**more: Any) -> Enter:
    """Return a long entry of one coin with stop and target."""
    return enter_long(base("1"), leverage=5, **more)


def told(trip: RoundTrip) -> tuple[object, ...]:
    """Return a round trip without its times, which differ by how the exchange tells them."""
    return (
        trip.side.value,
        trip.quantity,
        trip.entry_price,
        trip.exit_price,
        trip.exit_reason,
        trip.fees,
        trip.funding,
        trip.pnl,
    )


async def run_engine(
    stand: Stand, steps: Mapping[int, Enter | Close], count: int
) -> list[RoundTrip]:
    """Play candles; at the open of some the engine gets an intent made at the close before."""
    engine = stand.start_engine()
    series = stand.scene.series()[BTC]
    for index in range(count):
        await stand.open()
        if index in steps:
            reference = str(series.close[index - 1]) if index else str(series.open[0])
            wish = intent(steps[index], reference=reference, key=f"k{index}")
            await engine.accept(wish)
        await stand.rest()
        await engine.candle_closed(BTC, Decimal(str(series.close[index])))
    return stand.journal.round_trips


async def test_engine_enters_protects_and_takes_its_target(venue: str) -> None:
    """Entry, both exits resting, target, and nothing left behind."""
    plan = plan_of(stop=at_price("950"), target=at_price("1050"))
    async with stand_of(venue, scene(FLAT, RISES)) as stand:
        engine = stand.start_engine()
        await stand.open()
        await engine.accept(intent(plan, reference="1000"))
        await stand.rest()
        between = await stand.state()
        await stand.candle()
        state = await stand.state()

    # BingX takes both along with the entry, by quantity; else the first stop closes whatever is open.
    stop_over = dec("1") if venue == "bingx" else None
    assert [(r.type, r.trigger, r.quantity) for r in between.resting] == [
        (OrderType.STOP_MARKET, dec("950"), stop_over),
        (OrderType.TAKE_PROFIT_MARKET, dec("1050"), dec("1")),
    ]
    assert [told(trip) for trip in stand.journal.round_trips] == [
        ("LONG", 1, 1000, 1050, "target", dec("1.025"), 0, dec("48.975"))
    ]
    assert (state.positions, state.resting) == ({}, ())
    assert engine.slot(BTC).is_idle


async def test_engine_is_stopped_out(venue: str) -> None:
    """The stop fills, the target goes."""
    steps = {0: plan_of(stop=percent("5"), target=at_price("1100"))}
    async with stand_of(venue, scene(FLAT, FALLS, FLAT)) as stand:
        trips = await run_engine(stand, steps, 3)
        state = await stand.state()

    assert [told(trip) for trip in trips] == [
        ("LONG", 1, 1000, 950, "stop", dec("0.975"), 0, dec("-50.975"))
    ]
    assert (state.positions, state.resting) == ({}, ())


async def test_engine_reverses(venue: str) -> None:
    """Closed, confirmed flat, and then the other side with exits of its own."""
    steps = {
        0: plan_of(stop=at_price("900")),
        1: enter_short(base("2"), leverage=4, stop=at_price("1200"), target=at_price("950")),
    }
    rows = (FLAT, FLAT, FALLS, FLAT)
    async with stand_of(venue, scene(*rows)) as stand:
        trips = await run_engine(stand, steps, 4)
        state = await stand.state()

    assert [told(trip) for trip in trips] == [
        ("LONG", 1, 1000, 1000, "reversal", dec("1"), 0, dec("-1")),
        ("SHORT", 2, 1000, 950, "target", dec("1.95"), 0, dec("98.05")),
    ]
    assert (state.positions, state.resting) == ({}, ())


async def test_engine_closes_on_demand(venue: str) -> None:
    """Out at the next open, exits gone."""
    steps: dict[int, Enter | Close] = {
        0: plan_of(stop=at_price("900"), target=at_price("1200")),
        2: Close(),
    }
    async with stand_of(venue, scene(FLAT, RISES, JUMPS_UP)) as stand:
        trips = await run_engine(stand, steps, 3)
        state = await stand.state()

    assert [told(trip) for trip in trips] == [
        ("LONG", 1, 1000, 1100, "close", dec("1.05"), 0, dec("98.95"))
    ]
    assert (state.positions, state.resting) == ({}, ())


async def test_engine_trails_its_stop(venue: str) -> None:
    """It follows three closes and is hit by the fall; never is the position without one."""
    rows = (
        FLAT,
        (1000.0, 1030.0, 1000.0, 1020.0),
        (1020.0, 1050.0, 1020.0, 1040.0),
        (1040.0, 1060.0, 1040.0, 1060.0),
        (1060.0, 1060.0, 1000.0, 1010.0),
    )
    steps = {0: plan_of(stop=at_price("950"), trail=at_distance("30"))}
    async with stand_of(venue, scene(*rows)) as stand:
        trips = await run_engine(stand, steps, 5)
        state = await stand.state()

    assert [told(trip)[2:5] for trip in trips] == [(1000, 1030, "trailing_stop")]
    assert (state.positions, state.resting) == ({}, ())


async def test_engine_moves_to_break_even(venue: str) -> None:
    """Once in gain, the stop pays the fees and no more."""
    rows = (FLAT, (1000.0, 1060.0, 1000.0, 1055.0), (1055.0, 1055.0, 990.0, 995.0))
    steps = {0: plan_of(stop=at_price("950"), break_even=Decimal(1))}
    async with stand_of(venue, scene(*rows)) as stand:
        (trip,) = await run_engine(stand, steps, 3)

    assert (trip.exit_reason, trip.exit_price) == ("break_even", dec("1001.1"))
    assert Decimal(0) <= trip.pnl < Decimal("0.2")


async def test_engine_sizes_by_risk_alike(venue: str) -> None:
    """Equity, rules and stop give the same quantity, so the same loss."""
    plan = enter_long(risk("1"), leverage=10, stop=percent("5"))
    async with stand_of(venue, scene(FLAT, FALLS)) as stand:
        (trip,) = await run_engine(stand, {0: plan}, 2)

    assert (trip.quantity, trip.exit_price) == decs(2, 950)


async def test_engine_takes_an_intent_once(venue: str) -> None:
    """The same message twice is one entry, at the exchange too."""
    plan = plan_of(stop=at_price("950"))
    async with stand_of(venue, scene(FLAT)) as stand:
        engine = stand.start_engine()
        await stand.open()
        first = await engine.accept(intent(plan, reference="1000"))
        again = await engine.accept(intent(plan, reference="1000"))
        state = await stand.state()

    assert first == again
    assert len(state.fills) == 1


def at_distance(value: str) -> Distance:
    """Return a distance of so many USDT at a reference of 1000."""
    return percent(str(Decimal(value) / 10))

"""The contract of exchanges: the engine changes what is held alike on each."""

from decimal import Decimal

import pytest
from tests.support.scenes import FALLS, FLAT, RISES, dec
from tests.support.trading import at_price, base, enter_long, enter_short, intent
from tests.support.venues import BTC, VENUES, Stand, scene, stand_of

from milobot.domain.decisions import Decision
from milobot.domain.intents import Aim, Change, ChangeTargets, Enter, MoveStop, Reduce
from milobot.domain.orders import OrderType
from milobot.domain.slots import PositionState, position_state
from milobot.execution.engine import ExecutionEngine

pytestmark = pytest.mark.parametrize("venue", VENUES)

STOP, TARGET = OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET
PLAN = enter_long(base("1"), leverage=5, stop=at_price("900"), target=at_price("1200"))


async def wish(engine: ExecutionEngine, action: Enter | Change, key: str) -> Decision:
    """Submit a wish at the price of 1000."""
    return await engine.accept(intent(action, key=key, reference="1000"))


async def opened(stand: Stand, plan: Enter = PLAN) -> ExecutionEngine:
    """Enter one coin at 1000; the price stays there."""
    engine = stand.start_engine()
    await stand.open()
    await wish(engine, plan, "k0")
    return engine


async def resting(stand: Stand) -> set[tuple[OrderType, Decimal | None, Decimal | None]]:
    """Return what rests: kind, trigger and quantity, None for everything."""
    return {(r.type, r.trigger, r.quantity) for r in (await stand.state()).resting}


async def test_a_position_is_enlarged_reduced_and_rearmed(venue: str) -> None:
    """What is held, what rests and what it comes to are the same everywhere."""
    async with stand_of(venue, scene(FLAT, FALLS)) as stand:
        engine = await opened(stand)
        codes = [
            (await wish(engine, action, key)).code
            for key, action in (
                ("k1", enter_long(base("1"), adds_to="k0")),
                ("k2", Reduce(share=dec("0.25"))),
                ("k3", MoveStop(dec("970"))),
                (
                    "k4",
                    ChangeTargets(
                        (Aim(at_price("1100"), dec("0.5")), Aim(at_price("1150"), dec("0.5")))
                    ),
                ),
            )
        ]
        between, rests = await stand.state(), await resting(stand)
        state = position_state(engine.slot(BTC))
        await stand.rest()
        await stand.candle()
        after = await stand.state()

    assert codes == ["accepted"] * 4
    assert (state, between.positions[BTC].quantity) == (PositionState.PROTECTED, dec("1.5"))
    assert rests == {
        (STOP, dec("900"), None),
        (STOP, dec("970"), dec("1.5")),
        (TARGET, dec("1100"), dec("1")),
        (TARGET, dec("1150"), dec("0.5")),
    }
    (trip,) = stand.journal.round_trips
    assert (trip.quantity, trip.entry_price) == (dec("2"), dec("1000"))
    assert trip.exit_reason == "moved_stop"
    assert (after.positions, after.resting) == ({}, ())


async def test_exits_follow_the_quantity_where_they_came_with_the_entry(venue: str) -> None:
    """Also where an exchange lets them rest over the first entry's quantity."""
    async with stand_of(venue, scene(FLAT, RISES)) as stand:
        engine = await opened(stand)
        await wish(engine, enter_long(base("0.5"), adds_to="k0"), "k1")
        larger, state = await resting(stand), position_state(engine.slot(BTC))
        await wish(engine, Reduce(quantity=dec("0.7")), "k2")
        smaller = await resting(stand)

    assert state is PositionState.PROTECTED
    assert larger == {(STOP, dec("900"), None), (TARGET, dec("1200"), dec("1.5"))}
    assert smaller == {(STOP, dec("900"), None), (TARGET, dec("1200"), dec("0.8"))}


async def test_a_plain_order_nets(venue: str) -> None:
    """A part off, then around with what is beyond the rest."""
    async with stand_of(venue, scene(FLAT)) as stand:
        engine = await opened(stand)
        less = enter_short(base("0.25"), stop=at_price("1100"), is_net=True)
        await wish(engine, less, "k1")
        part = (await stand.state()).positions[BTC].quantity
        more = enter_short(base("1.75"), stop=at_price("1100"), leverage=5, is_net=True)
        await wish(engine, more, "k2")
        whole, rests = (await stand.state()).positions[BTC].quantity, await resting(stand)

    over = dec("1") if venue == "bingx" else None
    assert (part, whole) == (dec("0.75"), dec("-1"))
    assert rests == {(STOP, dec("1100"), over)}

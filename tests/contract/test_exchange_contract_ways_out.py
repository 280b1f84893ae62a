"""The contract of exchanges: the ways out that are taken when the usual ones are refused."""

from dataclasses import replace

import pytest
from tests.support.scenes import FALLS, FLAT, close, dec, stop
from tests.support.venues import VENUES, WIRE, scene, stand_of

from milobot.domain.intents import Side
from milobot.domain.orders import OrderStatus, OrderType, Refusal

S = OrderStatus


@pytest.mark.parametrize("venue", VENUES)
async def test_an_exit_with_a_limit_through_the_market_fills_at_once(venue: str) -> None:
    """It takes what is offered within its limit, at the market's price, and leaves nothing."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter()
        way_out = replace(close(), type=OrderType.LIMIT, price=dec("960"))
        placed = await stand.place(way_out)
        state = await stand.state()

    assert placed.status is S.FILLED
    assert (state.positions, state.resting) == ({}, ())
    assert state.fills[-1].price == 1000


@pytest.mark.parametrize("venue", VENUES)
async def test_an_exit_with_a_limit_that_nobody_meets_does_not_rest(venue: str) -> None:
    """What it does not find at once it lets go: the next try has a price of its own."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter()
        way_out = replace(close(), type=OrderType.LIMIT, price=dec("1040"))
        placed = await stand.place(way_out)
        if placed.is_live:  # the answer does not tell; asking does
            await stand.rest()
        state = await stand.state()

    assert stand.orders["close"].status in {S.EXPIRED, S.CANCELLED}
    assert (len(state.positions), state.resting, len(state.fills)) == (1, (), 1)


@pytest.mark.parametrize("venue", WIRE)
async def test_a_second_stop_that_closes_everything_is_refused(venue: str) -> None:
    """So a moved one goes by quantity beside it; Binance says why, BingX only that it will not."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter()
        await stand.place(stop("950", closes=True, name="first"))
        second = await stand.place(stop("960", closes=True, name="second"))
        moved = await stand.place(stop("960", name="moved"))
        state = await stand.state()

    assert second.status is S.REJECTED
    assert second.refusal is (
        Refusal.BACKSTOP_EXISTS if venue == "binance" else Refusal.SIZE_OR_PRICE
    )
    assert moved.status is S.SUBMITTED
    assert [r.trigger for r in state.resting] == [dec("950"), dec("960")]


@pytest.mark.parametrize("venue", VENUES)
async def test_of_a_backstop_and_a_moved_stop_the_nearer_closes_all(venue: str) -> None:
    """And the backstop is gone with the position, or can be withdrawn: nothing rests in the end."""
    async with stand_of(venue, scene(FLAT, FALLS)) as stand:
        await stand.open()
        await stand.enter()
        backstop = await stand.place(stop("945", closes=True, name="backstop"))
        await stand.place(stop("970", name="moved"))
        await stand.rest()
        await stand.candle()
        if stand.orders["backstop"].is_live:
            await stand.cancel(backstop)
        state = await stand.state()

    assert state.positions == {}
    assert (state.fills[-1].price, state.fills[-1].side) == (dec("970"), Side.SELL)
    assert state.resting == ()

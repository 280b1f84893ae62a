"""The contract of exchanges: stops and targets."""

from collections.abc import Callable

import pytest
from tests.support.scenes import (
    ENDED,
    FALLS,
    FLAT,
    JUMPS_DOWN,
    JUMPS_UP,
    RISES,
    close,
    dec,
    fill,
    stop,
    target,
    wallet_of,
)
from tests.support.venues import (
    BTC,
    VENUES,
    Held,
    Resting,
    scene,
    stand_of,
)

from milobot.domain.intents import Side
from milobot.domain.orders import Order, OrderStatus, OrderType

pytestmark = pytest.mark.parametrize("venue", VENUES)
BUY, SELL = Side.BUY, Side.SELL
S = OrderStatus


@pytest.mark.parametrize("closes", [True, False])
@pytest.mark.parametrize(
    ("side", "trigger", "candle"), [(BUY, "950", FALLS), (SELL, "1050", RISES)]
)
async def test_stop_is_hit(
    venue: str,
    side: Side,
    trigger: str,
    candle: tuple[float, float, float, float],
    *,
    closes: bool,
) -> None:
    """Touched within a candle it fills at its trigger, by quantity or for the whole position."""
    exit_side = SELL if side is BUY else BUY
    async with stand_of(venue, scene(FLAT, candle)) as stand:
        await stand.open()
        await stand.enter(side)
        resting = await stand.place(stop(trigger, exit_side, closes=closes))
        await stand.rest()
        before = await stand.state()
        await stand.candle()
        state = await stand.state()

    assert resting.status is S.SUBMITTED
    quantity = None if closes else dec("1")
    wanted = Resting(BTC, OrderType.STOP_MARKET, exit_side, dec(trigger), quantity)
    assert before.resting == (wanted,)
    assert stand.orders["stop"].status is S.FILLED
    assert (state.positions, state.resting) == ({}, ())
    assert state.fills[-1] == fill(exit_side, "1", trigger)
    assert wallet_of(state, "-50", "-0.5", str(dec(trigger) * dec("-0.0005")))


@pytest.mark.parametrize(
    ("side", "exit_side", "trigger", "candle"),
    [(BUY, SELL, "1050", RISES), (SELL, BUY, "950", FALLS)],
)
async def test_target_is_hit(
    venue: str,
    side: Side,
    exit_side: Side,
    trigger: str,
    candle: tuple[float, float, float, float],
) -> None:
    """Touched within a candle it fills at its trigger."""
    async with stand_of(venue, scene(FLAT, candle)) as stand:
        await stand.open()
        await stand.enter(side)
        await stand.place(target(trigger, exit_side))
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert stand.orders["target"].status is S.FILLED
    assert (state.positions, state.resting) == ({}, ())
    assert state.fills[-1] == fill(exit_side, "1", trigger)


async def test_stop_in_the_candle_of_the_entry_counts(venue: str) -> None:
    """The entry candle is no safe place: its own low may stop us out."""
    async with stand_of(venue, scene(FALLS)) as stand:
        await stand.open()
        await stand.enter()
        await stand.place(stop("950"))
        await stand.rest()
        state = await stand.state()

    assert state.positions == {}
    assert state.fills[-1].price == 950


async def test_level_not_reached_goes_on_resting(venue: str) -> None:
    """A tick short is not hit."""
    async with stand_of(venue, scene(FLAT, RISES, FALLS)) as stand:
        await stand.open()
        await stand.enter()
        await stand.place(stop("939.9"))
        await stand.place(target("1060.1"))
        await stand.rest()
        await stand.candles(2)
        state = await stand.state()

    assert [r.trigger for r in state.resting] == [dec("939.9"), dec("1060.1")]
    assert {o.status for n, o in stand.orders.items() if n != "entry"} == {S.SUBMITTED}
    assert state.unrealized_pnl == -50


async def test_candle_that_touches_both_hits_the_stop(venue: str) -> None:
    """A candle does not tell what came first: the worse is taken, everywhere alike."""
    async with stand_of(venue, scene(FLAT, (1000.0, 1060.0, 940.0, 1000.0))) as stand:
        await stand.open()
        await stand.enter()
        await stand.place(stop("950"))
        await stand.place(target("1050"))
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert stand.orders["stop"].status is S.FILLED
    assert stand.orders["target"].filled_quantity == 0
    assert state.fills[-1].price == 950


@pytest.mark.parametrize(
    ("candle", "filled", "price"), [(JUMPS_DOWN, "stop", "900"), (JUMPS_UP, "target", "1100")]
)
async def test_gap_fills_at_the_open(
    venue: str, candle: tuple[float, float, float, float], filled: str, price: str
) -> None:
    """Gapped through, a level fills at the open: worse than the stop, better than the target."""
    async with stand_of(venue, scene(FLAT, candle)) as stand:
        await stand.open()
        await stand.enter(leverage=5)
        await stand.place(stop("950"))
        await stand.place(target("1050"))
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert stand.orders[filled].status is S.FILLED
    assert (state.positions, state.fills[-1]) == ({}, fill(SELL, "1", price))


async def test_gap_through_both_stops_takes_the_nearer_first(venue: str) -> None:
    """Two stops by part: both fill at the open that went through them."""
    async with stand_of(venue, scene(FLAT, JUMPS_DOWN)) as stand:
        await stand.open()
        await stand.enter(quantity="2", leverage=5)
        await stand.place(stop("950", name="near"))
        await stand.place(stop("920", name="far"))
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert [f.price for f in state.fills[1:]] == [dec("900"), dec("900")]
    assert (state.positions, state.resting) == ({}, ())


async def test_targets_by_part_fill_one_after_the_other(venue: str) -> None:
    """Each takes its share, and the stop closes what is left."""
    rows = (FLAT, (1000.0, 1035.0, 1000.0, 1030.0), (1030.0, 1030.0, 940.0, 945.0))
    async with stand_of(venue, scene(*rows)) as stand:
        await stand.open()
        await stand.enter(quantity="3")
        await stand.place(stop("950", quantity="3", closes=True))
        await stand.place(target("1010", quantity="1", name="first"))
        await stand.place(target("1030", quantity="1", name="second"))
        await stand.rest()
        await stand.candle()
        between = await stand.state()
        await stand.candle()
        state = await stand.state()

    assert between.positions == {BTC: Held(dec("1"), dec("1000"))}
    assert [f.price for f in state.fills[1:]] == [dec("1010"), dec("1030"), dec("950")]
    assert [f.quantity for f in state.fills[1:]] == [1, 1, 1]
    assert state.positions == {}
    assert stand.orders["stop"].filled_quantity == 1


async def test_stop_larger_than_the_position_closes_only_what_is_open(venue: str) -> None:
    """After a part was taken off by hand the old stop must not open the other side."""
    async with stand_of(venue, scene(FLAT, FALLS)) as stand:
        await stand.open()
        await stand.enter(quantity="3")
        await stand.place(stop("950", quantity="3"))
        await stand.place(close(quantity="2"))
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert state.positions == {}
    assert state.fills[-1] == fill(SELL, "1", "950")


@pytest.mark.parametrize(
    ("make", "trigger"), [(stop, "1000"), (stop, "1010"), (target, "1000"), (target, "990")]
)
async def test_conditional_order_beyond_its_trigger_is_refused(
    venue: str, make: Callable[..., Order], trigger: str
) -> None:
    """It would fill at once: the engine must hear that, and decide."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter()
        placed = await stand.place(make(trigger, name="late"))
        state = await stand.state()

    assert (placed.status, state.resting) == (S.REJECTED, ())


async def test_conditional_exit_with_nothing_open_is_refused(venue: str) -> None:
    """A stop without a position would be an entry."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        whole = await stand.place(stop("950", closes=True, name="whole"))
        part = await stand.place(stop("950", name="part"))
        state = await stand.state()

    assert (whole.status, part.status, state.resting) == (S.REJECTED, S.REJECTED, ())


async def test_moved_stop_rests_before_the_old_one_goes(venue: str) -> None:
    """At no moment is the position without a stop, and in the end only the new one is there."""
    async with stand_of(venue, scene(FLAT, (1000.0, 1000.0, 970.0, 975.0))) as stand:
        await stand.open()
        await stand.enter()
        old = await stand.place(stop("950", closes=True, name="old"))
        new = await stand.place(stop("980", name="new"))
        both = await stand.state()
        gone = await stand.cancel(old)
        one = await stand.state()
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert new.status is S.SUBMITTED
    assert [r.trigger for r in both.resting] == [dec("950"), dec("980")]
    assert gone.status is S.CANCELLED
    assert [r.trigger for r in one.resting] == [dec("980")]
    assert state.fills[-1] == fill(SELL, "1", "980")


async def test_what_is_left_of_a_set_up_can_be_cleared(venue: str) -> None:
    """When the target has filled its stop ends, by itself or by our cancel: nothing rests."""
    async with stand_of(venue, scene(FLAT, RISES, FALLS)) as stand:
        await stand.open()
        await stand.enter()
        await stand.place(stop("950", closes=True))
        await stand.place(target("1050"))
        await stand.rest()
        await stand.candle()
        await stand.cancel(stand.orders["stop"])
        await stand.candle()
        state = await stand.state()

    assert stand.orders["stop"].status in ENDED
    assert (state.positions, state.resting, len(state.fills)) == ({}, (), 2)

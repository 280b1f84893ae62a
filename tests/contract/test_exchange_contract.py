"""One text for every exchange: simulated, Binance and BingX end in the same states.

The two clients speak over the wire to a local exchange in lock-step; the simulated venue is
driven as a back-test drives it. What a back-test promises is what the wire keeps. Here:
entries, closes, cancels and names; the modules beside this one go on.
"""

from decimal import Decimal

import pytest
from tests.support.scenes import (
    FALLS,
    FLAT,
    JUMPS_UP,
    close,
    dec,
    entry,
    fill,
    stop,
    wallet_of,
)
from tests.support.trading import decs
from tests.support.venues import (
    BTC,
    ETH,
    VENUES,
    Held,
    Scene,
    scene,
    stand_of,
)

from milobot.domain.intents import Side
from milobot.domain.orders import OrderStatus, Refusal
from milobot.domain.reports import MarginMode

pytestmark = pytest.mark.parametrize("venue", VENUES)
BUY, SELL = Side.BUY, Side.SELL
S = OrderStatus
ISOLATED = MarginMode.ISOLATED


@pytest.mark.parametrize(("side", "sign"), [(BUY, 1), (SELL, -1)])
async def test_market_entry_fills_at_the_open(venue: str, side: Side, sign: int) -> None:
    """The first promise of a back-test: a decision fills at the next open, for the taker's fee."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        placed = await stand.enter(side, "2")
        await stand.rest()
        state = await stand.state()

    assert (placed.status, placed.filled_quantity) == (S.FILLED, dec("2"))
    assert state.positions == {BTC: Held(Decimal(2 * sign), dec("1000"))}
    assert state.fills == (fill(side, "2", "1000"),)
    assert wallet_of(state, "-1")


async def test_entry_at_the_second_open_takes_its_price(venue: str) -> None:
    """The price is that of the moment, not of the start."""
    async with stand_of(venue, scene(FLAT, (1010.0, 1020.0, 1005.0, 1015.0))) as stand:
        await stand.candle()
        await stand.open()
        await stand.enter()
        await stand.rest()
        state = await stand.state()

    assert state.positions == {BTC: Held(dec("1"), dec("1010"))}
    assert state.unrealized_pnl == 5


async def test_entry_adds_to_a_position_at_the_average_price(venue: str) -> None:
    """Two entries are one position; its price is the average of both."""
    async with stand_of(venue, scene(FLAT, JUMPS_UP)) as stand:
        await stand.open()
        await stand.enter()
        await stand.rest()
        await stand.open()
        await stand.place(entry(name="second"))
        await stand.rest()
        state = await stand.state()

    assert state.positions == {BTC: Held(dec("2"), dec("1050"))}


async def test_larger_opposite_entry_turns_the_position(venue: str) -> None:
    """One-way mode: what is more than the position opens the other side."""
    async with stand_of(venue, scene(FLAT, JUMPS_UP)) as stand:
        await stand.open()
        await stand.enter()
        await stand.rest()
        await stand.open()
        turned = await stand.place(entry(SELL, "3", name="turn"))
        await stand.rest()
        state = await stand.state()

    assert turned.status is S.FILLED
    assert state.positions == {BTC: Held(dec("-2"), dec("1100"))}
    assert wallet_of(state, "100", "-0.5", "-1.65")


@pytest.mark.parametrize(("quantity", "leverage"), [("120", 10), ("10.1", 1)])
async def test_entry_beyond_the_margin_is_refused(venue: str, quantity: str, leverage: int) -> None:
    """What the wallet cannot carry is refused for good, and nothing has happened."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        placed = await stand.enter(quantity=quantity, leverage=leverage)
        await stand.rest()
        state = await stand.state()

    assert placed.status is S.REJECTED
    assert (state.positions, state.fills) == ({}, ())
    assert wallet_of(state)


async def test_margin_in_use_leaves_less_for_the_next_entry(venue: str) -> None:
    """Available is the wallet without what positions tie up."""
    async with stand_of(venue, Scene({BTC: (FLAT,), ETH: (FLAT,)})) as stand:
        await stand.open()
        await stand.enter(quantity="60")
        refused = await stand.enter(quantity="60", symbol=ETH, name="more")
        taken = await stand.enter(quantity="30", symbol=ETH, name="less")
        await stand.rest()
        state = await stand.state()

    assert (refused.status, taken.status) == (S.REJECTED, S.FILLED)
    assert state.available == dec("955")  # 10,000 less 9,000 margin and 45 of fees


@pytest.mark.parametrize("quantity", ["0.0005", "0.0015", "0.001"])
async def test_entry_off_the_grid_or_too_small_is_refused(venue: str, quantity: str) -> None:
    """Below the smallest quantity, between two steps, below the smallest notional."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        placed = await stand.enter(quantity=quantity)
        await stand.rest()
        state = await stand.state()

    assert (placed.status, state.fills) == (S.REJECTED, ())


async def test_entry_above_what_its_leverage_allows_is_refused(venue: str) -> None:
    """The bracket of the notional decides, not the wallet."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        placed = await stand.enter(quantity="60", leverage=125)
        await stand.rest()
        state = await stand.state()

    assert (placed.status, state.positions) == (S.REJECTED, {})


async def test_refusals_have_the_same_name_everywhere(venue: str) -> None:
    """What the engine decides by is our word for the reason, not a code of theirs."""
    found = {}
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.exchange.prepare_symbol(BTC, leverage=10, margin_mode=ISOLATED)
        for order in (
            entry(quantity="120", name="margin"),
            entry(quantity="0.0005", name="size"),
            close(name="nothing"),
        ):
            (news,) = await stand.exchange.place_order(order)
            found[order.client_order_id] = news.refusal
        await stand.enter()
        (news,) = await stand.exchange.place_order(stop("1000.1", name="beyond"))
        found["beyond"] = news.refusal

    assert found == {
        "margin": Refusal.INSUFFICIENT_MARGIN,
        "size": Refusal.SIZE_OR_PRICE,
        "nothing": Refusal.NOTHING_TO_REDUCE,
        "beyond": Refusal.WOULD_TRIGGER,
    }


async def test_close_takes_the_gain(venue: str) -> None:
    """Gain less both fees is what the wallet has more."""
    async with stand_of(venue, scene(FLAT, JUMPS_UP)) as stand:
        await stand.open()
        await stand.enter()
        await stand.rest()
        await stand.open()
        done = await stand.place(close())
        await stand.rest()
        state = await stand.state()

    assert (done.status, state.positions) == (S.FILLED, {})
    assert state.fills == (fill(BUY, "1", "1000"), fill(SELL, "1", "1100"))
    assert wallet_of(state, "100", "-0.5", "-0.55")


async def test_close_of_a_part_leaves_the_rest(venue: str) -> None:
    """The entry price of what stays is the same as before."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter(quantity="3")
        await stand.place(close(quantity="1"))
        await stand.rest()
        state = await stand.state()

    assert state.positions == {BTC: Held(dec("2"), dec("1000"))}


async def test_reduce_only_never_turns_a_position(venue: str) -> None:
    """Asked for more than is open it closes what is open, and no more."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter()
        done = await stand.place(close(quantity="5"))
        await stand.rest()
        state = await stand.state()

    assert done.filled_quantity == 1
    assert not done.is_live
    assert (state.positions, len(state.fills)) == ({}, 2)


async def test_close_with_nothing_open_is_refused(venue: str) -> None:
    """Nothing to reduce is no reason to open something."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        done = await stand.place(close())
        await stand.rest()
        state = await stand.state()

    assert (done.status, state.fills, state.positions) == (S.REJECTED, (), {})


async def test_reduce_only_in_the_direction_of_the_position_is_refused(venue: str) -> None:
    """A close that would add is a mistake of ours: the exchange must not forgive it."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter()
        done = await stand.place(close(BUY))
        state = await stand.state()

    assert (done.status, len(state.fills)) == (S.REJECTED, 1)


async def test_cancelled_stop_never_fills(venue: str) -> None:
    """Cancelled means gone."""
    async with stand_of(venue, scene(FLAT, FALLS)) as stand:
        await stand.open()
        await stand.enter()
        resting = await stand.place(stop("950"))
        done = await stand.cancel(resting)
        await stand.rest()
        await stand.candle()
        state = await stand.state()

    assert done.status is S.CANCELLED
    assert state.positions == {BTC: Held(dec("1"), dec("1000"))}
    assert (len(state.fills), state.resting) == (1, ())


async def test_cancel_twice_ends_cancelled(venue: str) -> None:
    """The second says nothing new, least of all that it is still there."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter()
        resting = await stand.place(stop("950"))
        await stand.cancel(resting)
        again = await stand.cancel(resting)

    assert again.status is S.CANCELLED


async def test_cancel_of_an_order_that_was_never_placed_confirms_nothing(venue: str) -> None:
    """Not found is no end: it may be on its way."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter()
        for order in (stop("950", name="ghost"), entry(name="phantom")):
            done = await stand.cancel(order)
            assert done.status in {S.PENDING, S.UNKNOWN}
        state = await stand.state()

    assert len(state.fills) == 1


async def test_cancel_of_a_filled_order_leaves_it_filled(venue: str) -> None:
    """Crossed on the way: the fill is real."""
    async with stand_of(venue, scene(FLAT, FALLS)) as stand:
        await stand.open()
        await stand.enter()
        resting = await stand.place(stop("950"))
        await stand.rest()
        await stand.candle()
        done = await stand.cancel(resting)
        state = await stand.state()

    assert (done.status, done.filled_quantity) == (S.FILLED, dec("1"))
    assert len(state.fills) == 2


async def test_cancel_of_a_filled_entry_leaves_the_position(venue: str) -> None:
    """A market order has filled before anybody can withdraw it."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        placed = await stand.enter()
        done = await stand.cancel(placed)
        state = await stand.state()

    assert done.status is S.FILLED
    assert state.positions == {BTC: Held(dec("1"), dec("1000"))}


async def test_same_stop_placed_twice_rests_once(venue: str) -> None:
    """A repeated id is the same order, even where the exchange takes no id for stops."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        await stand.enter()
        await stand.place(stop("950"))
        again = await stand.place(stop("950"))
        state = await stand.state()

    assert again.status is S.SUBMITTED
    assert len(state.resting) == 1


async def test_fills_are_named_differently(venue: str) -> None:
    """Two fills under one name would be booked as one."""
    async with stand_of(venue, scene(FLAT)) as stand:
        await stand.open()
        first = await stand.enter()
        second = await stand.place(entry(name="second"))

    assert (first.filled_quantity, second.filled_quantity) == decs(1, 1)

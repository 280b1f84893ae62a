"""Trailing and break-even stops: at candle closes only, in favour only, never passed."""

from dataclasses import replace

import pytest
from tests.support.trading import (
    SHORT,
    Stage,
    at_price,
    base,
    candle,
    dec,
    enter_long,
    enter_short,
    in_atr,
    intent,
    percent,
    rules,
)

from milobot.domain.intents import Enter
from milobot.domain.orders import OrderStatus
from milobot.domain.slots import PositionState, Slot, position_state
from milobot.execution.gates import Limits
from milobot.execution.moving_stops import moved_stop

TRAIL = enter_long(base("1"), stop=at_price("95"), trail=percent("2"))
EVEN = enter_long(base("1"), stop=at_price("95"), break_even=dec("1"))


def closing_at(*closes: float) -> list[tuple[float, float, float, float]]:
    """Return prices of candles that touch nothing but their close."""
    return [(c, c, c, c) for c in closes]


async def entered(action: Enter, *closes: float, **options: str) -> Stage:
    """Return the stage after entering at 100 and the closes that follow."""
    stage = Stage(**options)  # type: ignore[arg-type]  # only texts are passed in here
    await stage.play(candle(100, 100, 100, 100), intent(action))
    await stage.play_all(candle(*prices) for prices in closing_at(*closes))
    return stage


@pytest.mark.parametrize(
    ("closes", "stop"),
    [
        ((), "98"),  # the entry candle's own close counts: 100 - 2
        ((103,), "101"),
        ((103, 102), "101"),
        ((103, 101.5, 104), "102"),
        ((103, 101.1), "101"),
    ],
)
async def test_a_trailing_stop_follows_the_best_close(closes: tuple[float, ...], stop: str) -> None:
    """Two below the highest close so far, never back."""
    stage = await entered(TRAIL, *closes)

    assert stage.resting == [("stop", dec("95")), ("stop", dec(stop))]


async def test_a_short_trails_from_above() -> None:
    """The mirror: two above the lowest close."""
    plan = enter_short(base("1"), stop=at_price("105"), trail=percent("2"))

    stage = await entered(plan, 97, 98, 96)

    assert stage.resting == [("stop", dec("98")), ("stop", dec("105"))]
    await stage.play(candle(96, 98, 96, 97))
    assert stage.journal.round_trips[0].exit_reason == "trailing_stop"
    assert stage.journal.round_trips[0].side is SHORT


async def test_wicks_move_nothing() -> None:
    """Only closes count: a spike to 200 leaves the stop where the close puts it."""
    stage = await entered(TRAIL)

    await stage.play(candle(100, 200, 99, 101))

    assert stage.resting == [("stop", dec("95")), ("stop", dec("99"))]


async def test_a_moved_stop_counts_from_the_next_candle() -> None:
    """The candle that moved it had its low before its close: it cannot be stopped by it."""
    stage = await entered(TRAIL)

    await stage.play(candle(100, 110, 99, 110))
    assert stage.slot.position.quantity == 1

    await stage.play(candle(109, 109, 108, 109))
    (trip,) = stage.journal.round_trips
    assert (trip.exit_reason, trip.exit_price) == ("trailing_stop", dec("108"))
    assert trip.stop == 95, "the first stop is what was risked"


async def test_a_moved_stop_is_rounded_towards_the_price() -> None:
    """The loss is never larger than asked for: 103.14 - 2 is 101.2 on a grid of 0.1."""
    stage = await entered(TRAIL, 103.14)

    assert stage.resting == [("stop", dec("95")), ("stop", dec("101.2"))]


async def test_the_new_stop_rests_before_the_old_one_goes() -> None:
    """There is no moment without a stop, and the first one stays for the position's life."""
    stage = await entered(TRAIL, 103)

    story = [(o.status, o.trigger_price) for o in stage.journal.orders if o.purpose == "stop"]
    assert story == [
        (OrderStatus.PENDING, dec("95")),
        (OrderStatus.PENDING, dec("98")),
        (OrderStatus.PENDING, dec("101")),
        (OrderStatus.CANCEL_PENDING, dec("98")),
    ]


async def test_a_trail_in_atr_keeps_its_distance() -> None:
    """ATR is that of the deciding candle, fixed."""
    stage = Stage()
    plan = enter_long(base("1"), stop=at_price("90"), trail=in_atr("2"))
    await stage.play(candle(100, 100, 100, 100), intent(plan, atr="1.5"))
    await stage.play(candle(106, 106, 106, 106))

    assert stage.resting == [("stop", dec("90")), ("stop", dec("103"))]


async def test_a_trail_gives_an_unprotected_position_its_stop() -> None:
    """sl=none with a trail is unprotected only until the first close."""
    stage = Stage(limits=Limits(allow_unprotected=True))
    stage.open(candle(100, 100, 100, 100))
    await stage.engine.accept(intent(replace(TRAIL, stop=None, unprotected=True)))
    assert position_state(stage.slot) is PositionState.UNPROTECTED

    await stage.close()

    assert position_state(stage.slot) is PositionState.PROTECTED
    assert stage.resting == [("stop", dec("98"))]


async def test_an_unprotected_position_has_time_for_its_first_stop() -> None:
    """It lay open for an hour by choice: that hour does not count against the stop."""
    stage = Stage(limits=Limits(allow_unprotected=True))
    plan = replace(TRAIL, stop=None, unprotected=True, trail=in_atr("60"))
    await stage.play(candle(100, 100, 100, 100), intent(plan, atr="2"))
    assert stage.slot.exposed_since_ms == 0

    await stage.play(candle(130, 130, 130, 130))

    assert position_state(stage.slot) is PositionState.PROTECTED
    assert stage.resting == [("stop", dec("10"))]


async def test_a_trail_wider_than_the_price_places_nothing() -> None:
    """A stop at or below zero is no stop; no exchange takes it."""
    stage = Stage(limits=Limits(allow_unprotected=True))
    plan = enter_long(base("1"), unprotected=True, trail=in_atr("50"))

    await stage.play(candle(100, 100, 100, 100), intent(plan, atr="2"))

    assert stage.slot.stop is None
    assert stage.orders("stop") == []


@pytest.mark.parametrize(("close", "stop"), [(104.9, "95"), (105, "100"), (107, "100")])
async def test_break_even_arms_at_its_threshold(close: float, stop: str) -> None:
    """At once the first stop's distance beyond the reference, inclusive; without fees it is entry."""
    stage = await entered(EVEN, close)

    assert stage.resting == [("stop", dec(one)) for one in sorted({"95", stop}, key=int)]


async def test_break_even_stays_when_the_price_comes_back() -> None:
    """Armed once, moved once."""
    stage = await entered(EVEN, 105, 100.5)

    assert stage.resting == [("stop", dec("95")), ("stop", dec("100"))]


@pytest.mark.parametrize(
    ("plan", "sign", "zero_net"), [(EVEN, 1, "100.2"), (replace(EVEN, side=SHORT), -1, "99.9")]
)
async def test_break_even_is_zero_net_after_fees(plan: Enter, sign: int, zero_net: str) -> None:
    """Not negative, and one tick less would be: exactly as near to zero as the grid allows."""
    plan = replace(plan, stop=percent("5"))
    stage = await entered(plan, 100 + 6 * sign, fee="0.0005")

    await stage.play(
        candle(*[100 + 2 * sign] * 2, *[100 - 3 * sign] * 2)._replace(
            high=102 if sign > 0 else 103, low=97 if sign > 0 else 98
        )
    )

    (trip,) = stage.journal.round_trips
    assert trip.exit_reason == "break_even"
    assert trip.exit_price == dec(zero_net)
    assert trip.pnl >= 0
    one_tick = dec("0.1") * (1 - sign * dec("0.0005"))
    assert trip.pnl - one_tick < 0


async def test_break_even_without_a_grid_is_zero_to_the_last_booking() -> None:
    """Two fees and one gain are rounded to 1e-8 each: no further from zero than that."""
    stage = Stage(fee="0.0005", symbol_rules=rules(tick=None))
    await stage.play(candle(100, 100, 100, 100), intent(replace(EVEN, size=base("1.234"))))
    await stage.play(candle(106, 106, 106, 106))
    await stage.play(candle(106, 106, 90, 100))

    (trip,) = stage.journal.round_trips
    assert trip.exit_reason == "break_even"
    assert abs(trip.pnl) <= dec("0.000000015")


async def test_break_even_counts_from_the_fill_not_the_reference() -> None:
    """The reference says when, the entry price says where."""
    stage = Stage()
    await stage.play(candle(101, 101, 101, 101), intent(EVEN))
    await stage.play(candle(106, 106, 106, 106))

    assert stage.resting == [("stop", dec("95")), ("stop", dec("101"))]


async def test_a_stop_never_moves_to_a_level_that_the_close_has_passed() -> None:
    """Armed at 100.05, zero net at 100.2: it waits until the close is beyond that."""
    plan = enter_long(base("1"), stop=at_price("95"), break_even=dec("0.01"))
    stage = await entered(plan, 100.1, 100.2, fee="0.0005")
    assert stage.resting == [("stop", dec("95"))]

    await stage.play(candle(100.3, 100.3, 100.3, 100.3))

    assert stage.resting == [("stop", dec("95")), ("stop", dec("100.2"))]


async def test_of_trail_and_break_even_the_better_counts() -> None:
    """Break-even first, the trail when it is further; the reason is that of the level."""
    plan = enter_long(base("1"), stop=at_price("95"), break_even=dec("1"), trail=percent("6"))
    stage = await entered(plan, 105)
    assert (stage.slot.stop, stage.slot.stop_reason) == (dec("100"), "break_even")

    await stage.play(candle(107, 107, 107, 107))

    assert (stage.slot.stop, stage.slot.stop_reason) == (dec("101"), "trailing_stop")


async def test_the_target_stays_while_the_stop_moves() -> None:
    """Moving one exit does not touch the other."""
    stage = await entered(replace(TRAIL, target=at_price("120")), 103, 105)

    assert stage.resting == [
        ("stop", dec("95")),
        ("stop", dec("103")),
        ("target", dec("120")),
    ]
    assert len(stage.orders("target")) == 1


async def test_a_flat_slot_has_no_stop_to_move() -> None:
    """Nothing held, nothing followed; nor is anything moved while it is being closed."""
    stage = Stage()
    await stage.play(candle(100, 100, 100, 100))
    flat = stage.slot
    held = (await entered(TRAIL)).slot

    closing = replace(held, closing="close")

    assert moved_stop(flat, dec("100"), rules()) is flat
    assert moved_stop(closing, dec("500"), rules()) is closing
    assert isinstance(flat, Slot)


async def test_moved_stops_go_by_quantity_beside_the_one_that_closes_everything() -> None:
    """An exchange takes one stop that closes the position at a time: a second one is refused."""
    stage = await entered(TRAIL, 103, 106)

    stops = stage.orders("stop")
    assert [one.close_position for one in stops] == [True, False, False, False]
    assert [one.quantity for one in stops[1:]] == [1, 1, 1]
    assert stage.resting == [("stop", dec("95")), ("stop", dec("104"))]


async def test_of_two_stops_the_nearer_is_hit_and_the_other_leaves() -> None:
    """Two that rest give the same result as one would, within a candle and over a gap."""
    within, over = await entered(TRAIL, 103), await entered(TRAIL, 103)

    await within.play(candle(103, 103, 90, 92))
    await over.play(candle(92, 92, 90, 92))

    assert [t.exit_price for t in within.journal.round_trips] == [dec("101")]
    assert [t.exit_price for t in over.journal.round_trips] == [dec("92")]
    for stage in (within, over):
        assert stage.journal.round_trips[0].exit_reason == "trailing_stop"
        assert (stage.resting, stage.slot.owner) == ([], "")

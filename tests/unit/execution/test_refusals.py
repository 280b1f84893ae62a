"""What the engine does when the exchange says no: protected or flat."""

from functools import partial

import pytest
from tests.support.exchanges import RefusingExchange, ThinExchange
from tests.support.trading import (
    SYMBOL,
    Stage,
    at_price,
    base,
    candle,
    dec,
    enter_long,
    enter_short,
    intent,
    percent,
)

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Close
from milobot.domain.orders import OrderPurpose, OrderStatus
from milobot.domain.slots import PositionState, position_state
from milobot.ports import Exchange

QUIET = candle(100, 101, 99, 100)
PLAN = enter_long(base("1"), stop=at_price("95"), target=at_price("110"))
P, S = OrderPurpose, OrderStatus


def refusing(status: OrderStatus = OrderStatus.REJECTED, **times: int) -> partial[RefusingExchange]:
    """Return what puts a refusing exchange before the venue."""
    return partial(
        RefusingExchange, refused={P(name): count for name, count in times.items()}, status=status
    )


@pytest.mark.parametrize("status", [S.REJECTED, S.EXPIRED, S.CANCELLED])
@pytest.mark.parametrize("purpose", ["stop", "target"])
async def test_a_position_whose_exit_cannot_rest_is_closed(
    purpose: str, status: OrderStatus
) -> None:
    """However the exchange puts it, for ever: closed at once, and no loop of new tries."""
    stage = Stage(exchange=refusing(status, **{purpose: 1_000_000}))

    await stage.play(QUIET, intent(PLAN))

    (trip,) = stage.journal.round_trips
    assert trip.exit_reason == f"{purpose}_{status.lower()}"
    assert stage.slot.position.is_flat
    assert stage.resting == []
    assert stage.slot.owner == ""
    assert len(stage.orders(purpose)) == 1


async def test_a_moved_stop_that_is_refused_closes_too() -> None:
    """The old stop still rests, but the plan cannot be kept: flat is safe."""
    held: list[RefusingExchange] = []

    def between(venue: Exchange) -> Exchange:
        held.append(RefusingExchange(venue, {}))
        return held[0]

    stage = Stage(exchange=between)
    await stage.play(QUIET, intent(enter_long(base("1"), stop=at_price("95"), trail=percent("2"))))
    held[0].refused[P.STOP] = 1

    await stage.play(candle(103, 103, 103, 103))

    assert stage.journal.round_trips[0].exit_reason == "stop_rejected"
    assert stage.resting == []


async def test_a_rejected_entry_frees_the_slot() -> None:
    """The order ends REJECTED on record; nothing waits for it."""
    stage = Stage(exchange=refusing(entry=1))

    first, second = await stage.play(QUIET, intent(PLAN), intent(PLAN, key="k2", owner="other"))

    assert first.outcome is Outcome.ACCEPTED
    assert stage.journal.updates[0].status is S.REJECTED
    assert second.outcome is Outcome.ACCEPTED
    assert stage.slot.owner == "other"


async def test_margin_that_slippage_takes_is_refused_by_the_venue() -> None:
    """The gate sees the price, the venue the fill: the slot is free again."""
    stage = Stage(wallet="100", slippage="0.001")

    await stage.play(QUIET, intent(PLAN))

    assert stage.slot.owner == ""
    assert stage.journal.round_trips == []


@pytest.mark.parametrize("status", [S.REJECTED, S.EXPIRED, S.CANCELLED])
async def test_a_refused_close_is_tried_again_at_the_candle_close(status: OrderStatus) -> None:
    """The stop rests meanwhile, nothing enters, and the next look closes."""
    stage = Stage(exchange=refusing(status, close=1))
    await stage.play(QUIET, intent(PLAN))

    stage.open(candle(102, 103, 101, 103))
    decision = await stage.engine.accept(intent(Close(), key="k2"))
    busy = await stage.engine.accept(intent(PLAN, key="k3"))
    assert position_state(stage.slot) is PositionState.CLOSING
    assert ("stop", dec("95")) in stage.resting
    await stage.close()

    (trip,) = stage.journal.round_trips
    assert decision.outcome is Outcome.ACCEPTED
    assert (busy.outcome, busy.code) == (Outcome.DENIED, "slot_busy")
    assert (trip.exit_reason, trip.exit_price) == ("close", dec("103"))


async def test_a_stop_that_fills_while_a_close_waits_ends_the_trip() -> None:
    """Whatever gets flat first; the reversal's second half then enters."""
    stage = Stage(exchange=refusing(close=1))
    await stage.play(QUIET, intent(PLAN))
    turn = intent(enter_short(base("1"), stop=at_price("115")), key="k2")

    await stage.play(candle(100, 101, 95, 96), turn)

    (trip,) = stage.journal.round_trips
    assert (trip.exit_reason, trip.exit_price) == ("stop", dec("95"))
    assert stage.slot.position.side is turn.entry.side


async def test_neither_stop_nor_close_is_taken_until_they_are() -> None:
    """The worst hour of an exchange: the close is tried at every candle, once each."""
    stage = Stage(exchange=refusing(stop=1_000, close=3))

    await stage.play(QUIET, intent(PLAN))
    assert position_state(stage.slot) is PositionState.CLOSING
    await stage.play(QUIET)
    assert len(stage.orders("close")) == 3
    await stage.play(QUIET)

    assert stage.journal.round_trips[0].exit_reason == "stop_rejected"
    assert stage.slot.position.is_flat


async def test_a_close_that_fills_in_part_goes_on_at_once() -> None:
    """Half was bought back and the rest expired: the rest is sent again, not left for later."""
    stage = Stage(exchange=partial(ThinExchange, refused={P.CLOSE: 1}))
    await stage.play(QUIET, intent(PLAN))
    stage.open(candle(102, 103, 101, 103))

    await stage.engine.accept(intent(Close(), key="k2"))

    (trip,) = stage.journal.round_trips
    assert (trip.exit_price, trip.quantity) == (dec("102"), dec("1"))
    assert [o.quantity for o in stage.orders("close")] == [dec("1"), dec("0.5")]
    assert stage.books_balance()


async def test_asking_twice_to_close_keeps_the_first_reason() -> None:
    """What began as a reversal is one, whatever comes after."""
    stage = Stage(exchange=refusing(close=1))
    await stage.play(QUIET, intent(PLAN))
    stage.open(QUIET)
    await stage.engine.accept(intent(Close(), key="k2"))

    await stage.engine.close_position(SYMBOL, "end_of_data")

    assert stage.journal.round_trips[0].exit_reason == "close"

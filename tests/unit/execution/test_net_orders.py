"""Plain orders: what opposes a position reduces it first, and only what is beyond that enters."""

import pytest
from tests.support.desk import Desk
from tests.support.scripted_exchange import QUIET
from tests.support.trading import Stage, at_price, base, dec, enter_long, intent, percent

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Enter, PositionSide, Size, SizeKind

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
PLAN = enter_long(base("1"), stop=at_price("95"))


def plain(side: PositionSide, quantity: str) -> Enter:
    """Return a plain order for so much."""
    return Enter(side, base(quantity), stop=percent("5"), is_net=True)


async def held() -> Stage:
    """Return a stage with one coin held."""
    stage = Stage()
    stage.open(QUIET)
    await stage.engine.accept(intent(PLAN))
    return stage


async def test_a_plain_order_enters_where_nothing_is_held() -> None:
    """An order of a strategy is an entry when there is nothing to net it with."""
    stage = Stage()
    stage.open(QUIET)

    decision = await stage.engine.accept(intent(plain(SHORT, "2")))

    assert decision.code == "accepted"
    assert (stage.slot.position.side, stage.slot.position.quantity) == (SHORT, dec("2"))


async def test_a_plain_order_in_the_same_direction_is_not_taken() -> None:
    """One position per symbol: what enlarges it says so."""
    stage = await held()

    decision = await stage.engine.accept(intent(plain(LONG, "2"), key="n1"))

    assert (decision.outcome, decision.code) == (Outcome.IGNORED, "already_in_position")


@pytest.mark.parametrize(
    ("quantity", "left"), [("0.4", "0.6"), ("0.4009", "0.6"), ("0.999", "0.001")]
)
async def test_a_smaller_one_takes_off_as_much(quantity: str, left: str) -> None:
    """Rounded down to the step, like every quantity."""
    stage = await held()

    decision = await stage.engine.accept(intent(plain(SHORT, quantity), key="n1"))

    assert (decision.code, decision.action) == ("accepted", "short")
    assert (stage.slot.position.side, stage.slot.position.quantity) == (LONG, dec(left))


@pytest.mark.parametrize("quantity", ["1", "1.0004"])
async def test_an_equal_one_closes(quantity: str) -> None:
    """What is beyond it by less than a step is nothing."""
    stage = await held()

    await stage.engine.accept(intent(plain(SHORT, quantity), key="n1"))

    assert stage.slot.is_free
    assert len(stage.orders("entry")) == 1


async def test_a_larger_one_turns_the_position_around_with_the_excess() -> None:
    """The first part of it only closes."""
    stage = await held()

    decision = await stage.engine.accept(intent(plain(SHORT, "2.5"), key="n1"))

    assert (decision.outcome, decision.code) == (Outcome.ACCEPTED, "accepted")
    assert (stage.slot.position.side, stage.slot.position.quantity) == (SHORT, dec("1.5"))
    assert stage.slot.setup is not None
    assert stage.slot.setup.intent.key == "n1"


async def test_an_excess_too_small_to_enter_leaves_the_position_closed() -> None:
    """Its denial is the last word about it; what it opposed is gone all the same."""
    stage = await held()

    decision = await stage.engine.accept(intent(plain(SHORT, "1.001"), key="n1"))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "below_min_notional")
    assert stage.slot.is_free


async def test_nothing_is_netted_while_a_reduction_is_on_its_way() -> None:
    """What is beyond the position is not known before."""
    desk = Desk()
    await desk.opened()
    await desk.engine.accept(intent(plain(SHORT, "0.5"), key="n1"))

    decision = await desk.engine.accept(intent(plain(SHORT, "2"), key="n2"))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "slot_busy")


async def test_a_size_in_usdt_is_netted_at_the_orders_own_price() -> None:
    """40 USDT at 100 are 0.4."""
    stage = await held()
    order = Enter(SHORT, Size(SizeKind.QUOTE, dec("40")), is_net=True)

    await stage.engine.accept(intent(order, key="n1"))

    assert stage.slot.position.quantity == dec("0.6")


async def test_a_size_that_is_no_quantity_cannot_be_netted() -> None:
    """A part of the equity is no amount that something could be taken off by."""
    stage = await held()
    order = Enter(SHORT, Size(SizeKind.EQUITY, dec("0.1")), is_net=True)

    decision = await stage.engine.accept(intent(order, key="n1"))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "size_not_net")

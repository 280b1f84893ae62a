"""Entries that enlarge a position: of its own plan only, under its stop, within every limit."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.desk import Desk
from tests.support.desk import P as Purpose
from tests.support.desk import S as Status
from tests.support.exchanges import AttachingExchange
from tests.support.scripted_exchange import LOST, Scene
from tests.support.trading import (
    BRACKETS,
    LONG,
    SHORT,
    Stage,
    at_price,
    base,
    candle,
    dec,
    enter_long,
    intent,
    risk,
    rules,
)

from milobot.domain.decisions import Outcome
from milobot.domain.governor import GovernorLimits, GovernorState
from milobot.domain.intents import (
    Aim,
    Close,
    Enter,
    MoveStop,
    PositionSide,
    Size,
    SizeKind,
    TradeIntent,
)
from milobot.domain.slots import PositionState, position_state
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.governor import Governor
from milobot.execution.verdicts import judge
from milobot.simulation.clock import ReplayClock

PLAN = enter_long(
    base("1"),
    stop=at_price("90"),
    aims=(Aim(at_price("105"), dec("0.5")), Aim(at_price("110"), dec("0.5"))),
)


def addition(
    quantity: str = "1",
    *,
    key: str = "k2",
    to: str = "k1",
    side: PositionSide = LONG,
    size: Size | None = None,
    reference: str = "96",
) -> TradeIntent:
    """Return the wish to add to a position."""
    action = Enter(side, size or base(quantity), adds_to=to)
    return intent(action, key=key, reference=reference)


async def held(plan: Enter = PLAN, **terms: object) -> Stage:
    """Return a stage with a position bought at 100; the price is 96 now."""
    stage = Stage(**terms)  # type: ignore[arg-type]  # any of its fields
    await stage.play(candle(100, 101, 96, 96), intent(plan))
    stage.open(candle(96, 96, 96, 96))
    return stage


async def test_a_second_entry_enlarges_the_position_under_its_own_stop() -> None:
    """The levels of the plan stay; stop and targets are over all that is held."""
    stage = await held()

    decision = await stage.engine.accept(addition())

    first, second = stage.orders("entry")
    slot = stage.slot
    assert (decision.outcome, decision.code, decision.action) == (
        Outcome.ACCEPTED,
        "accepted",
        "long",
    )
    assert (first.intent_key, second.intent_key) == ("k1", "k2")
    assert (slot.position.quantity, slot.position.entry_price) == (dec("2"), dec("98"))
    assert position_state(slot) is PositionState.PROTECTED
    assert slot.stop == dec("90")
    targets = {o.trigger_price: o.quantity for o in slot.live(Purpose.TARGET)}
    assert targets == {dec("105"): dec("1"), dec("110"): dec("1")}
    assert slot.setup is not None
    assert (slot.setup.intent.key, slot.setup.quantity, slot.legs) == ("k1", dec("2"), ("k2",))


async def test_the_round_trip_is_that_of_both_entries() -> None:
    """Averages are weighted by quantity, and the books balance."""
    stage = await held(fee="0.001")
    await stage.engine.accept(addition("3"))

    await stage.close()
    await stage.play(candle(96, 111, 96, 111))

    (trip,) = stage.journal.round_trips
    assert (trip.quantity, trip.entry_price) == (dec("4"), dec("97"))
    assert trip.exit_price == dec("107.5")
    assert stage.slot.is_free
    assert stage.books_balance()


async def test_risk_is_measured_from_the_additions_own_price_to_the_plans_stop() -> None:
    """1% of 9,996 at 96 - 90 is 16.66: gains and losses of what is held count."""
    stage = await held()

    await stage.engine.accept(addition(size=risk("1")))

    assert stage.orders("entry")[1].quantity == dec("16.66")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (addition(to="other"), "not_the_same_plan"),
        (addition(side=SHORT), "not_the_same_plan"),
        (replace(addition(), owner="channel:b"), "slot_owned"),
        (addition(reference="89"), "level_passed"),
        (addition("200000"), "insufficient_margin"),
        (addition("0.0001"), "below_min_quantity"),
    ],
)
async def test_additions_that_are_refused(wish: TradeIntent, code: str) -> None:
    """What is not of the plan, or more than the account bears, is not bought."""
    stage = await held()

    decision = await stage.engine.accept(wish)

    assert (decision.outcome, decision.code) == (Outcome.DENIED, code)
    assert len(stage.orders("entry")) == 1
    assert stage.slot.legs == ()


async def test_nothing_is_added_to_what_has_been_closed() -> None:
    """A ladder whose first leg is gone is over."""
    stage = await held()
    await stage.engine.accept(intent(Close(), key="c1"))

    decision = await stage.engine.accept(addition())

    assert (decision.code, stage.slot.is_free) == ("not_the_same_plan", True)


async def test_what_an_exchange_bounds_is_bounded_for_both_together() -> None:
    """100x is allowed up to 50,000: neither half passes it, the whole does."""
    plan = Enter(LONG, base("300"), leverage=125, stop=at_price("99.8"))
    stage = await held_at_100(plan, symbol_rules=rules(brackets=BRACKETS))

    decision = await stage.engine.accept(addition("300", reference="100"))

    assert decision.code == "leverage_above_bracket"


async def held_at_100(plan: Enter, **terms: object) -> Stage:
    """Return a stage with a position bought at 100, where the price still is."""
    stage = Stage(**terms)  # type: ignore[arg-type]  # any of its fields
    await stage.play(candle(100, 100, 100, 100), intent(plan))
    stage.open(candle(100, 100, 100, 100))
    return stage


async def test_the_limit_of_a_position_is_that_of_the_whole() -> None:
    """Ten legs of a tenth are one position."""
    desk, limit = Desk(), Size(SizeKind.QUOTE, dec("150"))
    limits = GovernorLimits(max_position_notional=limit)
    governor = Governor(GovernorState("paper:default"), limits)
    engine = ExecutionEngine(
        desk.exchange, desk.journal, ReplayClock(), EngineConfig(patience_s=0.01), governor=governor
    )
    desk.engine = engine
    await desk.opened()

    decision = await engine.accept(addition(reference="100"))

    assert decision.code == "notional_limit"


async def test_a_leg_waits_for_the_answer_about_the_one_before() -> None:
    """A price that falls through two legs submits both at once."""
    desk = Desk()
    entry = await desk.enter()
    desk.exchange.last_price = dec("100")
    async with asyncio.TaskGroup() as tasks:
        leg = tasks.create_task(desk.engine.accept(addition(reference="100")))
        await asyncio.sleep(0)
        await desk.fill(entry, "1", "100", "f1")
        await desk.tell(desk.exchange.last(Purpose.STOP), Status.SUBMITTED)

    assert leg.result().code == "accepted"
    assert desk.exchange.last(Purpose.ENTRY).intent_key == "k2"


async def test_nothing_is_added_while_an_entry_is_in_doubt() -> None:
    """Two entries in doubt could not be told apart by what is held."""
    desk = Desk()
    await desk.enter()

    decision = await desk.engine.accept(addition(reference="100"))

    assert decision.code == "slot_busy"


async def test_nothing_is_added_to_what_lies_open() -> None:
    """The stop comes first."""
    desk = Desk()
    await desk.fill(await desk.enter(), "1", "100", "f1")

    decision = await desk.engine.accept(addition(reference="100"))

    assert decision.reason == "BTCUSDT cannot be changed now: its stop does not rest yet"


async def test_an_addition_in_doubt_is_closed_with_its_position() -> None:
    """What it fills after the stop was hit is nobody's plan any more."""
    scene = Scene()
    await scene.enter(PLAN)
    scene.script.say(Purpose.ENTRY, LOST)
    await scene.stage.engine.accept(addition(reference="100"))
    (doubted,) = scene.stage.slot.live(Purpose.ENTRY)

    await scene.stage.close()
    await scene.stage.play(candle(95, 95, 89, 89))

    slot = scene.stage.slot
    assert (slot.position.is_flat, slot.closing) == (True, "late_fill")
    assert slot.live(Purpose.ENTRY) == (doubted,)


async def test_an_addition_that_came_to_nothing_leaves_the_position_alone() -> None:
    """Its refusal is no reason to close anything."""
    desk = Desk()
    await desk.opened()
    await desk.engine.accept(addition(reference="100"))

    await desk.tell(desk.exchange.last(Purpose.ENTRY), Status.REJECTED)

    assert (desk.slot.position.quantity, desk.slot.closing) == (Decimal(1), "")
    assert position_state(desk.slot) is PositionState.PROTECTED


async def test_an_addition_after_a_target_is_not_withdrawn() -> None:
    """What is left of an older entry leaves when an exit has filled; this one came later."""
    desk = Desk()
    await desk.opened()
    await desk.fill(desk.exchange.last(Purpose.TARGET), "0.5", "110", "t1", Status.PARTIALLY_FILLED)
    desk.exchange.last_price = dec("100")
    await desk.tell(desk.exchange.last(Purpose.STOP), Status.SUBMITTED)
    await desk.engine.accept(addition(reference="100"))
    order = desk.exchange.last(Purpose.ENTRY)
    assert order.intent_key == "k2"

    await desk.tell(order, Status.SUBMITTED)

    assert order.client_order_id not in [o.client_order_id for o in desk.exchange.cancelled]


async def test_where_the_stop_came_with_the_entry_another_one_covers_the_whole() -> None:
    """That one is over the first entry's quantity only."""
    desk = Desk(exchange=AttachingExchange())
    await desk.fill(await desk.enter(), "1", "100", "f1")
    (attached,) = desk.slot.live(Purpose.STOP)
    await desk.tell(attached, Status.SUBMITTED)
    await desk.engine.accept(addition(reference="100"))
    order = desk.exchange.last(Purpose.ENTRY)
    assert order.attached == ()

    await desk.fill(order, "1", "100", "f2")

    stop = desk.exchange.last(Purpose.STOP)
    assert (stop.close_position, stop.trigger_price) == (True, dec("95"))
    assert attached not in desk.exchange.cancelled
    await desk.tell(stop, Status.SUBMITTED)
    assert attached.client_order_id in [o.client_order_id for o in desk.exchange.cancelled]


async def test_a_stop_moved_by_quantity_follows_the_larger_position() -> None:
    """It would leave the addition open behind it."""
    stage = await held()
    await stage.engine.accept(intent(MoveStop(dec("92")), key="m1"))

    await stage.engine.accept(addition())

    moved = [o for o in stage.slot.live(Purpose.STOP) if o.trigger_price == dec("92")]
    assert [o.quantity for o in moved] == [dec("2")]


async def test_the_same_addition_is_made_once() -> None:
    """A source hands its outbox in again after a crash."""
    stage = await held()
    first = await stage.engine.accept(addition())

    assert await stage.engine.accept(addition()) == first
    assert len(stage.orders("entry")) == 2


async def test_a_leg_adds_to_a_position_by_any_of_its_legs() -> None:
    """Whoever knows one of them knows the plan."""
    stage = await held()
    await stage.engine.accept(addition())

    assert judge(stage.slot, addition(key="k3", to="k2")).code == "accepted"

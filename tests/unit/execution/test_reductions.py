"""Reductions: a part of a position is sold once, as much as was asked for and never more."""

from decimal import Decimal

import pytest
from tests.support.desk import PLAN, Desk
from tests.support.desk import P as Purpose
from tests.support.desk import S as Status
from tests.support.journals import FailingJournal
from tests.support.scripted_exchange import LOST, QUIET, Scene, refuses
from tests.support.trading import (
    SYMBOL,
    Stage,
    at_price,
    base,
    dec,
    enter_long,
    enter_short,
    intent,
    rules,
)

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Aim, Close, Enter, Reduce
from milobot.domain.orders import OrderStatus, Refusal
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.verdicts import Verdict, judge
from milobot.ports import Books

HALF = Reduce(share=Decimal("0.5"))


async def held(plan: Enter = PLAN, **terms: object) -> Stage:
    """Return a stage with one coin held."""
    stage = Stage(**terms)  # type: ignore[arg-type]  # any of its fields
    stage.open(QUIET)
    await stage.engine.accept(intent(plan))
    return stage


async def test_half_is_sold_by_one_reduce_only_order() -> None:
    """It is the first wish of every signal whose first target is hit by hand."""
    stage = await held()

    decision = await stage.engine.accept(intent(HALF, key="r1"))

    (order,) = stage.orders("reduce")
    assert (decision.outcome, decision.code, decision.action) == (
        Outcome.ACCEPTED,
        "accepted",
        "reduce",
    )
    assert (order.quantity, order.reduce_only, order.intent_key) == (dec("0.5"), True, "r1")
    assert stage.slot.position.quantity == dec("0.5")
    assert stage.books_balance()


async def test_targets_shrink_to_what_is_left() -> None:
    """A target over more than is held would be refused, or turn the position around."""
    plan = enter_long(
        base("1"),
        stop=at_price("95"),
        aims=(Aim(at_price("105"), dec("0.5")), Aim(at_price("110"), dec("0.5"))),
    )
    stage = await held(plan)

    await stage.engine.accept(intent(Reduce(quantity=dec("0.3")), key="r1"))

    resting = {o.trigger_price: o.quantity for o in stage.slot.live(Purpose.TARGET)}
    assert resting == {dec("105"): dec("0.5"), dec("110"): dec("0.2")}


async def test_the_same_key_takes_nothing_more_off() -> None:
    """A source hands its outbox in again after a crash."""
    stage = await held()

    first = await stage.engine.accept(intent(HALF, key="r1"))
    again = await stage.engine.accept(intent(HALF, key="r1"))

    assert again == first
    assert len(stage.orders("reduce")) == 1


async def test_the_same_key_takes_nothing_more_off_after_a_restart() -> None:
    """The ledger knows what a new process has forgotten."""
    stage = await held()
    await stage.engine.accept(intent(HALF, key="r1"))
    anew = ExecutionEngine(stage.venue, stage.journal, stage.clock, EngineConfig())
    anew.restore(Books((stage.slot,), stage.slot.orders))

    again = await anew.accept(intent(HALF, key="r1"))

    assert again.outcome is Outcome.ACCEPTED
    assert len(stage.orders("reduce")) == 1
    assert anew.slot(SYMBOL).position.quantity == dec("0.5")


@pytest.mark.parametrize(
    ("action", "verdict", "code"),
    [
        (Reduce(share=dec("0.0001")), Verdict.DENY, "too_small"),
        (Reduce(quantity=dec("0.0009")), Verdict.DENY, "too_small"),
        (Reduce(share=dec("0.9999")), Verdict.REDUCE, "accepted"),
        (Reduce(quantity=dec("0.9995")), Verdict.REDUCE, "accepted"),
        (Reduce(share=dec("1")), Verdict.CLOSE, "accepted"),
        (Reduce(quantity=dec("7")), Verdict.CLOSE, "accepted"),
        (Reduce(), Verdict.DENY, "bad_size"),
        (Reduce(dec("0.5"), dec("0.5")), Verdict.DENY, "bad_size"),
        (Reduce(share=dec("-0.5")), Verdict.DENY, "bad_size"),
    ],
)
async def test_sizes_of_reductions(action: Reduce, verdict: Verdict, code: str) -> None:
    """Rounding is down: more than was asked for is never sold."""
    stage = await held()

    judged = judge(stage.slot, intent(action, key="r1"))

    assert (judged.verdict, judged.code) == (verdict, code)


async def test_a_rest_below_the_smallest_quantity_closes_all() -> None:
    """It could never be sold by itself."""
    stage = await held(symbol_rules=rules(step="0.001", min_quantity="0.1"))

    decision = await stage.engine.accept(intent(Reduce(quantity=dec("0.95")), key="r1"))

    assert decision.reason == (
        "close BTCUSDT: the 0.05 that would be left is below the smallest quantity"
    )
    assert stage.slot.is_free


async def test_more_than_the_largest_market_order_is_refused() -> None:
    """Two orders would be two chances to sell too much."""
    few = await held(symbol_rules=rules(max_market="1"))
    await few.engine.accept(intent(enter_long(base("1"), adds_to="k1"), key="k2"))

    found = judge(few.slot, intent(Reduce(quantity=dec("1.5")), key="r1"))
    assert (found.verdict, found.code) == (Verdict.DENY, "above_max_quantity")


async def test_nothing_is_reduced_where_nothing_is_held() -> None:
    """An entry that was never made cannot be halved."""
    stage = Stage()
    stage.open(QUIET)

    decision = await stage.engine.accept(intent(HALF))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "no_position")


async def test_a_position_that_is_being_closed_is_not_reduced() -> None:
    """What goes, goes whole."""
    desk = Desk()
    await desk.opened()
    await desk.engine.accept(intent(Close(), key="c1"))

    decision = await desk.engine.accept(intent(HALF, key="r1"))

    assert decision.code == "slot_busy"


async def test_somebody_elses_position_is_not_reduced() -> None:
    """One symbol of an account has one owner."""
    stage = await held()

    decision = await stage.engine.accept(intent(HALF, key="r1", owner="channel:b"))

    assert decision.code == "slot_owned"


async def test_a_second_reduction_waits_for_the_first_and_is_refused_in_the_end() -> None:
    """Halves of what nobody knows the size of are no halves."""
    desk = Desk()
    await desk.opened()
    await desk.engine.accept(intent(HALF, key="r1"))

    decision = await desk.engine.accept(intent(HALF, key="r2"))

    assert decision.code == "slot_busy"
    assert "an order is on its way" in decision.reason


async def test_an_answer_that_was_lost_leads_to_no_second_order() -> None:
    """Two halves would be all of it."""
    scene = Scene()
    await scene.enter()
    scene.script.say(Purpose.REDUCE, LOST)

    await scene.stage.engine.accept(intent(HALF, key="r1"))
    await scene.look(40)

    assert len(scene.script.of(Purpose.REDUCE)) == 1
    assert [o.status for o in scene.stage.slot.live(Purpose.REDUCE)] == [OrderStatus.UNKNOWN]


async def test_a_refusal_is_an_end_on_record() -> None:
    """Who asked must not believe that half of it is gone."""
    scene = Scene()
    await scene.enter()
    scene.script.say(Purpose.REDUCE, refuses(Refusal.RATE_LIMITED))

    decision = await scene.stage.engine.accept(intent(HALF, key="r1"))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "not_reduced")
    assert decision.reason == "nothing was taken off BTCUSDT: as written"
    assert not scene.stage.slot.live(Purpose.REDUCE)
    assert scene.stage.slot.position.quantity == 1


async def test_who_asks_again_hears_that_nothing_came_of_it() -> None:
    """After a crash the order may have stayed here: its intent was accepted all the same."""
    desk = Desk()
    await desk.opened()
    first = await desk.engine.accept(intent(HALF, key="r1"))
    await desk.tell(desk.exchange.last(Purpose.REDUCE), Status.NOT_EXECUTED)

    again = await desk.engine.accept(intent(HALF, key="r1"))

    assert (first.code, again.outcome, again.code) == ("accepted", Outcome.DENIED, "not_reduced")
    assert len([o for o in desk.exchange.placed if o.purpose is Purpose.REDUCE]) == 1


async def test_nothing_is_reduced_that_is_not_on_record() -> None:
    """After a crash nobody would know of it, and the same wish would take off as much again."""
    stage, journal = Stage(), FailingJournal()
    engine = ExecutionEngine(stage.venue, journal, stage.clock, EngineConfig())
    stage.open(QUIET)
    await engine.accept(intent(PLAN))
    journal.is_away = True

    decision = await engine.accept(intent(HALF, key="r1"))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "ledger_unavailable")
    assert (engine.slot(SYMBOL).position.quantity, engine.slot(SYMBOL).legs) == (dec("1"), ())


async def test_a_late_fill_of_a_reduction_is_part_of_the_plan() -> None:
    """It is no reason to close what is left."""
    desk = Desk()
    await desk.opened()
    await desk.engine.accept(intent(HALF, key="r1"))
    order = desk.exchange.last(Purpose.REDUCE)
    await desk.tell(order, Status.NOT_EXECUTED)

    await desk.fill(order, "0.5", "101", "f2")

    assert desk.slot.position.quantity == dec("0.5")
    assert not desk.slot.closing


async def test_a_reduction_of_a_short_buys() -> None:
    """The other direction of the same."""
    stage = await held(enter_short(base("1"), stop=at_price("105")))

    await stage.engine.accept(intent(Reduce(quantity=dec("0.4")), key="r1"))

    (order,) = stage.orders("reduce")
    assert (order.side.value, stage.slot.position.quantity) == ("BUY", dec("0.6"))

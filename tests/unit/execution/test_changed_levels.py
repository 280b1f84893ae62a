"""Stops and targets that somebody moves: never to a larger risk, never where the price is already."""

import pytest
from tests.support.desk import Desk
from tests.support.desk import P as Purpose
from tests.support.scripted_exchange import QUIET, Scene
from tests.support.trading import (
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

from milobot.domain.decisions import Decision, Outcome
from milobot.domain.intents import Aim, ChangeTargets, Enter, MoveStop, Reduce
from milobot.domain.slots import PositionState, position_state
from milobot.errors import LedgerError
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.gates import Limits
from milobot.storage.memory import MemoryJournal

LONG = enter_long(base("1"), stop=at_price("95"), target=at_price("110"))
SHORT = enter_short(base("1"), stop=at_price("105"), target=at_price("90"))
TWO = enter_long(
    base("1"),
    stop=at_price("95"),
    aims=(Aim(at_price("105"), dec("0.5")), Aim(at_price("110"), dec("0.5"))),
)


def aims(*targets: tuple[str, str]) -> tuple[Aim, ...]:
    """Return targets, each a price and a share."""
    return tuple(Aim(at_price(price), dec(share)) for price, share in targets)


async def held(plan: Enter = LONG, price: float = 100, **terms: object) -> Stage:
    """Return a stage with one coin bought at 100, the price being where it is said."""
    stage = Stage(**terms)  # type: ignore[arg-type]  # any of its fields
    await stage.play(QUIET, intent(plan))
    stage.open(candle(price, price, price, price))
    return stage


@pytest.mark.parametrize(
    ("plan", "price", "to", "stop"),
    [
        (LONG, 100, "97.33", "97.4"),
        (LONG, 104, "102", "102"),
        (SHORT, 100, "103.33", "103.3"),
        (SHORT, 96, "98", "98"),
    ],
)
async def test_a_stop_moves_towards_the_price(
    plan: Enter, price: float, to: str, stop: str
) -> None:
    """It is rounded towards it, too: the loss is never larger than asked for."""
    stage = await held(plan, price)

    decision = await stage.engine.accept(intent(MoveStop(dec(to)), key="m1"))

    assert (decision.outcome, decision.action) == (Outcome.ACCEPTED, "move_stop")
    assert (stage.slot.stop, stage.slot.stop_reason) == (dec(stop), "moved_stop")
    assert ("stop", dec(stop)) in stage.resting
    assert position_state(stage.slot) is PositionState.PROTECTED


@pytest.mark.parametrize(
    ("to", "outcome", "code"),
    [
        ("94", Outcome.DENIED, "stop_loosened"),
        ("104", Outcome.DENIED, "level_passed"),
        ("103.95", Outcome.DENIED, "level_passed"),
        ("-1", Outcome.DENIED, "bad_level"),
        ("95", Outcome.IGNORED, "already_there"),
        ("94.91", Outcome.IGNORED, "already_there"),
    ],
)
async def test_stops_that_stay_where_they_are(to: str, outcome: Outcome, code: str) -> None:
    """Risk never grows, and an exchange would close at once at what the price has passed."""
    stage = await held(price=104)

    decision = await stage.engine.accept(intent(MoveStop(dec(to)), key="m1"))

    assert (decision.outcome, decision.code) == (outcome, code)
    assert stage.slot.stop == dec("95")


async def test_without_a_price_the_stop_goes_where_fees_are_paid() -> None:
    """Break-even is meant net: 100 * 1.001 / 0.999, on the grid towards the price."""
    stage = await held(price=104, fee="0.001")

    await stage.engine.accept(intent(MoveStop(), key="m1"))

    assert (stage.slot.stop, stage.slot.stop_reason) == (dec("100.3"), "break_even")


async def test_a_stop_beyond_break_even_stays() -> None:
    """A command to secure the entry must not give back what a trail has won."""
    stage = await held(price=108)
    await stage.engine.accept(intent(MoveStop(dec("105")), key="m1"))

    decision = await stage.engine.accept(intent(MoveStop(), key="m2"))

    assert (decision.code, stage.slot.stop) == ("already_there", dec("105"))


async def test_break_even_below_the_price_only() -> None:
    """At a loss there is no such level: it would close at once."""
    stage = await held(price=99)

    decision = await stage.engine.accept(intent(MoveStop(), key="m1"))

    assert decision.code == "level_passed"


async def test_a_trail_goes_on_from_a_moved_stop() -> None:
    """Whoever moves a stop by hand has not switched its trail off."""
    plan = enter_long(base("1"), stop=at_price("95"), trail=percent("2"))
    stage = await held(plan, price=100)
    await stage.engine.accept(intent(MoveStop(dec("99")), key="m1"))

    await stage.close()
    assert stage.slot.stop == dec("99")
    await stage.play(candle(103, 103, 103, 103))

    assert stage.slot.stop == dec("101")


async def test_a_position_without_a_stop_gets_one() -> None:
    """Unprotected by choice until now: its time begins here."""
    plan = enter_long(base("1"), unprotected=True)
    stage = await held(plan, limits=Limits(allow_unprotected=True))

    decision = await stage.engine.accept(intent(MoveStop(dec("95")), key="m1"))

    assert decision.outcome is Outcome.ACCEPTED
    assert position_state(stage.slot) is PositionState.PROTECTED


@pytest.mark.parametrize("action", [MoveStop(dec("97")), ChangeTargets(aims(("120", "1")))])
async def test_nothing_is_changed_where_nothing_is_held(
    action: MoveStop | ChangeTargets,
) -> None:
    """There is no plan that could be another one."""
    desk = Desk()
    assert (await desk.engine.accept(intent(action, key="m1"))).code == "no_position"

    await desk.enter()  # on its way, for longer than anybody waits

    assert (await desk.engine.accept(intent(action, key="m2"))).code == "no_position"


async def test_a_moved_stop_rests_before_the_old_one_leaves() -> None:
    """Protection has no gap."""
    desk = Desk()
    await desk.opened()

    await desk.engine.accept(intent(MoveStop(dec("97")), key="m1"))

    (moved,) = [o for o in desk.exchange.placed if o.trigger_price == dec("97")]
    assert (moved.reduce_only, moved.quantity, moved.close_position) == (True, dec("1"), False)
    assert not desk.exchange.cancelled


async def test_a_price_that_is_not_known_changes_nothing() -> None:
    """Whether the level was passed cannot be said."""
    scene = Scene()
    await scene.enter()
    scene.script.has_price = False

    decision = await scene.stage.engine.accept(intent(MoveStop(dec("97")), key="m1"))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, "exchange_unavailable")


async def test_new_targets_take_the_place_of_the_old_ones() -> None:
    """Sorted, on the grid, and with their shares."""
    stage = await held(TWO)

    decision = await stage.engine.accept(
        intent(ChangeTargets(aims(("120.07", "0.4"), ("107", "0.6"))), key="t1")
    )

    resting = {o.trigger_price: o.quantity for o in stage.slot.live(Purpose.TARGET)}
    assert decision.action == "change_targets"
    assert resting == {dec("107"): dec("0.6"), dec("120"): dec("0.4")}
    assert [kind for kind, _ in stage.resting].count("target") == 2


async def test_targets_can_be_taken_away_and_come_back() -> None:
    """Runners: only the stop is left, until somebody says otherwise."""
    stage = await held(TWO)

    await stage.engine.accept(intent(ChangeTargets(()), key="t1"))
    assert [kind for kind, _ in stage.resting] == ["stop"]
    await stage.engine.accept(intent(ChangeTargets(aims(("130", "1"))), key="t2"))

    assert ("target", dec("130")) in stage.resting


async def test_what_targets_have_taken_counts() -> None:
    """An edit names them all again, the one that was hit too."""
    stage = Stage()
    await stage.play(QUIET, intent(TWO))
    await stage.play(candle(100, 106, 100, 106))
    stage.open(candle(106, 106, 106, 106))
    assert stage.slot.position.quantity == dec("0.5")

    decision = await stage.engine.accept(
        intent(ChangeTargets(aims(("105", "0.5"), ("112", "0.5")), stop=dec("100")), key="t1")
    )

    assert decision.code == "accepted"
    resting = {o.trigger_price: o.quantity for o in stage.slot.live(Purpose.TARGET)}
    assert (resting, stage.slot.stop) == ({dec("112"): dec("0.5")}, dec("100"))


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (ChangeTargets(aims(("99", "1"))), "level_passed"),
        (ChangeTargets(aims(("99", "0.5"), ("120", "0.5"))), "level_passed"),
        (ChangeTargets(aims(("94", "1"))), "bad_levels"),
        (ChangeTargets(aims(("120", "0.5"), ("120.01", "0.5"))), "bad_levels"),
        (ChangeTargets(aims(("120", "0.7"), ("125", "0.7"))), "bad_levels"),
        (ChangeTargets(aims(("120", "0"))), "bad_levels"),
        (ChangeTargets((Aim(percent("5"), dec("1")),)), "bad_levels"),
        (ChangeTargets(aims(("120", "1")), stop=dec("90")), "stop_loosened"),
        (ChangeTargets(aims(("120", "1")), stop=dec("101")), "level_passed"),
    ],
)
async def test_targets_that_are_refused_change_nothing(action: ChangeTargets, code: str) -> None:
    """Neither they nor the stop that came with them."""
    stage = await held(TWO)
    before = stage.slot

    decision = await stage.engine.accept(intent(action, key="t1"))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, code)
    assert stage.slot == before


async def test_the_same_targets_are_nothing_new() -> None:
    """An edit of a comma is an edit, too."""
    stage = await held(TWO)

    decision = await stage.engine.accept(
        intent(ChangeTargets(aims(("105", "0.5"), ("110", "0.5")), stop=dec("95")), key="t1")
    )

    assert (decision.outcome, decision.code) == (Outcome.IGNORED, "already_there")


class MuteJournal(MemoryJournal):
    """A ledger that does not say what was decided."""

    async def find_decision(self, intent_key: str) -> Decision | None:
        """Raise."""
        raise LedgerError(f"nothing is known of {intent_key}: try again")


async def test_a_silent_ledger_holds_up_targets_but_no_stop() -> None:
    """Old targets that come again would undo newer ones; a stop only ever moves closer."""
    stage = Stage()
    engine = ExecutionEngine(stage.venue, MuteJournal(), stage.clock, EngineConfig())
    stage.open(QUIET)
    await engine.accept(intent(LONG))

    targets = await engine.accept(intent(ChangeTargets(aims(("120", "1"))), key="t1"))
    all_of_it = await engine.accept(intent(Reduce(share=dec("1")), key="r1"))
    stop = await engine.accept(intent(MoveStop(dec("97")), key="m1"))

    assert (targets.code, all_of_it.code) == ("ledger_unavailable", "ledger_unavailable")
    assert stop.code == "accepted"

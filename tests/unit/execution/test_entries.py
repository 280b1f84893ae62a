"""Entries: from an intent to a protected position, and every way to be denied."""

from dataclasses import replace

import pytest
from tests.support.trading import (
    BRACKETS,
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
    risk,
    rules,
)

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Close, Enter, Size, SizeKind
from milobot.domain.orders import OrderStatus
from milobot.domain.slots import PositionState, position_state
from milobot.execution.gates import Limits

QUIET = candle(100, 101, 99, 100)
PLAN = enter_long(base("1"), stop=at_price("95"), target=at_price("110"))


async def test_an_entry_becomes_a_protected_position() -> None:
    """Entry, stop, target: committed in this order, and the stop rests before the target."""
    stage = Stage()

    (decision,) = await stage.play(QUIET, intent(PLAN))

    assert (decision.outcome, decision.code) == (Outcome.ACCEPTED, "accepted")
    assert [o.purpose.value for o in stage.journal.orders] == ["entry", "stop", "target"]
    assert stage.resting == [("stop", dec("95")), ("target", dec("110"))]
    assert [state for _, state in stage.engine.slots()] == [PositionState.PROTECTED]


async def test_an_order_is_committed_before_it_is_answered() -> None:
    """Every order is in the journal as PENDING: a crash after sending finds it there."""
    stage = Stage()
    await stage.play(QUIET, intent(PLAN))

    assert {o.status for o in stage.journal.orders} == {OrderStatus.PENDING}


async def test_exits_can_only_shrink_the_position() -> None:
    """Both are reduce-only, and the stop takes whatever is open."""
    stage = Stage()
    await stage.play(QUIET, intent(PLAN))

    (stop,), (target,) = stage.orders("stop"), stage.orders("target")
    assert stop.reduce_only
    assert stop.close_position
    assert target.reduce_only
    assert target.quantity == 1


async def test_every_gate_is_on_record() -> None:
    """Why a trade was made is a query: value and threshold of each check."""
    stage = Stage(symbol_rules=rules(brackets=BRACKETS))

    (decision,) = await stage.play(QUIET, intent(replace(PLAN, leverage=10)))

    assert [(g.name, g.value, g.threshold) for g in decision.gates] == [
        ("stop", "a stop", "a stop, unless ALLOW_UNPROTECTED is set"),
        ("stop_ahead", "100", "95"),
        ("target_ahead", "100", "110"),
        ("size", "1", "0.001"),
        ("leverage", "10", "125"),
        ("margin", "10.00", "10000.00"),
        ("liquidation", "90.361446", "94.5"),
        ("settings", "10x ISOLATED", "10x ISOLATED"),
    ]
    assert all(g.is_passed for g in decision.gates)
    assert stage.journal.decisions == [decision]


async def test_a_long_at_1x_needs_no_liquidation_gate() -> None:
    """There is no price that liquidates it."""
    stage = Stage()

    (decision,) = await stage.play(QUIET, intent(PLAN))

    assert "liquidation" not in [g.name for g in decision.gates]


DENIALS = [
    pytest.param(
        enter_long(base("1"), unprotected=True), 100.0, "unprotected_not_allowed", "stop",
        id="no stop without leave",
    ),
    pytest.param(PLAN, 95.0, "level_passed", "stop_ahead", id="open at the stop"),
    pytest.param(PLAN, 94.0, "level_passed", "stop_ahead", id="open beyond the stop"),
    pytest.param(PLAN, 110.0, "level_passed", "target_ahead", id="open at the target"),
    pytest.param(PLAN, 111.0, "level_passed", "target_ahead", id="open beyond the target"),
    pytest.param(
        enter_short(base("1"), stop=at_price("105")), 105.0, "level_passed", "stop_ahead",
        id="short: open at the stop",
    ),
    pytest.param(
        enter_short(base("1"), target=at_price("90")), 89.0, "level_passed", "target_ahead",
        id="short: open beyond the target",
    ),
    pytest.param(
        enter_long(base("501"), leverage=101), 100.0, "leverage_above_bracket", "leverage",
        id="leverage above the bracket",
    ),
    pytest.param(
        enter_long(base("30001"), leverage=1), 100.0, "leverage_above_bracket", "leverage",
        id="notional past the last bracket",
    ),
    pytest.param(
        enter_long(base("100.001"), stop=percent("2")), 100.0, "insufficient_margin", "margin",
        id="more than the wallet",
    ),
    pytest.param(
        enter_long(base("1"), leverage=10, stop=at_price("90.5")), 100.0,
        "liquidation_before_stop", "liquidation", id="liquidation too near the stop",
    ),
    pytest.param(
        enter_short(base("1"), leverage=50, stop=at_price("101.8")), 100.0,
        "liquidation_before_stop", "liquidation", id="short: liquidation before the stop",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("action", "opens", "code", "gate"), DENIALS)
async def test_a_denied_entry_leaves_only_its_decision(
    action: Enter, opens: float, code: str, gate: str
) -> None:
    """Nothing is sent, the last gate on record is the one that failed, and the slot is free."""
    stage = Stage(symbol_rules=rules(brackets=BRACKETS))

    (decision,) = await stage.play(candle(opens, opens, opens, opens), intent(action))

    assert (decision.outcome, decision.code) == (Outcome.DENIED, code)
    assert (decision.gates[-1].name, decision.gates[-1].is_passed) == (gate, False)
    assert all(g.is_passed for g in decision.gates[:-1])
    assert stage.journal.orders == []
    assert stage.slot.owner == ""
    assert decision.reason


async def test_a_refused_size_is_denied_with_the_gates_before_it() -> None:
    """Domain refusals (levels, sizes) end as decisions too."""
    stage = Stage()

    (decision,) = await stage.play(QUIET, intent(enter_long(base("0.0001"), stop=percent("2"))))

    assert decision.code == "below_min_quantity"
    assert [g.name for g in decision.gates] == ["stop", "stop_ahead"]


async def test_the_fee_counts_for_the_margin() -> None:
    """At 1x the whole wallet cannot be bought with: the fee must be there as well."""
    whole = enter_long(Size(SizeKind.EQUITY, dec("1")), stop=percent("2"))
    stage = Stage(fee="0.0005")

    (decision,) = await stage.play(QUIET, intent(whole))

    assert decision.code == "insufficient_margin"
    assert (decision.gates[-1].value, decision.gates[-1].threshold) == ("10005.00", "10000.00")


async def test_the_last_cent_may_be_used() -> None:
    """Margin that is exactly there is enough."""
    stage = Stage(wallet="100")

    (decision,) = await stage.play(QUIET, intent(PLAN))

    assert decision.outcome is Outcome.ACCEPTED
    assert (await stage.venue.fetch_account()).available == 0


async def test_liquidation_just_far_enough_is_accepted() -> None:
    """10x at 100 is liquidated at 90.36; a stop at 91.5 leaves a tenth of 8.5 and more."""
    stage = Stage()

    (decision,) = await stage.play(
        QUIET, intent(enter_long(base("1"), leverage=10, stop=at_price("91.5")))
    )

    assert decision.outcome is Outcome.ACCEPTED


async def test_the_risk_is_measured_from_the_reference() -> None:
    """1 % of 10,000 over 2 a unit is 50, wherever the entry fills."""
    stage = Stage()

    await stage.play(candle(100.5, 101, 99, 100), intent(enter_long(risk("1"), stop=percent("2"))))

    assert stage.slot.position.quantity == 50
    assert stage.slot.position.entry_price == dec("100.5")


async def test_the_default_stop_is_a_setting() -> None:
    """An action without sl gets it."""
    stage = Stage(limits=Limits(default_stop=percent("3")))

    await stage.play(QUIET, intent(enter_long(base("1"))))

    assert stage.resting == [("stop", dec("97"))]


async def test_an_allowed_entry_without_a_stop_is_shown_unprotected() -> None:
    """sl=none is explicit, allowed only by setting, and never called safe."""
    stage = Stage(limits=Limits(allow_unprotected=True))

    await stage.play(QUIET, intent(enter_long(base("1"), unprotected=True)))

    assert stage.resting == []
    assert position_state(stage.slot) is PositionState.UNPROTECTED


async def test_the_same_side_again_is_ignored() -> None:
    """A script that says long at every candle has one position."""
    stage = Stage()
    await stage.play(QUIET, intent(PLAN))

    (decision,) = await stage.play(QUIET, intent(PLAN, key="k2"))

    assert (decision.outcome, decision.code) == (Outcome.IGNORED, "already_in_position")
    assert len(stage.orders("entry")) == 1


async def test_one_intent_leads_to_one_entry() -> None:
    """The same key, delivered three times and once more after the trip ended."""
    stage = Stage()
    wish = intent(PLAN)

    first, second, third = await stage.play(QUIET, wish, wish, wish)
    await stage.play(candle(100, 110, 99, 100))
    (fourth,) = await stage.play(QUIET, wish)

    assert first is second is third is fourth
    assert len(stage.orders("entry")) == 1
    assert stage.slot.position.is_flat
    assert len(stage.journal.decisions) == 1


async def test_a_symbol_has_one_owner() -> None:
    """A second script cannot trade in, nor close, what the first one holds."""
    stage = Stage()
    await stage.play(QUIET, intent(PLAN))

    enters, closes = await stage.play(
        QUIET,
        intent(enter_short(base("1")), key="k2", owner="other"),
        intent(Close(), key="k3", owner="other"),
    )

    assert enters.code == closes.code == "slot_owned"
    assert "traded by demo:rsi" in enters.reason
    assert stage.slot.position.quantity == 1


async def test_a_slot_is_free_again_when_flat() -> None:
    """Owner, plan and orders are gone; only bookings stay."""
    stage = Stage()
    await stage.play(QUIET, intent(PLAN))
    await stage.play(candle(100, 110, 99, 100))

    assert (stage.slot.owner, stage.slot.setup, stage.slot.orders) == ("", None, ())
    assert stage.resting == []

    (decision,) = await stage.play(QUIET, intent(PLAN, key="k2", owner="other"))
    assert decision.outcome is Outcome.ACCEPTED
    assert stage.slot.owner == "other"


async def test_every_order_has_its_own_id() -> None:
    """Over trips, moved stops and reversals: an id used twice would be refused or lost."""
    stage = Stage()
    plan = enter_long(base("1"), stop=percent("2"), trail=percent("1"))
    for number in range(6):
        action = plan if number % 2 else enter_short(base("1"), stop=percent("2"))
        await stage.play(QUIET, intent(action, key=f"k{number}"))
        await stage.play(candle(100, 101.5, 99.5, 101))

    ids = [o.client_order_id for o in stage.journal.orders if o.status is OrderStatus.PENDING]
    assert len(ids) > 12
    assert len(set(ids)) == len(ids)


async def test_a_close_ends_the_position_at_the_open() -> None:
    """Reduce-only at market, exits cancelled, reason close."""
    stage = Stage()
    await stage.play(QUIET, intent(PLAN))

    (decision,) = await stage.play(candle(102, 103, 101, 102), intent(Close(), key="k2"))

    (trip,) = stage.journal.round_trips
    assert (decision.outcome, decision.action) == (Outcome.ACCEPTED, "close")
    assert (trip.exit_reason, trip.exit_price, trip.pnl) == ("close", dec("102"), dec("2"))
    assert stage.resting == []
    assert stage.orders("close")[0].reduce_only


async def test_a_close_without_a_position_is_ignored() -> None:
    """Recorded all the same."""
    stage = Stage()

    (decision,) = await stage.play(QUIET, intent(Close()))

    assert (decision.outcome, decision.code) == (Outcome.IGNORED, "already_flat")


async def test_what_is_open_at_the_end_is_closed_at_the_last_close() -> None:
    """The driver's own close carries its reason into the round trip; flat, it does nothing."""
    stage = Stage()
    await stage.engine.close_position(SYMBOL, "end_of_data")
    await stage.play(candle(100, 104, 99, 103), intent(PLAN))

    await stage.engine.close_position(SYMBOL, "end_of_data")

    (trip,) = stage.journal.round_trips
    assert (trip.exit_reason, trip.exit_price) == ("end_of_data", dec("103"))
    assert stage.slot.position.is_flat


async def test_a_round_trip_says_what_was_planned_and_what_happened() -> None:
    """All fourteen facts of one trip, worked out by hand."""
    stage = Stage(fee="0.001")
    await stage.play(QUIET)
    await stage.play(candle(101, 102, 100, 101), intent(PLAN, time_ms=0))
    await stage.play(candle(101, 111, 100, 101))

    (trip,) = stage.journal.round_trips
    assert trip.symbol == SYMBOL
    assert trip.side is PLAN.side
    assert (trip.signal_time_ms, trip.entry_time_ms, trip.exit_time_ms) == (0, 3_600_000, 7_200_000)
    assert (trip.entry_price, trip.exit_price, trip.quantity) == (dec("101"), dec("110"), dec("1"))
    assert (trip.stop, trip.target, trip.exit_reason) == (dec("95"), dec("110"), "target")
    assert (trip.fees, trip.funding, trip.pnl) == (dec("0.211"), dec("0"), dec("8.789"))

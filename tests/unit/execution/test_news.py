"""News from the exchange: on its way, repeated, foreign and contradicting."""

from dataclasses import replace

import pytest
from tests.support.desk import PLAN, Desk, P, S
from tests.support.exchanges import fill_news
from tests.support.trading import (
    SYMBOL,
    at_price,
    base,
    dec,
    enter_long,
    enter_short,
    intent,
    percent,
    risk,
)

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Close
from milobot.domain.orders import FundingUpdate, OrderStatus
from milobot.domain.slots import PositionState, position_state
from milobot.errors import OrderTransitionError
from milobot.execution.gates import Limits


async def test_the_states_of_a_position_in_order() -> None:
    """OPENING until the fill, UNPROTECTED until the stop is seen resting, then PROTECTED."""
    desk = Desk()
    seen = [position_state(desk.slot)]
    await desk.engine.accept(intent(PLAN))
    seen.append(position_state(desk.slot))
    await desk.fill(desk.exchange.last(P.ENTRY), "1", "100", "f1")
    seen.append(position_state(desk.slot))
    await desk.tell(desk.exchange.last(P.STOP), S.SUBMITTED)
    seen.append(position_state(desk.slot))
    await desk.tell(desk.exchange.last(P.TARGET), S.SUBMITTED)
    await desk.engine.accept(intent(Close(), key="k2"))
    seen.append(position_state(desk.slot))
    await desk.fill(desk.exchange.last(P.CLOSE), "1", "101", "f2")
    seen.append(position_state(desk.slot))

    assert seen == [
        PositionState.FLAT,
        PositionState.OPENING,
        PositionState.UNPROTECTED,
        PositionState.PROTECTED,
        PositionState.CLOSING,
        PositionState.FLAT,
    ]


async def test_the_slot_is_held_until_the_last_exit_is_gone() -> None:
    """Flat is not free: an exit that still rests could open a position of its own."""
    desk = Desk()
    await desk.opened()
    await desk.fill(desk.exchange.last(P.STOP), "1", "95", "f2")
    waiting = desk.exchange.last(P.TARGET)
    assert [o.client_order_id for o in desk.exchange.cancelled] == [waiting.client_order_id]

    assert desk.slot.stop is None

    denied = await desk.engine.accept(intent(PLAN, key="k2"))
    idle = await desk.engine.accept(intent(Close(), key="k3"))
    await desk.tell(waiting, S.CANCELLED)
    accepted = await desk.engine.accept(intent(PLAN, key="k4"))

    assert (denied.outcome, denied.code) == (Outcome.DENIED, "slot_busy")
    assert idle.code == "already_flat"
    assert accepted.outcome is Outcome.ACCEPTED


async def test_a_reversal_enters_only_when_the_old_exits_are_gone() -> None:
    """Closed is not yet free: until the last exit is cancelled the second half waits."""
    desk = Desk()
    await desk.opened()
    await desk.engine.accept(intent(enter_short(base("2"), stop=at_price("115")), key="k2"))
    await desk.fill(desk.exchange.last(P.CLOSE), "1", "100", "f2")
    assert {o.purpose for o in desk.exchange.cancelled} == {P.STOP, P.TARGET}

    busy = await desk.engine.accept(intent(Close(), key="k3"))
    assert (busy.outcome, busy.code) == (Outcome.DENIED, "slot_busy")
    for waiting in (P.STOP, P.TARGET):
        assert desk.exchange.last(P.ENTRY).quantity == 1
        await desk.tell(desk.exchange.last(waiting), S.CANCELLED)

    assert desk.exchange.last(P.ENTRY).quantity == 2
    assert position_state(desk.slot) is PositionState.OPENING


async def test_while_an_entry_is_on_its_way_nothing_else_enters() -> None:
    """The same side is ignored, the other is busy: its size would rest on a guess."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))

    same = await desk.engine.accept(intent(PLAN, key="k2"))
    other = await desk.engine.accept(intent(enter_short(base("1")), key="k3"))

    assert same.code == "already_in_position"
    assert (other.outcome, other.code) == (Outcome.DENIED, "slot_busy")
    assert len(desk.exchange.placed) == 1


async def test_a_close_that_meets_an_entry_on_its_way_closes_what_fills() -> None:
    """The trader said close: a fill that crosses it must not stay open."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    decision = await desk.engine.accept(intent(Close(), key="k2"))

    await desk.fill(desk.exchange.last(P.ENTRY), "1", "100", "f1")

    assert decision.outcome is Outcome.ACCEPTED
    assert [o.purpose for o in desk.exchange.placed] == [P.ENTRY, P.CLOSE]


async def test_a_close_withdraws_an_entry_that_rests() -> None:
    """What has not filled yet need not be bought to be sold; then the slot is free."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.tell(entry, S.SUBMITTED)
    assert desk.exchange.cancelled == []

    await desk.engine.accept(intent(Close(), key="k2"))
    assert [o.client_order_id for o in desk.exchange.cancelled] == [entry.client_order_id]
    await desk.tell(entry, S.CANCELLED)

    assert desk.slot.owner == ""
    assert desk.journal.round_trips == []


async def test_the_risk_of_an_entry_on_its_way_is_reserved() -> None:
    """Two symbols at once: the second is sized on what the first leaves."""
    desk = Desk()
    wish = intent(enter_long(risk("10"), stop=percent("50")))
    await desk.engine.accept(wish)
    await desk.engine.accept(replace(wish, key="k2", symbol="ETHUSDT"))

    first, second = desk.exchange.placed
    assert first.quantity == 20  # 1,000 over 50
    assert second.quantity == 18  # 900 over 50

    await desk.engine.apply(fill_news(first, "20", "100", fill_id="f1"))
    await desk.engine.accept(replace(wish, key="k3", symbol="XRPUSDT"))
    assert desk.exchange.placed[-1].quantity == dec("18.2")  # only the second is reserved


async def test_an_entry_without_a_stop_reserves_no_risk() -> None:
    """It has no stop to lose at; its margin is what bounds it."""
    desk = Desk(Limits(allow_unprotected=True))
    await desk.engine.accept(intent(enter_long(base("1"), unprotected=True)))
    wish = intent(enter_long(risk("10"), stop=percent("50")), key="k2")

    await desk.engine.accept(replace(wish, symbol="ETHUSDT"))

    assert desk.exchange.placed[-1].quantity == 20


@pytest.mark.parametrize("times", [2, 3])
async def test_news_told_again_changes_nothing(times: int) -> None:
    """Streams repeat, queries repeat, reconnects repeat: state and journal stay as they are."""
    desk = Desk()
    entry = await desk.opened()
    stop, target = desk.exchange.last(P.STOP), desk.exchange.last(P.TARGET)
    before, orders, updates = desk.slot, len(desk.exchange.placed), len(desk.journal.updates)

    for _ in range(times):
        await desk.fill(entry, "1", "100", "f1")
        await desk.tell(entry, S.SUBMITTED)
        await desk.tell(stop, S.SUBMITTED)
        await desk.tell(target, S.SUBMITTED)

    assert desk.slot == before
    assert len(desk.exchange.placed) == orders
    assert len(desk.journal.updates) == updates


async def test_a_whole_story_told_again_changes_nothing() -> None:
    """A reconnect replays a trip that ended: no second trip, no second order."""
    desk = Desk()
    entry = await desk.opened()
    stop, target = desk.exchange.last(P.STOP), desk.exchange.last(P.TARGET)
    for _ in range(2):
        await desk.fill(entry, "1", "100", "f1")
        await desk.tell(stop, S.SUBMITTED)
        await desk.fill(stop, "1", "95", "f2")
        await desk.tell(target, S.CANCELLED)

    assert len(desk.journal.round_trips) == 1
    assert desk.slot.position.realized_pnl == -5
    assert len(desk.exchange.placed) == 3


async def test_one_fill_in_one_update_twice_is_one_fill() -> None:
    """Pages of a listing overlap."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    once = fill_news(desk.exchange.last(P.ENTRY), "1", "100", fill_id="f1")

    await desk.engine.apply(replace(once, fills=once.fills * 2))

    assert desk.slot.position.quantity == 1


async def test_fill_ids_of_two_symbols_do_not_meet() -> None:
    """Exchanges number fills per symbol: the same number elsewhere is another fill."""
    desk = Desk()
    wish = intent(PLAN)
    for number, symbol in enumerate([SYMBOL, "ETHUSDT"]):
        await desk.engine.accept(replace(wish, key=f"k{number}", symbol=symbol))
        await desk.engine.apply(fill_news(desk.exchange.last(P.ENTRY), "1", "100", fill_id="4711"))

    assert desk.engine.slot(SYMBOL).position.quantity == 1
    assert desk.engine.slot("ETHUSDT").position.quantity == 1


async def test_funding_is_booked_once() -> None:
    """By its id, for each symbol; told again it is old."""
    desk = Desk()
    await desk.opened()
    paid = FundingUpdate("funding-1", SYMBOL, dec("0.5"), 0)

    await desk.engine.apply(paid)
    await desk.engine.apply(paid)
    await desk.engine.apply(replace(paid, symbol="ETHUSDT"))

    assert desk.slot.position.funding == dec("0.5")
    assert desk.engine.slot("ETHUSDT").position.funding == dec("0.5")
    assert len(desk.journal.funding) == 2


async def test_the_old_stop_stays_until_the_new_one_is_seen_resting() -> None:
    """Sent is not resting: cancelling on a hope would leave a moment without a stop."""
    desk = Desk()
    await desk.engine.accept(intent(replace(PLAN, target=None, trail=percent("2"))))
    await desk.fill(desk.exchange.last(P.ENTRY), "1", "100", "f1")
    old = desk.exchange.last(P.STOP)
    await desk.tell(old, S.SUBMITTED)

    await desk.engine.candle_closed(SYMBOL, dec("104"))
    new = desk.exchange.last(P.STOP)
    await desk.tell(new, S.SUBMITTED)
    await desk.engine.candle_closed(SYMBOL, dec("105"))
    newest = desk.exchange.last(P.STOP)
    assert (new.trigger_price, newest.trigger_price) == (dec("102"), dec("103"))
    assert desk.exchange.cancelled == []
    await desk.tell(newest, S.SUBMITTED)

    assert [o.client_order_id for o in desk.exchange.cancelled] == [new.client_order_id]
    assert old.close_position


async def test_orders_of_others_are_left_alone() -> None:
    """A manual order in the same account: not booked, not answered, not journalled."""
    desk = Desk()
    await desk.opened()
    before = desk.slot
    foreign = replace(desk.exchange.last(P.ENTRY), client_order_id="by-hand")

    await desk.fill(foreign, "5", "100", "f9")

    assert desk.slot == before
    assert "by-hand" not in {u.client_order_id for u in desk.journal.updates}


async def test_an_entry_refused_and_executed_all_the_same_is_flattened() -> None:
    """What an exchange has filled is real; nobody has a plan for it any more."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.tell(entry, S.REJECTED)

    await desk.fill(entry, "1", "100", "f1")

    assert desk.exchange.last(P.CLOSE).quantity == dec("1")
    assert desk.slot.closing == "late_fill"


@pytest.mark.parametrize("more", ["", "0.5"])
async def test_what_contradicts_the_books_is_told_and_what_it_executed_is_booked(more: str) -> None:
    """An execution is a fact; refused whole, it would lie there without anybody knowing."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.fill(entry, "0.25", "100", "f1", S.PARTIALLY_FILLED)
    refused = replace(fill_news(entry, more or "1", "100", fill_id="f2"), status=S.REJECTED)

    with pytest.raises(OrderTransitionError, match="reconcile"):
        await desk.engine.apply(refused if more else replace(refused, fills=()))

    assert desk.slot.position.quantity == dec("0.25") + dec(more or "0")
    assert desk.journal.latest[entry.client_order_id].status is S.EXPIRED, "not asked for for ever"


@pytest.mark.parametrize(("quantity", "status"), [("0.5", S.CANCELLED), ("1", S.FILLED)])
async def test_an_order_that_ended_in_two_ways_has_filled_what_it_filled(
    quantity: str, status: OrderStatus
) -> None:
    """Counted as cancelled here, told as expired with a fill: no fill is left out for the word."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.tell(entry, S.CANCELLED)
    told = fill_news(entry, quantity, "100", fill_id="f1", status=S.EXPIRED)

    for _ in range(2):  # told twice, it counts once
        with pytest.raises(OrderTransitionError, match="CANCELLED here and EXPIRED"):
            await desk.engine.apply(told)
        if status is S.FILLED:
            break

    assert desk.slot.position.quantity == dec(quantity)
    assert desk.journal.latest[entry.client_order_id].status is status
    assert desk.exchange.last(P.CLOSE).quantity == dec(quantity)


async def test_what_contradicts_the_books_is_on_record_before_anybody_is_told() -> None:
    """Found by simulation: who heard of it compared, found nothing left to do, and stored nothing."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.fill(entry, "0.25", "100", "f1", S.PARTIALLY_FILLED)
    told = replace(fill_news(entry, "0.5", "100", fill_id="f2"), status=S.REJECTED)

    with pytest.raises(OrderTransitionError):
        await desk.engine.book(told)

    assert desk.journal.latest[entry.client_order_id].filled_quantity == dec("0.75")

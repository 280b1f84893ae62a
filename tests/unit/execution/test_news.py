"""News from the exchange: repeated, foreign, partial, late, and what the exchange did itself."""

from dataclasses import replace

import pytest
from tests.support.exchanges import SilentExchange, fill_news, status_news
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
    risk,
)

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Close, Side
from milobot.domain.orders import FundingUpdate, Order, OrderPurpose, OrderStatus
from milobot.errors import OrderTransitionError
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.gates import Limits
from milobot.execution.slots import PositionState, Slot, position_state
from milobot.simulation.clock import ReplayClock
from milobot.storage.memory import MemoryJournal

P, S = OrderPurpose, OrderStatus
PLAN = enter_long(base("1"), stop=at_price("95"), target=at_price("110"))


class Desk:
    """An engine on an exchange that says only what the test lets it say."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Start flat."""
        self.exchange = SilentExchange()
        self.journal = MemoryJournal()
        config = EngineConfig(limits=limits or Limits())
        self.engine = ExecutionEngine(self.exchange, self.journal, ReplayClock(), config)

    @property
    def slot(self) -> Slot:
        """Return the engine's view of the symbol."""
        return self.engine.slot(SYMBOL)

    async def tell(self, order: Order, status: OrderStatus) -> None:
        """Report a status without fills."""
        await self.engine.apply(status_news(order, status))

    async def fill(
        self,
        order: Order,
        quantity: str,
        price: str,
        fill_id: str,
        status: OrderStatus = OrderStatus.FILLED,
    ) -> None:
        """Report a fill."""
        await self.engine.apply(fill_news(order, quantity, price, fill_id=fill_id, status=status))

    async def opened(self) -> Order:
        """Enter, fill at 100, let both exits rest; return the entry."""
        await self.engine.accept(intent(PLAN))
        entry = self.exchange.last(P.ENTRY)
        await self.fill(entry, "1", "100", "f1")
        await self.tell(self.exchange.last(P.STOP), S.SUBMITTED)
        await self.tell(self.exchange.last(P.TARGET), S.SUBMITTED)
        return entry


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

    denied = await desk.engine.accept(intent(PLAN, key="k2"))
    idle = await desk.engine.accept(intent(Close(), key="k3"))
    await desk.tell(waiting, S.CANCELLED)
    accepted = await desk.engine.accept(intent(PLAN, key="k4"))

    assert (denied.outcome, denied.code) == (Outcome.DENIED, "slot_busy")
    assert idle.code == "already_flat"
    assert accepted.outcome is Outcome.ACCEPTED


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


async def test_orders_of_others_are_left_alone() -> None:
    """A manual order in the same account: not booked, not answered, not journalled."""
    desk = Desk()
    await desk.opened()
    before = desk.slot
    foreign = replace(desk.exchange.last(P.ENTRY), client_order_id="by-hand")

    await desk.fill(foreign, "5", "100", "f9")

    assert desk.slot == before
    assert "by-hand" not in {u.client_order_id for u in desk.journal.updates}


async def test_contradicting_news_is_raised_and_changes_nothing() -> None:
    """Two sources disagree: the caller reconciles, the books stay."""
    desk = Desk()
    entry = await desk.opened()
    before = desk.slot

    with pytest.raises(OrderTransitionError, match="reconcile"):
        await desk.tell(entry, S.REJECTED)

    assert desk.slot == before


async def test_an_entry_that_fills_in_parts_is_protected_from_the_first() -> None:
    """The stop takes all that is open; the target is sized anew with each part."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.fill(entry, "0.4", "100", "f1", S.PARTIALLY_FILLED)
    stop, small = desk.exchange.last(P.STOP), desk.exchange.last(P.TARGET)
    await desk.tell(stop, S.SUBMITTED)
    await desk.tell(small, S.SUBMITTED)

    await desk.fill(entry, "0.6", "101", "f2")
    await desk.tell(small, S.CANCELLED)

    assert (small.quantity, desk.exchange.last(P.TARGET).quantity) == (dec("0.4"), dec("1"))
    assert desk.exchange.last(P.STOP) is stop
    await desk.fill(stop, "1", "95", "f3")
    (trip,) = desk.journal.round_trips
    assert (trip.entry_price, trip.quantity) == (dec("100.6"), dec("1"))


async def test_an_exit_that_fills_in_parts_is_one_round_trip() -> None:
    """Average exit price, one result; the rest stays protected in between."""
    desk = Desk()
    await desk.opened()
    target = desk.exchange.last(P.TARGET)

    await desk.fill(target, "0.5", "110", "f2", S.PARTIALLY_FILLED)
    assert position_state(desk.slot) is PositionState.PROTECTED
    await desk.fill(target, "0.5", "111", "f3")

    (trip,) = desk.journal.round_trips
    assert (trip.exit_price, trip.pnl, trip.exit_reason) == (dec("110.5"), dec("10.5"), "target")


async def test_a_stop_that_somebody_cancelled_is_placed_again() -> None:
    """A hand in the exchange's app must not leave a position without a stop."""
    desk = Desk()
    await desk.opened()
    first = desk.exchange.last(P.STOP)

    await desk.tell(first, S.CANCELLED)

    again = desk.exchange.last(P.STOP)
    assert again.client_order_id != first.client_order_id
    assert again.trigger_price == 95


async def test_a_stop_that_expired_closes_the_position() -> None:
    """Triggered, and its market order was refused: flatten."""
    desk = Desk()
    await desk.opened()
    stop = desk.exchange.last(P.STOP)
    await desk.tell(stop, S.TRIGGERED)

    await desk.tell(stop, S.EXPIRED)

    assert desk.exchange.placed[-1].purpose is P.CLOSE
    assert desk.slot.closing == "stop_expired"


async def test_an_exit_that_expires_when_flat_closes_nothing() -> None:
    """Exchanges expire reduce-only orders by themselves once the position is gone."""
    desk = Desk()
    await desk.opened()
    await desk.fill(desk.exchange.last(P.STOP), "1", "95", "f2")

    await desk.tell(desk.exchange.last(P.TARGET), S.EXPIRED)

    assert desk.slot.owner == ""
    assert P.CLOSE not in {o.purpose for o in desk.exchange.placed}


@pytest.mark.parametrize("end", [S.CANCELLED, S.EXPIRED, S.NOT_EXECUTED])
async def test_a_fill_after_the_end_of_its_entry_is_booked_then_flattened(
    end: OrderStatus,
) -> None:
    """Nobody waits for it any more, but it is real: no plan, so no position."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    entry = desk.exchange.last(P.ENTRY)
    await desk.tell(entry, S.UNKNOWN)
    await desk.tell(entry, end)
    assert desk.slot.owner == ""

    await desk.fill(entry, "1", "100", "f1")
    assert position_state(desk.slot) is PositionState.CLOSING
    close = desk.exchange.last(P.CLOSE)
    await desk.fill(close, "1", "99", "f2")

    (trip,) = desk.journal.round_trips
    assert (trip.exit_reason, trip.pnl) == ("late_fill", dec("-1"))
    assert (trip.stop, trip.target) == (None, None)
    assert desk.slot.is_idle


async def test_a_late_fill_in_a_slot_with_a_new_owner_flattens_all() -> None:
    """Two plans in one position cannot be told apart: out, and start anew."""
    desk = Desk()
    await desk.engine.accept(intent(PLAN))
    lost = desk.exchange.last(P.ENTRY)
    await desk.tell(lost, S.UNKNOWN)
    await desk.tell(lost, S.NOT_EXECUTED)
    await desk.engine.accept(intent(PLAN, key="k2", owner="other"))
    await desk.fill(desk.exchange.last(P.ENTRY), "1", "100", "f1")

    await desk.fill(lost, "1", "100", "f2")

    assert desk.slot.closing == "late_fill"
    assert desk.exchange.placed[-1].purpose is P.CLOSE
    assert desk.exchange.placed[-1].quantity == 2


async def test_two_late_fills_are_closed_by_orders_of_their_own() -> None:
    """An id used twice would leave the second position open."""
    desk = Desk()
    for number in range(2):
        await desk.engine.accept(intent(PLAN, key=f"k{number}"))
        entry = desk.exchange.last(P.ENTRY)
        await desk.tell(entry, S.EXPIRED)
        await desk.fill(entry, "1", "100", f"in{number}")
        await desk.fill(desk.exchange.last(P.CLOSE), "1", "100", f"out{number}")

    ids = [o.client_order_id for o in desk.exchange.placed]
    assert len(set(ids)) == len(ids) == 4
    assert desk.slot.is_idle


async def test_a_refused_close_without_fill_waits_for_news() -> None:
    """Half of it filled before it expired: the rest is closed at once."""
    desk = Desk()
    await desk.opened()
    await desk.engine.accept(intent(Close(), key="k2"))
    close = desk.exchange.last(P.CLOSE)

    await desk.fill(close, "0.5", "101", "f2", S.EXPIRED)

    rest = desk.exchange.last(P.CLOSE)
    assert rest.client_order_id != close.client_order_id
    assert rest.quantity == dec("0.5")


async def test_a_liquidation_ends_the_round_trip() -> None:
    """The exchange's own order is booked as ours: reason, exits gone, slot free, once."""
    stage = Stage()
    await stage.play(
        candle(100, 101, 99, 100),
        intent(enter_long(base("1"), leverage=10, stop=at_price("91.5"), target=at_price("120"))),
    )
    await stage.play(candle(85, 86, 84, 85))
    (news,) = stage.updates

    await stage.engine.apply(news)

    (trip,) = stage.journal.round_trips
    assert (trip.exit_reason, trip.exit_price, trip.pnl) == ("liquidation", dec("90"), dec("-10"))
    assert stage.resting == []
    assert (stage.slot.owner, stage.slot.orders) == ("", ())


async def test_a_liquidation_of_what_we_do_not_hold_is_not_ours() -> None:
    """Somebody else's position in the account: booking it would open one here."""
    desk = Desk()
    entry = await desk.opened()
    await desk.fill(desk.exchange.last(P.STOP), "1", "95", "f2")
    foreign = replace(entry, client_order_id="autoclose-1", side=Side.SELL)

    await desk.engine.apply(
        replace(fill_news(foreign, "3", "90", fill_id="f9"), purpose=P.LIQUIDATION)
    )

    assert desk.slot.position.is_flat

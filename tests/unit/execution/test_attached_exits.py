"""Exits that came with an entry: when they count, when not, and what follows from either."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.desk import PLAN, P, S
from tests.support.exchanges import AttachingExchange
from tests.support.journals import FailingJournal
from tests.support.trading import SYMBOL, base, dec, enter_long, intent

from milobot.domain.decisions import Outcome
from milobot.domain.intents import Aim, Enter, PositionSide, Side
from milobot.domain.orders import Order, OrderType, Refusal
from milobot.domain.slots import Slot
from milobot.errors import LedgerError
from milobot.execution.attached import is_attached, with_exits
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.exits import Cancel, Place
from milobot.execution.gates import Limits
from milobot.execution.inquiry import Inquiry
from milobot.execution.protection import next_command
from milobot.simulation.clock import ReplayClock
from milobot.storage.memory import MemoryJournal

ACCOUNT = "bingx:test"


async def entered(journal: MemoryJournal | None = None, plan: Enter = PLAN) -> tuple[Slot, Order]:
    """Return slot and entry as they are on record and sent; nothing has been answered."""
    exchange, journal = AttachingExchange(), journal or MemoryJournal()
    config = EngineConfig(account=ACCOUNT, limits=Limits(allow_unprotected=True))
    engine = ExecutionEngine(exchange, journal, ReplayClock(), config)
    await engine.accept(intent(plan))
    return engine.slot(SYMBOL), exchange.last(P.ENTRY)


async def held(amount: str = "1", **stop: object) -> Slot:
    """Return a slot that holds so much, its attached stop changed so; the target rests."""
    slot, entry = await entered()
    done = S.FILLED if dec(amount) == entry.quantity else S.PARTIALLY_FILLED
    slot = slot.with_order(replace(entry, status=done, filled_quantity=dec(amount)))
    position = replace(
        slot.position, side=PositionSide.LONG, quantity=dec(amount), cost=dec(amount) * 100
    )
    slot = replace(slot, position=position)
    (target,), (attached,) = slot.live(P.TARGET), slot.live(P.STOP)
    slot = slot.with_order(replace(target, status=S.SUBMITTED))
    return slot.with_order(replace(attached, **stop))  # type: ignore[arg-type]  # fields of it


def command(slot: Slot, now_ms: int = 0) -> Place | Cancel | None:
    """Return what is to be done next."""
    return next_command(slot, account=ACCOUNT, now_ms=now_ms)


async def test_exits_are_on_record_with_the_entry_that_carries_them() -> None:
    """In one transaction: a process that dies after the fill leaves what the next one knows."""
    journal = MemoryJournal()
    slot, entry = await entered(journal)

    stop, target = entry.attached
    assert (stop.type, stop.trigger_price) == (OrderType.STOP_MARKET, dec("95"))
    assert (target.type, target.trigger_price) == (OrderType.TAKE_PROFIT_MARKET, dec("110"))
    told = {(o.side, o.quantity, o.reduce_only) for o in entry.attached}
    assert told == {(Side.SELL, dec("1"), True)}
    known = await journal.load()
    assert {o.client_order_id for o in known.orders} == {
        one.client_order_id for one in (entry, stop, target)
    }
    (kept,) = known.slots
    assert kept.attached == (stop.client_order_id, target.client_order_id) == slot.attached


async def test_a_position_with_several_targets_carries_its_stop_alone() -> None:
    """An exchange takes one target along, for all of the position."""
    aims = (Aim(PLAN.target or pytest.fail("a target"), Decimal("0.5")),) * 2
    _, entry = await entered(plan=replace(PLAN, target=None, aims=aims))

    assert [one.purpose for one in entry.attached] == [P.STOP]


async def test_an_entry_without_levels_carries_nothing() -> None:
    """Unprotected by choice stays so."""
    slot, entry = await entered(plan=enter_long(base("1"), unprotected=True))

    assert (entry.attached, slot.attached) == ((), ())


async def test_what_could_not_be_recorded_never_was() -> None:
    """Entry and exits alike: nothing of them is in doubt afterwards."""
    journal = FailingJournal()
    journal.failures, journal.loses_answers = [LedgerError("away")], True
    exchange = AttachingExchange()
    engine = ExecutionEngine(exchange, journal, ReplayClock(), EngineConfig(account=ACCOUNT))

    decision = await engine.accept(intent(PLAN))

    assert (decision.outcome, exchange.placed) == (Outcome.DENIED, [])
    assert {o.status for o in journal.latest.values()} == {S.NOT_EXECUTED}
    assert len(journal.latest) == 3


async def test_an_attached_stop_that_is_seen_is_the_only_one() -> None:
    """Right side, trigger and quantity, and resting: nothing else is sent."""
    assert command(await held(status=S.SUBMITTED)) is None


async def test_one_that_is_not_seen_is_waited_for_half_a_second() -> None:
    """It is on its way like a stop of our own; then another one goes that closes everything."""
    slot = await held()

    assert command(slot, now_ms=499) is None
    found = command(slot, now_ms=500)

    assert isinstance(found, Place)
    assert (found.order.trigger_price, found.order.close_position) == (dec("95"), True)


@pytest.mark.parametrize(
    ("quantity", "stop"),
    [
        ("1", {"status": S.NOT_EXECUTED}),  # not there
        ("1", {"status": S.SUBMITTED, "quantity": dec("0.5")}),  # of a wrong size
        ("0.4", {"status": S.PENDING}),  # of a part only: it rests for a whole entry
        ("0.4", {"status": S.SUBMITTED}),
        ("1", {"status": S.SUBMITTED, "trigger_price": dec("94")}),  # elsewhere
        ("1", {"status": S.CANCELLED}),  # taken away by hand
    ],
)
async def test_one_that_is_not_right_is_replaced_at_once(
    quantity: str, stop: dict[str, object]
) -> None:
    """What does not fit what is held does not count."""
    found = command(await held(quantity, **stop))

    assert isinstance(found, Place)
    assert (found.order.purpose, found.order.close_position) == (P.STOP, True)


async def test_the_wrong_one_leaves_once_the_right_one_rests() -> None:
    """Never before: until then it is better than nothing."""
    slot = await held(status=S.SUBMITTED, quantity=dec("0.5"))
    found = command(slot)
    assert isinstance(found, Place)

    waiting = slot.with_order(replace(found.order, status=S.PENDING))
    resting = slot.with_order(replace(found.order, status=S.SUBMITTED))

    assert command(waiting) is None
    gone = command(resting)
    assert isinstance(gone, Cancel)
    assert gone.order.client_order_id in slot.attached


async def test_a_moved_stop_takes_the_place_of_the_attached_one() -> None:
    """The first that is placed closes everything and stays; the attached one leaves after it."""
    slot = replace(await held(status=S.SUBMITTED), stop=dec("98"))

    found = command(slot)
    assert isinstance(found, Place)
    assert (found.order.trigger_price, found.order.close_position) == (dec("98"), True)
    gone = command(slot.with_order(replace(found.order, status=S.SUBMITTED)))
    assert isinstance(gone, Cancel)
    assert gone.order.trigger_price == dec("95")


async def test_attached_exits_that_are_seen_before_the_fill_stay() -> None:
    """A restart may see them first; without an entry that may fill they leave."""
    slot, entry = await entered()
    for order in slot.orders:
        if order.purpose is not P.ENTRY:
            slot = slot.with_order(replace(order, status=S.SUBMITTED))

    assert command(slot) is None
    refused = slot.with_order(replace(entry, status=S.REJECTED, refusal=Refusal.OTHER))
    assert isinstance(command(refused), Cancel)


async def test_attached_exits_are_not_asked_for_while_their_entry_may_fill() -> None:
    """Not found would say nothing: they begin to rest when it fills."""
    slot, entry = await entered()
    inquiry = Inquiry(AttachingExchange(), MemoryJournal(), ReplayClock(5_000))  # type: ignore[arg-type]  # only asked what is due

    assert inquiry.due(slot) == (slot.live(P.ENTRY)[0],)
    over = slot.with_order(replace(entry, status=S.FILLED))
    assert {o.purpose for o in inquiry.due(over)} == {P.STOP, P.TARGET}


@pytest.mark.parametrize(("age_ms", "is_attached"), [(499, False), (499, True), (500, True)])
async def test_a_taken_entry_may_await_its_listing_only_where_its_stop_came_along(
    age_ms: int, *, is_attached: bool
) -> None:
    """Half a second lost beside a bare position made two seconds too long, in a storm."""
    slot, entry = await entered()
    taken = replace(entry, status=S.SUBMITTED, attached=entry.attached if is_attached else ())
    clock = ReplayClock(entry.created_ms + age_ms)
    inquiry = Inquiry(AttachingExchange(), MemoryJournal(), clock)  # type: ignore[arg-type]  # only asked what is due

    is_asked = not is_attached or age_ms >= 500
    assert (taken in inquiry.due(slot.with_order(taken))) is is_asked


async def test_names_of_attached_exits_are_not_used_again() -> None:
    """A stop placed later for the same intent has a name of its own."""
    slot, entry = await entered()
    again, _ = with_exits(slot, entry, slot.setup or pytest.fail("a plan"), ACCOUNT)

    assert len(set(again.attached)) == 4
    assert again.revision == slot.revision + 2


async def test_those_of_the_last_four_entries_are_remembered() -> None:
    """An exchange that hides them does so for seconds; a free slot may be entered meanwhile."""
    slot, entry = await entered()
    first = slot.attached
    setup = slot.setup or pytest.fail("a plan")

    for _ in range(3):
        slot, _ = with_exits(slot.released(), entry, setup, ACCOUNT)
    assert (len(slot.attached), slot.attached[-2:]) == (8, first)
    slot, _ = with_exits(slot.released(), entry, setup, ACCOUNT)

    assert len(slot.attached) == 8
    assert not set(first) & set(slot.attached)


async def test_an_exit_of_an_earlier_entry_is_none_of_this_position() -> None:
    """Shown late, beside a new entry that may fill, it leaves."""
    slot, entry = await entered()
    stop = replace(slot.live(P.STOP)[0], status=S.SUBMITTED)
    plan = replace(intent(PLAN), key="another")
    setup = replace(slot.setup or pytest.fail("a plan"), intent=plan)
    other = replace(entry, client_order_id="other", intent_key="another")
    later, _ = with_exits(replace(slot.released(), setup=setup), other, setup, ACCOUNT)

    assert (is_attached(stop, slot), is_attached(stop, later)) == (True, False)

"""Stop and target attached to a BingX entry: they count when they are seen, over the wire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from tests.support.local_clients import client_for, options_for
from tests.support.scenes import FALLS, FLAT, dec
from tests.support.trading import at_price, base, enter_long, intent
from tests.support.venues import BTC, WireStand, scene, stand_of

from milobot.domain.alerts import Alert
from milobot.domain.orders import OrderPurpose
from milobot.domain.slots import PositionState, position_state
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.inquiry import Inquiry
from milobot.execution.reconciler import Reconciler
from milobot.local_exchange.faults import parse_rule_text

PLAN = enter_long(base("1"), leverage=5, stop=at_price("950"), target=at_price("1200"))
P = OrderPurpose


@dataclass
class Desk:
    """An engine whose client attaches exits, and the exchange as it really is."""

    stand: WireStand
    engine: ExecutionEngine
    alerts: list[Alert] = field(default_factory=list)

    def strike(self, text: str) -> None:
        """Plan a fault."""
        self.stand.local.plan.extend([parse_rule_text(text)])

    async def enter(self) -> None:
        """Enter at 1000 with a stop at 950 and a target at 1200."""
        await self.stand.open()
        await self.engine.accept(intent(PLAN, reference="1000"))

    @property
    def state(self) -> PositionState:
        """Return how safe the books say the position is."""
        return position_state(self.engine.slot(BTC))

    def placed(self) -> int:
        """Return how many orders the exchange was asked to place."""
        return sum(r["call"] == "place" for r in self.stand.local.ledger()["requests"])

    def stops(self) -> list[tuple[bool, Decimal]]:
        """Return the stops that really rest: whether each closes everything, and over how much."""
        (account,) = self.stand.local.venues["bingx"].accounts.values()
        return [
            (c.ticket.close_position, c.quantity or Decimal(0))
            for c in account.open_conditionals
            if c.ticket.type_name == "STOP_MARKET"
        ]

    @asynccontextmanager
    async def next_life(self) -> AsyncIterator["Desk"]:
        """Give what another process finds that knows no more than what is on record."""
        local, journal = self.stand.local, self.stand.journal
        options = options_for(local)
        async with client_for("bingx", local, options) as client:
            account, clock, name = client.account, client.clock, "bingx:test"
            engine = ExecutionEngine(account, journal, clock, EngineConfig(account=name))
            again = Desk(self.stand, engine)
            tell = again.alerts.append
            reconciler = Reconciler(name, engine, account, client.market, journal, clock, tell)
            engine.restore(await journal.load())
            await reconciler.run()
            await engine.look_again(BTC)
            await options.sleep(1.1)  # what was on its way a second ago is asked for
            inquiry = Inquiry(account, journal, clock)
            for order in inquiry.due(engine.slot(BTC)):
                news = await inquiry.ask(engine.slot(BTC), order)
                if news is not None:
                    await engine.apply(news)
            yield again


@asynccontextmanager
async def trading(*rows: tuple[float, float, float, float]) -> AsyncIterator[Desk]:
    """Give a desk on a market."""
    async with stand_of("bingx", scene(*(rows or (FLAT, FLAT, FALLS)))) as stand:
        assert isinstance(stand, WireStand)
        yield Desk(stand, stand.start_engine())


async def test_exits_that_are_seen_resting_are_not_placed_again() -> None:
    """One request opens, protects and aims."""
    async with trading() as desk:
        await desk.enter()

        assert desk.state is PositionState.PROTECTED
        assert (desk.placed(), desk.stops()) == (1, [(False, dec("1"))])
        assert len(desk.engine.slot(BTC).live(P.TARGET)) == 1


@pytest.mark.parametrize("fault", ["attached_stop_dropped", "attached_stop_resized"])
async def test_a_stop_that_is_not_right_is_placed_separately(fault: str) -> None:
    """Not there, or over half of it: another one at once, and the wrong one leaves after it."""
    async with trading() as desk:
        desk.strike(fault)

        await desk.enter()

        assert desk.state is PositionState.PROTECTED
        assert desk.stops() == [(True, dec("0"))]
        (target,) = desk.engine.slot(BTC).live(P.TARGET)
        assert target.quantity == dec("1")
        calls = [r["call"] for r in desk.stand.local.ledger()["requests"]]
        withdrawn = calls.index("cancel") if "cancel" in calls else len(calls)
        assert withdrawn > calls.index("place", calls.index("place") + 1)


async def test_an_entry_that_fills_in_parts_is_protected_for_what_is_held() -> None:
    """BingX lets attached exits rest for a whole entry; the rest of this one expires."""
    async with trading() as desk:
        desk.strike("partial_fill:fraction=0.4,rest=expires,times=1")

        await desk.enter()

        assert desk.engine.slot(BTC).position.quantity == dec("0.4")
        assert (desk.state, desk.stops()) == (PositionState.PROTECTED, [(True, dec("0"))])


async def test_the_stop_is_hit_and_nothing_stays_behind() -> None:
    """An attached stop is an order of ours like any other: its fill is booked under its name."""
    async with trading(FLAT, FALLS) as desk:
        await desk.enter()
        await desk.stand.rest()
        await desk.stand.candle()

        (trip,) = desk.stand.journal.round_trips
        assert (trip.exit_reason, trip.exit_price) == ("stop", dec("950"))
        assert desk.engine.slot(BTC).is_free
        assert desk.stops() == []


async def test_a_process_killed_after_the_fill_leaves_a_stop_that_the_next_one_knows() -> None:
    """Why exits are attached: nobody was told of the fill, and the position is protected."""
    async with trading() as desk:
        desk.strike("drop_after:on=place,times=1")
        await desk.enter()
        assert desk.state is PositionState.OPENING
        assert desk.stops() == [(False, dec("1"))]

        async with desk.next_life() as again:
            assert again.state is PositionState.PROTECTED
            assert (again.placed(), again.stops()) == (1, [(False, dec("1"))])
            assert again.alerts == []


async def test_after_a_restart_an_attached_stop_is_still_the_first() -> None:
    """It is not taken for somebody else's, and no second one is placed beside it."""
    async with trading() as desk:
        await desk.enter()

        async with desk.next_life() as again:
            await again.engine.look_again(BTC)

            assert again.state is PositionState.PROTECTED
            assert (again.placed(), again.stops()) == (1, [(False, dec("1"))])
            assert again.alerts == []


@pytest.mark.parametrize("more", [(), ("attached_stop_resized",)])
async def test_exits_that_are_shown_too_late_are_withdrawn_after_a_restart(
    more: tuple[str, ...],
) -> None:
    """Given up and replaced, they are no strangers to the next process, whatever their size."""
    async with trading() as desk:
        for fault in ("invisible:seconds=0.5,times=1", *more):
            desk.strike(fault)
        await desk.enter()
        own, late = (True, dec("0")), (False, dec("0.5") if more else dec("1"))
        assert sorted(desk.stops()) == sorted([own, late])
        assert [o.close_position for o in desk.engine.slot(BTC).live(P.STOP)] == [True]

        async with desk.next_life() as again:
            slot = again.engine.slot(BTC)
            assert (again.state, again.stops()) == (PositionState.PROTECTED, [own])
            assert (again.alerts, slot.blocked) == ([], "")
            assert len(slot.orders) == 2


async def test_an_entry_that_is_refused_leaves_nothing_in_doubt() -> None:
    """Its exits never were: the slot is free at once."""
    async with trading() as desk:
        desk.strike("101204:on=place,times=1")

        await desk.enter()

        assert desk.engine.slot(BTC).is_free
        assert desk.stops() == []

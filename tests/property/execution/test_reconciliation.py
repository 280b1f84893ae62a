"""Random histories at an exchange, of which our books hear a part: a comparison makes them agree."""

import asyncio
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.model_exchange import Remote
from tests.support.reconciling import P, S, World
from tests.support.trading import SYMBOL, dec

from milobot.domain.money import ZERO
from milobot.domain.orders import OrderPurpose
from milobot.domain.positions import Position
from milobot.execution.findings import signed

RUNS = settings(max_examples=100, deadline=None)
SETTLED_S = 90.0
TRUTH_S = 3.0


class History:
    """What happens, drawn from a seed: our own orders, their fates, and other people's trades.

    Attributes:
        deaf: The chance that an event does not reach us.
    """

    def __init__(self, seed: int) -> None:
        """Start flat."""
        self.chance = random.Random(seed)  # noqa: S311 - draws a history
        self.world = World()
        self.deaf = self.chance.choice([0.0, 0.3, 0.7, 1.0])
        self.is_open = False
        self.exits: list[Remote] = []
        self.others: list[Remote] = []

    def hears(self) -> bool:
        """Return whether the next event reaches us."""
        return self.chance.random() >= self.deaf

    async def play(self, steps: int) -> None:
        """Let some things happen."""
        for _ in range(steps):
            self.world.later(self.chance.choice([0.05, 1.0, 5.0]))
            await self.step()
        self.world.later(SETTLED_S)

    async def step(self) -> None:
        """Let one thing happen that can."""
        if not self.world.stand() and not self.exits:
            await self.enter()
            return
        choices = [self.exit, self.reduce, self.cancel, self.restart, self.others_rest]
        await self.chance.choice(choices)()

    async def enter(self) -> None:
        """Enter, in one or two parts, and let a stop and a target rest."""
        world = self.world
        # Books that have not heard of the last trip's end would not enter: they catch up first.
        await settle(world)
        entry = await world.send(world.order(P.ENTRY, "2"), is_heard=self.hears())
        for quantity in self.chance.choice([("2",), ("0.5", "1.5")]):
            await world.fill(entry, quantity, is_heard=self.hears())
        for purpose in (P.STOP, P.TARGET):
            order = world.order(purpose, "2")
            self.exits.append(await world.send(order, is_heard=self.hears()))

    async def exit(self) -> None:
        """Let an exit of ours execute, in whole or in part."""
        live = [r for r in self.exits if not r.status.is_final]
        if live:
            remote = self.chance.choice(live)
            left = min(remote.order.quantity - remote.filled, abs(self.world.stand()))
            part = left / 2 if self.chance.random() < 0.3 else left
            if part:
                await self.world.fill(remote, part, is_heard=self.hears())
        await self.tidy()

    async def cancel(self) -> None:
        """Let somebody cancel one of our exits; sometimes the exchange forgets it too."""
        live = [r for r in self.exits if not r.status.is_final]
        if live:
            remote = self.chance.choice(live)
            await self.world.end(remote, S.CANCELLED, is_heard=self.hears())
            remote.is_known = self.chance.random() < 0.7
        await self.tidy()

    async def reduce(self) -> None:
        """Let somebody, or the exchange, take off a part of what we hold, or all of it."""
        held = self.world.stand()
        if held:
            part = held * self.chance.choice([dec("0.25"), dec("0.5"), dec("1")])
            purpose = self.chance.choice([None, OrderPurpose.LIQUIDATION])
            name = f"autoclose-{self.chance.random()}" if purpose else ""
            fill = self.world.others_trade(-part, purpose=purpose, name=name)
            if purpose and self.hears():
                await self.world.hear_of_others(name, fill)
        await self.tidy()

    async def restart(self) -> None:
        """Lose everything that is not on record."""
        await self.world.restart()

    async def others_rest(self) -> None:
        """Let an order of somebody else's come, or the last one go."""
        if self.others:
            self.others.pop().status = S.CANCELLED
        else:
            self.others.append(self.world.others_rest(f"web_{self.chance.random()}"))

    async def tidy(self) -> None:
        """Expire our exits once nothing is held, as exchanges do."""
        if self.world.stand() == 0:
            for remote in self.exits:
                if not remote.status.is_final:
                    await self.world.end(remote, S.EXPIRED, is_heard=self.hears())
            self.exits = []


async def settle(world: World) -> None:
    """Let our books catch up: ask for what is in doubt, and look twice."""
    world.later(SETTLED_S)
    for _ in range(3):
        await world.ask()
        world.later(TRUTH_S)
    await world.converge(2, TRUTH_S)


def resting_of_ours(world: World) -> set[str]:
    """Return our ids of what rests at the exchange."""
    return {r.client_order_id for r in world.listed() if r.client_order_id.startswith("milo")}


def check_agreement(world: World) -> None:
    """Check that position, orders and money are what the exchange has."""
    slot = world.slot
    assert signed(slot.position) == world.stand()
    assert {o.client_order_id for o in slot.orders} == resting_of_ours(world)
    gains = sum(((-1 if f.side == "BUY" else 1) * f.quantity * f.price for f in world.fills), ZERO)
    booked = slot.position.realized_pnl - slot.position.side.sign * slot.position.cost
    assert booked == gains, "every execution counts once, at its own price"
    assert slot.position.fees == sum((f.fee for f in world.fills), ZERO)


@RUNS
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 12))
def test_two_looks_make_our_books_agree(seed: int, steps: int) -> None:
    """Whatever was lost on the way: one pass, two snapshots, nothing left to find."""

    async def run() -> None:
        history = History(seed)
        await history.play(steps)
        world = history.world

        await settle(world)

        check_agreement(world)
        await world.converge(2, TRUTH_S)  # entries pass again once two looks agree
        has_others = bool(history.others)
        assert world.slot.blocked == ("foreign_orders" if has_others else "")
        world.later(TRUTH_S)
        findings = await world.look()
        assert findings.is_converged
        assert (findings.news, findings.updates, findings.sightings.first_ms) == ((), (), {})

    asyncio.run(run())


@RUNS
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 12))
def test_findings_change_nothing_when_they_are_carried_out_again(seed: int, steps: int) -> None:
    """Not in this process, nor in the next one."""

    async def run() -> None:
        history = History(seed)
        await history.play(steps)
        world = history.world
        await world.ask()
        world.later(TRUTH_S)
        await world.reconcile()
        world.later(TRUTH_S)
        findings = await world.reconcile()
        position: Position = world.slot.position

        await world.carry_out(findings)
        assert world.slot.position == position
        await world.restart()
        await world.carry_out(findings)
        assert world.slot.position == position

    asyncio.run(run())


@RUNS
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 12))
def test_books_that_hear_everything_give_no_finding(seed: int, steps: int) -> None:
    """A state that agrees is left alone, at the first look and after a restart."""

    async def run() -> None:
        history = History(seed)
        history.deaf = 0.0
        history.reduce = history.others_rest = history.exit  # type: ignore[method-assign]  # the other moves are left out
        history.restart = history.exit  # type: ignore[method-assign]  # as above
        await history.play(steps)
        world = history.world
        await world.ask()
        world.later(TRUTH_S)

        first = await world.look()
        await world.restart()
        second = await world.look()

        for findings in (first, second):
            assert findings.is_converged
            assert (findings.notices, findings.sightings.first_ms) == ((), {})

    asyncio.run(run())


def test_every_symbol_is_compared_by_itself() -> None:
    """What is wrong in one holds nothing up in another."""

    async def run() -> None:
        world = World()
        await world.opened()
        there = await world.send(world.order(P.ENTRY, symbol="ETHUSDT"))
        world.others_trade("5", symbol="ETHUSDT")
        with world.books.busy(there.order):
            world.others_trade("-1")
            await world.converge()
        assert world.slot.position.is_flat
        assert world.books.slot("ETHUSDT").blocked == ""
        assert world.books.slot(SYMBOL).blocked == ""

    asyncio.run(run())

"""Whatever an exchange does, says and keeps to itself: protected, closing, or about to be."""

import asyncio
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.execution.fickle import FickleExchange, conditional
from tests.support.trading import LONG, SYMBOL, at_price, base, enter_long, intent, percent

from milobot.domain.intents import Aim
from milobot.domain.orders import OrderPurpose, OrderStatus
from milobot.domain.slots import PositionState, Slot, position_state
from milobot.errors import OrderTransitionError
from milobot.execution.engine import EngineConfig, ExecutionEngine
from milobot.execution.protection import next_command, review
from milobot.simulation.clock import ReplayClock
from milobot.storage.memory import MemoryJournal

LOOK_MS, MOST_REQUESTS = 250, 14
RUNS = settings(max_examples=80, deadline=None)
PLANS = (
    enter_long(base("1"), stop=at_price("95"), target=at_price("110")),
    enter_long(base("1"), stop=at_price("95"), trail=percent("2")),
    enter_long(
        base("1"),
        stop=at_price("95"),
        aims=(
            Aim(percent("3"), Decimal("0.5")),
            Aim(percent("5"), Decimal("0.3")),
            Aim(percent("9"), Decimal("0.2")),
        ),
    ),
)
P, S = OrderPurpose, OrderStatus


class Run:
    """An engine on a fickle exchange, and what happens around it."""

    def __init__(self, dice: Random) -> None:
        """Start flat."""
        self.dice = dice
        self.exchange = FickleExchange(dice=dice)
        self.clock = ReplayClock(1_000_000)
        self.engine = ExecutionEngine(
            self.exchange, MemoryJournal(), self.clock, EngineConfig(account="fickle:test")
        )
        self.checked = 0

    @property
    def slot(self) -> Slot:
        """Return the engine's view."""
        return self.engine.slot(SYMBOL)

    async def play(self, steps: int) -> None:
        """Enter and let things happen, checking the laws after each."""
        for number in range(steps):
            if self.slot.is_idle and not self.exchange.unsaid:
                await self.engine.accept(intent(self.dice.choice(PLANS), key=f"k{number}"))
            often = (self.look, self.look, self.tell, self.tell)
            happens = (*often, self.ask, self.trigger, self.move, self.see, self.reduce)
            await self.dice.choice(happens)(number)
            self.check()

    async def calm(self) -> None:
        """Let the exchange be kind from now on; two seconds later all must be well."""
        self.exchange.is_kind = True
        for number in range(7):
            while self.exchange.unsaid:
                await self.tell(number)
            await self.ask(number)
            await self.show()
            await self.look(number)
            self.check()

    async def look(self, number: int) -> None:
        """Let time pass."""
        self.clock.time_ms += LOOK_MS
        await self.engine.look_again(SYMBOL)

    async def tell(self, number: int) -> None:
        """Tell something that was not said yet, in any order, perhaps twice."""
        if self.exchange.unsaid:
            news = self.exchange.unsaid.pop(self.dice.randrange(len(self.exchange.unsaid)))
            try:
                await self.engine.apply(news)
                await self.engine.apply(news)
            except OrderTransitionError:  # two sources disagree: the next question decides
                return

    async def ask(self, number: int) -> None:
        """Ask for what is in doubt."""
        for order in self.slot.orders:
            if order.status in {S.PENDING, S.UNKNOWN, S.CANCEL_PENDING, S.TRIGGERED}:
                await self.engine.apply(self.exchange.story(order))

    async def trigger(self, number: int) -> None:
        """Let the price reach something that rests."""
        waiting = conditional(self.exchange.resting())
        if waiting and self.exchange.held:
            self.exchange.trigger(self.dice.choice(waiting), dies=self.dice.random() < 0.3)

    async def move(self, number: int) -> None:
        """Close a candle."""
        await self.engine.candle_closed(SYMBOL, Decimal(100 + number % 9))

    async def see(self, number: int) -> None:
        """Show the position as it is, whatever was not said yet of how it came about."""
        await self.show()

    async def show(self) -> None:
        """Show the position as it is."""
        await self.engine.position_seen(SYMBOL, LONG, self.exchange.held)

    async def reduce(self, number: int) -> None:
        """Let the owner sell a tenth by hand."""
        part = Decimal("0.1")
        if self.exchange.held > part and self.slot.position.quantity > part:
            self.exchange.reduce_by_hand(part, number)

    def check(self) -> None:
        """Check what holds at every moment."""
        new = self.exchange.placed[self.checked :]
        self.checked = len(self.exchange.placed)
        assert len(new) <= MOST_REQUESTS, "a loop without an end"
        names = [o.client_order_id for o in self.exchange.placed]
        assert len(set(names)) == len(names), "an id was used twice"
        for order in new:
            if order.purpose is not P.ENTRY:
                assert order.reduce_only, "an exit that could open something"
                assert order.quantity <= Decimal(1), "an exit for more than was ever held"
        slot = self.slot
        if slot.held:
            assert self.is_looked_after(slot), slot

    def is_looked_after(self, slot: Slot) -> bool:
        """Return whether a stop rests or may, or the next look does something about it."""
        stops = slot.live(P.STOP)
        if slot.closing or any(o.trigger_price == slot.stop for o in stops):
            return True
        later = review(slot, self.clock.now_ms() + LOOK_MS)
        return next_command(later, account="fickle:test", now_ms=self.clock.now_ms()) is not None


@RUNS
@given(dice=st.randoms(use_true_random=False), steps=st.integers(1, 40))
def test_a_position_is_protected_or_flat_two_seconds_after_the_exchange_is_kind(
    dice: Random, steps: int
) -> None:
    """And no exit beyond what is held, no loop without an end, no id twice on the way there."""

    async def story() -> Run:
        run = Run(dice)
        await run.play(steps)
        await run.calm()
        return run

    run = asyncio.run(story())

    slot, truth = run.slot, run.exchange
    assert position_state(slot) in {PositionState.PROTECTED, PositionState.FLAT}
    assert slot.held == truth.held
    if truth.held:
        resting = [o for o in truth.resting() if o.purpose is P.STOP]
        right = [o for o in resting if o.trigger_price == slot.stop]
        assert any(o.close_position or o.quantity == truth.held for o in right)
        assert len([o for o in resting if o.close_position]) <= 1
        assert len(resting) <= 2
        targets = [o.quantity for o in truth.resting() if o.purpose is P.TARGET]
        assert sum(targets) == (truth.held if slot.setup and slot.setup.levels.targets else 0)
    else:
        assert truth.resting() == []
        assert slot.owner == ""

"""A follower: what a bot does for one set-up, by the life cycle that live signals have."""

from decimal import Decimal

from milobot.domain.intents import DistanceKind, TradeIntent
from milobot.domain.orders import OrderPurpose, OrderUpdate
from milobot.execution.engine import ExecutionEngine
from milobot.signals.audit.attempts import SOURCE, Attempt, arrival_of
from milobot.signals.audit.lanes import Lane
from milobot.signals.audit.pieces import extreme
from milobot.signals.audit.setups import ReadMessage
from milobot.signals.door import SignalState
from milobot.signals.life.happenings import (
    Decided,
    Ended,
    Happening,
    PriceSeen,
    SlotSeen,
    TimePassed,
)
from milobot.signals.life.opening import begin
from milobot.signals.life.plans import SignalTerms
from milobot.signals.life.prices import held_back
from milobot.signals.life.record import Change, ChangeKind, Signal, Wish
from milobot.signals.life.sight import view_of
from milobot.signals.life.steps import step
from milobot.signals.profile import ChannelProfile
from milobot.simulation.clock import ReplayClock
from milobot.simulation.venue import SimulatedVenue
from milobot.storage.memory import MemoryJournal


class Follower:
    """Leads attempts through their life, and has the engine do what they wish for."""

    def __init__(
        self,
        engine: ExecutionEngine,
        venue: SimulatedVenue,
        journal: MemoryJournal,
        clock: ReplayClock,
        *,
        profile: ChannelProfile,
        terms: SignalTerms,
    ) -> None:
        """Trade on one account."""
        self._engine = engine
        self._venue = venue
        self._journal = journal
        self._clock = clock
        self._profile = profile
        self._terms = terms
        self._trips = 0
        self._by_key: dict[str, Attempt] = {}

    async def begin(self, lane: Lane, attempt: Attempt, price: Decimal) -> None:
        """Take a set-up in: its message arrived at once, and this is the first price after it."""
        attempt.first_price = price
        arrival = arrival_of(attempt.setup, self._profile)
        attempt.signal = begin(arrival, self._terms, arrival.posted_ms).signal
        await self._carry_out(lane, attempt)
        await self.see_price(lane, attempt, price)

    async def see_price(self, lane: Lane, attempt: Attempt, price: Decimal) -> None:
        """Show a price to an attempt, until nothing follows from it any more."""
        while attempt.legs:
            before = attempt.signal
            await self._tell(lane, attempt, PriceSeen(price))
            if attempt.signal is None or attempt.signal == before or attempt.is_waiting:
                return

    async def see_time(self, lane: Lane, attempt: Attempt) -> None:
        """Let an attempt know that it has become later."""
        await self._tell(lane, attempt, TimePassed())

    async def say(self, lane: Lane, attempt: Attempt, change: ReadMessage) -> None:
        """Let a later message bear on an attempt."""
        number = str(change.message.number)
        happening = Change(ChangeKind.COMMAND, number, reading=change.reading)
        await self._tell(lane, attempt, happening)

    async def apply(self, lane: Lane, update: OrderUpdate) -> None:
        """Take in a fill, and do what follows from it."""
        holder = lane.holder
        await self._engine.apply(update)
        if holder is not None and update.fills:
            self._note_hit(lane, holder, update)
        await self.look(lane)

    async def look(self, lane: Lane) -> None:
        """Take over what the engine did: whose position is open, and whose is over."""
        for trip in self._journal.round_trips[self._trips :]:
            self._trips += 1
            over, lane.holder = lane.holder, None
            if over is not None:
                over.trip = trip
                await self._tell(lane, over, Ended(has_entered=True, code=trip.exit_reason))
        slot = self._engine.slot(lane.symbol)
        if slot.position.is_flat or slot.setup is None:
            return
        holder = lane.holder = self._by_key[slot.setup.intent.key]
        await self._tell(lane, holder, SlotSeen(view_of(slot)))

    async def _tell(self, lane: Lane, attempt: Attempt, happening: Happening) -> None:
        if attempt.signal is not None:
            now_ms = self._clock.now_ms()
            attempt.signal = step(attempt.signal, happening, self._terms, now_ms).signal
            await self._carry_out(lane, attempt)

    async def _carry_out(self, lane: Lane, attempt: Attempt) -> None:
        """Ask the engine for what an attempt wishes, one after the other."""
        while attempt.signal is not None and attempt.signal.outbox:
            wish = attempt.signal.outbox[0]
            price = self._venue.book(lane.symbol).last_price
            # A bot would have asked at once; that candles come late is no delay of its own.
            answer = held_back(attempt.signal, wish, price, wish.due_ms)
            happening = answer or await self._asked(lane, attempt, wish, price)
            attempt.signal = step(
                attempt.signal, happening, self._terms, self._clock.now_ms()
            ).signal
            await self.look(lane)
            self._end_unfilled(lane, attempt)

    async def _asked(self, lane: Lane, attempt: Attempt, wish: Wish, price: Decimal) -> Decided:
        self._by_key[wish.key] = attempt
        intent = TradeIntent(
            key=wish.key,
            owner=SOURCE,
            symbol=lane.symbol,
            time_ms=attempt.time_ms,
            action=wish.action,
            reference_price=price if wish.reference is None else wish.reference,
            due_ms=wish.due_ms,
        )
        decision = await self._engine.accept(intent)
        return Decided(wish.key, decision.outcome, decision.code, decision.reason)

    def _end_unfilled(self, lane: Lane, attempt: Attempt) -> None:
        """End an attempt whose entry the venue has refused after the engine's gates let it pass."""
        signal = attempt.signal
        if signal is None or signal.state is not SignalState.ENTERING or signal.outbox:
            return
        if self._engine.slot(lane.symbol).is_idle:
            over = Ended(has_entered=False, code="not_filled")
            attempt.signal = step(signal, over, self._terms, self._clock.now_ms()).signal

    def _note_hit(self, lane: Lane, holder: Attempt, update: OrderUpdate) -> None:
        """Note a target that was reached, or a candle that leaves open which level came first."""
        if holder.signal is None:
            return
        levels, sign = target_prices(holder.signal), holder.setup.plan.side.sign
        order = self._journal.latest.get(update.client_order_id)
        purpose = self._journal.purposes.get(update.client_order_id)
        if purpose is OrderPurpose.TARGET and order is not None and order.trigger_price and levels:
            trigger = order.trigger_price
            holder.hits.add(min(levels, key=lambda price: abs(price - trigger)))
        elif purpose is OrderPurpose.STOP:
            best = extreme(lane.bar_now(self._clock.time_ms), sign)
            left = [price for price in levels if price not in holder.hits]
            holder.is_in_doubt |= bool(left) and (best - left[0]) * sign >= 0


def target_prices(signal: Signal) -> list[Decimal]:
    """Return the targets of a signal as it stands, nearest first."""
    aims = signal.plan.aims if signal.plan else ()
    return [a.distance.value for a in aims if a.distance.kind is DistanceKind.PRICE]

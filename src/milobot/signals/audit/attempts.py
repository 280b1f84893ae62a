"""An attempt: one set-up on its way over the candles, and what came of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from milobot.domain.round_trips import RoundTrip
from milobot.signals.audit.setups import ReadMessage, SetUp
from milobot.signals.door import SignalState
from milobot.signals.life.opening import Arrival
from milobot.signals.life.plans import stop_price
from milobot.signals.life.record import Leg, LegState, Signal, Trigger
from milobot.signals.life.wishes import first_target
from milobot.signals.profile import ChannelProfile

# Where live signals of a channel come from: its set-ups count as repeated within a window.
SOURCE = "telegram:audit"


@dataclass(slots=True)
class Attempt:
    """One set-up while it is played.

    Attributes:
        start: Candle at whose open a follower can act first.
        signal: As it stands; None before it has begun.
        first_price: Open of the candle ``start``.
        next_change: Place of the next message that concerns it.
        hits: Prices of the targets that were reached while it was held.
        is_in_doubt: One candle reached its stop and its next target: taken as the stop.
        is_cut_off: The candles end before anything became of it.
    """

    setup: SetUp
    start: int
    signal: Signal | None = None
    first_price: Decimal = Decimal(0)
    next_change: int = 0
    hits: set[Decimal] = field(default_factory=set)
    is_in_doubt: bool = False
    is_cut_off: bool = False
    trip: RoundTrip | None = None

    @property
    def time_ms(self) -> int:
        """Return when it was posted."""
        return self.setup.message.time_ms or 0

    @property
    def is_live(self) -> bool:
        """Return whether anything can become of it any more."""
        return not self.is_cut_off and (self.signal is None or not self.signal.state.is_final)

    @property
    def is_waiting(self) -> bool:
        """Return whether its entry is not reached."""
        return self.signal is not None and self.signal.state is SignalState.WAITING

    @property
    def pending(self) -> ReadMessage | None:
        """Return the next message about it that has not been acted on; None for no more."""
        changes = self.setup.changes
        return changes[self.next_change] if self.next_change < len(changes) else None

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Return the legs that wait for a price."""
        signal = self.signal
        if signal is None or signal.plan is None or not signal.waits_for_price:
            return ()
        return signal.plan.legs_in(LegState.WAITING)

    def times(self) -> Iterator[int]:
        """Yield when something is due whatever the price does."""
        if (change := self.pending) is not None:
            yield change.message.time_ms or 0
        if self.legs and self.signal is not None and self.signal.plan is not None:
            yield self.signal.plan.expires_ms

    def levels(self) -> Iterator[tuple[Decimal, bool]]:
        """Yield the prices at which something happens, each with whether it is met falling."""
        for leg in self.legs:
            if leg.price is not None:
                yield leg.price, leg.trigger is Trigger.FALL
        plan = self.signal.plan if self.signal else None
        if plan is None or not self.is_waiting:
            return
        is_long = plan.side.sign > 0
        stop, target = stop_price(plan), first_target(plan)
        if stop is not None:
            yield stop, is_long
        if target is not None:
            yield target, not is_long


def arrival_of(setup: SetUp, profile: ChannelProfile) -> Arrival:
    """Return the set-up as the inbox of a bot would have taken it in, at once."""
    message = setup.message
    return Arrival(SOURCE, str(message.number), message.time_ms or 0, 0, setup.reading, profile)

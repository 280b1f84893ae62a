"""A signal as it stands: its plan, what it has wished for, and what waits to be told to it."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from milobot.domain.intents import (
    Aim,
    ChangeTargets,
    Close,
    Distance,
    Enter,
    MoveStop,
    PositionSide,
    Reduce,
    Size,
)
from milobot.signals.door import SignalState
from milobot.signals.reading import SignalReading


class Trigger(StrEnum):
    """What has to happen before a leg enters."""

    NOW = "now"
    FALL = "fall"
    """The last price is at the leg's price or below."""
    RISE = "rise"
    """The last price is at the leg's price or above."""


class LegState(StrEnum):
    """Where a leg stands."""

    WAITING = "waiting"
    SENT = "sent"
    """Wished for; what was decided is not known yet."""
    TAKEN = "taken"
    """The engine has accepted it."""
    GONE = "gone"
    """Denied, cancelled or expired."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One of the entries of a set-up.

    Attributes:
        number: Place in the set-up, from 1; part of the key of its intent.
        share: Fraction of the size.
        price: What the trigger looks at; for NOW the price that the message names, if any.
        reference: What its size is measured from; None for the last price at its entry.
    """

    number: int
    trigger: Trigger
    share: Decimal
    price: Decimal | None = None
    reference: Decimal | None = None
    state: LegState = LegState.WAITING


@dataclass(frozen=True, slots=True)
class Plan:
    """What a set-up wants, worked out once.

    Attributes:
        reference: What levels are measured from: the quantity-weighted mean of the entries, the
            middle of a zone; None for the last price at the moment of the entry.
        stop: A price wherever it is known ahead; None for the default stop.
        is_net: A plain order: what opposes the position reduces it first.
        is_bounded: Whether ``max_drift`` holds: for entries at the market and breakouts.
        expires_ms: When legs that still wait are given up.
        max_age_ms: How old the message may be for an entry at the market.
        break_even_after: Number of the target after which the stop goes to entry; 0 for none.
        version: Version of the message that it comes from.
    """

    symbol: str
    side: PositionSide
    legs: tuple[Leg, ...]
    size: Size
    leverage: int
    reference: Decimal | None
    stop: Distance | None
    aims: tuple[Aim, ...]
    expires_ms: int
    max_age_ms: int
    max_drift: Decimal
    is_net: bool = False
    is_bounded: bool = False
    break_even_after: int = 0
    version: int = 0

    def with_leg(self, leg: Leg) -> "Plan":
        """Return the plan with a leg in place of the one with its number."""
        legs = tuple(leg if other.number == leg.number else other for other in self.legs)
        return replace(self, legs=legs)

    def legs_in(self, state: LegState) -> tuple[Leg, ...]:
        """Return the legs that stand there."""
        return tuple(leg for leg in self.legs if leg.state is state)

    def without_waiting(self) -> "Plan":
        """Return the plan with nothing that still waits."""
        legs = tuple(
            replace(leg, state=LegState.GONE) if leg.state is LegState.WAITING else leg
            for leg in self.legs
        )
        return replace(self, legs=legs)


@dataclass(frozen=True, slots=True)
class Wish:
    """An intent that the engine is still to be asked for, or has not answered yet.

    Attributes:
        key: Key of the intent: the same after every crash.
        reference: Price that it is measured from; None for the last price.
        due_ms: When it was to be carried out.
        leg: Number of the leg that it enters; 0 for what is no entry.
        is_withdrawn: Not to be sent any more, unless the engine knows it already.
    """

    key: str
    action: Close | Enter | Reduce | MoveStop | ChangeTargets
    reference: Decimal | None
    due_ms: int
    leg: int = 0
    is_withdrawn: bool = False


class ChangeKind(StrEnum):
    """What a later message does to a signal."""

    EDIT = "edited"
    DELETE = "deleted"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Change:
    """A new version, a deletion or a command, as it bears on a signal.

    Attributes:
        message_id: Message that says so: for a command the reply.
        version: Of that message.
        reading: What it says; None for a deletion.
        plan: Of a new version that is a set-up.
    """

    kind: ChangeKind
    message_id: str
    version: int = 0
    reading: SignalReading | None = None
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A message that wants to trade.

    Attributes:
        code: Reason code of a state that needs one.
        reason: The same as a sentence.
        outbox: What the engine has to be asked, in this order.
        keys: Keys of all intents that it has led to.
        entry_keys: Those of entries that the engine has accepted.
        later: Changes that came while an order was on its way; they are looked at afterwards.
        is_far_checked: Whether the entry was found to be near the market.
        targets_hit: How many targets have filled.
        opened_ms: When its position was first seen; 0 before.
    """

    source: str
    message_id: str
    posted_ms: int
    version: int
    state: SignalState
    code: str = ""
    reason: str = ""
    plan: Plan | None = None
    outbox: tuple[Wish, ...] = ()
    keys: tuple[str, ...] = ()
    entry_keys: tuple[str, ...] = ()
    later: tuple[Change, ...] = ()
    is_far_checked: bool = False
    targets_hit: int = 0
    opened_ms: int = 0

    @property
    def symbol(self) -> str:
        """Return the symbol that it trades; empty without a plan."""
        return self.plan.symbol if self.plan else ""

    @property
    def waits_for_price(self) -> bool:
        """Return whether a leg waits for the price to come."""
        if self.plan is None or self.state.is_final or self.state is SignalState.ENTERING:
            return False
        return bool(self.plan.legs_in(LegState.WAITING))

    def wish(self, key: str) -> Wish | None:
        """Return the wish with a key, while it is in the outbox."""
        return next((wish for wish in self.outbox if wish.key == key), None)

    def with_wishes(self, *wishes: Wish) -> "Signal":
        """Return the signal with more to ask for; a key that was used is not used again."""
        fresh = tuple(wish for wish in wishes if wish.key not in self.keys)
        return replace(
            self,
            outbox=self.outbox + fresh,
            keys=self.keys + tuple(wish.key for wish in fresh),
        )

    def without_wish(self, key: str) -> "Signal":
        """Return the signal with a wish answered."""
        return replace(self, outbox=tuple(wish for wish in self.outbox if wish.key != key))

    def without_entries(self) -> "Signal":
        """Return the signal with no further entry: none waits, and what was not sent is taken back."""
        outbox = tuple(
            replace(wish, is_withdrawn=wish.is_withdrawn or wish.leg > 0) for wish in self.outbox
        )
        return replace(self, plan=self.plan and self.plan.without_waiting(), outbox=outbox)


def intent_key(source: str, *parts: str) -> str:
    """Return the key of an intent: the parts cannot run into each other.

    >>> intent_key("http:default", "a|b", "1")
    'http:default|a%7Cb|1'
    """
    return "|".join((source, *(part.replace("%", "%25").replace("|", "%7C") for part in parts)))

"""What somebody wants done: sizes, distances, actions and the intent that carries them."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """Side of an order."""

    BUY = "BUY"
    SELL = "SELL"


class PositionSide(StrEnum):
    """Direction of a position."""

    LONG = "LONG"
    SHORT = "SHORT"

    @property
    def sign(self) -> int:
        """Return +1 for long, -1 for short."""
        return 1 if self is PositionSide.LONG else -1

    @property
    def opposite(self) -> "PositionSide":
        """Return the other direction."""
        return PositionSide.SHORT if self is PositionSide.LONG else PositionSide.LONG

    @property
    def entry(self) -> Side:
        """Return the side of an order that opens such a position."""
        return Side.BUY if self is PositionSide.LONG else Side.SELL

    @property
    def exit(self) -> Side:
        """Return the side of an order that reduces such a position."""
        return Side.SELL if self is PositionSide.LONG else Side.BUY


class SizeKind(StrEnum):
    """How the size of an entry is stated."""

    RISK = "%risk"
    EQUITY = "%equity"
    QUOTE = "usdt"
    BASE = "base"


@dataclass(frozen=True, slots=True)
class Size:
    """Size of an entry.

    Attributes:
        value: Fraction of equity for RISK (lost at the stop) and EQUITY (notional),
            USDT notional for QUOTE, base asset for BASE.
    """

    kind: SizeKind
    value: Decimal


class DistanceKind(StrEnum):
    """How the distance of a level is stated."""

    PERCENT = "%"
    ATR = "atr"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class Distance:
    """Distance of a level from the reference price.

    Attributes:
        value: Fraction of the reference for PERCENT, multiple of ATR(14) at the
            deciding candle for ATR, the level itself for PRICE.
    """

    kind: DistanceKind
    value: Decimal


@dataclass(frozen=True, slots=True)
class Aim:
    """One of several targets.

    Attributes:
        share: Fraction of the position that is taken there.
    """

    distance: Distance
    share: Decimal


@dataclass(frozen=True, slots=True)
class DoNothing:
    """Leave everything as it is."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the position in the slot, if there is one."""


@dataclass(frozen=True, slots=True)
class Enter:
    """Open a position.

    Attributes:
        leverage: Whole number; 1 where the action names none.
        stop: Distance of the stop; None means the default stop, unless ``unprotected``.
        unprotected: ``sl=none`` was said; allowed only by setting.
        target: Distance of the target, when stated as such.
        reward_ratio: Target as a multiple of the stop distance, when stated as ``rr``.
        aims: Several targets, in place of one; the furthest takes what the others leave.
        trail: Distance that the stop keeps from the best close; PERCENT or ATR.
        break_even: Multiple of the stop distance at which the stop moves to zero net.
        is_net: A plain order: what opposes the position reduces it first, and only what it
            has beyond that enters.
        adds_to: Key of the intent whose position this enlarges; its levels stay. Empty for a
            position of its own.
    """

    side: PositionSide
    size: Size
    leverage: int = 1
    stop: Distance | None = None
    unprotected: bool = False
    target: Distance | None = None
    reward_ratio: Decimal | None = None
    trail: Distance | None = None
    break_even: Decimal | None = None
    aims: tuple[Aim, ...] = ()
    is_net: bool = False
    adds_to: str = ""


@dataclass(frozen=True, slots=True)
class Reduce:
    """Take a part off the position by one market order; exactly one of both is named.

    Attributes:
        share: Fraction of what is held at the moment of the decision, above 0 and below 1.
        quantity: In the base asset.
    """

    share: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MoveStop:
    """Move the stop, never to a larger risk.

    Attributes:
        price: Where to; None for where gain and fees of both sides are even.
    """

    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ChangeTargets:
    """Replace the targets of a position, and its stop where one is named.

    Attributes:
        aims: The new ones, as prices; none takes the targets away. Shares are of what was
            entered, as in ``Enter.aims``; what targets have taken already counts.
        stop: Where the stop has to rest from now on; None leaves it where it is.
    """

    aims: tuple[Aim, ...]
    stop: Decimal | None = None


Action = DoNothing | Close | Enter
Change = Reduce | MoveStop | ChangeTargets


@dataclass(frozen=True, slots=True)
class TradeIntent:
    """One wish to trade, from a script's candle or a signal; it leads to at most one entry.

    Attributes:
        key: Identity of the wish: the same key is the same intent, however often it arrives.
        owner: Who owns the slot: a script session, a channel, an HTTP source.
        time_ms: Open time of the deciding candle, or the time of the signal.
        reference_price: Close of the deciding candle, or the signal's own price; every
            level is measured from it.
        atr: ATR(14) at the deciding candle, in price units; None when not known.
        due_ms: When it was to be carried out: the end of the deciding candle; 0 for ``time_ms``.
    """

    key: str
    owner: str
    symbol: str
    time_ms: int
    action: Close | Enter | Change
    reference_price: Decimal
    atr: Decimal | None = None
    due_ms: int = 0

    @property
    def entry(self) -> Enter:
        """Return the entry that is wished for.

        Raises:
            TypeError: The intent is none: whoever asks must have handled that before.
        """
        if not isinstance(self.action, Enter):
            raise TypeError(f"{self.action} is not an entry")
        return self.action

"""What a message says: one frozen reading, with the words that each field came from."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from milobot.domain.intents import PositionSide, Side, Size
from milobot.domain.reports import MarginMode


class ReadingKind(StrEnum):
    """What a message is."""

    ORDER = "order"
    """The strict form: side, symbol, quantity."""
    SETUP = "setup"
    CLOSE = "close"
    MOVE_STOP = "move_stop"
    CANCEL = "cancel"
    CHANGE = "change"
    """New targets, or new targets and stop."""
    NOT_A_SIGNAL = "not_a_signal"
    REFUSED = "refused"


class EntryKind(StrEnum):
    """How a set-up enters."""

    MARKET = "market"
    LIMIT = "limit"
    ZONE = "zone"
    """Anywhere between two prices."""
    LADDER = "ladder"
    """An order at each price."""
    BREAKOUT = "breakout"
    """Only once the price has passed: above for a long, below for a short."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where in the message a field was read.

    Attributes:
        field: Name of the field, such as ``stop``.
        start: First character, counted from 0.
        end: Character after the last.
    """

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a set-up enters.

    Attributes:
        prices: In the order of the message; for MARKET the price that was named, if any.
        shares: Fraction of the quantity at each price; empty when the message names none.
        is_at_market: The message says now, or at market, beside the prices.
    """

    kind: EntryKind
    prices: tuple[Decimal, ...] = ()
    shares: tuple[Decimal, ...] = ()
    is_at_market: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the loss ends: a price, or a fraction of the entry price.

    Attributes:
        is_on_close: The message lets a candle close beyond it first; the price is the same.
    """

    price: Decimal | None = None
    fraction: Decimal | None = None
    is_on_close: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where profit is taken.

    Attributes:
        share: Fraction of the position; None when the message does not say.
    """

    price: Decimal
    share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SignalReading:
    """One message, read.

    Attributes:
        text: The message as it came.
        code: Why it is refused or no signal; empty otherwise.
        reason: The same as a sentence for people.
        symbol: Such as BTCUSDT; None where a reply leaves it to the message it answers.
        side: Side of an ORDER.
        quantity: Base asset of an ORDER.
        position_side: Direction of a SETUP, stated or implied.
        is_side_implied: No word said so; stop and targets leave no other direction.
        entry: Of a SETUP.
        targets: Of a SETUP, nearest first; the new ones of a CHANGE.
        stop: Of a SETUP; the new one of MOVE_STOP or CHANGE.
        leverage: The lower end of a range.
        size: Risk, share of the account, or amount, as far as the message names one.
        share: Fraction of the position to CLOSE.
        is_everything: CLOSE or CANCEL means all that this source holds.
        is_to_entry: The stop goes to the entry price (MOVE_STOP, or along with CLOSE).
        spans: Where each field was read, in the order of the message.
    """

    text: str
    kind: ReadingKind
    code: str = ""
    reason: str = ""
    symbol: str | None = None
    side: Side | None = None
    quantity: Decimal | None = None
    position_side: PositionSide | None = None
    is_side_implied: bool = False
    entry: Entry | None = None
    targets: tuple[Target, ...] = ()
    stop: Stop | None = None
    leverage: int | None = None
    margin_mode: MarginMode | None = None
    size: Size | None = None
    share: Decimal | None = None
    is_everything: bool = False
    is_to_entry: bool = False
    spans: tuple[Span, ...] = ()

"""What happens to a signal, and the lines of its history that tell so."""

from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.decisions import Outcome
from milobot.signals.door import SignalState
from milobot.signals.life.record import Change, Signal


@dataclass(frozen=True, slots=True)
class PriceSeen:
    """The last price of the symbol."""

    price: Decimal


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing but that it has become later."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The engine has answered a wish."""

    key: str
    outcome: Outcome
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The engine was not asked, and never will be under this key.

    Attributes:
        is_withdrawn: Because it was taken back; otherwise it is refused for the code.
    """

    key: str
    code: str
    reason: str
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class SlotView:
    """What a signal wants to know of the slot of its symbol.

    Attributes:
        keys: Intents whose position, entry or turn the slot is for.
        on_its_way: Intents of which an order may still fill.
        held: What is open, in the base asset.
        entry_price: Mean price of the entry; None before one.
        exit_quantity: What has been closed of the position so far.
        targets_hit: How many of its targets have filled.
    """

    keys: frozenset[str] = frozenset()
    on_its_way: frozenset[str] = frozenset()
    held: Decimal = Decimal(0)
    entry_price: Decimal | None = None
    exit_quantity: Decimal = Decimal(0)
    targets_hit: int = 0


@dataclass(frozen=True, slots=True)
class SlotSeen:
    """The slot of the symbol was looked at."""

    view: SlotView


@dataclass(frozen=True, slots=True)
class Ended:
    """The slot holds nothing of the signal any more.

    Attributes:
        has_entered: Whether an entry of it has filled.
        has_reduced: Whether its orders have closed something that another signal opened.
        code: Why it is over: ``target``, ``stop`` ..., or why nothing filled.
        sentence: The same for people.
    """

    has_entered: bool
    has_reduced: bool = False
    code: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Looking after the signal went wrong in a way that nobody foresaw."""

    sentence: str


Happening = PriceSeen | TimePassed | Decided | NotSent | SlotSeen | Ended | Failed | Change


@dataclass(frozen=True, slots=True)
class Note:
    """One line of a signal's history, before it has a time.

    Attributes:
        kind: See ``SignalEvent.kind``.
        state: What it led to.
    """

    kind: str
    state: SignalState
    code: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Stepped:
    """A signal after something has happened to it.

    Attributes:
        notes: What goes into its history; empty when nothing has changed.
        refusal: Why a change was not carried out; None when it was.
    """

    signal: Signal
    notes: tuple[Note, ...] = ()
    refusal: Note | None = None

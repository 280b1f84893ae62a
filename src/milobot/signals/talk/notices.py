"""Notices: what people are told of, one line each, and which of it they want."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from milobot.domain.money import ZERO
from milobot.signals.talk import plain


class NoticeKind(StrEnum):
    """What a notice is about, most urgent first; words of the setting ``NOTIFY``."""

    PROTECTION = "protection"
    """A position without its stop, a liquidation."""
    GOVERNOR = "governor"
    """Entries are halted, or pass again."""
    DRIFT = "drift"
    """Records and exchange differ; something is there that is not ours."""
    LEDGER = "ledger"
    """The database takes nothing, or again."""
    CONNECTION = "connection"
    """An exchange is out of reach or back; who leads the account."""
    RESULTS = "results"
    """A position is closed, with what came of it."""
    EXITS = "exits"
    """A stop or a target was hit."""
    ENTRIES = "entries"
    """An entry was filled."""
    SIGNALS = "signals"
    """What became of signals, and what scripts have decided to do."""
    REFUSALS = "refusals"
    """What was not traded, and why."""
    SCRIPTS = "scripts"
    """A script has failed."""

    @property
    def is_urgent(self) -> bool:
        """Return whether it is told at once, and never left out to tell something else."""
        return self in URGENT

    @property
    def rank(self) -> int:
        """Return how urgent it is: 0 is the most."""
        return _RANKS[self]


URGENT = frozenset({NoticeKind.PROTECTION, NoticeKind.GOVERNOR})
_RANKS = {kind: rank for rank, kind in enumerate(NoticeKind)}
EVERYTHING = frozenset(NoticeKind)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell.

    Attributes:
        about: Symbol it concerns, or account, or both; empty for everything.
        text: One line of plain text, without what it is about; for fills what goes before
            the quantity.
        time_ms: When it happened.
        quantity: Sum of the fills in the base asset; 0 for other notices.
        cost: Sum of their quantity times price, in USDT.
        times: How often the same happened.
    """

    kind: NoticeKind
    about: str
    text: str
    time_ms: int
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    times: int = 1

    @property
    def key(self) -> tuple[NoticeKind, str, str]:
        """Return what it has in common with notices that are told together with it."""
        return (self.kind, self.about, self.text)

    @property
    def line(self) -> str:
        """Return it as it is told."""
        if self.quantity:
            average = plain.price(self.cost / self.quantity)
            return f"{self.text} {plain.quantity(self.quantity)} at {average}"
        return self.text if self.times == 1 else f"{self.text} ({self.times} times)"

    def joined(self, later: "Notice") -> "Notice":
        """Return this and a later one of the same key as one."""
        return replace(
            self,
            time_ms=max(self.time_ms, later.time_ms),
            quantity=self.quantity + later.quantity,
            cost=self.cost + later.cost,
            times=self.times + later.times,
        )


def parse_kinds(text: str) -> frozenset[NoticeKind]:
    """Return the kinds that a setting such as ``entries, exits`` names.

    ``all`` is every kind, ``none`` is no notice at all. What is urgent comes with any choice.

    Raises:
        ValueError: A word is no kind.
    """
    words = {word.strip().lower() for word in text.split(",") if word.strip()}
    if words == {"none"}:
        return frozenset()
    if "all" in words:
        words = words - {"all"} | {kind.value for kind in NoticeKind}
    return frozenset(NoticeKind(word) for word in words) | URGENT

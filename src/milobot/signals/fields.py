"""Fields of a message: a label, or what stands for one, and the numbers that follow it."""

from dataclasses import dataclass, field
from decimal import Decimal

from milobot.signals.elements import Unit
from milobot.signals.vocabulary import Meaning


@dataclass(slots=True)
class Level:
    """A number in a section.

    Attributes:
        value: None when it cannot be read for certain.
        percents: Per cents that stand behind it: its share, or its distance.
        index: The place that was written before it: ``2)``; None when there was none.
        text: Its digits as they were written.
        depth: How many brackets it stands in.
        is_loose: Its index stands apart from the label and could be a price: ``TP 1 - 1.5``.
    """

    value: Decimal | None
    unit: Unit
    start: int
    end: int
    percents: list[Decimal] = field(default_factory=list)
    index: int | None = None
    text: str = ""
    is_loose: bool = False
    depth: int = 0


@dataclass(slots=True)
class Section:
    """A label, or a direction or a name that stands for one, and the numbers that follow it.

    Attributes:
        side: The direction or trade word that opened it; None for a label or a name.
        is_named: A label, a name or a direction stands here; False for numbers alone.
        words_before: Unknown words between the label and its first number.
        doubts: Prices that stand so near that they may belong here, or not.
    """

    meaning: Meaning
    start: int
    end: int
    side: Meaning | None = None
    levels: list[Level] = field(default_factory=list)
    text: str = ""
    words_before: int = 0
    words_after: int = 0
    doubts: list[Decimal] = field(default_factory=list)
    has_mark: bool = False
    is_market: bool = False
    is_below: bool = False
    is_above: bool = False
    is_on_close: bool = False
    is_none: bool = False
    is_ticked: bool = False
    is_stale: bool = False

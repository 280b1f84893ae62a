"""Positions that an account's news tells of: compared with ours once nothing explains them.

Pure bookkeeping: what is told goes in, and what to do about it comes out at each look.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.domain.intents import PositionSide
from milobot.domain.orders import OrderPurpose
from milobot.domain.positions import Position
from milobot.domain.reports import PositionNews, PositionReport
from milobot.domain.slots import Slot
from milobot.execution.ledger import closes_all

# A position is often told a moment before the fill that explains it.
_EXPLAINED_WITHIN_MS = 150
# Where a stop can come with its entry, fills are not told but listed. A position that has such a
# stop does not lie open; one that is closed may await the listing that many others ask for too.
_ATTACHED_WITHIN_MS = 500
_CLOSED_WITHIN_MS = 1_000


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What was told of a position and differs from ours.

    Attributes:
        is_new: Whether nobody has compared the account for it yet.
        side: Direction of what an entry in doubt seems to have filled; None for nothing.
        quantity: How much is held.
        since_ms: When it was heard; None when it only counts from now on.
    """

    is_new: bool
    side: PositionSide | None = None
    quantity: Decimal = Decimal(0)
    since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    position: PositionNews | PositionReport
    told_ms: int
    heard_ms: int
    # What our books said when the account was compared for it; None before.
    ours: Position | None = None


class ToldPositions:
    """What was told last of each symbol's position, for as long as it may matter."""

    def __init__(self) -> None:
        """Start with nothing told."""
        self._told: dict[str, _Told] = {}

    def keep(self, position: PositionNews | PositionReport, told_ms: int, now_ms: int) -> None:
        """Keep what was told; older news, and the same once more, change nothing."""
        known = self._told.get(position.symbol)
        if known is None or told_ms > known.told_ms:
            self._told[position.symbol] = _Told(position, told_ms, now_ms)

    def look(self, slot: Slot, now_ms: int) -> Unexplained | None:
        """Return what stays unexplained of a symbol's position, if it has to be acted on now.

        An entry in doubt seems to be filled: its stop does not wait for the proof. While a stop
        rests that closes whatever is open, there is no haste; but that stop may end without
        having closed anything, and then nothing else may ever tell of what it has left.
        """
        told = self._told.get(slot.symbol)
        if told is None or (told.ours is None and self._waits(told, slot, now_ms)):
            return None
        del self._told[slot.symbol]
        is_new = told.ours is None
        if not is_new and told.ours != slot.position:
            return None  # fills have come since: what was told is of another moment
        # News of a position before the entry was made tells of another one.
        entries = (o for o in slot.live(OrderPurpose.ENTRY) if o.created_ms <= told.told_ms)
        if told.position.side is None or not any(entries):
            return Unexplained(is_new) if is_new else None
        if closes_all(slot):
            self._told[slot.symbol] = replace(told, ours=slot.position)
            return Unexplained(is_new) if is_new else None
        since_ms = told.heard_ms if is_new else None
        return Unexplained(is_new, told.position.side, told.position.quantity, since_ms)

    def _waits(self, told: _Told, slot: Slot, now_ms: int) -> bool:
        """Return whether nothing has to be done yet, or ever."""
        is_ours = told.position.side in {None, slot.position.side}
        if is_ours and slot.position.quantity == told.position.quantity:
            del self._told[slot.symbol]
            return True
        return now_ms - told.heard_ms <= _within_ms(told.position, slot)


def _within_ms(position: PositionNews | PositionReport, slot: Slot) -> int:
    """Return how long a position that differs from ours may await what explains it."""
    if not slot.attached:
        return _EXPLAINED_WITHIN_MS
    return _CLOSED_WITHIN_MS if position.side is None else _ATTACHED_WITHIN_MS

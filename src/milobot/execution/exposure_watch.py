"""Who is told when a position stays without a stop, and when it has one again."""

from dataclasses import dataclass, field

from milobot.domain.alerts import Alert, AlertKind
from milobot.domain.orders import Refusal
from milobot.domain.slots import Slot

PROMISED_WITHIN_MS = 2_000


@dataclass(slots=True)
class ExposureWatch:
    """Remembers what was told, so that each trouble is told once, and its end too."""

    _told: dict[str, str] = field(default_factory=dict)

    def look(self, slot: Slot, now_ms: int) -> Alert | None:
        """Return what a person should know about a slot now that was not told yet."""
        trouble = _trouble(slot, now_ms)
        told = self._told.get(slot.symbol)
        if trouble == told:
            return None
        if trouble:
            self._told[slot.symbol] = trouble
            return Alert(AlertKind.UNPROTECTED, slot.symbol, trouble, now_ms)
        del self._told[slot.symbol]
        state = "is flat" if not slot.held else "has its stop again"
        sentence = f"{slot.symbol} {state}"
        return Alert(AlertKind.UNPROTECTED, slot.symbol, sentence, now_ms, is_over=True)


def _trouble(slot: Slot, now_ms: int) -> str | None:
    """Return why a position is in danger, as a sentence; None when it is not."""
    since_ms = slot.exposed_since_ms
    if since_ms is None or slot.stop is None or now_ms - since_ms <= PROMISED_WITHIN_MS:
        return None
    if Refusal.SYMBOL_NOT_TRADING in slot.hindrances:
        return (
            f"{slot.symbol} is not traded now and its position has no stop: both a stop and a"
            " close are tried again and again; look at the exchange"
        )
    return (
        f"{slot.symbol} has been without a resting stop for more than 2 s: it is being closed,"
        " and tried again until that is done"
    )

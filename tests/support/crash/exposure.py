"""What the exchange itself knows about protection: when positions were open without a stop."""

from dataclasses import dataclass, field

from milobot.domain.intents import Side
from milobot.domain.money import ZERO
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.events import AccountEvent
from milobot.local_exchange.core.orders import TriggerKind
from milobot.local_exchange.core.venue import Venue


@dataclass(frozen=True, slots=True)
class Exposure:
    """A time during which a position was open without a resting stop for all of it.

    Attributes:
        end_ms: None when it lasted until the end.
    """

    symbol: str
    start_ms: int
    end_ms: int | None = None


@dataclass(slots=True)
class ExposureWatch:
    """Listens to an exchange's events and keeps the exposures, by the exchange's clock."""

    venue: Venue
    found: list[Exposure] = field(default_factory=list)
    _since: dict[str, int] = field(default_factory=dict)

    def start(self) -> None:
        """Listen from now on."""
        self.venue.listeners.append(self._look)

    def all(self) -> list[Exposure]:
        """Return the exposures so far, those that still last included."""
        lasting = [Exposure(symbol, since) for symbol, since in self._since.items()]
        return [e for e in self.found if e.end_ms != e.start_ms] + lasting

    def _look(self, account: Account, event: AccountEvent) -> None:
        now_ms = self.venue.clock.now_ms()
        for symbol in account.books:
            is_exposed = not is_protected(account, symbol)
            if is_exposed and symbol not in self._since:
                self._since[symbol] = now_ms
            elif not is_exposed and symbol in self._since:
                self.found.append(Exposure(symbol, self._since.pop(symbol), now_ms))


def is_protected(account: Account, symbol: str) -> bool:
    """Return whether nothing is open, or stops rest that close all of it."""
    held = account.books[symbol].position
    if held.is_flat:
        return True
    exit_side: Side = held.side.exit
    stops = [
        c
        for c in account.open_conditionals
        if c.ticket.symbol == symbol
        and c.ticket.side is exit_side
        and c.trigger.kind is TriggerKind.STOP
    ]
    resting = sum((c.quantity or ZERO for c in stops), ZERO)
    return any(c.ticket.close_position for c in stops) or resting >= held.quantity

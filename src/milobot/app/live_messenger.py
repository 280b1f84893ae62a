"""Who listens and talks beside a live run.

Nothing of it may touch trading: whatever fails here is said, and begun anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from milobot.app.live_shows import LiveShow
from milobot.domain.alerts import Alert
from milobot.signals.door import SignalDoor
from milobot.signals.telegram.figures import ListenerState
from milobot.storage.ledger import Ledger

Tell = Callable[[Alert], None]


class Messenger(Protocol):
    """Who listens and talks beside a run."""

    @property
    def listener(self) -> ListenerState | None:
        """Return where the listener stands; None where nobody listens."""
        ...

    def beside(self, show: LiveShow, account: str, holder: str) -> LiveShow:
        """Return a show of an account of which people are told, too."""
        ...

    async def run(self) -> None:
        """Listen and talk until cancelled."""
        ...


class NoMessenger:
    """Nobody is listened to, and nobody is told anything."""

    @property
    def listener(self) -> ListenerState | None:
        """Return None: nobody listens."""
        return None

    def beside(self, show: LiveShow, account: str, holder: str) -> LiveShow:
        """Return the show as it is."""
        del account, holder
        return show

    async def run(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a messenger is put beside.

    Attributes:
        ledger: Where cursors are kept and answers come from.
        accounts: Names of those that the run trades.
        door: Where messages are handed in.
        takes_signals: Whether any are traded.
        price_of: Prices for the gains of open positions.
        tell: Takes alerts.
    """

    ledger: Ledger
    accounts: tuple[str, ...]
    door: SignalDoor
    takes_signals: bool
    price_of: Callable[[str, str], Decimal | None]
    tell: Tell

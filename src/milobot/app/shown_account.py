"""What the page asks of an account that is traded live: looks only, never a decision."""

from collections.abc import Iterable
from typing import Protocol

from milobot.domain.slots import PositionState, Slot
from milobot.exchanges.price_board import Quote
from milobot.exchanges.times import ExchangeClock
from milobot.ports import Account, MarketData


class TellsSlots(Protocol):
    """Tells what is held."""

    def slots(self) -> Iterable[tuple[Slot, PositionState]]:
        """Return every slot with how safe it is."""
        ...


class TellsAccount(Protocol):
    """Tells balances and prices as they are known."""

    async def fetch_account(self) -> Account:
        """Return the balances; raises ``ExchangeError`` when they cannot be read."""
        ...

    def quote(self, symbol: str) -> Quote | None:
        """Return the book as last told; None when the stream has told none."""
        ...


class ShownAccount(Protocol):
    """An account that this process trades now."""

    @property
    def name(self) -> str:
        """Return ``exchange:name``."""
        ...

    @property
    def engine(self) -> TellsSlots:
        """Return what tells its positions."""
        ...

    @property
    def view(self) -> TellsAccount:
        """Return what tells its balances."""
        ...

    @property
    def market(self) -> MarketData:
        """Return the public data of its exchange."""
        ...

    @property
    def clock(self) -> ExchangeClock:
        """Return the exchange's time."""
        ...

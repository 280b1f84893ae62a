"""What the inbox asks of whoever trades the account."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.slots import Slot
from milobot.signals.life.happenings import Ended


class SignalTrades(Protocol):
    """Trades one account, while this process leads it."""

    @property
    def is_leading(self) -> bool:
        """Return whether this process leads the account and knows its slots."""
        ...

    async def submit(self, intent: TradeIntent) -> Decision:
        """Return what was decided about an intent; the same key again gives the same answer.

        Raises:
            LeaseLostError: Another process leads the account now.
            AuthenticationError: The exchange refuses the key.
        """
        ...

    async def decision(self, key: str) -> Decision | None:
        """Return what was decided about an intent before; None when it never got as far.

        Raises:
            LedgerError: It could not be read.
        """
        ...

    def slot(self, symbol: str) -> Slot:
        """Return the state of one symbol."""
        ...

    async def last_price(self, symbol: str) -> Decimal:
        """Return the price of the latest trade.

        Raises:
            ExchangeError: It is not known.
        """
        ...

    async def end_of(self, symbol: str, keys: Sequence[str]) -> Ended | None:
        """Return how intents ended of which the slot holds nothing any more.

        Args:
            symbol: Where they traded.
            keys: Their keys, oldest first.

        Returns:
            None while it is not on record yet.

        Raises:
            LedgerError: It could not be read.
        """
        ...

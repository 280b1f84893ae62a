"""What the page asks of an account that is traded live: looks only, never a decision."""

from collections.abc import Iterable
from typing import Protocol

from milobot.domain.market import CandleSeries
from milobot.domain.reports import MarkPrice
from milobot.domain.slots import PositionState, Slot
from milobot.domain.timeframes import Timeframe
from milobot.exchanges.price_board import Quote
from milobot.exchanges.times import ExchangeClock
from milobot.ports import Account


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


class TellsMarket(Protocol):
    """Tells what a market has done; raises ``ExchangeError`` kinds."""

    async def fetch_candles(
        self, symbol: str, timeframe: Timeframe, *, first_ms: int | None, limit: int
    ) -> CandleSeries:
        """Return up to ``limit`` closed candles from ``first_ms`` on; None: the latest ones."""
        ...

    async def fetch_mark_price(self, symbol: str) -> MarkPrice:
        """Return the price that gains are measured by."""
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
    def market(self) -> TellsMarket:
        """Return the public data of its exchange."""
        ...

    @property
    def clock(self) -> ExchangeClock:
        """Return the exchange's time."""
        ...

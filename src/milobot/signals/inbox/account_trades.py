"""The account that signals trade on (``SignalTrades``), over its trader and the ledger."""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Protocol

from milobot.domain.decisions import Decision
from milobot.domain.intents import TradeIntent
from milobot.domain.money import format_decimal
from milobot.domain.round_trips import RoundTrip
from milobot.domain.slots import Slot
from milobot.signals.life.happenings import Ended
from milobot.storage.ledger import Ledger
from milobot.storage.signal_ends import IntentEnd, end_of


class Trader(Protocol):
    """Who trades an account; ``AccountTrader`` does."""

    @property
    def is_ready(self) -> bool:
        """Return whether the account was compared with the exchange's since the start."""
        ...

    async def submit(self, intent: TradeIntent) -> Decision:
        """Return what was decided about an intent."""
        ...


class AccountTrades:
    """Trades one account for its signals."""

    def __init__(
        self,
        account: str,
        trader: Trader,
        slot: Callable[[str], Slot],
        last_price: Callable[[str], Awaitable[Decimal]],
        ledger: Ledger,
    ) -> None:
        """Trade.

        Args:
            account: ``exchange:name``.
            trader: Who trades it; of a process that leads the account.
            slot: Returns what the engine knows of a symbol.
            last_price: Returns the price of the latest trade of a symbol.
            ledger: Where decisions, orders and round trips are on record.
        """
        self._account = account
        self._trader = trader
        self._slot = slot
        self._last_price = last_price
        self._ledger = ledger
        self._journal = ledger.journal(account)

    @property
    def is_leading(self) -> bool:
        """Return whether the account was compared with the exchange's: its slots are known."""
        return self._trader.is_ready

    async def submit(self, intent: TradeIntent) -> Decision:
        """Return what was decided about an intent; the same key again gives the same answer."""
        return await self._trader.submit(intent)

    async def decision(self, key: str) -> Decision | None:
        """Return what was decided about an intent before; None when it never got as far."""
        return await self._journal.find_decision(key)

    def slot(self, symbol: str) -> Slot:
        """Return the state of one symbol."""
        return self._slot(symbol)

    async def last_price(self, symbol: str) -> Decimal:
        """Return the price of the latest trade."""
        return await self._last_price(symbol)

    async def end_of(self, symbol: str, keys: Sequence[str]) -> Ended | None:
        """Return how intents ended; None while it is not on record yet."""
        query = partial(end_of, account=self._account, symbol=symbol, keys=keys)
        return told_end(await self._ledger.read(query))


def told_end(end: IntentEnd) -> Ended | None:
    """Return the end of intents as their signal is told it; None while it is not certain."""
    if end.entered:
        return None if end.trip is None else _closed(end.trip)
    if end.has_live_order:
        return None
    order, decision = end.last_order, end.decision
    if decision is not None and end.is_taken_back:
        return Ended(has_entered=False, code=decision.code, sentence=decision.reason)
    if order is not None:
        reason = order.reason or order.status.value.lower().replace("_", " ")
        return Ended(has_entered=False, code="not_filled", sentence=f"Nothing filled: {reason}.")
    if decision is None:
        return None
    return Ended(has_entered=False, has_reduced=True, code="reduced", sentence=decision.reason)


def _closed(trip: RoundTrip) -> Ended:
    sentence = (
        f"Closed at {format_decimal(round(trip.exit_price, 8))} ({trip.exit_reason}),"
        f" {trip.pnl:+.2f} USDT."
    )
    return Ended(has_entered=True, code=trip.exit_reason, sentence=sentence)

"""An account that passes on to another whatever needs no help on the way."""

from milobot.domain.market import LeverageBracket
from milobot.domain.orders import Fill, Order, OrderUpdate
from milobot.domain.reports import (
    Income,
    KeyRights,
    OrderReport,
    PositionReport,
    SymbolSettings,
)
from milobot.ports import ExchangeAccount


class DelegatedAccount:
    """The queries of an ``ExchangeAccount``, answered by the account behind it."""

    def __init__(self, account: ExchangeAccount) -> None:
        """Stand before an account."""
        self._account = account

    async def fetch_order(self, order: Order) -> OrderReport | None:
        """Return the exchange's view of an order; None when it knows none."""
        return await self._account.fetch_order(order)

    async def fetch_stranger(self, symbol: str, exchange_order_id: str) -> OrderUpdate | None:
        """Return news of an order by their id, whosever it is."""
        return await self._account.fetch_stranger(symbol, exchange_order_id)

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return what rests, conditional orders included."""
        return await self._account.fetch_open_orders(symbol)

    async def fetch_fills(
        self, symbol: str, *, first_ms: int | None = None, exchange_order_id: str = ""
    ) -> list[Fill]:
        """Return executions, oldest first."""
        return await self._account.fetch_fills(
            symbol, first_ms=first_ms, exchange_order_id=exchange_order_id
        )

    async def fetch_positions(self) -> list[PositionReport]:
        """Return what is open."""
        return await self._account.fetch_positions()

    async def fetch_income(self, *, first_ms: int, last_ms: int) -> list[Income]:
        """Return bookings in [first_ms, last_ms], oldest first."""
        return await self._account.fetch_income(first_ms=first_ms, last_ms=last_ms)

    async def fetch_brackets(self) -> dict[str, tuple[LeverageBracket, ...]]:
        """Return the leverage brackets of every symbol that has any."""
        return await self._account.fetch_brackets()

    async def fetch_key_rights(self) -> KeyRights:
        """Return what the key may do."""
        return await self._account.fetch_key_rights()

    async def fetch_is_hedged(self) -> bool:
        """Return whether the account is in hedge mode."""
        return await self._account.fetch_is_hedged()

    async def set_one_way(self) -> None:
        """Leave hedge mode."""
        await self._account.set_one_way()

    async def fetch_symbol_settings(self, symbol: str) -> SymbolSettings:
        """Return leverage and margin mode of a symbol, as the exchange tells them now."""
        return await self._account.fetch_symbol_settings(symbol)

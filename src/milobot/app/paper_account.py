"""The paper account: a symbol's price is followed from the first time it is asked for."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal

from milobot.app.paper_prices import PaperPrices
from milobot.domain.market import SymbolRules
from milobot.domain.orders import Order, OrderUpdate
from milobot.domain.reports import MarginMode, SymbolSettings
from milobot.errors import DataError, ExchangeError
from milobot.exchanges.account_view import LearnsOrderIds
from milobot.exchanges.delegated_account import DelegatedAccount
from milobot.ports import Account, ExchangeAccount, attaches_exits

_PRICE_WITHIN_S = 1.0


class PaperAccount(DelegatedAccount):
    """An ``ExchangeAccount`` at the paper exchange."""

    def __init__(self, account: ExchangeAccount, prices: PaperPrices) -> None:
        """Stand before the account of the local client."""
        super().__init__(account)
        self._prices = prices

    @property
    def attaches_exits(self) -> bool:
        """Return whether entries carry their stop and target."""
        return attaches_exits(self._account)

    def learn_order_ids(self, pairs: Mapping[str, str]) -> None:
        """Pass on which orders are ours, where the dialect has to be told."""
        if isinstance(self._account, LearnsOrderIds):
            self._account.learn_order_ids(pairs)

    async def fetch_account(self) -> Account:
        """Return balances and open gains."""
        return await self._account.fetch_account()

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the real exchange's rules of a symbol, as the paper exchange enforces them."""
        return await self._account.fetch_rules(symbol)

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price that the paper exchange fills around."""
        return await self._prices.last_price(symbol)

    async def fetch_symbol_settings(self, symbol: str) -> SymbolSettings:
        """Return leverage and margin mode of a symbol."""
        await self._prices.follow(symbol)
        return await self._account.fetch_symbol_settings(symbol)

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Set leverage and margin mode, read them back and return what was read."""
        await self._prices.follow(symbol)
        return await self._account.prepare_symbol(
            symbol, leverage=leverage, margin_mode=margin_mode
        )

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Send an order; without a fresh price the paper exchange refuses what would fill."""
        # Without a price the paper exchange's own answer counts, and it is not waited for long.
        with suppress(ExchangeError, DataError, TimeoutError):
            async with asyncio.timeout(_PRICE_WITHIN_S):
                if order.type.is_conditional:  # it rests whatever the price is by now
                    await self._prices.follow(order.symbol)
                else:
                    await self._prices.last_price(order.symbol)
        return await self._account.place_order(order)

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw an order."""
        return await self._account.cancel_order(order)

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Return news of an order as it stands."""
        return await self._account.fetch_update(order)

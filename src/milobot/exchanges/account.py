"""An account at an exchange, as far as the exchanges have it alike."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

from milobot.domain.orders import Fill, Order, OrderUpdate
from milobot.domain.reports import OrderReport
from milobot.exchanges.times import ExchangeClock

_FEE_FRESH_MS = 24 * 3_600_000


class OrderPath(Protocol):
    """A dialect's way of placing, cancelling and asking for orders."""

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw an order."""
        ...

    async def fetch_order(self, order: Order) -> OrderReport | None:
        """Return the exchange's view of an order."""
        ...

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Return news of an order as it stands."""
        ...

    async def fetch_stranger(self, symbol: str, exchange_order_id: str) -> OrderUpdate | None:
        """Return news of an order by their id."""
        ...

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return what rests."""
        ...

    async def fetch_fills(
        self, symbol: str, *, first_ms: int | None = None, exchange_order_id: str = ""
    ) -> list[Fill]:
        """Return executions."""
        ...


class LastPrices(Protocol):
    """Tells the price of the latest trade."""

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price of the latest trade."""
        ...


P = TypeVar("P", bound=OrderPath)
L = TypeVar("L", bound=LastPrices)


class TradingAccount(Generic[P, L]):
    """The part of an ``ExchangeAccount`` that its order path and its market answer."""

    def __init__(self, orders: P, market: L) -> None:
        """Stand before an order path and a market."""
        self._orders = orders
        self._market = market

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw an order; UNKNOWN unless its end is certain."""
        return await self._orders.cancel_order(order)

    async def fetch_order(self, order: Order) -> OrderReport | None:
        """Return the exchange's view of an order; None when it knows none."""
        return await self._orders.fetch_order(order)

    async def fetch_update(self, order: Order) -> OrderUpdate | None:
        """Return news of an order as it stands, with its fills; None when there is none."""
        return await self._orders.fetch_update(order)

    async def fetch_stranger(self, symbol: str, exchange_order_id: str) -> OrderUpdate | None:
        """Return news of an order by their id, whosever it is; None when they know none."""
        return await self._orders.fetch_stranger(symbol, exchange_order_id)

    async def fetch_open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return what rests, conditional orders included."""
        return await self._orders.fetch_open_orders(symbol)

    async def fetch_fills(
        self, symbol: str, *, first_ms: int | None = None, exchange_order_id: str = ""
    ) -> list[Fill]:
        """Return executions, oldest first."""
        return await self._orders.fetch_fills(
            symbol, first_ms=first_ms, exchange_order_id=exchange_order_id
        )

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price of the latest trade."""
        return await self._market.fetch_last_price(symbol)


class TakerFee:
    """The taker fee of an account, asked for once a day."""

    def __init__(self, clock: ExchangeClock, fetch: Callable[[], Awaitable[Decimal]]) -> None:
        """Know no fee yet.

        Args:
            clock: Our own time is read from it.
            fetch: Asks the exchange; may raise ``ExchangeError``.
        """
        self._clock = clock
        self._fetch = fetch
        self._fee = Decimal(0)
        self._fetched_ms: int | None = None

    async def current(self) -> Decimal:
        """Return the fee, at most a day old.

        Raises:
            ExchangeError: The exchange did not tell it.
        """
        now_ms = self._clock.local_ms()
        if self._fetched_ms is None or now_ms - self._fetched_ms > _FEE_FRESH_MS:
            self._fee = await self._fetch()
            self._fetched_ms = now_ms
        return self._fee

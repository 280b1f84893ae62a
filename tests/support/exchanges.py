"""Exchanges that behave badly on purpose: they refuse, or answer only when told to."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.support.trading import dec, rules

from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO
from milobot.domain.orders import Fill, Order, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.reports import MarginMode, SymbolSettings
from milobot.errors import ExchangeUnavailableError
from milobot.ports import Account, Exchange


class RefusingExchange:
    """Passes everything to another exchange but refuses orders of some purposes.

    Attributes:
        refused: How many more orders of a purpose are refused.
        status: What a refused order becomes.
    """

    def __init__(
        self,
        inner: Exchange,
        refused: dict[OrderPurpose, int],
        status: OrderStatus = OrderStatus.REJECTED,
    ) -> None:
        """Stand before ``inner``."""
        self._inner = inner
        self.refused = refused
        self.status = status

    async def fetch_account(self) -> Account:
        """Ask the inner exchange."""
        return await self._inner.fetch_account()

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Ask the inner exchange."""
        return await self._inner.fetch_rules(symbol)

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Ask the inner exchange."""
        return await self._inner.fetch_last_price(symbol)

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Take what was asked for."""
        return SymbolSettings(symbol, leverage, margin_mode)

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Refuse the order or pass it on."""
        left = self.refused.get(order.purpose, 0)
        if left:
            self.refused[order.purpose] = left - 1
            return (status_news(order, self.status, "refused on purpose"),)
        return await self._inner.place_order(order)

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Pass it on."""
        return await self._inner.cancel_order(order)


class ThinExchange(RefusingExchange):
    """Fills half of the first close and lets the rest expire: there was no more to be had."""

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Fill a part or pass it on."""
        if not self.refused.pop(order.purpose, 0):
            return await self._inner.place_order(order)
        answers = await self._inner.place_order(replace(order, quantity=order.quantity / 2))
        return tuple(replace(answer, status=OrderStatus.EXPIRED) for answer in answers)


@dataclass
class SilentExchange:
    """Takes every order and says nothing: all news is made by the test.

    Attributes:
        placed: Orders received, in order.
        cancelled: Orders whose withdrawal was asked for, in order.
    """

    last_price: Decimal = Decimal(100)
    wallet: Decimal = Decimal(10_000)
    known: SymbolRules = field(default_factory=rules)
    placed: list[Order] = field(default_factory=list)
    cancelled: list[Order] = field(default_factory=list)

    async def fetch_account(self) -> Account:
        """Return an account without open positions."""
        return Account(self.wallet, self.wallet, ZERO, dec("0.0005"))

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the same rules for every symbol."""
        return self.known

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price that the test set."""
        return self.last_price

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Take what was asked for."""
        return SymbolSettings(symbol, leverage, margin_mode)

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Remember the order."""
        self.placed.append(order)
        return ()

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Remember the wish."""
        self.cancelled.append(order)
        return ()

    def last(self, purpose: OrderPurpose) -> Order:
        """Return the latest order of a purpose."""
        return [o for o in self.placed if o.purpose is purpose][-1]


class AttachingExchange(SilentExchange):
    """One that takes exits along with an entry, and says nothing."""

    @property
    def attaches_exits(self) -> bool:
        """Return that it does."""
        return True


def status_news(order: Order, status: OrderStatus, reason: str = "") -> OrderUpdate:
    """Return news that an order has a status, without fills."""
    return OrderUpdate(order.client_order_id, order.symbol, status, order.created_ms, (), reason)


def fill_news(
    order: Order,
    quantity: str,
    price: str,
    *,
    fill_id: str,
    status: OrderStatus = OrderStatus.FILLED,
    fee: str = "0",
) -> OrderUpdate:
    """Return news of one fill."""
    fill = Fill(
        fill_id=fill_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=dec(quantity),
        price=dec(price),
        fee=dec(fee),
        time_ms=order.created_ms,
    )
    return OrderUpdate(order.client_order_id, order.symbol, status, order.created_ms, (fill,))


class StubbornExchange(RefusingExchange):
    """Keeps leverage and margin mode as they are, or cannot be reached to set them.

    Attributes:
        found: What it reads back; None when it cannot be reached.
    """

    def __init__(self, inner: Exchange, found: SymbolSettings | None) -> None:
        """Stand before ``inner``."""
        super().__init__(inner, {})
        self.found = found

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Return what never changes."""
        if self.found is None:
            raise ExchangeUnavailableError("the exchange cannot be reached")
        return self.found


class ClingingExchange(RefusingExchange):
    """Answers a cancel with "it still rests", a few times.

    Attributes:
        times: How many cancels more it answers so.
    """

    def __init__(self, inner: Exchange, times: int) -> None:
        """Stand before ``inner``."""
        super().__init__(inner, {})
        self.times = times

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Keep the order or pass the cancel on."""
        if self.times:
            self.times -= 1
            return (status_news(order, OrderStatus.SUBMITTED, "still there"),)
        return await self._inner.cancel_order(order)

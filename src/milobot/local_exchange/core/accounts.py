"""Accounts: a wallet, isolated one-way positions, orders and what was booked."""

from dataclasses import dataclass, field
from decimal import Decimal

from milobot.domain.margin import initial_margin
from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO, to_money
from milobot.local_exchange.core.orders import (
    Conditional,
    Execution,
    Status,
    VenueOrder,
)
from milobot.simulation.book import Book

DEFAULT_LEVERAGE = 20


@dataclass(frozen=True, slots=True)
class Income:
    """One booking on the wallet.

    Attributes:
        kind: REALIZED_PNL, COMMISSION, FUNDING_FEE or TRANSFER.
        trade_id: The fill behind it; 0 for none.
    """

    id: int
    symbol: str
    kind: str
    amount: Decimal
    time_ms: int
    trade_id: int = 0


@dataclass(frozen=True, slots=True)
class Rights:
    """What an API key may do."""

    can_trade: bool = True
    can_withdraw: bool = False
    allowed_ip: bool = True


@dataclass(slots=True, eq=False)
class Account:
    """What belongs to one API key.

    Attributes:
        leverages: Leverage by symbol for the next position.
        margin_modes: ISOLATED or CROSSED by symbol. Margin is isolated in both: the mode is
            only told, so that a client that sets it finds it set.
        is_hedged: Whether the account claims hedge mode; orders are one-way all the same.
        live_orders: Those that may still fill, and some that ended lately.
        live_conditionals: Those that may still trigger, and some that ended lately.
        used_client_ids: Every client id that an order of any kind ever had.
        incomes: Every booking, oldest first.
        veil: Until which moment of the timer queries see an older state, and that state.
    """

    key: str
    secret: str
    wallet: Decimal
    rights: Rights = field(default_factory=Rights)
    books: dict[str, Book] = field(default_factory=dict)
    leverages: dict[str, int] = field(default_factory=dict)
    margin_modes: dict[str, str] = field(default_factory=dict)
    is_hedged: bool = False
    orders: dict[int, VenueOrder] = field(default_factory=dict)
    conditionals: dict[int, Conditional] = field(default_factory=dict)
    live_orders: dict[int, VenueOrder] = field(default_factory=dict)
    live_conditionals: dict[int, Conditional] = field(default_factory=dict)
    used_client_ids: set[str] = field(default_factory=set)
    executions: list[Execution] = field(default_factory=list)
    incomes: list[Income] = field(default_factory=list)
    updated_ms: dict[str, int] = field(default_factory=dict)
    opened_ms: int = 0
    veil: "tuple[int, Account] | None" = None

    def book(self, rules: SymbolRules) -> Book:
        """Return the position and its margin of one symbol."""
        if rules.symbol not in self.books:
            book = Book(rules)
            book.leverage = self.leverage(rules.symbol)
            self.books[rules.symbol] = book
        return self.books[rules.symbol]

    def leverage(self, symbol: str) -> int:
        """Return the leverage that the next position gets."""
        return self.leverages.get(symbol, DEFAULT_LEVERAGE)

    def margin_mode(self, symbol: str) -> str:
        """Return the margin mode as it was set; CROSSED until then."""
        return self.margin_modes.get(symbol, "CROSSED")

    def add(self, order: VenueOrder | Conditional) -> None:
        """Keep a new order."""
        self.used_client_ids.add(order.ticket.client_id)
        if isinstance(order, Conditional):
            self.conditionals[order.id] = self.live_conditionals[order.id] = order
        else:
            self.orders[order.id] = self.live_orders[order.id] = order

    @property
    def open_orders(self) -> list[VenueOrder]:
        """Return the orders that may still fill, oldest first."""
        self.live_orders = {i: o for i, o in self.live_orders.items() if o.is_open}
        return list(self.live_orders.values())

    @property
    def open_conditionals(self) -> list[Conditional]:
        """Return the conditional orders that wait for their trigger, oldest first."""
        live = {i: c for i, c in self.live_conditionals.items() if c.status is Status.NEW}
        self.live_conditionals = live  # those that wait for their entry stay
        return [c for c in live.values() if c.is_armed]

    @property
    def position_margin(self) -> Decimal:
        """Return the isolated margin of all open positions."""
        return to_money(sum((book.margin for book in self.books.values()), ZERO))

    @property
    def order_margin(self) -> Decimal:
        """Return what resting entries would tie up."""
        return to_money(sum((order_margin(order) for order in self.open_orders), ZERO))

    @property
    def available(self) -> Decimal:
        """Return what a new entry may tie up."""
        return max(ZERO, self.wallet - self.position_margin - self.order_margin)

    def unrealized_pnl(self, symbol: str, price: Decimal) -> Decimal:
        """Return the open gain of one symbol at ``price``."""
        book = self.books.get(symbol)
        return ZERO if book is None else book.position.unrealized_pnl(price)


def order_margin(order: VenueOrder) -> Decimal:
    """Return the margin that a resting limit entry reserves."""
    if order.ticket.reduce_only or order.ticket.price is None:
        return ZERO
    return initial_margin(order.remaining * order.ticket.price, order.leverage)

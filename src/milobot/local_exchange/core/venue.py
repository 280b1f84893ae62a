"""The matching engine: places, cancels, fills and books, for any number of accounts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from milobot.domain.intents import Side
from milobot.domain.money import ONE, ZERO, to_money
from milobot.domain.orders import Fill
from milobot.local_exchange.core.accounts import Account, Income
from milobot.local_exchange.core.contracts import Contract
from milobot.local_exchange.core.events import (
    AccountEvent,
    BalanceEvent,
    Change,
    ConditionalEvent,
    OrderEvent,
)
from milobot.local_exchange.core.market import Market, Tape
from milobot.local_exchange.core.numbers import Numbers
from milobot.local_exchange.core.orders import (
    Conditional,
    Execution,
    Kind,
    Origin,
    Refusal,
    RefusedError,
    Status,
    Ticket,
    VenueOrder,
)
from milobot.local_exchange.core.terms import TAKEN, FillKind, PlaceFault, Terms
from milobot.local_exchange.core.timing import ServerTime
from milobot.simulation.book import Book

Listener = Callable[[Account, AccountEvent], None]
_HALF = Decimal("0.5")


class Venue:
    """State and rules of one exchange; the market moves it through ``core.playing``.

    Attributes:
        contracts: Rules by symbol; the market may have other exchanges with other rules.
        accounts: By API key.
        further_keys: Accounts by other keys that they have.
        listeners: Called with every event of an account, in order.
        rejections: Why the child of a conditional order will be rejected, by its id.
        is_stale: Tells whether the price of a symbol is too old to fill at.
        numbers: The ids given out so far.
    """

    def __init__(
        self,
        market: Market,
        contracts: Mapping[str, Contract],
        clock: ServerTime,
        *,
        terms: Terms,
        first_id: int,
    ) -> None:
        """Open without accounts; ids count up from ``first_id``."""
        self.market = market
        self.contracts = dict(contracts)
        self.clock = clock
        self.terms = terms
        self.accounts: dict[str, Account] = {}
        self.further_keys: dict[str, Account] = {}
        self.listeners: list[Listener] = []
        self.rejections: dict[int, str] = {}
        self.is_stale: Callable[[str], bool] = lambda _: False
        self.numbers = Numbers(first_id - 1)

    # What others ask.

    def account_of(self, key: str) -> Account | None:
        """Return the account of an API key; None when nobody has it."""
        return self.accounts.get(key) or self.further_keys.get(key)

    def tape(self, symbol: str) -> Tape:
        """Return a symbol's market.

        Raises:
            RefusedError: The symbol does not trade here.
        """
        tape = self.market.tapes.get(symbol)
        if tape is None:
            raise RefusedError(Refusal.UNKNOWN_SYMBOL, f"{symbol[:30]} does not trade here")
        return tape

    def contract(self, symbol: str) -> Contract:
        """Return the rules of a symbol.

        Raises:
            RefusedError: The symbol does not trade here.
        """
        if symbol not in self.contracts:
            raise RefusedError(Refusal.UNKNOWN_SYMBOL, f"{symbol[:30]} does not trade here")
        return self.contracts[symbol]

    def book(self, account: Account, symbol: str) -> Book:
        """Return an account's position of a symbol."""
        return account.book(self.contracts[self.tape(symbol).symbol].rules)

    def quote(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Return best bid and ask."""
        tape = self.tape(symbol)
        if tape.book is not None:
            return tape.book
        price, half = tape.last_price, self.terms.spread * _HALF
        return price * (ONE - half), price * (ONE + half)

    def next_id(self) -> int:
        """Return a fresh order id."""
        self.numbers.order += 1
        return self.numbers.order

    def emit(self, account: Account, event: AccountEvent) -> None:
        """Tell everybody who listens."""
        for listener in self.listeners:
            listener(account, event)

    # Orders at work.

    def enter(
        self,
        account: Account,
        ticket: Ticket,
        quantity: Decimal,
        *,
        origin: Origin = Origin.CLIENT,
        parent: Conditional | None = None,
    ) -> VenueOrder:
        """Put an order into the engine, unfilled."""
        now = self.clock.now_ms()
        order = VenueOrder(
            id=self.next_id(),
            ticket=ticket,
            quantity=quantity,
            created_ms=now,
            updated_ms=now,
            origin=origin,
            parent_id=parent.id if parent else 0,
            leverage=account.leverage(ticket.symbol),
        )
        account.add(order)
        self.tell(account, order, Change.NEW)
        return order

    def take(self, account: Account, order: VenueOrder, price: Decimal, fault: PlaceFault) -> None:
        """Fill an order against the market at ``price``, as far as it may fill."""
        quantity = self.fillable(account, order)
        if fault.fill_fraction is not None:
            step = self.contract(order.ticket.symbol).rules.quantity_step
            quantity = min(quantity, (quantity * fault.fill_fraction // step) * step)
        if quantity > 0:
            self.fill(account, order, quantity, self.taker_price(account, order, price))
        if order.is_open and self._gives_up(order, fault):
            self.end(account, order, Status.EXPIRED)

    @staticmethod
    def _gives_up(order: VenueOrder, fault: PlaceFault) -> bool:
        if fault.fill_fraction is not None and not fault.rest_expires:
            return False
        return order.ticket.kind is Kind.MARKET or order.ticket.time_in_force in {"IOC", "FOK"}

    def taker_price(self, account: Account, order: VenueOrder, price: Decimal) -> Decimal:
        """Return the price of a fill that takes: across the spread, with slippage, on the grid."""
        ticket, half = order.ticket, self.terms.spread * _HALF
        told = self.tape(ticket.symbol).book
        if told is not None:
            across = told[1] if ticket.side is Side.BUY else told[0]
        else:
            across = price * (ONE + half if ticket.side is Side.BUY else ONE - half)
        book = self.book(account, ticket.symbol)
        found = book.adverse_price(ticket.side, across, self.terms.slippage)
        if ticket.price is None:
            return found
        return (min if ticket.side is Side.BUY else max)(found, ticket.price)

    def fillable(self, account: Account, order: VenueOrder) -> Decimal:
        """Return how much of an order may fill: a reduce-only one no more than is open."""
        if not order.ticket.reduce_only:
            return order.remaining
        return min(order.remaining, self.reducible(account, order.ticket))

    def reducible(self, account: Account, ticket: Ticket) -> Decimal:
        """Return what an order on that side could close."""
        held = self.book(account, ticket.symbol).position
        return held.quantity if not held.is_flat and ticket.side is held.side.exit else ZERO

    def fill(
        self,
        account: Account,
        order: VenueOrder,
        quantity: Decimal,
        price: Decimal,
        kind: FillKind = TAKEN,
    ) -> Execution:
        """Book one fill: position, wallet, order, incomes, events."""
        now, symbol = self.clock.now_ms(), order.ticket.symbol
        rate = self.terms.maker_fee if kind.is_maker else self.terms.taker_fee
        paid = ZERO if kind.is_free else to_money(quantity * price * rate)
        self.numbers.execution += 1
        number = self.numbers.execution
        done = Fill(
            fill_id=str(number),
            client_order_id=order.ticket.client_id,
            symbol=symbol,
            side=order.ticket.side,
            quantity=quantity,
            price=price,
            fee=paid,
            time_ms=now,
        )
        book = self.book(account, symbol)
        gain = book.book(done, order.leverage)
        execution = Execution(
            id=number,
            order_id=order.id,
            client_id=order.ticket.client_id,
            symbol=symbol,
            side=order.ticket.side,
            quantity=quantity,
            price=price,
            fee=paid,
            realized=gain + paid,
            is_maker=kind.is_maker,
            time_ms=now,
        )
        self._book(account, order, execution)
        self.emit(account, BalanceEvent(kind.reason, symbol, ZERO))
        self.tell(account, order, Change.TRADE, execution)
        self._after_fill(account, order, book)
        return execution

    def end(self, account: Account, order: VenueOrder, status: Status, reason: str = "") -> None:
        """End an order that did not fill completely."""
        order.status, order.reason, order.updated_ms = status, reason, self.clock.now_ms()
        self.tell(account, order, Change(status.value))

    def end_conditional(
        self, account: Account, conditional: Conditional, status: Status, reason: str = ""
    ) -> None:
        """End a conditional order, or note that it was triggered."""
        conditional.status, conditional.reason = status, reason
        conditional.updated_ms = self.clock.now_ms()
        self.emit(account, ConditionalEvent(conditional, status))

    def credit(
        self, account: Account, symbol: str, kind: str, amount: Decimal, trade_id: int = 0
    ) -> None:
        """Book an amount on the wallet and keep the record."""
        account.wallet += amount
        self._note_income(account, symbol, kind, amount, trade_id)

    def tell(
        self,
        account: Account,
        order: VenueOrder,
        change: Change,
        execution: Execution | None = None,
    ) -> None:
        """Emit the news of an order as it is now."""
        self.emit(account, OrderEvent(order, change, order.status, order.filled, execution))

    # Inside.

    def _book(self, account: Account, order: VenueOrder, execution: Execution) -> None:
        order.executions.append(execution)
        order.filled += execution.quantity
        order.cost += execution.quantity * execution.price
        order.fee += execution.fee
        order.realized += execution.realized
        order.updated_ms = execution.time_ms
        order.status = Status.FILLED if order.remaining <= 0 else Status.PARTIALLY_FILLED
        account.executions.append(execution)
        account.updated_ms[execution.symbol] = execution.time_ms
        account.wallet += execution.realized - execution.fee
        if execution.realized:
            self._note_income(
                account, execution.symbol, "REALIZED_PNL", execution.realized, execution.id
            )
        self._note_income(account, execution.symbol, "COMMISSION", -execution.fee, execution.id)

    def _note_income(
        self, account: Account, symbol: str, kind: str, amount: Decimal, trade_id: int
    ) -> None:
        self.numbers.income += 1
        account.incomes.append(
            Income(self.numbers.income, symbol, kind, amount, self.clock.now_ms(), trade_id)
        )

    def _after_fill(self, account: Account, order: VenueOrder, book: Book) -> None:
        if order.parent_id:
            self._follow(account, account.conditionals[order.parent_id], order)
        if book.position.is_flat:
            self.drop_exits(account, order.ticket.symbol)
        elif order.status is Status.FILLED:
            self._arm(account, order)

    def _follow(self, account: Account, parent: Conditional, child: VenueOrder) -> None:
        if not child.is_open and parent.status is Status.TRIGGERED:
            self.end_conditional(account, parent, Status.FINISHED)

    def _arm(self, account: Account, entry: VenueOrder) -> None:
        for conditional in list(account.live_conditionals.values()):
            if conditional.entry_id == entry.id and not conditional.is_armed:
                conditional.is_armed = True
                self.emit(account, ConditionalEvent(conditional, conditional.status))

    def drop_exits(self, account: Account, symbol: str) -> None:
        """Expire what made sense only while the position was open."""
        for conditional in list(account.open_conditionals):
            ticket = conditional.ticket
            if ticket.symbol == symbol and (ticket.close_position or conditional.entry_id):
                self.end_conditional(account, conditional, Status.EXPIRED, "position closed")


def plain(ticket: Ticket) -> Ticket:
    """Return the ticket of the child that a conditional order puts into the engine."""
    return replace(ticket, trigger=None, type_name=ticket.kind.value, attached=())

"""A venue inside the process: the Exchange port over candles.

A driver plays candles: ``open_bar``, ``liquidate_at_open``, then what was decided at the last
close, then ``next_update`` until it is None, then ``close_bar``. Between two updates the
engine may place and cancel orders, so that what it does after a fill counts within the same
candle, as it would at an exchange.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from milobot.domain.intents import Side
from milobot.domain.margin import max_leverage
from milobot.domain.market import SymbolRules
from milobot.domain.money import ZERO, to_money
from milobot.domain.orders import (
    Fill,
    FundingUpdate,
    Order,
    OrderPurpose,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Refusal,
)
from milobot.domain.reports import MarginMode, SymbolSettings
from milobot.errors import DataError, RequestRefusedError
from milobot.ports import Account
from milobot.simulation.book import Book, Refused
from milobot.simulation.matching import Bar, Phase, next_hit

_NOTHING = Refused(Refusal.NOTHING_TO_REDUCE, "nothing is open to reduce")
_NO_MARKET = Refused(Refusal.OTHER, "only market orders and exits with a limit fill in here")


class SimulatedVenue:
    """Fills market orders at once, conditional ones as candles touch them."""

    def __init__(
        self,
        *,
        wallet: Decimal,
        taker_fee: Decimal,
        slippage: Decimal = ZERO,
        rules: Callable[[str], SymbolRules] = SymbolRules,
    ) -> None:
        """Open an account.

        Args:
            wallet: Starting balance in USDT.
            taker_fee: Fee of every fill as a fraction of its notional.
            slippage: Adverse fraction of the price on every market fill.
            rules: Rules of a symbol; by default prices are not rounded and steps are 1e-8.
        """
        self.wallet = wallet
        self._taker_fee = taker_fee
        self._slippage = slippage
        self._rules = rules
        self._books: dict[str, Book] = {}
        self._fill_count = 0

    def book(self, symbol: str) -> Book:
        """Return the state of one symbol."""
        if symbol not in self._books:
            self._books[symbol] = Book(self._rules(symbol))
        return self._books[symbol]

    # The market's side, played by a driver.

    def open_bar(self, symbol: str, bar: Bar) -> None:
        """Begin a candle: its open is the price at which market orders fill."""
        book = self.book(symbol)
        book.bar = bar
        book.phase = Phase.OPEN
        book.last_price = bar.open

    def liquidate_at_open(self, symbol: str) -> OrderUpdate | None:
        """Take over a position that the open has ruined, before any order of ours can arrive."""
        book = self.book(symbol)
        if book.position.is_flat:
            return None
        hit = next_hit(Phase.OPEN, book.bar, book.position.side, (), book.liquidation)
        return self._liquidate(book) if hit is not None else None

    def next_update(self, symbol: str) -> OrderUpdate | None:
        """Return the next fill inside the candle, or None when the candle is played out."""
        book = self.book(symbol)
        while book.phase < Phase.CLOSED:
            if not book.position.is_flat:
                hit = next_hit(
                    book.phase,
                    book.bar,
                    book.position.side,
                    book.orders.values(),
                    book.liquidation,
                )
                if hit is not None:
                    book.last_price = hit.price
                    return self._trigger(book, hit.order) if hit.order else self._liquidate(book)
            book.phase = Phase(book.phase + 1)
        return None

    def close_bar(self, symbol: str) -> None:
        """End a candle: its close is the last and the mark price."""
        self._at_close(self.book(symbol))

    def skip_bar(self, symbol: str, bar: Bar) -> None:
        """Stand at the close of a candle on which nothing can happen, without playing it."""
        book = self.book(symbol)
        book.bar = bar
        self._at_close(book)

    def charge_funding(self, symbol: str, rate: Decimal, time_ms: int) -> FundingUpdate | None:
        """Book a funding payment at mark price; None when nothing is held."""
        book = self.book(symbol)
        if book.position.is_flat:
            return None
        amount = book.funding_payment(rate, book.mark_price)
        book.position = replace(book.position, funding=book.position.funding + amount)
        self.wallet -= amount
        return FundingUpdate(f"{symbol}-funding-{time_ms}", symbol, amount, time_ms)

    # The Exchange port.

    async def fetch_account(self) -> Account:
        """Return balances and open gains."""
        books = self._books.values()
        return Account(
            wallet=self.wallet,
            available=self._available(),
            unrealized_pnl=sum((b.unrealized_pnl for b in books), ZERO),
            taker_fee=self._taker_fee,
        )

    async def fetch_rules(self, symbol: str) -> SymbolRules:
        """Return the rules that this venue was given for a symbol."""
        return self.book(symbol).rules

    async def fetch_last_price(self, symbol: str) -> Decimal:
        """Return the price at which a market order would fill, before slippage."""
        return self.book(symbol).last_price

    async def prepare_symbol(
        self, symbol: str, *, leverage: int, margin_mode: MarginMode
    ) -> SymbolSettings:
        """Return what was asked for: an entry brings its leverage, and all margin is isolated.

        Raises:
            RequestRefusedError: No bracket of the symbol allows that leverage.
        """
        allowed = max_leverage(ZERO, self.book(symbol).rules.brackets)
        if not 1 <= leverage <= allowed:
            raise RequestRefusedError(
                f"{leverage}x is out of range for {symbol}: use 1x to {allowed}x"
            )
        return SymbolSettings(symbol, leverage, margin_mode)

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Fill a market order now or let a conditional one rest."""
        try:
            book = self.book(order.symbol)
        except DataError as unknown:
            status, word = OrderStatus.REJECTED, Refusal.SYMBOL_NOT_TRADING
            name, time_ms = order.client_order_id, order.created_ms
            return (
                OrderUpdate(name, order.symbol, status, time_ms, reason=str(unknown), refusal=word),
            )
        if order.reduce_only and not _reduces(order, book):
            return (self._refuse(order, book, _NOTHING),)
        if order.type.is_conditional:
            return (self._rest(book, order),)
        if order.type is OrderType.LIMIT and order.price is not None and order.reduce_only:
            return (self._fill_within(book, order, order.price),)
        if order.type is not OrderType.MARKET:
            return (self._refuse(order, book, _NO_MARKET),)
        return (self._fill_market(book, order),)

    async def cancel_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        """Withdraw a resting order."""
        book = self.book(order.symbol)
        if book.orders.pop(order.client_order_id, None) is None:
            return ()
        return (self._news(order, book, OrderStatus.CANCELLED, ""),)

    @staticmethod
    def _at_close(book: Book) -> None:
        book.phase = Phase.CLOSED
        book.last_price = book.mark_price = book.bar.close

    def _available(self) -> Decimal:
        return self.wallet - sum((b.margin for b in self._books.values()), ZERO)

    def _rest(self, book: Book, order: Order) -> OrderUpdate:
        refused = book.why_not_rest(order)
        if refused.refusal is not None:
            return self._refuse(order, book, refused)
        book.orders[order.client_order_id] = order
        return self._news(order, book, OrderStatus.SUBMITTED, "")

    def _fill_market(self, book: Book, order: Order) -> OrderUpdate:
        price = book.adverse_price(order.side, book.last_price, self._slippage)
        quantity = order.quantity
        if order.reduce_only:
            quantity = min(quantity, book.position.quantity)
        else:
            fee = self._fee(quantity, price)
            refused = book.refusal(order, price, fee, self._available())
            if refused.refusal is not None:
                return self._refuse(order, book, refused)
        return self._fill(book, order, quantity, price)

    def _fill_within(self, book: Book, order: Order, limit: Decimal) -> OrderUpdate:
        """Fill an exit at the market if that is within its limit; else let it go: none rests."""
        price = book.adverse_price(order.side, book.last_price, self._slippage)
        if price < limit if order.side is Side.SELL else price > limit:
            return self._news(order, book, OrderStatus.EXPIRED, "the market is beyond the limit")
        return self._fill(book, order, min(order.quantity, book.position.quantity), price)

    def _trigger(self, book: Book, order: Order) -> OrderUpdate:
        del book.orders[order.client_order_id]
        held = book.position.quantity
        quantity = held if order.close_position else min(order.quantity, held)
        price = book.adverse_price(order.side, book.last_price, self._slippage)
        return self._fill(book, order, quantity, price)

    def _liquidate(self, book: Book) -> OrderUpdate:
        """Take the position over at bankruptcy: the whole isolated margin is lost."""
        price = book.bankruptcy()
        held = book.position
        order = Order(
            client_order_id=f"liquidation-{held.symbol}-{self._fill_count}",
            intent_key="",
            symbol=held.symbol,
            side=held.side.exit,
            type=OrderType.MARKET,
            purpose=OrderPurpose.LIQUIDATION,
            quantity=held.quantity,
            created_ms=book.bar.time_ms,
        )
        return self._fill(book, order, held.quantity, price, fee=ZERO)

    def _fill(
        self,
        book: Book,
        order: Order,
        quantity: Decimal,
        price: Decimal,
        *,
        fee: Decimal | None = None,
    ) -> OrderUpdate:
        self._fill_count += 1
        fill = Fill(
            fill_id=f"{order.symbol}-{self._fill_count}",
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=quantity,
            price=price,
            fee=self._fee(quantity, price) if fee is None else fee,
            time_ms=book.bar.time_ms,
        )
        self.wallet += book.book(fill, order.leverage)
        return self._news(order, book, OrderStatus.FILLED, "", (fill,))

    def _fee(self, quantity: Decimal, price: Decimal) -> Decimal:
        return to_money(quantity * price * self._taker_fee)

    def _refuse(self, order: Order, book: Book, refused: Refused) -> OrderUpdate:
        news = self._news(order, book, OrderStatus.REJECTED, refused.reason)
        return replace(news, refusal=refused.refusal)

    def _news(
        self,
        order: Order,
        book: Book,
        status: OrderStatus,
        reason: str,
        fills: tuple[Fill, ...] = (),
    ) -> OrderUpdate:
        return OrderUpdate(
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            status=status,
            time_ms=book.bar.time_ms,
            fills=fills,
            reason=reason,
            purpose=order.purpose,
        )


def _reduces(order: Order, book: Book) -> bool:
    return not book.position.is_flat and order.side is book.position.side.exit

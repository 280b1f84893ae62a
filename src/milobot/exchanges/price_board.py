"""The latest prices of every symbol, with their age: what a decision may rely on without asking."""

from dataclasses import dataclass
from decimal import Decimal

from milobot.domain.intents import Side
from milobot.domain.reports import BookTicker, MarkPrice
from milobot.exchanges.times import ExchangeClock

_MARK_FRESH_MS = 10_000  # for open gains, which a few seconds change little


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask of a symbol, as they were told; a side may be missing.

    Attributes:
        age_ms: How long ago the exchange told them.
    """

    book: BookTicker
    age_ms: int

    @property
    def middle(self) -> Decimal | None:
        """Return the price between bid and ask; None unless both are there and in order."""
        bid, ask = self.book.bid_price, self.book.ask_price
        return (bid + ask) / 2 if 0 < bid <= ask else None


class PriceBoard:
    """Keeps the newest book ticker, mark price and asked-for price of each symbol."""

    def __init__(self, clock: ExchangeClock, *, fresh_ms: int) -> None:
        """Know no price yet; prices older than ``fresh_ms`` are not decided by."""
        self._clock = clock
        self._fresh_ms = fresh_ms
        # Each with the moment, on our own clock, from which its age is counted.
        self._books: dict[str, tuple[BookTicker, int]] = {}
        self._marks: dict[str, tuple[MarkPrice, int]] = {}
        self._asked: dict[str, Decimal] = {}

    def hear(self, price: MarkPrice | BookTicker) -> None:
        """Take in a price from the stream."""
        if isinstance(price, MarkPrice):
            self._marks[price.symbol] = (price, self._told_ms(price.time_ms))
        else:
            self._books[price.symbol] = (price, self._told_ms(price.time_ms))

    def learn_asked(self, symbol: str, price: Decimal) -> None:
        """Keep a price that the exchange was asked for, for estimates."""
        self._asked[symbol] = price

    def book(self, symbol: str) -> tuple[BookTicker, int] | None:
        """Return the newest book and its age in milliseconds; None when none was told."""
        if symbol not in self._books:
            return None
        book, told_ms = self._books[symbol]
        return book, self._age_ms(told_ms)

    def quote(self, symbol: str) -> Quote | None:
        """Return best bid and ask, however old; None when none was heard of."""
        found = self._books.get(symbol)
        if found is None:
            return None
        return Quote(found[0], self._age_ms(found[1]))

    def fresh(self, symbol: str) -> Decimal | None:
        """Return the middle of a fresh book, else a fresh mark price; None when neither is fresh."""
        quote = self.quote(symbol)
        if quote is not None and quote.age_ms <= self._fresh_ms and quote.middle is not None:
            return quote.middle
        return self._mark(symbol, self._fresh_ms)

    def mark(self, symbol: str) -> Decimal | None:
        """Return the mark price; None when the stream has told none lately."""
        return self._mark(symbol, _MARK_FRESH_MS)

    def expected(self, symbol: str, side: Side) -> Decimal | None:
        """Return what a market order may fill at, by whatever is known; None when nothing is.

        Of several prices the dearest: the estimate is of what an order ties up.
        """
        book = self.quote(symbol)
        mark = self._marks.get(symbol)
        known = [
            (book.book.ask_price if side is Side.BUY else book.book.bid_price) if book else None,
            mark[0].mark_price if mark else None,
            self._asked.get(symbol),
        ]
        return max((price for price in known if price), default=None)

    def _mark(self, symbol: str, fresh_ms: int) -> Decimal | None:
        found = self._marks.get(symbol)
        if found is None or self._age_ms(found[1]) > fresh_ms:
            return None
        return found[0].mark_price

    def _told_ms(self, time_ms: int) -> int:
        """Return when a price was told, on our clock: a stream that lags does not make it newer."""
        lag_ms = max(0, self._clock.now_ms() - time_ms) if self._clock.is_measured else 0
        return self._clock.local_ms() - lag_ms

    def _age_ms(self, told_ms: int) -> int:
        return max(0, self._clock.local_ms() - told_ms)

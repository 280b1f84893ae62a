"""Prices that the page values positions at: of the stream, else asked for while somebody looks.

The price stream follows the symbols that were known at the start; what a signal enters later
is asked for here, one symbol at a time, after everything that trades.
"""

from collections.abc import Iterable
from decimal import Decimal

from milobot.app.shown_account import ShownAccount

STREAM_FRESH_MS = 10_000
ASKED_FRESH_MS = 60_000
APART_MS = 6_000
"""A symbol is asked for no more often than this."""

_Key = tuple[str, str]


class PagePrices:
    """The latest price of each symbol that is held."""

    def __init__(self) -> None:
        """Know no price yet."""
        self._asked: dict[_Key, tuple[Decimal, int]] = {}
        self._tried: dict[_Key, int] = {}

    def price(self, live: ShownAccount, symbol: str) -> Decimal | None:
        """Return what a symbol is worth now; None when nothing recent is known."""
        streamed = self._streamed(live, symbol)
        if streamed is not None:
            return streamed
        price, asked_ms = self._asked.get((live.name, symbol), (None, 0))
        return price if live.clock.local_ms() - asked_ms <= ASKED_FRESH_MS else None

    async def ask(self, live: ShownAccount, symbols: Iterable[str]) -> None:
        """Ask for the price of the one symbol that has waited longest, if one is due.

        Raises:
            ExchangeError: It cannot be had; others have their turn first.
        """
        now_ms = live.clock.local_ms()
        due = [
            (self._tried.get((live.name, symbol), -APART_MS), symbol)
            for symbol in symbols
            if self._streamed(live, symbol) is None
        ]
        tried_ms, symbol = min(due, default=(now_ms, ""))
        if now_ms - tried_ms < APART_MS:
            return
        self._tried[live.name, symbol] = now_ms
        mark = await live.market.fetch_mark_price(symbol)
        self._asked[live.name, symbol] = (mark.mark_price, live.clock.local_ms())

    def _streamed(self, live: ShownAccount, symbol: str) -> Decimal | None:
        quote = live.view.quote(symbol)
        return quote.middle if quote is not None and quote.age_ms <= STREAM_FRESH_MS else None

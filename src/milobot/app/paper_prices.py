"""Prices of the real exchange for the paper exchange, and for the bot only after it.

What the bot sees is what its orders are filled at: a price is told to the paper exchange first
and handed on when that has answered. A symbol is followed from the first time it is asked for.
"""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal

from milobot.app.exchanges import ExchangeClient
from milobot.app.paper_catch_up import CatchUp
from milobot.app.paper_control import PaperControl, ToldBook
from milobot.domain.reports import BookTicker, MarkPrice
from milobot.errors import DataError, ExchangeError, ExchangeUnavailableError
from milobot.exchanges.latest import LatestPrices
from milobot.exchanges.times import Sleep, real_sleep
from milobot.telemetry import get_logger

MOST_SYMBOLS = 200


@dataclass(frozen=True, slots=True)
class FollowTimes:
    """How prices are followed.

    Attributes:
        fresh_ms: A price that was told longer ago is asked for.
        gap_ms: After so long without a price the candles of the time between are played first.
        look_s: How often quiet symbols are looked for.
        gather_s: How long further symbols are waited for before streams are opened anew.
        overlap_s: How long an old stream goes on beside the one that replaces it.
        tell_s: How far apart prices of streams are told.
        asked_at_once: The most quiet symbols asked for in one look.
    """

    fresh_ms: int = 2_000
    gap_ms: int = 60_000
    look_s: float = 1.0
    gather_s: float = 0.3
    overlap_s: float = 3.0
    tell_s: float = 0.05
    asked_at_once: int = 5


class Swing:
    """What a symbol's book did since it was last told: its lowest, its highest and its last state.

    A busy book changes hundreds of times a second. Told a few times a second it would jump over
    stops that the market has touched; with its extremes it does not.
    """

    def __init__(self, book: BookTicker) -> None:
        """Begin with one state."""
        self.lowest = self.highest = self.last = book

    def take(self, book: BookTicker) -> None:
        """Take in the next state."""
        self.last = book
        if book.bid_price < self.lowest.bid_price:
            self.lowest = book
        if book.ask_price > self.highest.ask_price:
            self.highest = book

    def books(self) -> list[BookTicker]:
        """Return the states that count, in the order of their times."""
        distinct = {id(book): book for book in (self.lowest, self.highest, self.last)}
        return sorted(distinct.values(), key=lambda book: book.time_ms)


class PaperPrices:
    """Follows symbols at the real exchange."""

    def __init__(
        self,
        client: ExchangeClient,
        control: PaperControl,
        times: FollowTimes | None = None,
        *,
        sleep: Sleep = real_sleep,
    ) -> None:
        """Follow nothing yet; ``client`` needs no key."""
        self._client, self._control = client, control
        self._times = times or FollowTimes()
        self._sleep = sleep
        self._catch_up = CatchUp(client, control, gap_ms=self._times.gap_ms)
        self._turns: dict[str, asyncio.Lock] = {}
        self._followed: set[str] = set()
        self._wanted: dict[str, str] = {}
        self._streamed: frozenset[str] = frozenset()
        self._changed = asyncio.Event()
        self._swings: dict[str, Swing] = {}
        self._marks: dict[str, MarkPrice] = {}
        self._has_news = asyncio.Event()
        self._told: dict[str, BookTicker] = {}
        self._feeds: list[LatestPrices] = []

    async def prepare(self) -> None:
        """Tell the paper exchange what is traded, and bring what is open there up to now.

        Raises:
            ExchangeError: The real exchange does not tell what is traded.
        """
        rules = await self._client.market.fetch_all_rules()
        await self._control.list_contracts(rules.values())
        for one in (await self._control.followed()).values():
            if one.is_busy:
                await self._try(one.symbol)

    async def run(self) -> None:
        """Keep the prices coming until cancelled.

        Raises:
            ExchangeUnavailableError: The paper exchange has ended (inside an exception group).
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._forward())
            tasks.create_task(self._look_after())
            tasks.create_task(self._subscribe())
            tasks.create_task(self._catch_up.charge_fundings(self._sleep))

    async def follow(self, symbol: str) -> None:
        """Return once the paper exchange knows a price of a symbol and keeps being told.

        Raises:
            DataError: It is not traded.
            ExchangeError: Its price cannot be had now.
        """
        if symbol in self._followed:
            return
        async with self._turns.setdefault(symbol, asyncio.Lock()):
            if symbol not in self._followed:
                await self._begin(symbol)

    async def last_price(self, symbol: str) -> Decimal:
        """Return the middle of bid and ask, asked for where none was told lately.

        Raises:
            DataError: It is not traded.
            ExchangeError: Its price cannot be had now.
        """
        await self.follow(symbol)
        if self._age_ms(symbol) > self._times.fresh_ms:
            await self._ask(symbol)
        book = self._told[symbol]
        return (book.bid_price + book.ask_price) / 2

    def want(self, symbol: str) -> None:
        """Have a symbol followed, as soon as that can be."""
        if symbol not in self._followed:
            self._wanted.setdefault(symbol, "")

    def attach(self, feed: LatestPrices) -> None:
        """Hand every price on to a feed, those of now at once."""
        self._feeds.append(feed)
        for book in self._told.values():
            feed.put(book)

    def detach(self, feed: LatestPrices) -> None:
        """Hand nothing on to a feed any more."""
        self._feeds.remove(feed)

    # Inside.

    async def _begin(self, symbol: str) -> None:
        if len(self._followed) >= MOST_SYMBOLS:
            raise ExchangeUnavailableError(
                f"paper follows {MOST_SYMBOLS} symbols at most: {symbol} is one too many"
            )
        await self._catch_up.learn_rules(symbol)
        await self._catch_up.play_missed(symbol)
        await self._ask(symbol)
        self._followed.add(symbol)
        self._wanted.pop(symbol, None)
        if symbol not in self._streamed:
            self._changed.set()

    async def _try(self, symbol: str) -> None:
        """Follow a symbol; what stands against it is logged once, and it is tried again."""
        said = self._wanted.setdefault(symbol, "")
        try:
            await self.follow(symbol)
        except (ExchangeError, DataError) as error:
            self._wanted[symbol] = str(error)
            if said != str(error):
                get_logger().warning("paper_not_followed", symbol=symbol, reason=str(error))
            if isinstance(error, DataError):
                self._wanted.pop(symbol)

    async def _ask(self, symbol: str) -> None:
        book = await self._client.market.fetch_book_ticker(symbol)
        # However long ago it has changed last: it stands so now.
        await self._tell([replace(book, time_ms=self._client.clock.now_ms())])
        if symbol not in self._told:
            raise ExchangeUnavailableError(f"{symbol} has no bid and ask now: try again later")

    async def _tell(self, books: list[BookTicker]) -> None:
        """Tell the paper exchange, then everybody else."""
        now_ms = self._client.clock.now_ms()
        good = [book for book in books if self._is_news(book)]
        await self._control.tell([ToldBook(b, max(0, now_ms - b.time_ms)) for b in good])
        for book in good:
            self._told[book.symbol] = book
            for feed in self._feeds:
                feed.put(book)

    def _is_news(self, book: BookTicker) -> bool:
        told = self._told.get(book.symbol)
        is_older = told is not None and book.time_ms < told.time_ms
        return 0 < book.bid_price <= book.ask_price and not is_older

    async def _forward(self) -> None:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            swings, self._swings = self._swings, {}
            marks, self._marks = self._marks, {}
            going_on = [swing for symbol, swing in swings.items() if self._goes_on(symbol)]
            await self._tell([book for swing in going_on for book in swing.books()])
            for mark in marks.values():
                for feed in self._feeds:
                    feed.put(mark)
            await self._sleep(self._times.tell_s)

    def _goes_on(self, symbol: str) -> bool:
        """Return whether a symbol is told without a gap; else it begins anew."""
        if symbol not in self._followed:
            return False
        if self._age_ms(symbol) <= self._times.gap_ms:
            return True
        self._followed.discard(symbol)
        self.want(symbol)
        return False

    async def _look_after(self) -> None:
        is_away = False
        while True:
            for symbol in list(self._wanted):
                await self._try(symbol)
            quiet = [s for s in self._followed if self._age_ms(s) > self._times.fresh_ms]
            quiet.sort(key=self._age_ms, reverse=True)
            try:
                for symbol in quiet[: self._times.asked_at_once]:
                    if self._goes_on(symbol):
                        await self._ask(symbol)
            except (ExchangeError, DataError) as error:
                if not is_away:
                    get_logger().warning("paper_prices_away", reason=str(error))
                is_away = True
            else:
                is_away = False
            await self._sleep(self._times.look_s)

    async def _subscribe(self) -> None:
        """Have one stream of all symbols, replaced when another symbol has come."""
        async with asyncio.TaskGroup() as tasks:
            running: asyncio.Task[None] | None = None
            while True:
                await self._changed.wait()
                await self._sleep(self._times.gather_s)
                self._changed.clear()
                self._streamed = frozenset(self._followed)
                fresh = tasks.create_task(self._listen(sorted(self._streamed)))
                if running is not None:
                    await self._sleep(self._times.overlap_s)
                    running.cancel()
                running = fresh

    async def _listen(self, symbols: list[str]) -> None:
        feed = self._client.price_feed(symbols)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(feed.run())
            async for price in feed.prices():
                if isinstance(price, MarkPrice):
                    self._marks[price.symbol] = price
                elif price.symbol in self._swings:
                    self._swings[price.symbol].take(price)
                else:
                    self._swings[price.symbol] = Swing(price)
                self._has_news.set()

    def _age_ms(self, symbol: str) -> int:
        told = self._told.get(symbol)
        return 1 << 60 if told is None else self._client.clock.now_ms() - told.time_ms
